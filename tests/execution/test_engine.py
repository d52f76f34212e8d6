"""The engine with real panes, real git and real files: the main job, and what must survive."""

from __future__ import annotations

import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from session_play import WAITING, rb

from runebook_tui.execution.launch import launch_engine
from runebook_tui.log.lease import own_lease
from runebook_tui.log.opening import store_of
from runebook_tui.place import tmux_socket_name

TWO = """
[plan]
name = "two"

[[phases]]
id = "build"

[[phases]]
id = "wire"
after = ["build"]

[[agents]]
id = "alpha"
phase = "build"
command = ["bash", "alpha.sh"]
claims = ["src/alpha/**"]
gate = "observe"
tasks = [{ id = "alpha-1" }]

[[agents]]
id = "beta"
phase = "wire"
command = ["bash", "beta.sh"]
claims = ["src/beta/**"]
gate = "observe"
needs = { apis = ["alpha-api"] }

[[interfaces]]
name = "alpha-api"
owner = "alpha"
path = "src/alpha/api.py"
must_contain = ["def call"]
"""


def script(root: Path, name: str, text: str) -> None:
    (root / name).write_text("set -e\n" + text)


def gone(pid: int) -> bool:
    """Whether the process has ended, though nobody may have collected it yet."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


def test_a_plan_runs_in_order_and_ends_with_status_0(session):
    script(
        session.root,
        "alpha.sh",
        "mkdir -p src/alpha; echo 'def call(): pass' > src/alpha/api.py\n"
        + rb("ready")
        + rb("task start alpha-1")
        + rb("publish alpha-api")
        + rb("task done alpha-1"),
    )
    script(session.root, "beta.sh", "mkdir -p src/beta; cp src/alpha/api.py src/beta/copy.py\n")
    session.plan(TWO)
    session.start("--new")
    assert session.engine.wait(60) == 0, session.command("log").stdout
    log = [record["type"] for record in session.json("log")]
    assert log.index("ApiPublished") < [i for i, t in enumerate(log) if t == "AgentStarted"][1]
    status = session.status()
    assert status["outcome"] == "completed"
    assert [phase["status"] for phase in status["phases"]] == ["completed", "completed"]
    assert session.requests() == []
    who = session.json("who", "src/beta/copy.py")
    assert (who["owner"], who["last"]["author"], who["last"]["certain"]) == ("beta", "beta", True)
    gone = subprocess.run(
        ["tmux", "-L", tmux_socket_name(session.root), "ls"], capture_output=True, check=False
    )
    assert gone.returncode != 0


def test_a_failing_agent_fails_the_run_and_its_last_lines_are_kept(session):
    script(session.root, "alpha.sh", "echo about to fail; exit 3\n")
    session.plan(TWO)
    session.start("--new")
    assert session.engine.wait(60) == 1
    alpha = session.agent("alpha")
    assert (alpha["status"], alpha["exit_code"], alpha["reason"]) == ("failed", 3, "exit 3")
    assert "about to fail" in alpha["last_lines"]
    assert "beta waits for" in session.status()["reason"]


def test_a_foreign_write_becomes_one_request_that_grows_and_is_decided(session):
    script(session.root, "alpha.sh", WAITING.format("go.alpha"))
    (session.root / "src/beta").mkdir(parents=True)
    (session.root / "src/beta/x.py").write_text("one\n")
    script(
        session.root,
        "alpha.sh",
        WAITING.format("go.1")
        + "echo two >> src/beta/x.py\n"
        + WAITING.format("go.2")
        + "sed -i s/one/ONE/ src/beta/x.py\n"
        + WAITING.format("go.3"),
    )
    session.plan(TWO)
    session.start()
    session.until_gate("alpha")
    (session.root / "go.1").touch()
    first = session.until("a request", session.requests)
    assert [(r["kind"], r["requester"], r["owners"], r["paths"]) for r in first] == [
        ("crossed", "alpha", ["beta"], ["src/beta/x.py"])
    ]
    assert "+two" in first[0]["diff"]
    assert "kernel gate" in first[0]["evidence"]
    (session.root / "go.2").touch()
    grown = session.until("growth", lambda: [r for r in session.requests() if "+ONE" in r["diff"]])
    assert len(session.requests()) == 1
    assert "-one" in grown[0]["diff"]
    assert "+two" in grown[0]["diff"]
    assert session.command("approve", "R-1", "--reason", "fine").returncode == 0
    second = session.command("reject", "1")
    assert second.returncode == 1
    assert second.stderr == "runebook-tui: request 1 is approved already\n"
    assert session.requests()[0]["answer"] == "fine"


def test_the_operators_own_edits_raise_nothing(session):
    script(session.root, "alpha.sh", WAITING.format("go.1"))
    session.plan(TWO)
    session.start()
    session.until_gate("alpha")
    (session.root / "src/beta").mkdir(parents=True)
    (session.root / "src/beta/mine.py").write_text("mine\n")
    seen = session.until("the touch", lambda: session.last("src/beta/mine.py"))
    assert seen.name == "operator"
    assert session.requests() == []


def test_an_agent_asks_and_gets_its_answer(session):
    script(
        session.root,
        "alpha.sh",
        "mkdir -p src/beta\nif "
        + rb("ask src/beta/y.py --reason 'a limit' --wait 50").strip()
        + " > answer.txt; then echo granted > src/beta/y.py; fi\n"
        + WAITING.format("go.1"),
    )
    session.plan(TWO)
    session.start()
    asked = session.until("the question", session.requests)[0]
    assert (asked["kind"], asked["reason"], asked["status"]) == ("asked", "a limit", "open")
    session.command("approve", "1")
    session.until("the write", lambda: (session.root / "src/beta/y.py").exists())
    session.until("the touch", lambda: session.last("src/beta/y.py"))
    assert (session.root / "answer.txt").read_text() == "request 1: approved\n"
    assert len(session.requests()) == 1


def test_an_agent_cannot_decide_nor_speak_for_another(session):
    script(
        session.root,
        "alpha.sh",
        "set +e\nmkdir -p src/beta\n"
        + rb("ask src/beta/y.py --no-wait")
        + rb("approve 1 2> approve.txt")
        + "env -u RUNEBOOK_AGENT setsid -w "
        + rb("approve 1 2> disguised.txt")
        + rb("ready --agent beta 2> other.txt")
        + rb("down 2> down.txt")
        + "touch done\n"
        + WAITING.format("go.1"),
    )
    session.plan(TWO)
    session.start()
    session.until("the attempts", lambda: (session.root / "done").exists())
    for name in ("approve", "disguised", "down"):
        assert "only the operator may" in (session.root / f"{name}.txt").read_text()
    assert "alpha cannot speak for beta" in (session.root / "other.txt").read_text()
    assert session.requests()[0]["status"] == "open"
    attempts = [record for record in session.json("log") if record["type"] == "AttemptRefused"]
    assert {(each["speaker"], each["attempt"]) for each in attempts} == {
        ("alpha", "approve 1"),
        ("alpha", "down"),
    }


def test_a_killed_engine_comes_back_to_the_same_panes_and_misses_nothing(session):
    (session.root / "src/beta").mkdir(parents=True)
    (session.root / "src/beta/x.py").write_text("one\n")
    script(
        session.root,
        "alpha.sh",
        WAITING.format("go.1")
        + "echo two >> src/beta/x.py; echo new > src/beta/new.py; touch written\n"
        + WAITING.format("go.2")
        + "mkdir -p src/alpha; echo 'def call' > src/alpha/api.py\n"
        + rb("publish alpha-api"),
    )
    script(session.root, "beta.sh", "true\n")
    session.plan(TWO)
    session.start("--keep")
    before = session.until(
        "alpha runs", lambda: (a := session.agent("alpha")).get("gate", {}).get("holds") and a
    )
    session.kill_engine()
    assert session.command("status").returncode == 1
    (session.root / "go.1").touch()
    session.until("the write without an engine", lambda: (session.root / "written").exists())
    session.start("--keep")
    requests = session.until("the request", session.requests)
    after = session.agent("alpha")
    assert (after["pid"], after["attempt"]) == (before["pid"], 1)
    assert sorted(path for r in requests for path in r["paths"]) == ["src/beta/new.py", "src/beta/x.py"]
    assert {r["requester"] for r in requests} == {"alpha"}
    (session.root / "go.2").touch()
    session.until("the end", lambda: session.status()["outcome"] == "completed")


def test_two_engines_are_one_too_many(session):
    script(session.root, "alpha.sh", WAITING.format("go.1"))
    session.plan(TWO)
    session.start()
    session.until("alpha runs", lambda: session.agent("alpha").get("alive"))
    second = session.command("run")
    assert second.returncode == 3
    assert second.stderr.startswith("runebook-tui: another engine runs (pid ")
    assert second.stderr.count("\n") == 1


def test_an_engine_that_is_launched_beside_one_that_was_beginning_does_not_stay(session, monkeypatch):
    script(session.root, "alpha.sh", WAITING.format("go.1"))
    session.plan(TWO)
    session.start()
    session.until("alpha runs", lambda: session.agent("alpha").get("alive"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", session.environment["XDG_RUNTIME_DIR"])
    launched = []

    class Process(subprocess.Popen):
        def __init__(self, *words, **options):
            super().__init__(*words, **options)
            launched.append(self)

    monkeypatch.setattr("subprocess.Popen", Process)
    launch_engine(session.root)
    assert [process.poll() is not None for process in launched] == [True]
    assert session.command("status").returncode == 0


def test_a_command_outlives_an_engine_that_was_beginning_and_ended(session):
    script(session.root, "alpha.sh", WAITING.format("go.1"))
    session.plan(TWO)
    session.start()
    session.until("alpha runs", lambda: session.agent("alpha").get("alive"))
    session.kill_engine()
    report = session.root / ".runebook" / "engine.log"
    beginning = own_lease(time.time())
    with store_of(session.root).open() as log, ThreadPoolExecutor() as pool:
        log.take_lease(beginning)
        stopped = pool.submit(session.command, "stop", "alpha")
        session.until(
            "its own engine's end", lambda: report.exists() and "another engine runs" in report.read_text()
        )
        log.release_lease(beginning.pid)
        assert (done := stopped.result()).returncode == 0, done.stderr
    session.until("alpha's end", lambda: not session.agent("alpha")["alive"])


def test_commands_that_each_start_an_engine_share_one(session):
    script(session.root, "alpha.sh", WAITING.format("go.1"))
    session.plan(TWO)
    session.start()
    session.until("alpha runs", lambda: session.agent("alpha").get("alive"))
    session.kill_engine()
    with ThreadPoolExecutor() as pool:
        asked = [pool.submit(session.command, "restart", "alpha") for _ in range(4)]
        answers = {each.result().stderr for each in asked}
    assert answers == {"runebook-tui: alpha is running: only a failed or stopped agent restarts\n"}


def test_down_ends_what_was_started_and_nothing_else_and_the_next_start_goes_on(session):
    script(
        session.root,
        "alpha.sh",
        "setsid sleep 600 & echo $! > daemon.pid\n" + WAITING.format("go.1") + rb("task done alpha-1"),
    )
    (session.root / "daemon.pid").touch()
    session.plan(TWO)
    bystander = subprocess.Popen(["sleep", "600"])
    try:
        session.start()
        running = session.until("alpha runs", lambda: (a := session.agent("alpha")).get("alive") and a)
        daemon = int(session.until("its daemon", lambda: (session.root / "daemon.pid").read_text()))
        assert session.command("down").returncode == 0
        assert session.engine.wait(60) == 0
        assert gone(running["pid"])
        assert gone(daemon)
        assert bystander.poll() is None
        assert session.agent("alpha")["status"] == "stopped"
        session.start()
        again = session.until("alpha again", lambda: (a := session.agent("alpha")).get("alive") and a)
        assert again["attempt"] == 2
        (session.root / "go.1").touch()
    finally:
        bystander.kill()
        bystander.wait()


def test_restart_starts_a_failed_agent_again(session):
    script(session.root, "alpha.sh", "test -e go.1\n" + WAITING.format("go.2"))
    session.plan(TWO)
    session.start()
    session.until("the failure", lambda: session.agent("alpha").get("status") == "failed")
    (session.root / "go.1").touch()
    assert session.command("restart", "alpha").returncode == 0
    session.until("alpha runs", lambda: session.agent("alpha").get("status") == "running")
    assert session.agent("alpha")["attempt"] == 2


def test_a_dead_tmux_server_fails_its_agents_in_words(session):
    script(session.root, "alpha.sh", WAITING.format("go.1"))
    session.plan(TWO)
    session.start()
    session.until("alpha runs", lambda: session.agent("alpha").get("alive"))
    subprocess.run(["tmux", "-L", tmux_socket_name(session.root), "kill-server"], check=True)
    session.until("the failure", lambda: session.agent("alpha").get("status") == "failed")
    assert "its pane is gone" in session.agent("alpha")["reason"]


def test_the_operators_edit_of_the_plan_is_followed_and_an_agents_is_not(session):
    script(
        session.root,
        "alpha.sh",
        WAITING.format("go.1")
        + "printf '[[phases]]\\nid = \"sneaked\"\\n' >> runebook.toml\n"
        + WAITING.format("go.2"),
    )
    session.plan(TWO)
    session.start()
    session.until_gate("alpha")
    plan = session.root / "runebook.toml"
    plan.write_text(plan.read_text() + '\n[[phases]]\nid = "later"\nafter = ["wire"]\n')
    session.until("the new phase", lambda: "later" in [p["id"] for p in session.status()["phases"]])
    (session.root / "go.1").touch()
    request = session.until("a request", session.requests)[0]
    assert (request["requester"], request["paths"], request["owners"]) == (
        "alpha",
        ["runebook.toml"],
        ["operator"],
    )
    refused = session.until(
        "the refusal", lambda: [r for r in session.json("log") if r["type"] == "AttemptRefused"]
    )
    assert [each["speaker"] for each in refused] == ["alpha"]
    assert "sneaked" not in [phase["id"] for phase in session.status()["phases"]]


def test_git_clean_takes_no_event_away(session):
    script(
        session.root,
        "alpha.sh",
        # git fails where the engine writes into a folder while it is being removed
        WAITING.format("go.1") + "git clean -qfdx -e 'go.*' || true\n" + WAITING.format("go.2") + "exit 7\n",
    )
    session.plan(TWO)
    session.start()
    session.until_gate("alpha")
    before = session.state().seq
    (session.root / "go.1").touch()
    session.until("the log again", lambda: session.state().seq >= before)
    (session.root / "go.2").touch()
    session.until("what came after", lambda: session.agent("alpha").get("status") == "failed")
    assert session.agent("alpha")["exit_code"] == 7
    assert session.command("status").returncode == 0
    assert "was deleted" in (session.root.parent / "engine.out").read_text()
    assert session.command("down").returncode == 0


def test_without_the_plans_file_a_run_can_still_be_led(session):
    script(session.root, "alpha.sh", WAITING.format("go.1"))
    session.plan(TWO)
    session.start()
    session.until_gate("alpha")
    (session.root / "runebook.toml").write_text("garbage [")
    session.kill_engine()
    assert session.command("stop", "alpha").returncode == 0
    (session.root / "runebook.toml").unlink()
    assert session.command("status").returncode == 0
    assert session.command("down").stdout == "everything is stopped\n"
