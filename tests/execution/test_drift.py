"""A published interface whose file changes afterwards: the question, the new version, and who is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from session_play import WAITING, rb

from runebook_tui.core.contract import Clause
from runebook_tui.core.state import PublishedApi
from runebook_tui.core.types import ENGINE

PLAN = """
[plan]
name = "drift"

[[phases]]
id = "build"

[[phases]]
id = "wire"

[[phases]]
id = "late"
after = ["build"]
needs = { apis = ["store"] }

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
needs = { apis = ["store"] }

[[agents]]
id = "gamma"
phase = "late"
command = ["true"]
gate = "observe"

[[interfaces]]
name = "store"
owner = "alpha"
path = "src/alpha/store.py"
must_contain = ["LIMIT"]
must_match = ['^def open\\w+']
symbols = ["Store.list"]
"""

FILE = '''\
"""The store."""

LIMIT = 5


def open_it(path: str) -> "Store":
    return Store()


class Store:
    def list(self, first: int = 0) -> list[str]:
        return []
'''
WIDER = FILE.replace("first: int = 0", "first: int = 0, most: int = 9")


def begin(session: Any, *, alpha: str = "", wait: bool = True) -> Path:
    """Alpha publishes the store and goes on, beta builds on it; the store's file."""
    store = Path(session.root / "src/alpha/store.py")
    store.parent.mkdir(parents=True)
    store.write_text(FILE)
    publishes = "set -e\n" + rb("publish store") + alpha + WAITING.format("go.end") + rb("task done alpha-1")
    (session.root / "alpha.sh").write_text(publishes + WAITING.format("go.never"))
    (session.root / "beta.sh").write_text(WAITING.format("go.never"))
    session.plan(PLAN)
    session.start()
    if wait:
        session.until_gate("beta")
    return store


def api(session: Any) -> PublishedApi:
    found = session.state().apis.get("store")
    assert found is not None
    return found


def told(session: Any) -> list[tuple[str, tuple[str, ...], int | None]]:
    """What those who build on it were told; the decision itself is told to others, too."""
    messages = session.state().messages
    return [(each.sender, each.to, each.request) for each in messages if "beta" in each.to]


def drift(session: Any) -> dict[str, Any]:
    """The open request about the store."""
    return session.until(
        "a drift", lambda: next((r for r in session.requests() if r["status"] == "open"), None)
    )


def test_a_changed_contract_is_asked_about_and_approved_as_the_next_version(session: Any) -> None:
    store = begin(session)
    assert api(session).contract == (
        Clause(kind="text", wanted="LIMIT", lines=("LIMIT = 5",)),
        Clause(kind="pattern", wanted=r"^def open\w+", lines=('def open_it(path: str) -> "Store":',)),
        Clause(kind="symbol", wanted="Store.list", lines=("def list(self, first: int=0) -> list[str]",)),
    )
    store.write_text(FILE.replace("return []", "return ['nothing']  # for now"))
    store.write_text(WIDER)
    asked = drift(session)
    assert (asked["kind"], asked["paths"], asked["owners"]) == ("drift", ["src/alpha/store.py"], ["alpha"])
    assert asked["requester"] is None, "nobody's pane wrote it"
    assert asked["candidates"] == ["operator"]
    assert "beta builds on it" in asked["reason"]
    shown = session.command("requests", "--diff").stdout
    assert "-def list(self, first: int=0) -> list[str]" in shown
    assert "+def list(self, first: int=0, most: int=9) -> list[str]" in shown
    assert "-    def list(self, first: int = 0) -> list[str]:" in shown, "the file's own diff, too"
    assert told(session) == [(ENGINE, ("beta",), asked["id"])]

    (session.root / "go.end").touch()
    waits = session.until(
        "gamma's gate",
        lambda: (
            session.phase("late")["waits_for"][0:1]
            == [f"API store (changed since v1; request {asked['id']} waits for a decision)"]
        ),
    )
    assert waits
    refused = session.command("approve", str(asked["id"]), "--scope", "plan")
    assert (refused.returncode, "once only" in refused.stderr) == (1, True)
    assert session.command("approve", str(asked["id"])).returncode == 0
    assert (api(session).version, api(session).drift) == (2, None)
    assert told(session) == [(ENGINE, ("beta",), asked["id"])] * 2
    assert any("v2 is published" in each.text for each in session.state().messages)
    session.until("gamma after the decision", lambda: session.agent("gamma")["status"] == "completed")
    listed = session.json("apis")
    assert [(a["id"], a["agent"], a["version"], a["drift"], a["consumers"]) for a in listed] == [
        ("store", "alpha", 2, None, ["beta", "gamma"])
    ]


