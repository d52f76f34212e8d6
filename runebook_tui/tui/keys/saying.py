"""The commands of the prompt by which the operator speaks to agents."""

from __future__ import annotations

from runebook_tui.tui.commands import Command

_GROUP = "Saying"

DRAFT = (
    Command("say.send", "enter", "say it", "type it into the panes, and submit it", "send", _GROUP),
    Command("say.line", "ctrl+j,shift+enter,alt+enter", "new line", "begin a new line", "line", _GROUP),
    Command("say.earlier", "ctrl+up", "earlier", "what you said before (↑ in the first line)", "old", _GROUP),
    Command("say.later", "ctrl+down", "later", "what you said after that", "new", _GROUP),
)
"""What works while the words are written."""

SCREEN = (
    Command("say.next", "tab", "agents", "go to the list of agents, and back to the words", "other", _GROUP),
    Command("say.close", "escape", "close", "close; the words are kept for the next time", "close", _GROUP),
)

RECIPIENTS = (
    Command("say.mark", "space,enter", "mark", "mark the agent, or take its mark away", "mark", _GROUP),
    Command("say.all", "a,asterisk", "all", "mark all that run, or none", "all", _GROUP),
    Command("say.phase", "p", "phase", "mark all of the same phase", "same('phase')", _GROUP),
    Command("say.state", "s", "state", "mark all that do the same", "same('state')", _GROUP),
)
"""What works in the list of agents."""

TABLE = (*DRAFT, *SCREEN, *RECIPIENTS)
