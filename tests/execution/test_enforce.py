"""A stopped write's whole way: from an agent's program over the operator's answer to its landing or not."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from session_play import WAITING, rb

PLAN = """
[plan]
name = "enforce"

[policy]
away = "{away}"
hold_seconds = {seconds}

[[phases]]
id = "build"

[[agents]]
id = "alpha"
phase = "build"
command = ["bash", "alpha.sh"]
claims = ["src/alpha/**"]
tasks = [{{ id = "alpha-1" }}]

[[agents]]
id = "beta"
phase = "build"
command = ["sleep", "600"]
claims = ["src/beta/**"]
"""


def begin(session, alpha: str, *, away: str = "hold", seconds: float = 60) -> None:
    """alpha runs `alpha` once the file `go` is there; its errors land in src/alpha/said."""
    for owner in ("alpha", "beta"):
        (session.root / "src" / owner).mkdir(parents=True)
        (session.root / "src" / owner / "x").write_text("first\n")
    script = WAITING.format("go") + f"{{\n{alpha}\n}} 2> src/alpha/said\ntouch src/alpha/done\n"
    (session.root / "alpha.sh").write_text(script + WAITING.format("stop"))
    (session.root / ".gitignore").write_text("go\nstop\nbuild/\n")
    session.plan(PLAN.format(away=away, seconds=seconds))
    session.start()
    session.until_gate("alpha")
    session.until_gate("beta")
    (session.root / "go").touch()


def done(session) -> str:
    """What alpha's programs said on their errors, once it has done."""
    session.until("alpha's end", lambda: (session.root / "src/alpha/done").exists())
    return (session.root / "src/alpha/said").read_text()


def read(session, path: str = "src/beta/x") -> str:
    return (session.root / path).read_text()


def waiting(session) -> dict[str, object]:
    return session.until("a waiting write", lambda: [r for r in session.requests() if r["held_until"]])[0]


def test_an_approval_lets_the_write_go_on_and_it_is_no_crossing(session):
    begin(session, "sed -i s/first/second/ src/beta/x")
    request = waiting(session)
    assert (request["kind"], request["requester"], request["paths"]) == ("held", "alpha", ["src/beta/x"])
    assert "sed" in request["evidence"]
    assert read(session) == "first\n"
    assert session.command("approve", "1").returncode == 0
    assert done(session) == ""
    assert read(session) == "second\n"
    touch = session.until("the touch", lambda: session.last("src/beta/x"))
    assert (touch.name, touch.under) == ("alpha", 1)
    assert [r["kind"] for r in session.requests()] == ["held"]


def test_a_pane_proves_its_gate_before_its_program_runs_and_again_to_the_next_engine(session):
    begin(session, "true")

    def proven() -> bool:
        return all(session.agent(name).get("gate", {}).get("proven") for name in ("alpha", "beta"))

    def checks() -> list[str]:
        return [each["words"] for each in session.json("doctor")["checks"] if "agent:" in each["id"]]

    session.until("both gates' proof", proven)
    assert checks() == ["the gate refused what its pane tried"] * 2
    assert session.status()["attempts"] == 0
    session.kill_engine()
    session.start()
    session.until("both gates' proof again", proven)
    assert session.command("stop", "beta").returncode == 0
    session.until("beta's end", lambda: not session.agent("beta")["alive"])
    assert session.command("restart", "beta").returncode == 0
    session.until("a proof of the new pane", lambda: session.agent("beta")["attempt"] == 2 and proven())
    told = [r["proven"] for r in session.json("log") if r["type"] == "NetReported" and r["agent"] == "alpha"]
    assert told == [False, True]


def test_a_rejection_reaches_the_program_and_says_why(session):
    begin(session, "cp alpha.sh src/beta/x")
    waiting(session)
    assert session.command("reject", "1", "--reason", "beta is at it").returncode == 0
    said = done(session)
    assert "Permission denied" in said
    assert "src/beta/x is beta's; the operator rejected request 1: beta is at it" in said
    assert read(session) == "first\n"


def test_nobody_answers_and_the_approval_that_comes_later_is_for_the_next_try(session):
    again = f"cp alpha.sh src/beta/x\n{WAITING.format('again')}cp alpha.sh src/beta/x"
    begin(session, again, seconds=0.5)
    session.until("the refusal", lambda: [r for r in session.requests() if r["hold_over"]])
    assert read(session) == "first\n"
    assert session.command("approve", "1").returncode == 0
    (session.root / "again").touch()
    assert "request 1 is open" in done(session)
    assert read(session) != "first\n"
    assert len(session.requests()) == 1


