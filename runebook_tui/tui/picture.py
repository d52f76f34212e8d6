"""picture: what the cockpit looks like, as SVG."""

from __future__ import annotations

import time
from collections.abc import Callable

from runebook_tui.tui.app import RunebookApp
from runebook_tui.tui.backend import Backend
from runebook_tui.tui.widgets.agent import AgentPanel

_PATIENCE = 200
"""Looks at the app before it is drawn as it is."""


async def picture(
    backend: Backend,
    size: tuple[int, int] = (120, 36),
    *,
    now: Callable[[], float] = time.time,
    keys: str = "",
) -> str:
    """The cockpit as SVG at `size` (columns, rows), once the state and the selected pane are there.

    `keys` are pressed before, separated by blanks.
    """
    app = RunebookApp(backend, now=now)
    async with app.run_test(size=size) as pilot:
        panel = app.query_one(AgentPanel)
        for _ in range(_PATIENCE):
            await pilot.pause()
            if app.view.loaded and (panel.looked or not panel.pane.region.area):
                break
        await pilot.press(*keys.split())
        await pilot.pause()
        return app.export_screenshot(title="runebook-tui")
