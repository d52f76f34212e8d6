"""The commands of the timeline."""

from __future__ import annotations

from runebook_tui.tui.commands import Command

_GROUP = "Timeline"

TABLE = (
    Command("time.open", "enter", "open", "open the card of the event's request", "open", _GROUP),
    Command("time.earlier", "up,k", "earlier", "go to the event before", "walk(-1)", _GROUP),
    Command("time.later", "down,j", "later", "go to the event after", "walk(1)", _GROUP),
    Command("time.first", "home", "first", "go to the first event", "edge(-1)", _GROUP),
    Command("time.last", "end", "last", "go to the last event, and on with the time", "edge(1)", _GROUP),
    Command("time.closer", "plus,equals_sign", "closer", "show half as much time", "zoom(-1)", _GROUP),
    Command("time.wider", "minus", "wider", "show twice as much time", "zoom(1)", _GROUP),
    Command("time.all", "0", "all", "show the whole run", "all", _GROUP),
    Command("time.back", "left", "back in time", "move back in time", "pan(-1)", _GROUP),
    Command("time.on", "right", "on in time", "move on in time", "pan(1)", _GROUP),
    Command("time.above", "pageup", "lanes above", "show the agents above", "lanes(-1)", _GROUP, False),
    Command("time.below", "pagedown", "lanes below", "show the agents below", "lanes(1)", _GROUP, False),
)
