"""What another process of the same user can do to the engine's and the TUI's memory: nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

NOBODY = 65534
ROOT = Path(__file__).parents[2]

# root reads everything, so both processes become somebody else first
BECOME = f"""
import ctypes, os, sys
sys.path.insert(0, {str(ROOT)!r})
from runebook_tui.gate.kernel import keep_private
if os.getuid() == 0:
    os.setgroups([])
    os.setgid({NOBODY})
    os.setuid({NOBODY})
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)
"""

PRY = """
for name, mode in (("environ", "rb"), ("mem", "r+b")):
    try:
        open(f"/proc/{sys.argv[1]}/{name}", mode).close()
        print("opened")
    except OSError as error:
        print(type(error).__name__)
"""


def pried(call: str) -> list[str]:
    """What another process finds that opens environment and memory of one that has made `call`."""
    script = BECOME + call + "\nprint('ready', flush=True)\nsys.stdin.read()"
    keeper = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert keeper.stdout is not None
    assert keeper.stdin is not None
    with keeper:
        assert keeper.stdout.readline() == "ready\n"
        done = subprocess.run(
            [sys.executable, "-c", BECOME + PRY, str(keeper.pid)], capture_output=True, text=True, check=True
        )
        keeper.stdin.close()
    return done.stdout.split()


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux")
def test_memory_that_is_kept_private_is_neither_read_nor_written() -> None:
    assert pried("")[0] == "opened"
    assert pried("keep_private()") == ["PermissionError", "PermissionError"]


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux")
def test_a_program_that_it_starts_is_as_any_other() -> None:
    told = "import ctypes; print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
    script = (
        f"import subprocess, sys\nsys.path.insert(0, {str(ROOT)!r})\n"
        f"from runebook_tui.gate.kernel import keep_private\n"
        f"{told}; keep_private()\n{told}; sys.stdout.flush()\n"
        f"subprocess.run([sys.executable, '-c', {told!r}])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "0", "1"]
