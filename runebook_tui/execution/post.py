"""The post: the socket at which the engine listens, and the pointer to it in the state folder."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path

from runebook_tui.execution.folders import make_state_folder
from runebook_tui.execution.pauses import Pauses
from runebook_tui.execution.server import SocketServer
from runebook_tui.execution.speakers import Supervisors
from runebook_tui.execution.verbs import Verbs
from runebook_tui.log.eventlog import EventLog, LogError
from runebook_tui.place import POINTER_NAME, SOCKET_NAME, runtime_folder, state_folder

GONE_SECONDS = 60.0
"""How long a repository may be away: it may have been moved, or its disk taken out, and come back."""


class Post:
    """Where an engine on the repository at `root` is found. `pulse` gives monotonic seconds."""

    def __init__(self, root: Path, pulse: Callable[[], float] = time.monotonic) -> None:
        self._root = root
        self._pulse = pulse
        self._trouble = ""
        """What was last said about a log that cannot be written anew."""
        self._gone_since: float | None = None

    async def open(
        self, stack: AsyncExitStack, supervisors: Supervisors, verbs: Verbs, pauses: Pauses
    ) -> None:
        """Listen until `stack` closes."""
        folder = runtime_folder(self._root, create=True)
        stack.callback(_remove_when_empty, folder)
        server = SocketServer(folder / SOCKET_NAME, supervisors, verbs, pauses)
        await server.start()
        stack.push_async_callback(server.close)
        self._point()
        stack.callback((state_folder(self._root) / POINTER_NAME).unlink, missing_ok=True)

    def rescue(self, log: EventLog, say: Callable[[str], None]) -> bool:
        """`git clean -x` and the like delete the state folder: all that is known is written anew.

        Whether that was so; `say` is told what became of it. Raises LogError when the whole repository is
        gone and does not come back.
        """
        if not log.is_lost():
            self._gone_since = None
            return False
        try:
            make_state_folder(self._root)
            log.rescue()
            self._point()
        except (LogError, OSError) as error:
            words = f"the state folder was deleted, and the log cannot be written anew: {error}"
            if words != self._trouble:
                say(words)
            self._trouble = words
            self._see_whether_gone()
            return False
        self._trouble, self._gone_since = "", None
        say("the state folder was deleted; the log is written anew, the history begins again")
        return True

    def _see_whether_gone(self) -> None:
        if self._root.exists():
            self._gone_since = None
        elif self._gone_since is None:
            self._gone_since = self._pulse()
        elif self._pulse() - self._gone_since >= GONE_SECONDS:
            raise LogError(
                f"the repository {self._root} is gone; agents that are at work go on in their panes"
            )

    def _point(self) -> None:
        """Leave the pointer to the socket."""
        pointer = state_folder(self._root) / POINTER_NAME
        pointer.write_bytes(os.fsencode(runtime_folder(self._root) / SOCKET_NAME))


def _remove_when_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()
