"""Who wrote what, over the whole way from a program's write to a request or none."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from session_play import PROGRAM, WAITING

PLAN = """
[plan]
name = "who"

[[phases]]
id = "build"

[[agents]]
id = "alpha"
phase = "build"
command = ["bash", "alpha.sh"]
claims = ["src/alpha/**"]
gate = "{alpha}"

[[agents]]
id = "beta"
phase = "build"
command = ["bash", "beta.sh"]
claims = ["src/beta/**"]
gate = "{beta}"

[[agents]]
id = "gamma"
phase = "build"
command = ["sleep", "600"]
claims = ["src/gamma/**"]
"""


def begin(session, alpha: str = "", *, alpha_gate: str = "observe", beta_gate: str = "observe") -> None:
    for owner in ("alpha", "beta", "gamma"):
        (session.root / "src" / owner).mkdir(parents=True)
        for number in range(40):
            (session.root / "src" / owner / f"{number}.txt").write_text(f"{number}\n")
    end = WAITING.format("stop")
    (session.root / "alpha.sh").write_text(WAITING.format("go") + alpha + "\ntouch done\n" + end)
    (session.root / "beta.sh").write_text(end)
    session.plan(PLAN.format(alpha=alpha_gate, beta=beta_gate))
    session.start()
    for agent, gate in (("alpha", alpha_gate), ("beta", beta_gate)):
        session.until_gate(agent, holds=gate == "observe")


def let_go(session) -> None:
    (session.root / "go").touch()
    session.until("the writes", lambda: (session.root / "done").exists())


@pytest.mark.parametrize(
    "write",
    [
        "echo x > src/beta/1.txt",
        "cat > src/beta/1.txt <<EOF\nhello\nEOF",
        "sed -i s/1/one/ src/beta/1.txt",
        "mv src/alpha/2.txt src/beta/1.txt",
        "cp src/alpha/2.txt src/beta/1.txt",
        "rm src/beta/1.txt",
        'python3 -c \'open("src/beta/1.txt", "w").write("py")\'',
        "printf 'tee\\n' | tee src/beta/1.txt > /dev/null",
        "dd if=/dev/zero of=src/beta/1.txt bs=1 count=3 2> /dev/null",
        "ln -sf ../alpha/2.txt src/beta/1.txt",
        "(cd src/alpha && echo x > ../beta/1.txt)",
        "setsid sh -c 'sleep 0.3; echo x > src/beta/1.txt' & wait",
        "git apply <<'EOF'\n--- a/src/beta/1.txt\n+++ b/src/beta/1.txt\n@@ -1 +1 @@\n-1\n+patched\nEOF",
    ],
)
def test_whatever_program_writes_the_agent_is_named(session, write):
    begin(session, write)
    let_go(session)
    request = session.until("the request", session.requests)[0]
    assert (request["requester"], request["paths"]) == ("alpha", ["src/beta/1.txt"])
    assert "kernel gate" in request["evidence"]
    assert request["diff"]


def test_a_branch_switch_by_an_agent_is_one_request_and_by_the_operator_none(session):
    begin(session, "git checkout -q other")
    session.git("checkout", "-q", "-b", "other")
    for owner in ("beta", "gamma"):
        for number in range(30):
            (session.root / "src" / owner / f"{number}.txt").write_text("changed\n")
    session.git("commit", "-q", "-am", "Change a lot")
    session.until("the operator's edits", lambda: session.state().touches == 60)
    session.git("checkout", "-q", "main")
    session.until("the operator's switch", lambda: session.state().touches == 120)
    assert session.last("src/gamma/29.txt").name == "operator"
    assert session.requests() == []
    let_go(session)
    session.until("all of it", lambda: sum(len(r["paths"]) for r in session.requests()) == 60)
    requests = session.requests()
    assert len(requests) == 1, [(r["paths"], r["evidence"]) for r in requests]
    assert (requests[0]["requester"], sorted(requests[0]["owners"])) == ("alpha", ["beta", "gamma"])


def change(session, names: int, text: str) -> None:
    for owner in ("beta", "gamma"):
        for number in range(names):
            (session.root / "src" / owner / f"{number}.txt").write_text(text)


def test_what_a_person_does_in_the_tree_raises_nothing(session):
    begin(session)
    change(session, 15, "a formatter was here\n")
    session.until("the formatter", lambda: session.state().touches >= 30)
    session.git("stash", "-q")
    session.until("the stash", lambda: session.state().touches >= 60)
    session.git("stash", "pop", "-q")
    session.until("its return", lambda: session.state().touches >= 90)
    session.git("commit", "-q", "-am", "Formatted")
    for name in (".0.txt.swp", "4913", "0.txt~"):
        (session.root / "src/beta" / name).write_text("an editor\n")
        (session.root / "src/beta" / name).unlink()
    (session.root / "src/beta/0.txt.new").write_text("saved atomically\n")
    (session.root / "src/beta/0.txt.new").rename(session.root / "src/beta/0.txt")
    session.until(
        "the save", lambda: session.last("src/beta/0.txt").evidence and session.state().touches >= 91
    )
    assert session.last("src/beta/0.txt").name == "operator"
    assert session.requests() == []


def test_a_persons_branch_switch_beside_an_agent_without_a_gate_is_one_request(session):
    begin(session, alpha_gate="off")
    session.git("checkout", "-q", "-b", "other")
    change(session, 15, "changed\n")
    session.git("commit", "-q", "-am", "Change a lot")
    session.until("the edits", lambda: session.state().touches >= 30)
    before = len(session.requests())
    session.git("checkout", "-q", "main")
    session.until("the switch", lambda: session.state().touches >= 60)
    requests = session.requests()[before:]
    assert len(requests) <= 1, [(r["paths"], r["reason"]) for r in requests]
    assert all("git" in request["reason"] for request in requests)


def test_without_a_gate_there_are_candidates_and_one_word_settles_it(session):
    begin(session, "echo x > src/beta/1.txt", alpha_gate="off")
    alpha = session.agent("alpha")
    assert (alpha["gate"]["mode"], alpha["gate"]["holds"]) == ("off", False)
    let_go(session)
    request = session.until("the request", session.requests)[0]
    assert (request["requester"], request["candidates"]) == (None, ["alpha", "operator"])
    refused = session.command("approve", "1", "--scope", "plan")
    assert "it can be approved once only" in refused.stderr
    assert session.command("mine", "1").returncode == 0
    assert session.requests()[0]["status"] == "withdrawn"


def test_an_owner_without_a_gate_is_not_accused_of_its_own_work(session):
    begin(session, "echo x > src/alpha/1.txt", alpha_gate="off")
    let_go(session)
    session.until("the touch", lambda: session.last("src/alpha/1.txt"))
    assert session.requests() == []


def test_a_killed_supervisor_neither_stops_its_agent_nor_hides_its_writes(session):
    begin(session, "echo x > src/beta/1.txt")
    front = session.agent("alpha")["pid"]
    children = Path(f"/proc/{front}/task/{front}/children").read_text().split()
    assert len(children) == 1
    os.kill(int(children[0]), signal.SIGKILL)
    let_go(session)
    request = session.until("the request", session.requests)[0]
    assert request["paths"] == ["src/beta/1.txt"]
    assert request["requester"] == "alpha" or "alpha" in request["candidates"]
    assert session.agent("alpha")["alive"]


def test_the_operator_runs_a_program_as_an_agent(session):
    begin(session)
    inner = "import pathlib; pathlib.Path('src/beta/1.txt').write_text('as alpha')"
    done = subprocess.run(
        [*PROGRAM, "exec", "alpha", "--", sys.executable, "-c", inner],
        cwd=session.root,
        env=session.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    request = session.until("the request", session.requests)[0]
    assert (request["requester"], request["paths"]) == ("alpha", ["src/beta/1.txt"])


def test_ignored_files_raise_nothing(session):
    (session.root / ".gitignore").write_text("build/\n*.log\n")
    begin(
        session,
        "mkdir -p src/beta/build; echo x > src/beta/build/out; echo x > src/beta/y.log; echo z > src/beta/z",
    )
    let_go(session)
    session.until("the one that counts", session.requests)
    assert [path for r in session.requests() for path in r["paths"]] == ["src/beta/z"]


def test_a_storm_of_ignored_files_costs_no_name(session):
    """An agent that fills an ignored folder is still named for the one write that counts."""
    (session.root / ".gitignore").write_text("node_modules/\n")
    storm = (
        "import os\n"
        "for folder in range(52):\n"
        "    os.makedirs(f'node_modules/m{folder}', exist_ok=True)\n"
        "    for number in range(1000):\n"
        "        open(f'node_modules/m{folder}/{number}', 'w').close()\n"
    )
    (session.root / "storm.py").write_text(storm)
    begin(session, "python3 storm.py; echo x > src/beta/1.txt")
    let_go(session)
    request = session.until("the request", session.requests)[0]
    assert (request["requester"], request["paths"]) == ("alpha", ["src/beta/1.txt"])


def test_a_late_write_through_a_descriptor_kept_open_is_never_the_operators(session):
    """The gate sees the open only; the bytes come when the record of it is long stale."""
    keep = (
        "import time\n"
        "open('src/gamma/1.txt', 'w').write('first')\n"
        "time.sleep(0.1)\n"
        "kept = open('src/beta/1.txt', 'a')\n"
        "kept.write('early\\n'); kept.flush()\n"
        "time.sleep(4)\n"
        "kept.write('late\\n'); kept.flush()\n"
        "open('written', 'w').close()\n"
        "time.sleep(600)\n"
    )
    (session.root / "keep.py").write_text(keep)
    begin(session, "python3 keep.py")
    (session.root / "go").touch()
    session.until("the late write", lambda: (session.root / "written").exists())
    late = session.until("its diff", lambda: [r for r in session.requests() if "+late" in r["diff"]])
    assert late[0]["requester"] == "alpha" or "alpha" in late[0]["candidates"]
    assert session.last("src/beta/1.txt").name != "operator"
