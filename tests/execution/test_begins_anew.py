"""An engine whose database went away under it begins anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from runebook_tui.cli import running
from runebook_tui.core.state import State
from runebook_tui.log.eventlog import EventLog, LeaseTaken, LogError
from runebook_tui.log.lease import own_lease
from runebook_tui.log.opening import Store
from runebook_tui.log.sqlite import SqliteLog


class Shared(Store):
    """SQLite that says it is shared."""

    shared = True

    def open(self) -> EventLog:  # type: ignore[override]
        """Open it."""
        return SqliteLog(self.path)


class Engine:
    """Ends as it is told."""

    def __init__(self, log: EventLog, begun: bool, end: LogError | State) -> None:
        self.log = log
        self.begun = begun
        self._end = end

    async def execute(self) -> State:
        """Be an engine."""
        assert self.log.last_seq() == 0
        if isinstance(self._end, LogError):
            raise self._end
        return self._end

    def shut_down(self) -> None:
        """Nothing is started."""


def play(store: Store, *course: tuple[bool, LogError | State]) -> tuple[State, list[bool]]:
    left, again = [*course], list[bool]()

    def runner(log: EventLog, not_first: bool) -> Engine:
        again.append(not_first)
        return Engine(log, *left.pop(0))

    return running.until_over(store, runner), again  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "AGAIN_SECONDS", 0.0)


def test_it_is_told_that_it_is_not_the_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gone = LogError("the server cannot be reached")
    state, again = play(
        Shared(tmp_path / "log"), (True, gone), (False, gone), (True, gone), (True, State(run=3))
    )
    assert (state.run, again) == (3, [False, True, True, True])
    said = capsys.readouterr().out
    assert said.count("the engine begins anew as soon as it can: the server cannot be reached") == 2


def test_one_that_never_began_ends_with_words(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="no database"):
        play(Shared(tmp_path / "log"), (False, LogError("no database")))


def test_one_whose_place_is_taken_leaves_it(tmp_path: Path) -> None:
    with pytest.raises(LeaseTaken):
        play(Shared(tmp_path / "log"), (True, LeaseTaken(own_lease(0.0, "here"))))


def test_a_file_on_a_full_disk_is_for_the_operator(tmp_path: Path) -> None:
    class Alone(Shared):
        shared = False

    with pytest.raises(LogError, match="disk"):
        play(Alone(tmp_path / "log"), (True, LogError("the disk is full")))
