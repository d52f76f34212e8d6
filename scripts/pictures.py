"""Makes the pictures of the documentation from the real program: `python scripts/pictures.py [FOLDER]`.

It runs the demonstration's plan in a scratch repository until a held write waits for the operator, and
lets Textual export the screen as SVG.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from runebook_tui.cli.demo import make_repository
from runebook_tui.execution.client import ask_engine
from runebook_tui.execution.folders import make_state_folder
from runebook_tui.execution.follow import follow
from runebook_tui.execution.launch import launch_engine
from runebook_tui.place import runtime_folder
from runebook_tui.tui.live import LiveBackend
from runebook_tui.tui.modes import COCKPIT, MODES
from runebook_tui.tui.picture import picture


class Picture(NamedTuple):
    """One picture: its file, how it is come to, what must be on it, and its columns and rows."""

    name: str
    keys: str
    shows: str
    size: tuple[int, int] = (132, 34)


_MORE = {"files": " t home", "timeline": " up"}
"""What is pressed after a mode's key, for a picture that shows more."""

PICTURES = (
    Picture("cockpit", "tab j j j j j", "Requests · 1"),
    Picture("card", "enter", "until the plan ends", (120, 40)),
    Picture("patch", "enter w", "may_write", (120, 40)),
    Picture("away", "W", "request waits for you", (120, 34)),
    Picture("log", "l", "wants to write", (120, 34)),
    *(Picture(mode.id, mode.key + _MORE.get(mode.id, ""), mode.id) for mode in MODES if mode is not COCKPIT),
)
"""What `docs/` shows."""


async def main(folder: Path) -> None:
    """Write every picture into the existing `folder`."""
    parent = Path(tempfile.mkdtemp(prefix="runebook-"))
    # Whatever the person at this machine has chosen, the pictures are the same.
    os.environ.update(XDG_CONFIG_HOME=str(parent / "config"), XDG_STATE_HOME=str(parent / "state"))
    root = parent / "checkout"
    os.environ |= {"RUNEBOOK_DEMO": "1", "RUNEBOOK_DEMO_PACE": "0.6"}
    try:
        make_repository(root)
        make_state_folder(root)
        launch_engine(root)
        async for update in follow(root):
            if any(request.held_until for request in update.state.open_requests):
                break
        for name, keys, shows, size in PICTURES:
            svg = await picture(LiveBackend(root), size, keys=keys, shows=shows)
            (folder / f"{name}.svg").write_text(svg)
    finally:
        await ask_engine(root, "down")
        async for update in follow(root):
            if not update.engine_alive:
                break
        shutil.rmtree(runtime_folder(root), ignore_errors=True)
        shutil.rmtree(parent)


if __name__ == "__main__":
    pictures = Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).parent.parent / "docs" / "pictures"
    pictures.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(pictures))
