"""The demonstration, by itself, as `make demo` runs it without a terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest
from session_play import PROGRAM


@pytest.fixture
def scratch(monkeypatch):
    """A short temporary folder of its own, so that everything left behind is seen."""
    with tempfile.TemporaryDirectory(prefix="rb-", dir="/tmp") as folder:
        monkeypatch.setenv("TMPDIR", folder)
        monkeypatch.setenv("XDG_RUNTIME_DIR", "")
        monkeypatch.setenv("TMUX_TMPDIR", folder)
        for name in [name for name in os.environ if name.startswith("RUNEBOOK_")]:
            monkeypatch.delenv(name)
        yield Path(folder)


def left_behind(folder: Path) -> list[str]:
    """Everything but the socket of a tmux server that has ended and the empty folder of sockets."""
    expected = (f"tmux-{os.getuid()}", f"runebook-{os.getuid()}")
    return [each.name for each in folder.iterdir() if each.name not in expected]


def panes(folder: Path) -> list[str]:
    """The command lines of living processes that name the folder."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in words:
            found.append(words)
    return found


def test_all_five_phases_complete_and_nothing_is_left(scratch):
    done = subprocess.run(
        [*PROGRAM, "demo"], capture_output=True, text=True, timeout=110, stdin=subprocess.DEVNULL, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert "5 of 5 phases completed: orchestrator, parallel, analysis, surfaces, continuous" in done.stdout
    assert "storage published storage v1" in done.stdout
    assert "analysis wants to write src-tauri/src/memory/api.rs, owned by storage" in done.stdout
    assert "surfaces asks to write src-tauri/src/core/types.rs" in done.stdout
    assert left_behind(scratch) == []
    assert panes(scratch) == []


def test_a_demonstration_that_is_told_to_stop_cleans_up_too(scratch):
    with subprocess.Popen(
        [*PROGRAM, "demo", "--auto"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "storage started" in line:
                break
        process.send_signal(signal.SIGTERM)
        said, complained = process.communicate(timeout=60)
    assert process.returncode == 1, said + complained
    assert left_behind(scratch) == [], said + complained
    assert panes(scratch) == []


def test_a_folder_that_git_does_not_know_is_no_ground_for_a_demonstration(scratch):
    (scratch / "plain").mkdir()
    done = subprocess.run(
        [*PROGRAM, "demo", "--auto", "--on", str(scratch / "plain")],
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"runebook-tui: {scratch}/plain cannot be cloned: ")
    assert left_behind(scratch) == ["plain"]
