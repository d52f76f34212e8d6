"""LinksScreen: the links of a pane, to choose one."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList

from runebook_tui.tui.links import Link
from runebook_tui.tui.text import safe

_SHOWN_CHARACTERS = 200


class LinksScreen(ModalScreen[Link | None]):
    """Answers with the link that was chosen; None when it was closed."""

    BINDINGS = [Binding("escape,q,U", "close", "close", id="links.close")]

    def __init__(self, links: Sequence[Link]) -> None:
        super().__init__()
        self._links = tuple(links)

    def compose(self) -> ComposeResult:
        """The links, the lowest one on the screen first."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = Content("Links")
            dialog.border_subtitle = Content("⏎ open · esc close")
            yield OptionList(*(safe(link.words, limit=_SHOWN_CHARACTERS) for link in self._links))

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._links[event.option_index])

    def action_close(self) -> None:
        """Open nothing."""
        self.dismiss(None)
