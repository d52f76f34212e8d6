"""ModeBar: the modes with their keys, the present one marked; a click goes there."""

from __future__ import annotations

from textual.content import Content
from textual.events import Click
from textual.widget import Widget

from runebook_tui.tui import glyphs, modes


class ModeBar(Widget):
    """One line, left out where the terminal is low."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "ModeBar { height: 1; background: $panel; }"

    def __init__(self, mode: str) -> None:
        super().__init__()
        self._mode = mode

    def render(self) -> Content:
        """A number and a word for each mode."""
        return Content.assemble(" ", Content("   ").join([self._word(each) for each in modes.MODES]))

    def _word(self, mode: modes.Mode) -> Content:
        style = glyphs.STRONG if mode.id == self._mode else glyphs.MUTED
        return Content.assemble((mode.key, glyphs.ACCENT), " ", (mode.id, style))

    async def on_click(self, event: Click) -> None:
        """Go to the mode that was clicked."""
        end = 1
        for mode in modes.MODES:
            end += self._word(mode).cell_length + 3
            if event.x < end:
                await self.app.run_action(f"app.mode('{mode.id}')")
                return
