"""tmux's sockets: who reaches one commands every pane, so no gated program reaches the operator's.

A server that the agent started itself is its own business.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
import struct
from collections.abc import Iterable

from runebook_tui.gate.process import parent

_MOST_ANCESTORS = 64


class Sockets:
    """Tells tmux servers that descend from one of `ours` (process ids of the supervisor) from all others."""

    def __init__(self, ours: Iterable[int]) -> None:
        self._ours = frozenset(ours)

    def foreign(
        self, path: bytes | None, identity: tuple[int, int] | None, folders: tuple[bytes, ...]
    ) -> bytes | None:
        """The tmux socket that is meant, unless nobody or one of our own descendants listens on it.

        Named by `path` (in our view) or by `identity` (device, inode), whatever name it goes by: a bind
        mount's, a hard link's. `folders` are where tmux keeps its sockets.
        """
        if path is not None and identity is None:
            with contextlib.suppress(OSError):
                found = os.stat(path)
                identity = found.st_dev, found.st_ino
        if identity is None:
            return None
        for folder in folders:
            for each in _sockets(folder, identity):
                if not self._free(each):
                    return each
        return None

    def _free(self, path: bytes) -> bool:
        """Whether nobody listens, or a descendant of ours."""
        with socket.socket(socket.AF_UNIX) as probe:
            probe.setblocking(False)
            try:
                probe.connect(path)
            except OSError as error:
                return error.errno in (errno.ECONNREFUSED, errno.ENOENT)
            # The process that called listen(): unix(7), SO_PEERCRED.
            peer = struct.unpack("=iII", probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
        for _ in range(_MOST_ANCESTORS):
            if peer in self._ours:
                return True
            if peer <= 1:
                break
            peer = parent(peer)
        return False


def _sockets(folder: bytes, identity: tuple[int, int]) -> list[bytes]:
    """The sockets in `folder` that are this file."""
    found = []
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                seen = entry.stat()
                if stat.S_ISSOCK(seen.st_mode) and (seen.st_dev, seen.st_ino) == identity:
                    found.append(entry.path)
    return found
