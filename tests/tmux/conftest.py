"""A private tmux server for each test that wants one."""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from panes_play import MemoryPlay, TmuxPlay

from runebook_tui.tmux.server import TmuxServer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[TmuxServer]:
    """A private tmux server that is never left behind."""
    name = f"runebook-test-{uuid.uuid4().hex[:12]}"
    server = TmuxServer(name, tmp_path / "tmux conf")
    yield server
    subprocess.run(["tmux", "-L", name, "kill-server"], capture_output=True, timeout=60, check=False)
    where = Path(os.environ.get("TMUX_TMPDIR") or "/tmp") / f"tmux-{os.getuid()}" / name
    where.unlink(missing_ok=True)


@pytest.fixture(params=["tmux", "memory"])
def play(request: pytest.FixtureRequest) -> TmuxPlay | MemoryPlay:
    """Each twin in turn."""
    if request.param == "memory":
        return MemoryPlay()
    return TmuxPlay(request.getfixturevalue("server"))
