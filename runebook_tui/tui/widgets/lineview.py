"""LineView: a scrolled column of lines, of which those are painted that look different than before."""

from __future__ import annotations

from textual.events import Resize
from textual.geometry import Region
from textual.scroll_view import ScrollView
from textual.strip import Strip


class LineView(ScrollView):
    """A subclass says by `look` how a line looks, and calls `repaint` when that may have changed."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._painted: dict[int, Strip] = {}

    def look(self, y: int) -> Strip:
        """How row `y` of the widget looks now."""
        raise NotImplementedError

    def repaint(self) -> None:
        """Paint the lines that look different now."""
        if not self._painted or not self.is_attached:
            self.refresh()
            return
        width = self.scrollable_content_region.width
        lines = [Region(0, y, width, 1) for y, strip in self._painted.items() if self.look(y) != strip]
        if lines:
            self.refresh(*lines)

    def render_line(self, y: int) -> Strip:
        """One line, exactly as wide as the widget."""
        strip = self._painted[y] = self.look(y)
        return strip

    def notify_style_update(self) -> None:
        """Everything is painted anew: colours have changed."""
        self._painted.clear()
        super().notify_style_update()

    def on_resize(self, event: Resize) -> None:
        """Everything is painted anew."""
        self._painted.clear()
