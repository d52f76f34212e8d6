"""What an earlier program wrote, this one reads, shows and goes on with. See fixtures/logs/README.md."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
from pathlib import Path

import pytest

from runebook_tui.cli import command
from runebook_tui.core import commands as c
from runebook_tui.core.fold import fold
from runebook_tui.core.state import State
from runebook_tui.core.types import PhaseStatus
from runebook_tui.log.eventlog import EventLog
from runebook_tui.log.loading import load
from runebook_tui.log.memory import MemoryLog
from runebook_tui.log.opening import store_of
from runebook_tui.log.transfer import exported, imported
from runebook_tui.memory.reader import Reader
from runebook_tui.memory.store import Store
from runebook_tui.orchestrator.coordinator import Coordinator

KEPT = Path(__file__).parents[1] / "fixtures" / "logs"
LOGS = sorted(KEPT.glob("*.log.gz"))
MEMORIES = sorted(KEPT.glob("*.memory.gz"))


def name(path: Path) -> str:
    return path.name.split(".")[0]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with an empty state folder, where the command line is used."""
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / "runebook.toml").write_text('[plan]\nname = "fixture"\n')
    (tmp_path / ".runebook").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RUNEBOOK_STORE", raising=False)
    return tmp_path


def unpacked(kept: Path, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(gzip.decompress(kept.read_bytes()))
    return target


def whole(log: EventLog) -> State:
    """The state, looked at: the run that every fixture holds."""
    state = load(log)
    assert state == fold(log.read())
    assert (state.run, state.outcome) == (1, "completed")
    assert all(phase.status is PhaseStatus.COMPLETED for phase in state.phases.values())
    (request, *_) = state.requests.values()
    assert (request.requester, [*request.crossings], request.status) == (
        "alpha",
        ["beta/theirs.txt"],
        "approved",
    )
    assert state.apis.has("alpha-api")
    return state


def test_there_are_logs_to_read_and_they_are_small() -> None:
    assert len(LOGS) >= 6
    assert len(MEMORIES) >= 2
    assert sum(path.stat().st_size for path in KEPT.iterdir()) < 200_000


@pytest.mark.parametrize("kept", LOGS, ids=name)
def test_a_log_is_read_shown_and_gone_on_with(
    root: Path, kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unpacked(kept, store_of(root).path)
    assert command.run(["status", "--json"]) == 1, "no engine runs"
    shown = json.loads(capsys.readouterr().out)
    assert (shown["run"], shown["outcome"]) == (1, "completed")
    assert command.run(["status"]) == 1
    assert command.run(["requests", "--all"]) == 0
    assert command.run(["log"]) == 0
    assert "beta/theirs.txt" in capsys.readouterr().out
    with store_of(root).open() as log:
        state = whole(log)
        records = log.last_seq()
        coordinator = Coordinator(log)
        assert coordinator.state == state
        coordinator.handle(c.StartRun(state.plan))
        assert load(log).run == 2
        assert log.last_seq() > records


@pytest.mark.parametrize("kept", LOGS, ids=name)
def test_a_log_can_be_moved(root: Path, kept: Path) -> None:
    unpacked(kept, store_of(root).path)
    with store_of(root).open(read_only=True) as log:
        lines = [line.encode() + b"\n" for line in exported(log)]
        records, state = log.read(), whole(log)
    moved = MemoryLog()
    assert moved.fill(imported(io.BytesIO(b"".join(lines)).readline)) == len(records)
    assert moved.read() == records
    assert whole(moved) == state


@pytest.mark.parametrize("kept", MEMORIES, ids=name)
def test_a_memory_is_read_and_gone_on_with(tmp_path: Path, kept: Path) -> None:
    path = unpacked(kept, tmp_path / "memory.sqlite")
    with Store(path, write=True) as store:
        about = Reader(store).overview()
        assert about["position"] > 0
        assert about["counts"]["session"] > 0
    with Store(path) as store:
        assert Reader(store).overview()["counts"] == about["counts"]
