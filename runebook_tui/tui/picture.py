"""picture: what the cockpit looks like, as SVG."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import suppress
from html import unescape

from textual.worker import WorkerCancelled

from runebook_tui.tui.app import RunebookApp
from runebook_tui.tui.backend import Backend
from runebook_tui.tui.widgets.agent import AgentPanel

_PATIENCE = 200
"""Looks at the app before it is drawn as it is."""
_ENDLESS = ("follow", "pane")
"""Workers that go on as long as the app does; all others read what a screen then shows."""
_SECONDS = 30.0
_STEP = 0.05


async def picture(
    backend: Backend,
    size: tuple[int, int] = (120, 36),
    *,
    now: Callable[[], float] = time.time,
    keys: str = "",
    shows: str = "",
) -> str:
    """The cockpit as SVG at `size` (columns, rows), once the state and the selected pane are there.

    `keys` are pressed before, separated by blanks; after each the screen settles. With `shows` the picture
    is taken when that text is on the screen. Raises TimeoutError when it never is.
    """
    app = RunebookApp(backend, now=now)
    async with app.run_test(size=size) as pilot:
        panel = app.query_one(AgentPanel)
        for _ in range(_PATIENCE):
            await pilot.pause()
            if app.view.loaded and (panel.looked or not panel.pane.region.area):
                break
        for key in keys.split():
            await pilot.press(key)
            await pilot.pause()
            for reader in [each for each in app.workers if each.group not in _ENDLESS]:
                with suppress(WorkerCancelled):  # a later one takes its place
                    await reader.wait()
            await pilot.pause()
        deadline = time.monotonic() + _SECONDS
        while shows not in _text(svg := app.export_screenshot(title="runebook-tui")):
            if time.monotonic() > deadline:
                raise TimeoutError(f"after {keys!r} the screen never showed {shows!r}")
            await pilot.pause(_STEP)
        return svg


def _text(svg: str) -> str:
    """The words in a picture."""
    return unescape(re.sub("<[^>]+>", "", svg)).replace("\xa0", " ")
