"""The commands of the panes."""

from __future__ import annotations

from runebook_tui.tui.commands import Command

_GROUP = "Panes"

TABLE = (
    Command("panes.go", "enter,g", "go to", "go to the agent's pane; F12 comes back", "go", _GROUP),
    Command("panes.zoom", "f", "zoom", "show one pane alone, or all again", "zoom", _GROUP),
    Command("panes.pin", "space", "pin", "keep the pane on the screen, or let it go", "pin", _GROUP),
    Command("panes.next", "n", "who needs you", "to the next agent that needs you", "next", _GROUP),
    Command("panes.left", "left,h", "left", "the pane on the left", "step(-1,0)", _GROUP, False),
    Command("panes.right", "right,l", "right", "the pane on the right", "step(1,0)", _GROUP, False),
    Command("panes.up", "up,k", "up", "the pane above", "step(0,-1)", _GROUP, False),
    Command("panes.down", "down,j", "down", "the pane below", "step(0,1)", _GROUP, False),
    Command("panes.later", "right_square_bracket", "more", "the next agents", "turn(1)", _GROUP),
    Command("panes.earlier", "left_square_bracket", "before", "the agents before", "turn(-1)", _GROUP),
    Command("panes.filter", "F", "filter", "show only agents that hold a text", "filter", _GROUP),
)
