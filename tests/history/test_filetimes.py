"""Whether the times of files can be held against the clock."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from runebook_tui.core.types import Version
from runebook_tui.history.filetimes import NO_DEVICE, device_by_this_clock
from runebook_tui.history.versions import History
from tests.history.repositories import Repository


def test_a_local_folder_goes_by_this_clock_and_nothing_is_left_in_it(tmp_path: Path) -> None:
    assert device_by_this_clock(tmp_path / "new") == tmp_path.stat().st_dev
    assert list((tmp_path / "new").iterdir()) == []


def test_another_clock_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 1.0)
    assert device_by_this_clock(tmp_path) == NO_DEVICE


def test_the_history_tells_when_what_it_saw_had_changed(repository: Repository, history: History) -> None:
    repository.write("f", b"one\n")
    history.observe("f")
    assert history.changed("f") == (repository.root / "f").stat().st_ctime
    (repository.root / "f").unlink()
    change = history.observe("f")
    assert change is not None
    assert change.after == Version(kind="absent")
    assert history.changed("f") is None
