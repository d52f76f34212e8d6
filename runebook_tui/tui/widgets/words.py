"""Words and titles that are drawn, and laid out, only when they become others."""

from __future__ import annotations

from textual.content import Content
from textual.visual import VisualType
from textual.widget import Widget
from textual.widgets import Static


class Words(Static):
    """A Static for which the same words again are no change."""

    def update(self, content: VisualType = "", *, layout: bool = True) -> None:
        """Show other words."""
        known = self.content
        if not (isinstance(content, Content) and isinstance(known, Content) and content.is_same(known)):
            super().update(content, layout=layout)


def entitle(widget: Widget, title: Content, subtitle: Content | None = None) -> None:
    """Put a title into the widget's border, and one below where it is given; the same again draws nothing."""
    if widget.border_title != title.markup:
        widget.border_title = title
    if subtitle is not None and widget.border_subtitle != subtitle.markup:
        widget.border_subtitle = subtitle