def test_what_leaves_the_contract_as_it_was_raises_nothing(session: Any) -> None:
    store = begin(session)
    store.write_text("# a comment\n" + FILE.replace("return []", "return ['nothing']"))
    session.until("the touch", lambda: session.last("src/alpha/store.py"))
    # Once the next change is asked about, the first would have been.
    store.write_text("# a comment\n" + WIDER)
    asked = drift(session)
    assert session.json("requests", "--all") == session.json("requests")
    assert api(session).drift.request == asked["id"]
    store.write_text(FILE)
    session.until("it is as it was", lambda: api(session).drift is None)
    assert [r["status"] for r in session.requests()] == ["withdrawn"]
    assert api(session).version == 1


def test_an_agents_drift_is_rejected_and_taken_back_and_the_rest_stays(session: Any) -> None:
    change = (
        WAITING.format("go.1")
        + "sed -i 's/return \\[\\]/return [1]/' src/alpha/store.py\n"
        + "sed -i 's/first: int = 0/last: int = 0/' src/alpha/store.py\n"
        + WAITING.format("go.2")
        + "echo '# after' >> src/alpha/store.py\n"
    )
    store = begin(session, alpha=change)
    (session.root / "go.1").touch()
    asked = drift(session)
    assert asked["requester"] == "alpha"
    (session.root / "go.2").touch()
    session.until("the last line", lambda: "# after" in store.read_text())
    done = session.command("reject", str(asked["id"]), "--undo")
    assert done.returncode == 0, done.stderr
    assert "first: int = 0" in store.read_text()
    assert "# after" in store.read_text()
    session.until("it is as it was", lambda: api(session).drift is None)
    assert [(r["kind"], r["status"]) for r in session.requests()] == [("drift", "rejected")]


def test_a_change_while_no_engine_ran_is_seen_and_a_broken_contract_is_no_version(session: Any) -> None:
    store = begin(session)
    session.kill_engine()
    store.write_text(FILE.replace("LIMIT = 5", "MOST = 5"))
    session.start()
    asked = drift(session)
    assert asked["kind"] == "drift"
    assert "does not contain 'LIMIT'" in asked["reason"]
    refused = session.command("approve", str(asked["id"]))
    assert refused.returncode == 1
    assert "src/alpha/store.py does not contain 'LIMIT': that can be no version of store" in refused.stderr
    assert session.command("reject", str(asked["id"])).returncode == 0
    (session.root / "go.end").touch()
    rejected = f"API store (changed since v1; request {asked['id']} was rejected)"
    session.until("the gate stays shut", lambda: session.phase("late")["waits_for"] == [rejected])
    store.write_text(FILE)
    session.until("gamma", lambda: session.agent("gamma")["status"] == "completed")