def test_the_plan_may_say_that_nothing_waits(session):
    begin(session, "echo no > src/beta/x; rm -f src/beta/x; mv src/beta/x src/alpha/y", away="refuse")
    said = done(session)
    assert said.count("Permission denied") == 3
    assert read(session) == "first\n"
    assert {path for r in session.requests() for path in r["paths"]} == {"src/beta/x"}


def test_the_plan_may_say_that_it_lands_and_is_looked_at_afterwards(session):
    begin(session, "echo yes > src/beta/x", away="flag")
    assert done(session) == ""
    request = session.until("the request", session.requests)[0]
    assert (request["kind"], request["requester"]) == ("crossed", "alpha")
    assert read(session) == "yes\n"


@pytest.mark.parametrize("path", ["runebook.toml", ".git/hooks/pre-commit", ".git/config", ".runebook/x"])
def test_what_is_the_operators_is_never_an_agents(session, path):
    begin(session, f"echo x >> {path}; echo mine > .runebook/agents/alpha/x")
    assert "belongs to the operator" in done(session)
    there = session.root / path
    assert not there.exists() or not there.read_text().endswith("x\n")
    assert read(session, ".runebook/agents/alpha/x") == "mine\n"
    session.until("the attempt", lambda: f"write {path}" in session.command("log").stdout)
    assert session.requests() == []


def test_owned_ignored_unowned_and_outside_pass_at_once(session, tmp_path):
    outside = tmp_path / "outside"
    folder = "mkdir -p src/beta/build; echo 2 > src/beta/build/o"
    begin(session, f"echo 1 > src/alpha/x; {folder}; echo 3 > new; echo 4 > {outside}")
    assert done(session) == ""
    paths = ("src/alpha/x", "src/beta/build/o", "new")
    assert [read(session, path) for path in paths] == ["1\n", "2\n", "3\n"]
    assert outside.read_text() == "4\n"
    assert session.requests() == []


def test_asking_first_opens_the_way(session):
    begin(session, rb("ask", "src/beta/x", "--reason", "'a limit'") + "echo granted > src/beta/x")
    session.until("the request", session.requests)
    assert session.command("approve", "1").returncode == 0
    assert done(session) == ""
    assert read(session) == "granted\n"


def test_a_killed_engine_neither_lets_it_land_nor_forgets_the_question(session):
    begin(session, "echo once > src/beta/x")
    waiting(session)
    session.kill_engine()
    assert read(session) == "first\n"
    session.start()
    session.until("an answer", lambda: session.command("approve", "1").returncode == 0)
    assert done(session) == ""
    assert read(session) == "once\n"


def test_without_an_engine_owned_passes_and_foreign_is_refused_in_words(session):
    begin(session, f"{WAITING.format('dead')}echo own > src/alpha/x; echo no > src/beta/x")
    session.until("alpha at work", lambda: session.agent("alpha")["alive"])
    session.kill_engine()
    (session.root / "dead").touch()
    said = done(session)
    assert "no engine" in said
    assert read(session) == "first\n"
    assert read(session, "src/alpha/x") == "own\n"
    session.start()
    session.until("the engine", lambda: session.command("status").returncode == 0)


def test_a_process_that_gives_up_withdraws_its_question(session):
    begin(session, "timeout --signal=KILL 0.7 sh -c 'echo late > src/beta/x'; true")
    session.until("the end", lambda: [r for r in session.requests() if r["status"] == "withdrawn"])
    done(session)
    assert read(session) == "first\n"


def test_tmux_is_out_of_reach(session):
    begin(session, 'tmux -L "$(basename "$TMUX" | cut -d, -f1)" run-shell \'echo x > src/beta/x\'; true')
    done(session)
    assert read(session) == "first\n"
    assert session.until("the attempt", lambda: "tmux" in session.command("log").stdout)


def test_a_killed_server_of_the_gate_keeps_the_write_waiting(session):
    begin(session, "echo late > src/beta/x")
    waiting(session)
    front = session.agent("alpha")["pid"]
    (server,) = Path(f"/proc/{front}/task/{front}/children").read_text().split()
    os.kill(int(server), signal.SIGKILL)
    session.until("the front's question", lambda: [r for r in session.requests() if r["held_until"]])
    assert read(session) == "first\n"
    number = [r["id"] for r in session.requests() if r["status"] == "open"][0]
    assert session.command("approve", str(number)).returncode == 0
    done(session)
    assert read(session) == "late\n"
