"""The engine lets its log forget, and what was forgotten is refused in words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from session_play import WAITING

from runebook_tui.core import commands as c
from runebook_tui.core import events as e
from runebook_tui.core.types import (
    OPERATOR,
    AgentSpec,
    Author,
    Change,
    ExecutionPlan,
    Phase,
    PlanInfo,
    Policy,
    Version,
)
from runebook_tui.execution import retention
from runebook_tui.execution.follow import log_path
from runebook_tui.execution.retention import Retention
from runebook_tui.execution.trees import Tree
from runebook_tui.history.baseline import Baseline
from runebook_tui.history.versions import History
from runebook_tui.log.loading import load
from runebook_tui.log.sqlite import SqliteLog
from runebook_tui.orchestrator.coordinator import Coordinator
from tests.history.repositories import Repository

KEEP = 1_000
HERE = Version(kind="file", digest="d")
GONE = Version(kind="absent")
PLAN = ExecutionPlan(
    plan=PlanInfo(name="p"),
    policy=Policy(log_changes=KEEP),
    phases=(Phase(id="one"),),
    agents=tuple(
        AgentSpec(id=name, phase="one", command=("x",), claims=(f"{name}/**",)) for name in ("alpha", "beta")
    ),
)


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqliteLog]:
    monkeypatch.setattr(retention, "PAUSE_SECONDS", 0.0)
    with SqliteLog(tmp_path / "log.sqlite") as log:
        yield log


class Engine:
    """What of an engine has to do with forgetting."""

    def __init__(self, log: SqliteLog, gone: frozenset[str] = frozenset()) -> None:
        self.coordinator = Coordinator(log, listener=lambda state, records: self.retention.note(records))
        self.retention = Retention(log, self.coordinator, lambda lane, paths: gone & {*paths}, print)

    def write(self, number: int, path: str = "alpha/x", *, by: str = "alpha", after: Version = HERE) -> None:
        touch = c.Touch(Change(path=path, before=HERE, after=after), Author(name=by), "")
        for _ in range(number):
            self.coordinator.handle(c.Observe((touch,)))

    async def settle(self, log: SqliteLog) -> None:
        """Look until nothing more is forgotten."""
        last = -1
        while last != (last := log.last_seq()):
            await self.retention.settle()


async def test_the_newest_stay_and_the_count_goes_on(log: SqliteLog) -> None:
    engine = Engine(log)
    engine.coordinator.handle(c.StartRun(PLAN))
    engine.write(KEEP)
    await engine.settle(log)
    engine.write(KEEP // 10)
    await engine.settle(log)
    assert log.count("TouchesForgotten") == 0, "not before a tenth more is there"
    engine.write(1, "alpha/once")
    engine.write(KEEP)
    await engine.settle(log)
    kept = log.read(types=["Touched"])
    assert KEEP <= len(kept) <= KEEP + KEEP // 10
    assert engine.coordinator.state.touches == 2 * KEEP + KEEP // 10 + 1
    assert load(log) == engine.coordinator.state
    engine.write(5 * KEEP)
    await engine.settle(log)
    assert log.count("Touched") <= KEEP + KEEP // 10 + 1
    assert [each.seq for each in log.read(path="alpha/once")], "the last of a file stays, however old"


async def test_another_engine_goes_on_where_the_last_one_ended(log: SqliteLog) -> None:
    first = Engine(log)
    first.coordinator.handle(c.StartRun(PLAN))
    first.write(2 * KEEP)
    await first.settle(log)
    second = Engine(log)
    second.write(2 * KEEP)
    await second.settle(log)
    assert KEEP <= log.count("Touched") <= KEEP + KEEP // 10
    assert load(log) == second.coordinator.state
    assert second.coordinator.state.touches == 4 * KEEP


async def test_one_that_was_behind_catches_up_over_what_was_forgotten(log: SqliteLog) -> None:
    first = Engine(log)
    first.coordinator.handle(c.StartRun(PLAN))
    behind = Coordinator(log)
    first.write(2 * KEEP)
    await first.settle(log)
    assert log.read(after=behind.state.seq)[0].seq > behind.state.seq + 1
    behind.handle(c.ReportNet("watch", None, False, "it is blind"))
    assert behind.state == load(log)
    first.coordinator.catch_up()
    assert first.coordinator.state == behind.state


async def test_what_an_open_request_is_about_stays_until_it_is_decided(log: SqliteLog) -> None:
    engine = Engine(log)
    engine.coordinator.handle(c.StartRun(PLAN))
    engine.write(10)
    engine.write(1, "alpha/x", by="beta")
    asked = engine.coordinator.state.open_requests[0].id
    crossed = log.read(types=["Touched"])[-1]
    engine.write(3 * KEEP)
    await engine.settle(log)
    assert log.read(path="alpha/x")[0] == crossed, "what came before it is forgotten"
    assert log.count("Touched") == 3 * KEEP + 1
    engine.coordinator.handle(c.Decide(asked, "approved"), OPERATOR)
    await engine.settle(log)
    assert log.count("Touched") <= KEEP + KEEP // 10
    assert load(log) == engine.coordinator.state


async def test_a_removal_is_forgotten_only_where_nothing_is_expected(log: SqliteLog) -> None:
    engine = Engine(log, frozenset({"alpha/temporary"}))
    engine.coordinator.handle(c.StartRun(PLAN))
    engine.write(1, "alpha/temporary", after=GONE)
    engine.write(1, "alpha/tracked", after=GONE)
    engine.write(2 * KEEP)
    await engine.settle(log)
    assert log.read(path="alpha/temporary") == []
    assert len(log.read(path="alpha/tracked")) == 1


def test_what_git_or_the_start_knew_is_expected(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    repository.write("tracked", b"1\n")
    repository.commit()
    baseline = tmp_path / "baseline.json"
    Baseline(baseline).write({"dirty": HERE})
    tree = Tree("", repository.root, History(repository.root, tmp_path / "history"), baseline)
    assert tree.unexpected(["tracked", "dirty", "temporary"]) == {"temporary"}
    repository.write("temporary", b"1\n")
    repository.git("add", "temporary")
    assert tree.unexpected(["temporary"]) == frozenset()
    tree.history.close()


SESSION_PLAN = f"""
[plan]
name = "forgets"
[policy]
log_changes = {KEEP}
[[phases]]
id = "build"
[[agents]]
id = "alpha"
phase = "build"
command = ["bash", "alpha.sh"]
claims = ["alpha/**"]
gate = "observe"
[[agents]]
id = "beta"
phase = "build"
command = ["bash", "beta.sh"]
claims = ["beta/**"]
gate = "observe"
"""


def test_an_engine_forgets_what_an_undo_would_need_and_the_undo_says_so(session) -> None:
    (session.root / "beta").mkdir()
    (session.root / "beta" / "x").write_text("one\n")
    (session.root / "alpha.sh").write_text(WAITING.format("go") + "echo alpha >> beta/x\nsleep 600\n")
    (session.root / "beta.sh").write_text(WAITING.format("on") + "echo beta >> beta/x\nsleep 600\n")
    session.plan(SESSION_PLAN)
    session.start()
    session.until_gate("alpha")
    session.until_gate("beta")
    (session.root / "go").touch()
    session.until("the request", session.requests)
    assert session.command("approve", "1").returncode == 0
    (session.root / "on").touch()
    session.until("beta's edit", lambda: (who := session.last("beta/x")) is not None and who.name == "beta")
    session.kill_engine()
    before = session.state()
    with SqliteLog(log_path(session.root)) as log:
        gone = e.Touched(
            change=Change(path="temporary", before=HERE, after=GONE), author=Author(name="alpha")
        )
        log.append(
            [gone] * (KEEP + KEEP // 5), run=before.run, actor="engine", expected=before.seq, time=before.time
        )
    session.start()
    state = session.until("a bounded log", lambda: (now := session.state()).forgotten > KEEP // 10 and now)
    assert state.touches >= before.touches + KEEP + KEEP // 5
    undone = session.command("undo", "1")
    assert undone.returncode == 1
    assert "beta/x: it is older than the changes that the log keeps" in undone.stderr
    assert (session.root / "beta" / "x").read_text() == "one\nalpha\nbeta\n"
    told = session.json("who", "beta/x", "--lines")["lines"]
    assert {each["author"] for each in told} <= {None, "beta"}
    assert "older changes are no longer kept" in session.command("report").stdout
    trimmed = session.json("log", "trim")
    assert trimmed["kept"] <= KEEP + KEEP // 10
