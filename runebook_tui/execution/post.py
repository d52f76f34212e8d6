"""The post: the socket at which the engine listens, and the pointer to it in the state folder."""

from __future__ import annotations

import os
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


class Post:
    """Where an engine on the repository at `root` is found."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._trouble = ""
        """What was last said about a log that cannot be written anew."""

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

        Whether that was so; `say` is told what became of it.
        """
        if not log.is_lost():
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
            return False
        self._trouble = ""
        say("the state folder was deleted; the log is written anew, the history begins again")
        return True

    def _point(self) -> None:
        """Leave the pointer to the socket."""
        pointer = state_folder(self._root) / POINTER_NAME
        pointer.write_bytes(os.fsencode(runtime_folder(self._root) / SOCKET_NAME))


def _remove_when_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()
