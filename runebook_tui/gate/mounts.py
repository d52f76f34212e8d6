"""What a mount namespace shows where, to tell one file by its place in its own file system.

Source: proc_pid_mountinfo(5). All paths are bytes.
"""

from __future__ import annotations

import contextlib
import os
import re
import select


class Mount:
    """One line of mountinfo: `id`, `device` ("major:minor"), `top` (the part of the file system), `point`."""

    __slots__ = ("device", "id", "point", "top")

    def __init__(self, line: bytes, prefix: bytes) -> None:
        fields = line.split(b" ", 5)
        self.id = int(fields[0])
        self.device = fields[2]
        self.top = _plain(fields[3]).rstrip(b"/")
        self.point = prefix + _plain(fields[4]).rstrip(b"/")


def _plain(text: bytes) -> bytes:
    if b"\\" not in text:
        return text
    return re.sub(rb"\\([0-7]{3})", lambda found: bytes((int(found[1], 8),)), text)


def below(path: bytes, folder: bytes) -> bool:
    """Whether `path` is `folder` (without a closing slash; empty is the top) or inside it."""
    return path.startswith(folder) and path[len(folder) : len(folder) + 1] in (b"", b"/")


class Mounts:
    """The mount table of one process, read again whenever the kernel says that it changed.

    `thread` names the process; `prefix` is its root as we see it. Raises OSError when it is not to be read.
    """

    def __init__(self, thread: int, prefix: bytes = b"") -> None:
        self._prefix = prefix.rstrip(b"/")
        self._fd = os.open(b"/proc/%d/mountinfo" % thread, os.O_RDONLY | os.O_CLOEXEC)
        self._poll = select.poll()
        self._poll.register(self._fd, select.POLLPRI | select.POLLERR)
        self._mounts: dict[int, Mount] = {}
        self._read()

    def _read(self) -> None:
        os.lseek(self._fd, 0, os.SEEK_SET)
        text = b""
        while chunk := os.read(self._fd, 65536):
            text += chunk
        self._mounts = {
            mount.id: mount for mount in (Mount(line, self._prefix) for line in text.splitlines() if line)
        }

    def refresh(self) -> bool:
        """Read the table again if it changed; whether it did."""
        if not self._poll.poll(0):
            return False
        self._read()
        return True

    def find(self, number: int) -> Mount | None:
        """The mount with this id."""
        return self._mounts.get(number)

    def all(self) -> list[Mount]:
        """Every mount, in the order in which they were made."""
        return list(self._mounts.values())

    def holding(self, path: bytes) -> Mount | None:
        """The mount that shows `path`: the longest mount point above it, the latest of equals."""
        found = None
        for mount in self._mounts.values():
            if below(path, mount.point) and (found is None or len(mount.point) >= len(found.point)):
                found = mount
        return found

    def close(self) -> None:
        """Let go of the table."""
        with contextlib.suppress(OSError):
            os.close(self._fd)


class Atlas:
    """Where the repository lies in its file system, and what else shows parts of it.

    `root` is the repository's real path in the supervisor's own view.
    """

    def __init__(self, root: bytes) -> None:
        self.root = root
        self.aliases: list[Mount] = []
        self._shown: list[Mount] = []
        self._mounts = Mounts(os.getpid())
        self._survey()

    def _survey(self) -> None:
        """Find `_shown`, the mounts of which a part is inside the repository, and of these `aliases`, by
        which it has a second name."""
        self._shown, self.aliases = [], []
        home = self._mounts.holding(self.root)
        if home is None:
            return
        place = home.top + self.root[len(home.point) :]
        for mount in self._mounts.all():
            if below(mount.point, self.root) and mount.point != self.root:
                self._shown.append(mount)
            elif mount.device == home.device and (below(mount.top, place) or below(place, mount.top)):
                self._shown.append(mount)
                if mount is not home:
                    self.aliases.append(mount)
        self._home, self._place = home, place

    def refresh(self) -> None:
        """Look again if mounts came or went."""
        if self._mounts.refresh():
            self._survey()

    def close(self) -> None:
        """Let go of the mount table."""
        self._mounts.close()

    def real(self, mount: Mount, path: bytes) -> bytes | None:
        """The name inside the repository of `path`, which is seen through `mount`; None when it has none.

        `mount` may be of another namespace; `path` carries the mount's own prefix.
        """
        inner = mount.top + path[len(mount.point) :]
        if not self._shown or not below(path, mount.point):
            return None
        if mount.device == self._home.device and below(inner, self._place):
            return self.root + inner[len(self._place) :]
        for shown in self._shown:
            if shown.device == mount.device and below(inner, shown.top) and below(shown.point, self.root):
                return shown.point + inner[len(shown.top) :]
        return None
