"""The plan gets better while it runs: decisions teach, one command accepts, and gates know at once."""

from __future__ import annotations

import hashlib
import json
import stat

import pytest
from session_play import WAITING, Session, rb

from runebook_tui.core import events as e
from runebook_tui.core.planedits import AddMayWrite
from runebook_tui.core.types import OPERATOR
from runebook_tui.execution.client import EngineClient, EngineRefused
from runebook_tui.execution.follow import open_log

PLAN = """\
# Who owns what.
[plan]
name = "learning"

[policy]
hold_seconds = 600

[[phases]]
id = "build"

[[agents]]
id = "alpha"
phase = "build"
command = ["bash", "alpha.sh"]
claims = ["src/alpha/**"]  # and nothing else

[[agents]]
id = "beta"
phase = "build"
command = ["sleep", "600"]
claims = [
  # all of it
  "src/beta/**",
]
"""
DENIED = "src/alpha/denied"


def begin(session: Session, script: str) -> None:
    for owner in ("alpha", "beta"):
        (session.root / "src" / owner).mkdir(parents=True)
        (session.root / "src" / owner / "x").write_text("first\n")
    (session.root / "alpha.sh").write_text(script)
    (session.root / ".gitignore").write_text("go*\n")
    (session.root / "runebook.toml").write_text(PLAN)
    (session.root / "runebook.toml").chmod(0o640)
    session.plan(PLAN)
    session.start()
    session.until_gate("alpha")
    session.until_gate("beta")


def text(session: Session) -> str:
    return (session.root / "runebook.toml").read_text()


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def approve(session: Session, number: int) -> None:
    session.until(f"request {number}", lambda: any(r["id"] == number for r in session.requests()))
    assert session.command("approve", str(number)).returncode == 0


def plans_in_force(session: Session) -> list[e.PlanChanged]:
    with open_log(session.root) as log:
        return [
            each.event for each in log.read(types=["PlanChanged"]) if isinstance(each.event, e.PlanChanged)
        ]


def test_a_lesson_is_accepted_and_the_next_write_asks_nobody(session: Session) -> None:
    writes = "".join(
        WAITING.format(f"go{number}") + f"bash -c 'echo {number} > src/beta/f{number}'\n"
        for number in range(4)
    )
    begin(session, writes + "touch src/alpha/done\n" + WAITING.format("go-home"))
    for number in range(3):
        (session.root / f"go{number}").touch()
        approve(session, number + 1)
        session.until(f"write {number}", lambda n=number: (session.root / f"src/beta/f{n}").exists())
    (lesson,) = session.json("plan", "lessons")
    assert lesson["words"].startswith("alpha was approved 3 times for files of beta in src/beta/")
    assert lesson["requests"] == [1, 2, 3]

    dry = session.json("plan", "accept", lesson["id"], "--dry-run")
    assert dry["patch"] == lesson["patch"]
    assert text(session) == PLAN
    done = session.json("plan", "accept", lesson["id"])
    assert (done["before"], done["after"]) == (digest(PLAN), digest(text(session)))
    assert 'claims = ["src/alpha/**"]  # and nothing else\nmay_write = ["src/beta/**"]\n' in text(session)
    assert stat.S_IMODE((session.root / "runebook.toml").stat().st_mode) == 0o640
    (changed,) = plans_in_force(session)
    assert changed.edits == (AddMayWrite("alpha", "src/beta/**"),)
    assert session.json("plan", "lessons") == []

    (session.root / "go3").touch()
    session.until("the last write", lambda: (session.root / "src/alpha/done").exists())
    assert (session.root / "src/beta/f3").read_text() == "3\n"
    assert [each["id"] for each in session.requests()] == [1, 2, 3]
    author = session.last("runebook.toml")
    assert author is not None
    assert author.name == OPERATOR
    assert len(plans_in_force(session)) == 1

    rehearsed = session.json("rehearse")
    assert (rehearsed["raised"], rehearsed["then"], rehearsed["now"]) == (3, 3, 0)
    back = session.json("plan", "restore", done["before"])
    assert text(session) == PLAN
    assert back["after"] == done["before"]
    assert session.state().plan.agents[0].may_write == ()
    rehearsed = session.json("rehearse")
    assert rehearsed["pairs"] == [{"agent": "alpha", "owner": "beta", "then": 3, "now": 4}]


