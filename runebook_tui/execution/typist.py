"""The typist: types a text into a pane, presses Enter when it is seen there, and says what came of it.

A bracketed paste, so that a program takes the text as one and not line by line (xterm's control
sequences, mode 2004); never keys, which a program may read as commands. Enter alone is a key. It is
pressed once the text stands still on the screen, for a program that is still taking a paste makes a
newline of it. What swallows the first Enter (a menu of completions) gets a second one, and no third.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from runebook_tui.core.screen import Place, Screen, gone, landed
from runebook_tui.core.speech import SaidOutcome
from runebook_tui.tmux.panes import Panes, TmuxError

LAND_SECONDS = 8.0
"""How long the text may take to be seen in its pane."""
SUBMIT_SECONDS = 4.0
"""How long it may take to leave its place after Enter, and the client's hook to say that it has it."""
_STEP_SECONDS = 0.1
_ENTERS = 2


class Said(NamedTuple):
    """What became of a text, and by what that is known, or why it is so."""

    outcome: SaidOutcome
    why: str


def _nobody() -> int:
    return 0


class Typist:
    """Types into panes, one text at a time into each."""

    def __init__(self, panes: Panes) -> None:
        self._panes = panes
        self._busy: dict[str, asyncio.Lock] = {}

    async def type_into(
        self, pane_id: str, text: str, *, prompts: Callable[[], int] = _nobody, client: str = ""
    ) -> Said:
        """Type `text` and submit it. Raises TmuxError.

        `prompts` counts how often the client in the pane has said by its hook that it was given a prompt;
        `client` is its name where it surely will: then an empty input line alone is no proof.
        """
        async with self._busy.setdefault(pane_id, asyncio.Lock()):
            return await self._typed(pane_id, text, prompts, client)

    async def _typed(self, pane_id: str, text: str, prompts: Callable[[], int], client: str) -> Said:
        before = [await self._look(pane_id)]
        await asyncio.sleep(_STEP_SECONDS)  # what changes within it changes by itself
        before.append(await self._look(pane_id))
        await asyncio.to_thread(self._panes.send_text, pane_id, text, False)
        place = await self._landed(pane_id, before, text)
        if place is None:
            why = f"its pane did not show the text within {LAND_SECONDS:g} s: Enter was not pressed"
            return Said("typed", why)
        known = prompts()
        for _ in range(_ENTERS):
            await asyncio.to_thread(self._panes.send_text, pane_id, "", True)
            deadline = _now() + SUBMIT_SECONDS
            left = False
            while _now() < deadline:
                if prompts() > known:
                    return Said("submitted", "its client says so")
                left = gone(place, await self._look(pane_id))
                if left and not client:
                    return Said("submitted", "it has left the input line")
                await asyncio.sleep(_STEP_SECONDS)
            if left:
                return Said("typed", f"it has left its place, but {client} has not said that it has it")
        return Said("typed", f"it still stands in the pane after {_ENTERS} times Enter")

    async def _landed(self, pane_id: str, before: list[Screen], text: str) -> Place | None:
        """Where the text stands, once it stands still; None when it is not seen in time."""
        deadline = _now() + LAND_SECONDS
        last = None
        while _now() < deadline:
            place = landed(before, await self._look(pane_id), text)
            if place is not None and place == last:
                return place
            last = place
            await asyncio.sleep(_STEP_SECONDS)
        return None

    async def _look(self, pane_id: str) -> Screen:
        screen = await asyncio.to_thread(self._panes.look, pane_id)
        if screen.dead:
            raise TmuxError("its program has ended")
        return screen


def _now() -> float:
    return asyncio.get_running_loop().time()
