"""TogetherScreen: names every marked request before all of them are decided at once."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from runebook_tui.core.state import RequestState
from runebook_tui.tui import glyphs
from runebook_tui.tui.heading import owner_name
from runebook_tui.tui.text import cut_path, safe

_PATH_CELLS = 60


class TogetherScreen(ModalScreen[bool]):
    """Ends with whether the operator means it. `does` is what happens to all: "Approve once"."""

    BINDINGS = [
        Binding("y", "answer(True)", "yes", id="together.yes"),
        Binding("escape,n", "answer(False)", "no", id="together.no"),
    ]
    AUTO_FOCUS = "#each"

    def __init__(self, does: str, requests: Sequence[RequestState], *, effect: str) -> None:
        super().__init__()
        self._does, self._requests, self._effect = does, requests, effect

    def compose(self) -> ComposeResult:
        """How many and whose, each with its path, and both keys."""
        count = len(self._requests)
        with Vertical(id="dialog") as dialog:
            dialog.border_title = safe(f"{self._does} {count} requests?")
            yield Static(safe(f"{whose(self._requests)}. {self._effect}"), id="what")
            with VerticalScroll(id="each"):
                yield Static(Content("\n").join([_line(each) for each in self._requests]))
            yield Static(
                Content.assemble(
                    *(("y", glyphs.ACCENT), f" {self._does.casefold()} all {count}    "),
                    *(("esc", glyphs.ACCENT), " back, decide nothing"),
                ),
                id="keys",
            )

    def action_answer(self, yes: bool) -> None:
        """End with the answer."""
        self.dismiss(yes)


def whose(requests: Sequence[RequestState]) -> str:
    """Who asks whom how often: "capture → storage (2), storage → you (1)"."""
    pairs: dict[tuple[str, str], int] = {}
    for request in requests:
        pair = (request.who, " and ".join(owner_name(owner) for owner in request.owners))
        pairs[pair] = pairs.get(pair, 0) + 1
    return ", ".join(f"{who} → {owners} ({count})" for (who, owners), count in pairs.items())


def _line(request: RequestState) -> Content:
    glyph = glyphs.REQUEST[request.kind]
    paths = request.paths
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return Content.assemble(
        (glyph.sign, glyph.style),
        (f" {request.id}  ", glyphs.STRONG),
        safe(f"{request.who} → {' and '.join(owner_name(owner) for owner in request.owners)}", limit=100),
        "  ",
        cut_path(paths[0] if paths else "", _PATH_CELLS),
        more,
    )
