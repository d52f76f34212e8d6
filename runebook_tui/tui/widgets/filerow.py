"""FileRow: one line of the list of files: name, owner, marks, who changed it last and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from textual.content import Content

from runebook_tui.core.asking import somebody_waits
from runebook_tui.core.filenews import News, folders
from runebook_tui.core.ownership import OwnershipManager, operators_own
from runebook_tui.core.state import RequestState, State
from runebook_tui.core.tree import Folder, Row
from runebook_tui.core.types import OPERATOR
from runebook_tui.tui import glyphs
from runebook_tui.tui.text import age, cut, cut_path, edges, safe
from runebook_tui.tui.theme import OWNERS

EDITED_SECONDS = 10.0
"""A file that was changed so short a time ago is being edited."""

_INDENT = 2
_DEEPEST = 12
_WIDE = 64
_MARKS = 3


def owner_of(owners: OwnershipManager, path: str) -> str:
    """Whose a path is: an agent, OPERATOR, or "" for nobody's."""
    if operators_own(path, None):
        return OPERATOR
    claim = owners.owner_of(path)
    return "" if claim is None else claim.owner


def owner_word(owner: str | None) -> str:
    """An owner as people read it; None stands for several."""
    return {None: "several", "": "nobody", OPERATOR: "you"}.get(owner, owner or "")


@dataclass(frozen=True)
class Present:
    """What goes on with files at one moment, by path; with folders, whose keys end in a slash, too."""

    requests: Mapping[str, RequestState] = field(default_factory=dict)
    """The open request that is about it; where there are several, the one that waits."""
    editing: Mapping[str, str] = field(default_factory=dict)
    """Who edits it, or waits to, in words."""
    styles: Mapping[str, str] = field(default_factory=dict)
    """The colour of each owner."""

    @classmethod
    def of(cls, state: State, now: float) -> Present:
        """What the state says of it at `now`, unix seconds."""
        requests: dict[str, RequestState] = {}
        editing: dict[str, str] = {}
        for request in state.open_requests:
            for path in request.paths:
                for place in (path, *folders(path)):
                    if place not in requests or not somebody_waits(requests[place]):
                        requests[place] = request
                    if request.held_until is not None:
                        editing[place] = f"{request.who} waits to write"
        for touch in state.recent_touches:
            if now - touch.time < EDITED_SECONDS:
                who = "somebody" if touch.author is None else owner_word(touch.author)
                for place in (touch.path, *folders(touch.path)):
                    editing.setdefault(place, who)
        styles = {name: OWNERS[at % len(OWNERS)] for at, name in enumerate(state.agents)}
        return cls(requests, editing, styles)

    def style(self, owner: str | None) -> str:
        """The colour of an owner; what is nobody's or several's has none."""
        return self.styles.get(owner or "", glyphs.MUTED)


def file_line(row: Row, present: Present, news: News, now: float, width: int, *, whole: bool) -> Content:
    """One line of `width` cells; `whole` shows the path, else the name below its folder."""
    node = row.node
    folder = isinstance(node, Folder)
    owner = node.owner
    style = present.style(owner)
    known = news.get(node.path)
    wide = width >= _WIDE
    right: list[Content] = [safe(f"{cut(owner_word(owner), 12 if wide else 9):<{12 if wide else 9}}", style)]
    right.append(_marks(row, present, news, now))
    if wide:
        right.append(safe(f"{cut('' if known is None else known.who, 11):<11}", glyphs.MUTED))
    right.append(Content.styled(f"{'' if known is None else age(now - known.time):>7}", glyphs.MUTED))
    indent = "" if whole else " " * _INDENT * min(row.depth, _DEEPEST)
    sign = ("▾ " if row.open else "▸ ") if folder else "  "
    right_side = Content(" ").join(right)
    room = max(1, width - right_side.cell_length - 1 - len(indent) - len(sign))
    name = cut_path(node.path, room) if whole else cut(node.name + ("/" if folder else ""), room)
    left = Content.assemble(indent, (sign, glyphs.MUTED), (name, glyphs.STRONG if folder else style))
    return edges(left, right_side, width)


def _marks(row: Row, present: Present, news: News, now: float) -> Content:
    """Being edited, a request, hot: three cells."""
    path = row.node.path
    signs: list[glyphs.Glyph] = []
    if path in present.editing:
        signs.append(glyphs.EDITING)
    if (request := present.requests.get(path)) is not None:
        signs.append(glyphs.REQUEST[request.kind])
    if (known := news.get(path)) is not None and known.hot(now):
        signs.append(glyphs.HOT)
    blank = " " * (_MARKS - len(signs))
    return Content.assemble(*((each.sign, each.style) for each in signs), blank)
