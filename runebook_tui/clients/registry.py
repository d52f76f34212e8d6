"""Every client that Runebook can start, by its name in the plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from runebook_tui.clients.adapter import Adapter
from runebook_tui.clients.aider import Aider
from runebook_tui.clients.claude import Claude
from runebook_tui.clients.codex import Codex
from runebook_tui.clients.copilot import Copilot
from runebook_tui.clients.cursor import Cursor
from runebook_tui.clients.gemini import Gemini
from runebook_tui.clients.goose import Goose
from runebook_tui.clients.opencode import Opencode
from runebook_tui.clients.qwen import Qwen

ADAPTERS: Mapping[str, Adapter] = {
    each.id: each
    for each in (Claude(), Codex(), Gemini(), Opencode(), Copilot(), Qwen(), Cursor(), Goose(), Aider())
}
"""The adapters by name."""

Which = Callable[[str], str | None]
"""Where a program is on PATH, or None (`shutil.which`)."""


def missing(client: str, which: Which) -> str | None:
    """One line that says how to get the client's program, or None where it is there."""
    adapter = ADAPTERS[client]
    if which(adapter.program) is not None:
        return None
    return f"{adapter.title} is not installed: there is no {adapter.program!r} on PATH; get it {_by(adapter)}"


def _by(adapter: Adapter) -> str:
    return adapter.how_to_get if adapter.how_to_get.startswith("as ") else f"by {adapter.how_to_get}"
