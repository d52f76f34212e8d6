"""Isolation by worktrees: each agent in its own lane, integrated when others may rely on it."""

from __future__ import annotations

import json
from pathlib import Path

from session_play import WAITING, Session, rb

PLAN = """
[plan]
name = "lanes"
isolation = "worktree"

[[phases]]
id = "build"

[[phases]]
id = "wire"
after = ["build"]

[[agents]]
id = "alpha"
title = "the parts"
phase = "build"
command = ["bash", "{folder}/alpha.sh"]
claims = ["src/alpha/**"]
tasks = [{{ id = "alpha-1" }}]
gate = "observe"

[[agents]]
id = "beta"
phase = "wire"
command = ["bash", "{folder}/beta.sh"]
claims = ["src/beta/**"]
gate = "observe"

[[interfaces]]
name = "alpha-api"
owner = "alpha"
path = "src/alpha/api.py"
must_contain = ["def call"]
"""


def begin(session: Session, alpha: str, beta: str, *words: str) -> None:
    folder = session.root.parent
    (folder / "alpha.sh").write_text("set -e\n" + alpha)
    (folder / "beta.sh").write_text("set -e\n" + beta)
    for path in ("src/alpha/old.txt", "src/beta/old.txt"):
        (session.root / path).parent.mkdir(parents=True)
        (session.root / path).write_text("old\n")
    session.plan(PLAN.format(folder=folder))
    session.start(*words)


def lane(session: Session, agent: str) -> Path:
    return session.root.with_name("repo.worktrees") / agent


def events(session: Session, kind: str) -> list[dict[str, object]]:
    return [record for record in session.json("log") if record["type"] == kind]


def waiting(session: Session, name: str) -> str:
    return WAITING.format(session.root.parent / name)


def let(session: Session, name: str) -> None:
    (session.root.parent / name).touch()


def test_the_second_phase_works_on_what_the_first_wrote_in_its_lane(session):
    begin(
        session,
        'echo "def call(): pass" > src/alpha/api.py\n'
        "[ ! -e $RUNEBOOK_ROOT/src/alpha/api.py ]\n"
        + rb("publish alpha-api")
        + "grep -q call $RUNEBOOK_ROOT/src/alpha/api.py\n"
        + "cd src/alpha; echo more > more.txt; "
        + rb("ask more.txt > asked.txt")
        + rb("task done alpha-1"),
        "cp src/alpha/api.py src/beta/copy.py; rm src/beta/old.txt\n",
        "--new",
    )
    assert session.engine.wait(60) == 0, session.command("log").stdout
    assert "def call" in (session.root / "src/beta/copy.py").read_text()
    assert "not needed" in (session.root / "src/alpha/asked.txt").read_text()
    assert not (session.root / "src/beta/old.txt").exists()
    assert session.git("log", "--format=%an: %s").splitlines() == [
        "beta: Integrate beta",
        "alpha: Integrate alpha: the parts",
        "alpha: Integrate alpha: the parts",
        "Tester: Begin",
    ]
    assert session.git("status", "--porcelain") == ""
    assert session.requests() == []
    log = [record["type"] for record in session.json("log")]
    assert log.index("LaneIntegrated") < log.index("ApiPublished")
    settled = [each["seq"] for each in events(session, "LaneIntegrated") if each["settled"]]
    completed = [each["seq"] for each in events(session, "PhaseCompleted")]
    assert settled[0] < completed[0] < settled[-1] < completed[1]
    assert session.last("src/beta/copy.py").name == "beta"
    who = session.json("who", "src/beta/copy.py")["last"]
    assert (who["author"], who["certain"]) == ("beta", True)
    assert {agent["lane"] for agent in session.status()["agents"]} == {"runebook/alpha", "runebook/beta"}


