"""The agent finalization in its pane: checks run as files change, the list is true, the run ends by it."""

from __future__ import annotations

import subprocess

from session_play import Session

PLAN = """
[plan]
name = "accepted"

[[phases]]
id = "build"

[[phases]]
id = "continuous"
continuous = true

[[agents]]
id = "alpha"
phase = "build"
command = ["sh", "-c", "while [ ! -e go ]; do sleep 0.05; done"]
claims = ["src/**"]

[[agents]]
id = "finalization"
phase = "continuous"
builtin = "finalization"
claims = ["/ValidationChecklist.md"]
tasks = [{ id = "finalization-checklist" }, { id = "finalization-final" }]

[[acceptance]]
id = "tests"
title = "The file is there"
command = ["sh", "-c", "test -e src/there"]
paths = ["src/**"]

[[acceptance]]
id = "other"
command = ["true"]
paths = ["other/**"]
"""

PEOPLES = b"# Ours\r\n\r\n- [ ] look at it yourself\r\n"


def begin(session: Session) -> None:
    (session.root / "ValidationChecklist.md").write_bytes(PEOPLES)
    (session.root / ".gitignore").write_text("go\n")
    (session.root / "src").mkdir()
    session.plan(PLAN)
    session.start()


def listed(session: Session, check: str) -> str:
    """The line of a check."""
    text = (session.root / "ValidationChecklist.md").read_text()
    return next((line for line in text.splitlines() if f"<!-- runebook:{check} -->" in line), "")


def ran(session: Session, check: str) -> list[bool]:
    log = session.json("log")
    return [r["passed"] for r in log if r["type"] == "AcceptanceRan" and r["check"] == check]


def test_checks_run_again_as_files_change_and_the_run_completes(session: Session) -> None:
    begin(session)
    session.until("a failure", lambda: "exit 1 in" in listed(session, "tests"))
    session.until("the list", lambda: listed(session, "other").startswith("- [x] other: `true`, exit 0"))
    assert listed(session, "tests").startswith("- [ ] The file is there: `sh -c 'test -e src/there'`, exit 1")
    (session.root / "src/there").write_text("now\n")
    session.until("it passes", lambda: listed(session, "tests").startswith("- [x]"))
    commit = session.git("rev-parse", "--short", "HEAD").strip()
    assert f"commit {commit} with changes" in listed(session, "tests")
    session.git("add", "src")
    session.git("commit", "-q", "-m", "There")
    (session.root / "go").touch()
    session.until("the end", lambda: session.state().outcome == "completed")
    assert ran(session, "other") == [True]
    assert ran(session, "tests")[0] is False
    assert ran(session, "tests")[-1] is True
    assert (session.root / "ValidationChecklist.md").read_bytes().startswith(PEOPLES)
    assert {each.passed for each in session.state().acceptance.values()} == {True}
    own = session.root / ".runebook/agents/finalization"
    assert "<svg" in (own / "report.html").read_text()
    assert "The file is there" in (own / "report.md").read_text()
    report = session.json("report")
    assert [(each["id"], each["passed"]) for each in report["checks"]] == [("tests", True), ("other", True)]
    assert report["outcome"] == "completed"


def test_a_run_that_is_not_accepted_fails_and_says_why(session: Session) -> None:
    begin(session)
    session.until("a failure", lambda: "exit 1 in" in listed(session, "tests"))
    (session.root / "go").touch()
    session.until("the end", lambda: session.agent("finalization")["status"] == "failed")
    assert session.agent("finalization")["last_lines"][-1:] == ["not accepted: tests"]
    blocked = {task.id: task.reason for task in session.state().tasks_of("finalization") if task.reason}
    assert blocked == {"finalization-final": "not accepted: tests"}


def test_a_check_that_takes_too_long_is_ended_and_one_that_is_not_there_is_named(session: Session) -> None:
    slow = PLAN.replace('"test -e src/there"]', '"sleep 600 & sleep 600"]\nseconds = 0.3')
    (session.root / "src").mkdir()
    session.plan(slow.replace('["true"]', '["no-such-program"]'))
    session.start()
    session.until("the list", lambda: "took longer than 0.3 s" in listed_or_nothing(session, "tests"))
    session.until("the other", lambda: "no-such-program did not start" in listed(session, "other"))
    left = subprocess.run(["pgrep", "-f", "sleep 600"], capture_output=True, text=True).stdout.split()
    inside = [pid for pid in left if _in(session, pid)]
    assert not inside


def listed_or_nothing(session: Session, check: str) -> str:
    there = (session.root / "ValidationChecklist.md").exists()
    return listed(session, check) if there else ""


def _in(session: Session, pid: str) -> bool:
    try:
        return (
            str(session.root) == subprocess.check_output(["readlink", f"/proc/{pid}/cwd"], text=True).strip()
        )
    except subprocess.CalledProcessError:
        return False