def test_a_file_is_transferred_and_a_text_that_somebody_changed_is_not_touched(session: Session) -> None:
    begin(session, WAITING.format("go-home"))
    done = session.json("plan", "transfer", "src/beta/x", "alpha")
    assert session.json("who", "src/beta/x")["owner"] == "alpha"
    assert session.command("plan", "transfer", "src/beta/x", "alpha").returncode == 2
    again = session.json("plan", "transfer", "src/beta/x", "beta")
    assert text(session).count("src/beta/x") == 1
    assert session.json("who", "src/beta/x")["owner"] == "beta"
    kept = {path.stem for path in (session.root / ".runebook" / "history" / "plans").iterdir()}
    assert kept == {done["before"], again["before"]}
    widened = session.json("plan", "widen", "alpha", "docs/**", "--may-write")
    assert widened["edits"] == ["alpha may write docs/** without asking"]
    refused = session.command("plan", "widen", "alpha", "src/beta/**")
    assert "two owners of one path" in refused.stderr
    assert refused.returncode == 2
    assert session.command("plan", "restore", "f" * 64).returncode == 1
    assert session.command("plan", "widen", "alpha", "../x").returncode == 2


def test_an_agent_may_not_amend_and_its_own_edit_never_comes_into_force(session: Session) -> None:
    edits = '[{"kind": "add-claim", "agent": "alpha", "pattern": "src/beta/**"}]'
    asks = f"""
import json, os, pathlib, socket
said = []
for do in ("amend", "amend-preview", "dismiss-lesson"):
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(os.environ["RUNEBOOK_SOCKET"])
        peer.sendall(json.dumps({{"do": do, "edits": {edits}, "seen": "", "lesson": "x"}}).encode() + b"\\n")
        said.append(json.loads(peer.makefile().readline()))
pathlib.Path("{DENIED}").write_text(json.dumps(said))
"""
    (session.root / "asks.py").write_text(asks)
    begin(
        session,
        'python3 asks.py\n' + rb("plan", "widen", "alpha", "more/**", "2> src/alpha/said")
        + "touch src/alpha/done\n" + WAITING.format("go-home"),
    )  # fmt: skip
    session.until("alpha's tries", lambda: (session.root / "src/alpha/done").exists())
    said = json.loads((session.root / DENIED).read_text())
    assert [each["ok"] for each in said] == [False] * 3
    assert all("only the operator may" in each["error"] for each in said)
    assert "only the operator may amend" in (session.root / "src/alpha/said").read_text()
    assert text(session) == PLAN
    assert plans_in_force(session) == []


def test_a_stale_look_is_refused(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(session, WAITING.format("go-home"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", session.environment["XDG_RUNTIME_DIR"])
    edits = [{"kind": "add-claim", "agent": "alpha", "pattern": "docs/**"}]
    with EngineClient(session.root) as client:
        with pytest.raises(EngineRefused, match="has changed since you looked at it"):
            client.ask("amend", edits=edits, seen=digest("another text"))
        assert client.ask("amend-preview", edits=edits)["changed"] is True
    assert text(session) == PLAN


def test_a_text_of_the_operators_own_is_put_in_force_and_no_other(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(session, WAITING.format("go-home"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", session.environment["XDG_RUNTIME_DIR"])
    mine = PLAN.replace('claims = ["src/alpha/**"]', 'claims = ["src/alpha/**", "docs/**"]')
    with EngineClient(session.root) as client:
        with pytest.raises(EngineRefused, match="has changed since you looked at it"):
            client.ask("amend", text=mine, seen=digest("another text"))
        with pytest.raises(EngineRefused, match="two owners of one path"):
            client.ask("amend", text=PLAN.replace("alpha/**", "beta/**"), seen=digest(PLAN))
        assert text(session) == PLAN
        answer = client.ask("amend", text=mine, seen=digest(PLAN))
    assert answer["before"] == digest(PLAN)
    assert text(session) == mine
    assert session.state().plan.agents[0].claims == ("src/alpha/**", "docs/**")
