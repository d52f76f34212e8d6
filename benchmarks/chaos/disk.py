"""The disk: a small one for the state folder alone, which can be filled to the last byte."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from benchmarks.session import BenchmarkError

_MEGABYTES = 96
_ALONE = "RUNEBOOK_CHAOS_ALONE"


class SmallDisk:
    """A file system in memory, mounted at `folder`, which is made."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700)
        command = ["mount", "-t", "tmpfs", "-o", f"size={_MEGABYTES}m,mode=0700", "chaos", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BenchmarkError(f"no small disk can be mounted: {done.stderr.strip()}")

    def fill(self) -> None:
        """Leave no room at all."""
        with open(self._folder / "filler", "wb", buffering=0) as file, suppress(OSError):
            for size in (1 << 20, 1 << 12, 1):
                with suppress(OSError):
                    while file.write(bytes(size)):
                        continue

    def make_room(self) -> None:
        """Take away what filled it."""
        (self._folder / "filler").unlink()

    def close(self) -> None:
        """Unmount it, whoever still looks at it."""
        subprocess.run(["umount", "-l", str(self._folder)], capture_output=True, check=False)


def alone(words: list[str]) -> None:
    """Go on in a mount namespace of one's own, in which small disks can be; root may make one."""
    if os.getuid() == 0 and _ALONE not in os.environ:
        os.environ[_ALONE] = "yes"
        command = ["unshare", "--mount", "--propagation", "private", "--"]
        os.execvp("unshare", [*command, sys.executable, "-P", "-m", "benchmarks.chaos", *words])


def has_small_disk() -> bool:
    """Whether this process is in a namespace of its own."""
    return _ALONE in os.environ