def test_the_owner_publishes_again_and_nobody_needs_to_decide(session: Any) -> None:
    again = WAITING.format("go.1") + rb("publish store")
    store = begin(session, alpha=again)
    store.write_text(WIDER)
    asked = drift(session)
    (session.root / "go.1").touch()
    session.until("version 2", lambda: api(session).version == 2)
    (request,) = session.requests()
    assert (request["id"], request["status"], request["answer"]) == (
        asked["id"],
        "withdrawn",
        "store v2 is published",
    )
    assert told(session) == [(ENGINE, ("beta",), asked["id"]), (ENGINE, ("beta",), None)]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ('["bash", "-c", "echo one; echo two >&2; exit 4"]', "failed (exit 4): one | two"),
        ('["sleep", "60"]', "failed (it took longer than 0.5 s)"),
        ('["no-such-program"]', "failed (exit 127)"),
    ],
)
def test_the_check_of_the_plan_must_pass(session: Any, command: str, words: str) -> None:
    said = "src/alpha/said.txt"
    store = session.root / "src/alpha/store.py"
    store.parent.mkdir(parents=True)
    store.write_text(FILE)
    (session.root / "alpha.sh").write_text(
        rb("publish store").rstrip("\n") + f" 2> {said}; echo $? >> {said}\n" + WAITING.format("go.never")
    )
    (session.root / "beta.sh").write_text("true")
    seconds = "command_seconds = 0.5\n" if "sleep" in command else ""
    session.plan(PLAN + f"command = {command}\n{seconds}")
    session.start()
    text = session.until(
        "an answer",
        lambda: (
            (session.root / said).exists()
            and (session.root / said).read_text()[-2:] == "1\n"
            and (session.root / said).read_text()
        ),
    )
    assert words in text
    assert session.state().apis.get("store") is None


def test_the_check_runs_as_the_owner_and_cannot_decide(session: Any) -> None:
    """What it runs is the agent's own code, so it speaks for the agent."""
    store = session.root / "src/alpha/store.py"
    store.parent.mkdir(parents=True)
    store.write_text(FILE)
    (session.root / "src/alpha/check.sh").write_text(
        rb("approve 1").rstrip("\n") + " 2> src/alpha/said.txt\ntrue\n"
    )
    (session.root / "alpha.sh").write_text(rb("publish store") + WAITING.format("go.never"))
    (session.root / "beta.sh").write_text(WAITING.format("go.never"))
    session.plan(PLAN + 'command = ["bash", "src/alpha/check.sh"]\n')
    session.start()
    session.until_gate("beta")
    assert "only the operator may approve" in (session.root / "src/alpha/said.txt").read_text()
    session.until("who wrote it", lambda: session.last("src/alpha/said.txt"))
    assert session.last("src/alpha/said.txt").name == "alpha"


def test_a_change_that_comes_with_an_agents_lane_is_seen_before_the_next_agent_starts(session: Any) -> None:
    """alpha publishes from its worktree, and what it changes afterwards comes in when it is done."""
    store = session.root / "src/alpha/store.py"
    store.parent.mkdir(parents=True)
    store.write_text("nothing yet\n")
    (session.root.parent / "store.py").write_text(FILE)
    change = "sed -i 's/first: int = 0/last: int = 0/' src/alpha/store.py\n"
    (session.root / "alpha.sh").write_text(
        "set -e\ncp ../../store.py src/alpha/store.py\n"
        + rb("publish store")
        + change
        + rb("task done alpha-1")
    )
    (session.root / "beta.sh").write_text("true")
    text = PLAN.replace('name = "drift"', 'name = "drift"\nisolation = "worktree"')
    session.plan(text.replace('phase = "wire"', 'phase = "late"'))
    session.start()
    asked = drift(session)
    assert (asked["requester"], asked["kind"]) == ("alpha", "drift")
    assert "last: int = 0" in store.read_text()
    started = [each["agent"] for each in session.json("log") if each["type"] == "AgentStarted"]
    assert started == ["alpha"]
    assert session.command("reject", str(asked["id"]), "--undo").returncode == 0
    assert store.read_text() == FILE
    session.until("beta", lambda: session.agent("beta")["status"] == "completed")
    session.until("gamma", lambda: session.agent("gamma")["status"] == "completed")
    assert api(session).version == 1
