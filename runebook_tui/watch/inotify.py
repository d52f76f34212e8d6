"""An eye for trees with names that are not UTF-8, on which watchfiles 1.3 cannot open at all.

Plain inotify(7) by ctypes, so Linux only; elsewhere such names are rare (macOS refuses them).
"""

from __future__ import annotations

import ctypes
import errno
import os
import select
import struct
import sys
import time
from collections.abc import Iterator

from watchfiles import Change

from runebook_tui.watch.eye import DEBOUNCE_MS, LIMIT_ADVICE, STEP_MS, TICK_MS, Changes, Eye, EyeError

# the numbers are from <sys/inotify.h>, Linux 2.6.36 and later
_MODIFY, _ATTRIB, _CLOSE_WRITE = 0x2, 0x4, 0x8
_MOVED_FROM, _MOVED_TO, _CREATE, _DELETE = 0x40, 0x80, 0x100, 0x200
_OVERFLOW, _IGNORED, _IS_FOLDER = 0x4000, 0x8000, 0x40000000
_ONLY_FOLDERS, _DO_NOT_FOLLOW = 0x01000000, 0x02000000
_MASK = _MODIFY | _ATTRIB | _CLOSE_WRITE | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE
_HEAD = struct.Struct("iIII")


class InotifyEye(Eye):
    """Like Eye, with any name, without following symbolic links, and telling of an overflowing queue."""

    @staticmethod
    def is_available() -> bool:
        """True where inotify is."""
        return sys.platform == "linux"

    def _changes(self) -> Iterator[Changes]:
        with _Inotify() as inotify:
            for folder in self.folders:
                inotify.add(os.fsencode(folder))
            yield set()
            while not self.is_closed:
                changes: Changes = set()
                if inotify.wait(TICK_MS):
                    begun = time.monotonic()
                    changes |= inotify.read()
                    while inotify.wait(STEP_MS) and time.monotonic() - begun < DEBOUNCE_MS / 1000:
                        changes |= inotify.read()
                yield changes


class _Inotify:
    """One inotify descriptor and the folders it watches, all of them by their bytes."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._descriptor < 0:
            raise OSError(ctypes.get_errno(), "Too many open files")
        self._poll = select.poll()
        self._poll.register(self._descriptor, select.POLLIN)
        self._folders: dict[int, bytes] = {}

    def __enter__(self) -> _Inotify:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def wait(self, milliseconds: int) -> bool:
        """True as soon as there is something to read."""
        return bool(self._poll.poll(milliseconds))

    def add(self, top: bytes) -> None:
        """Watch `top` and all folders below it. Raises EyeError at the limit of watches."""
        waiting = [top]
        while waiting:
            folder = waiting.pop()
            watch = self._libc.inotify_add_watch(
                self._descriptor, ctypes.c_char_p(folder), _MASK | _ONLY_FOLDERS | _DO_NOT_FOLLOW
            )
            if watch < 0:
                if ctypes.get_errno() == errno.ENOSPC:
                    raise EyeError(LIMIT_ADVICE)
                continue
            self._folders[watch] = folder
            try:
                with os.scandir(folder) as listing:
                    waiting += [entry.path for entry in listing if entry.is_dir(follow_symlinks=False)]
            except OSError:
                continue

    def read(self) -> Changes:
        """The changes that are there. Raises EyeError when the kernel lost some."""
        changes: Changes = set()
        try:
            data = os.read(self._descriptor, 1 << 16)
        except BlockingIOError:
            return changes
        place = 0
        while place < len(data):
            watch, mask, _, length = _HEAD.unpack_from(data, place)
            name = data[place + _HEAD.size : place + _HEAD.size + length].rstrip(b"\0")
            place += _HEAD.size + length
            if mask & _OVERFLOW:
                raise EyeError("more changed at once than the kernel could tell")
            if mask & _IGNORED:
                self._folders.pop(watch, None)
            elif name and watch in self._folders:
                self._follow(changes, mask, os.path.join(self._folders[watch], name))
        return changes

    def _follow(self, changes: Changes, mask: int, path: bytes) -> None:
        if mask & (_CREATE | _MOVED_TO):
            changes.add((Change.added, os.fsdecode(path)))
            if mask & _IS_FOLDER:
                self.add(path)
        elif mask & (_DELETE | _MOVED_FROM):
            changes.add((Change.deleted, os.fsdecode(path)))
            if mask & _IS_FOLDER and mask & _MOVED_FROM:
                self._leave(path)
        else:
            changes.add((Change.modified, os.fsdecode(path)))

    def _leave(self, top: bytes) -> None:
        """Watch a folder that moved away no more; where it moved inside, its new name is watched anew."""
        for watch, folder in list(self._folders.items()):
            if folder == top or folder.startswith(top + b"/"):
                self._libc.inotify_rm_watch(self._descriptor, watch)
                del self._folders[watch]
