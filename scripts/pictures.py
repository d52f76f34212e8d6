"""Makes the pictures of the documentation from the real program: `python scripts/pictures.py`.

It runs the demonstration's plan in a scratch repository until a held write waits for the operator, and
lets Textual export the screen as SVG.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from pathlib import Path

from runebook_tui.cli.demo import make_repository
from runebook_tui.execution.client import ask_engine
from runebook_tui.execution.folders import make_state_folder
from runebook_tui.execution.follow import follow
from runebook_tui.execution.launch import launch_engine
from runebook_tui.place import runtime_folder
from runebook_tui.tui.live import LiveBackend
from runebook_tui.tui.picture import picture

PICTURES = Path(__file__).parent.parent / "docs" / "pictures"
SIZE = (132, 34)


async def main() -> None:
    """Write every picture."""
    parent = Path(tempfile.mkdtemp(prefix="runebook-"))
    root = parent / "checkout"
    os.environ |= {"RUNEBOOK_DEMO": "1", "RUNEBOOK_DEMO_PACE": "0.6"}
    try:
        make_repository(root)
        make_state_folder(root)
        launch_engine(root)
        async for update in follow(root):
            if update.state.open_requests:
                break
        PICTURES.mkdir(parents=True, exist_ok=True)
        svg = await picture(LiveBackend(root), SIZE, keys="j j j j j")
        (PICTURES / "cockpit.svg").write_text(svg)
        card = await picture(LiveBackend(root), SIZE, keys="enter")
        (PICTURES / "card.svg").write_text(card)
    finally:
        await ask_engine(root, "down")
        async for update in follow(root):
            if not update.engine_alive:
                break
        shutil.rmtree(runtime_folder(root), ignore_errors=True)
        shutil.rmtree(parent)


if __name__ == "__main__":
    asyncio.run(main())
