"""Calling: tells the operator outside of any screen: in their own tmux, and by a program of theirs.

The engine does it while no interactive session is open; an open one knows better what the operator sees.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from runebook_tui.core.calls import Call, Herald, calls, together
from runebook_tui.core.state import State
from runebook_tui.execution.screens import screen_is_open
from runebook_tui.settings import Notify, load_settings
from runebook_tui.tmux.guest import default_socket
from runebook_tui.tmux.message import show_message
from runebook_tui.tmux.panes import TmuxError

MOST_A_MINUTE = 6
"""So often the program is run at most."""
_COMMAND_SECONDS = 10.0
_STEP_SECONDS = 1.0


class Means:
    """The means by which the operator is called outside of any screen."""

    def __init__(self, root: Path, clock: Callable[[], float]) -> None:
        self._root = root
        self._clock = clock
        self._ran: deque[float] = deque(maxlen=MOST_A_MINUTE)

    async def tell(self, found: Sequence[Call], notify: Notify) -> None:
        """Tell of `found`, in one call of each kind that the operator wants; what fails is left out."""
        words = together(found)
        if not words:
            return
        if notify.tmux:
            with suppress(TmuxError):
                await asyncio.to_thread(show_message, default_socket(), f"Runebook: {words}")
        if notify.command and self._may_run():
            await self._run(notify.command, self._environment(found, words))

    def _may_run(self) -> bool:
        now = self._clock()
        if len(self._ran) == MOST_A_MINUTE and now - self._ran[0] < 60.0:
            return False
        self._ran.append(now)
        return True

    def _environment(self, found: Sequence[Call], words: str) -> dict[str, str]:
        """What the program is told: by variables, so that no shell reads what others wrote."""
        first = found[0]
        return {
            **os.environ,
            "RUNEBOOK_CALL": words,
            "RUNEBOOK_CALL_COUNT": str(len(found)),
            "RUNEBOOK_CALL_AGENT": first.agent,
            "RUNEBOOK_CALL_REQUEST": "" if first.request is None else str(first.request),
            "RUNEBOOK_CALL_STATE": first.state,
            "RUNEBOOK_CALL_ROOT": os.fspath(self._root),
        }

    async def _run(self, command: Sequence[str], environment: dict[str, str]) -> None:
        null = asyncio.subprocess.DEVNULL
        try:
            process = await asyncio.create_subprocess_exec(
                *command, stdin=null, stdout=null, stderr=null, env=environment, start_new_session=True
            )
        except (OSError, ValueError):
            return
        try:
            async with asyncio.timeout(_COMMAND_SECONDS):
                await process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


class Caller:
    """Calls the operator while no screen is open. `clock` gives unix seconds."""

    def __init__(self, root: Path, state: Callable[[], State], clock: Callable[[], float]) -> None:
        self._root = root
        self._state = state
        self._clock = clock
        self._means = Means(root, clock)
        self._changed = asyncio.Event()
        self._herald = Herald()
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Start; what waits already is no news."""
        self._herald = Herald(calls(self._state(), self._clock()))
        self._task = asyncio.create_task(self._keep())

    def note(self) -> None:
        """Something happened."""
        self._changed.set()

    async def close(self) -> None:
        """Call no more."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _keep(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            notify = (await asyncio.to_thread(load_settings)).notify
            while True:
                now = self._clock()
                fresh = self._herald.hear(calls(self._state(), now), now, self._watched, notify.quiet_seconds)
                await self._means.tell(fresh, notify)
                if not self._herald.pending:
                    break
                await asyncio.sleep(_STEP_SECONDS)

    def _watched(self, call: Call) -> bool:
        """Whether a screen is open that tells of it."""
        return screen_is_open(self._root)
