"""The commands of a pane that has the focus."""

from __future__ import annotations

from runebook_tui.tui.commands import Command

_GROUP = "In a pane"

TABLE = (
    Command("pane.page_up", "pageup", "page up", "read what was printed before", "page(-1)", _GROUP, False),
    Command("pane.page_down", "pagedown", "page down", "a page down", "page(1)", _GROUP, False),
    Command("pane.first", "home", "oldest", "to the oldest row that tmux keeps", "edge(-1)", _GROUP, False),
    Command("pane.last", "end", "newest", "to the end, and follow what is printed", "edge(1)", _GROUP, False),
    Command("pane.search", "slash", "search", "search the pane's text and its past", "search", _GROUP),
    Command("pane.older", "n,enter", "older", "while searching: the place before", "step(1)", _GROUP, False),
    Command(
        "pane.newer", "N,shift+enter", "newer", "while searching: the next place", "step(-1)", _GROUP, False
    ),
    Command("pane.select", "v", "mark", "mark text by keys; once more: from here", "select", _GROUP),
    Command("pane.copy", "y,enter", "copy", "copy what is marked", "copy", _GROUP, False),
    Command("pane.up", "k,up", "up", "while marking: up", "point(-1,0)", _GROUP, False),
    Command("pane.down", "j,down", "down", "while marking: down", "point(1,0)", _GROUP, False),
    Command("pane.left", "h,left", "left", "while marking: left", "point(0,-1)", _GROUP, False),
    Command("pane.right", "l,right", "right", "while marking: right", "point(0,1)", _GROUP, False),
    Command(
        "pane.row_start",
        "0,circumflex_accent",
        "start",
        "while marking: start of the row",
        "point_edge(-1)",
        _GROUP,
        False,
    ),
    Command(
        "pane.row_end", "dollar_sign", "end", "while marking: end of the row", "point_edge(1)", _GROUP, False
    ),
    Command("pane.links", "U", "links", "the links in the pane, to open one", "links", _GROUP),
    Command(
        "pane.leave",
        "escape",
        "leave",
        "end marking or the search, and go to the end",
        "leave",
        _GROUP,
        False,
    ),
)
