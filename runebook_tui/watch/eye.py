"""One run of watchfiles over folders, in its own thread; whatever ends it is told, never raised."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from watchfiles import Change, watch

DEBOUNCE_MS = 50
STEP_MS = 10
TICK_MS = 100
LIMIT_ADVICE = (
    "the limit of file watches is reached: raise it with `sudo sysctl fs.inotify.max_user_watches=1048576` "
    "(inotify(7)); until then changes are seen by sweeps only"
)


Changes = set[tuple[Change, str]]


class EyeError(Exception):
    """An eye cannot go on; the text is for people."""


@dataclass(frozen=True)
class Opened:
    """From now on changes are seen."""


@dataclass(frozen=True)
class Glimpse:
    """Changes by absolute path, and when they arrived (unix seconds)."""

    changes: frozenset[tuple[Change, str]]
    time: float


@dataclass(frozen=True)
class Shut:
    """The eye saw its last; `reason` is for people. `by_name` if a name that is not UTF-8 ended it."""

    reason: str
    by_name: bool = False


News = Opened | Glimpse | Shut


class Eye:
    """Watches `root` and all below it, and the `extra` folders, from `open` to `close` or to its Shut.

    `tell(eye, news)` is called in the event loop. watchfiles 1.3 ends on a name that is not UTF-8, never
    tells that the root was replaced, needs 175 ms to set up 5,000 folders, and follows symbolic links.
    """

    def __init__(self, root: str, extra: list[str], tell: Callable[[Eye, News], None]) -> None:
        self.folders = [root, *extra]
        self._tell = tell
        self._stop = threading.Event()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="watch-eye", daemon=True)

    def open(self) -> None:
        """Start to watch."""
        self._thread.start()

    def close(self) -> None:
        """Stop to watch, in some 10 ms and without waiting for it; nothing is told from then on."""
        self._stop.set()

    @property
    def is_closed(self) -> bool:
        """True once `close` was called."""
        return self._stop.is_set()

    def _changes(self) -> Iterator[Changes]:
        """Sets of changes from when the folders are watched until closed, empty ones when nothing happens."""
        return watch(
            *self.folders,
            watch_filter=None,
            debounce=DEBOUNCE_MS,
            step=STEP_MS,
            stop_event=self._stop,
            rust_timeout=TICK_MS,
            yield_on_timeout=True,
        )

    def _run(self) -> None:
        try:
            reason = self._look()
        except Exception as error:  # noqa: BLE001 - watchfiles raises many kinds; each one is told
            self._post(Shut(_reason(error), by_name="decode path" in str(error)))
        else:
            self._post(Shut(reason))

    def _look(self) -> str:
        root = self.folders[0]
        identity = _identity(root)
        opened = False
        for changes in self._changes():
            if not opened:
                self._post(Opened())
                opened = True
            if changes:
                self._post(Glimpse(frozenset(changes), time.time()))
            if _identity(root) != identity:
                return "the folder was removed or replaced"
        return "the watch was stopped"

    def _post(self, news: News) -> None:
        if self._stop.is_set():
            return
        try:
            self._loop.call_soon_threadsafe(self._arrive, news)
        except RuntimeError:
            self._stop.set()  # the loop is closed: nobody is left to tell

    def _arrive(self, news: News) -> None:
        if not self._stop.is_set():
            self._tell(self, news)


def _identity(path: str) -> tuple[int, int] | None:
    try:
        info = os.stat(path)
    except OSError:
        return None
    return info.st_dev, info.st_ino


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "the folder is gone"
    text = str(error)
    if isinstance(error, EyeError):
        return text
    if "limit" in text and "watch" in text:
        return LIMIT_ADVICE
    if "decode path" in text:
        return "a file name that is not UTF-8 stopped the watcher"
    if "Too many open files" in text:
        return (
            "no more watchers can be opened: raise `fs.inotify.max_user_instances` (inotify(7)); "
            "until then changes are seen by sweeps only"
        )
    shown = "".join(letter if letter.isprintable() else "\ufffd" for letter in text)
    return f"the watcher stopped: {type(error).__name__}: {shown[:200]}"