def test_a_foreign_write_in_a_lane_is_asked_about_and_comes_in_when_approved(session):
    begin(
        session,
        "echo mine > src/alpha/new.txt; echo crossed > src/beta/old.txt; "
        f"echo straight > {session.root}/src/beta/straight.txt\n" + waiting(session, "go"),
        waiting(session, "end"),
    )
    session.until("both requests", lambda: len(session.requests()) == 2)
    found = {(r["lane"], r["requester"], *r["paths"]) for r in session.requests()}
    assert found == {("alpha", "alpha", "src/beta/old.txt"), (None, "alpha", "src/beta/straight.txt")}
    inside = next(r for r in session.requests() if r["lane"])
    assert "-old" in inside["diff"]
    assert "+crossed" in inside["diff"]
    let(session, "go")
    session.until("beta", lambda: session.agent("beta").get("alive"))
    assert (session.root / "src/beta/old.txt").read_text() == "old\n"
    assert (lane(session, "beta") / "src/alpha/new.txt").exists()
    left = events(session, "LaneIntegrated")[-1]["left"]
    assert left == {"src/beta/old.txt": f"request {inside['id']} is open"}
    listed = {each["id"]: each for each in session.json("lanes")}
    assert listed["alpha"]["pending"] == ["src/beta/old.txt"]
    refused = session.command("lanes", "remove", "alpha")
    assert "src/beta/old.txt not integrated" in refused.stderr
    assert session.command("approve", str(inside["id"])).returncode == 0
    session.until("it", lambda: (session.root / "src/beta/old.txt").read_text() == "crossed\n")
    session.until("its integration", lambda: not session.json("lanes")[0]["pending"])
    assert json.loads(session.command("lanes", "remove", "alpha", "--json").stdout) == {
        "id": "alpha",
        "branch_removed": False,
    }
    assert not lane(session, "alpha").exists()
    assert "is at work in it" in session.command("lanes", "remove", "beta").stderr


def test_the_operators_uncommitted_work_is_a_conflict_that_holds_the_phase_until_decided(session):
    begin(session, "echo lane > src/alpha/old.txt\n" + waiting(session, "go"), "true\n")
    session.until_gate("alpha")
    (session.root / "src/alpha/old.txt").write_text("operator\n")
    let(session, "go")
    request = session.until("the conflict", session.requests)[0]
    assert (request["kind"], request["requester"], request["paths"]) == (
        "conflict",
        "alpha",
        ["src/alpha/old.txt"],
    )
    assert "it holds work that is not committed" in request["reason"]
    assert "-operator" in request["diff"]
    assert "+lane" in request["diff"]
    assert session.phase("build")["status"] == "active"
    assert (session.root / "src/alpha/old.txt").read_text() == "operator\n"
    assert session.command("approve", str(request["id"])).returncode == 0
    session.until("the end", lambda: session.status()["outcome"] == "completed")
    assert (session.root / "src/alpha/old.txt").read_text() == "lane\n"
    assert session.git("status", "--porcelain") == ""


def test_a_rejected_conflict_leaves_the_repository_as_it_is(session):
    begin(session, "echo lane > src/alpha/old.txt\n" + waiting(session, "go"), "true\n", "--new")
    session.until_gate("alpha")
    (session.root / "src/alpha/old.txt").write_text("operator\n")
    session.git("commit", "-qam", "Mine")
    let(session, "go")
    request = session.until("the conflict", session.requests)[0]
    assert session.command("reject", str(request["id"])).returncode == 0
    assert session.engine.wait(60) == 0
    assert (session.root / "src/alpha/old.txt").read_text() == "operator\n"
    assert (lane(session, "alpha") / "src/alpha/old.txt").read_text() == "lane\n"
    assert session.git("log", "--format=%s").splitlines() == ["Mine", "Begin"]


def test_a_killed_engine_goes_on_with_the_lanes_as_they_are(session):
    begin(
        session,
        "echo one > src/alpha/one.txt\n" + waiting(session, "one") + "echo two > src/alpha/two.txt\n"
        "echo crossed > src/beta/old.txt\n" + waiting(session, "two"),
        "[ -e src/alpha/two.txt ]\n",
    )
    session.until("the first write", lambda: session.state().touches)
    pid = session.agent("alpha")["pid"]
    session.kill_engine()
    let(session, "one")
    session.until("the write", lambda: (lane(session, "alpha") / "src/alpha/two.txt").exists())
    session.start()
    request = session.until("the request", session.requests)[0]
    assert (request["lane"], request["requester"]) == ("alpha", "alpha")
    assert session.agent("alpha")["pid"] == pid
    let(session, "two")
    session.until("the end", lambda: session.status()["outcome"] == "completed")
    assert (session.root / "src/alpha/two.txt").read_text() == "two\n"
    assert (session.root / "src/beta/old.txt").read_text() == "old\n"
    touched = [each for each in events(session, "Touched") if each["change"]["path"] == "src/alpha/two.txt"]
    assert [(each["lane"], each["author"]["name"]) for each in touched] == [
        ("alpha", "alpha"),
        ("", "alpha"),
    ]
