"""Commands: everything that a key does, declared once for bindings, key bar, palette, help and plain mode."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """One command: its id (for remapping), keys, word for the key bar, sentence for the help, and action."""

    id: str
    key: str
    """Keys as Textual names them, separated by commas; "" for a command of the palette alone."""
    word: str
    help: str
    action: str
    group: str
    palette: bool = True


REQUESTS, AGENTS, LOOK, PROGRAM = "Requests", "Agents", "Look around", "Runebook"

DECIDING = (
    Command(
        "request.approve",
        "a",
        "approve",
        "approve the request once; yes to a question",
        "approve",
        REQUESTS,
    ),
    Command(
        "request.reject",
        "r",
        "reject",
        "reject the request, with a reason; no to a question",
        "reject",
        REQUESTS,
    ),
    Command(
        "request.undo",
        "u",
        "reject and undo",
        "reject the selected request and take back what it wrote",
        "undo",
        REQUESTS,
    ),
    Command("request.mine", "m", "that was me", "say that you made the change yourself", "disown", REQUESTS),
    Command("request.open", "o", "open", "see the selected request with its diff", "open", REQUESTS),
    Command(
        "request.next",
        "n",
        "next",
        "go to the next that needs you, a request or an agent",
        "next_need",
        REQUESTS,
    ),
    Command(
        "request.mark", "space", "mark", "mark the selected request, or take its mark away", "mark", REQUESTS
    ),
    Command(
        "request.mark_all",
        "asterisk",
        "mark all",
        "mark all requests that are on the screen",
        "mark_all",
        REQUESTS,
    ),
    Command("request.unmark", "escape", "clear marks", "take every mark away", "unmark", REQUESTS),
    Command(
        "request.take_back",
        "z",
        "take back",
        "take back the last decision, within 30 seconds",
        "take_back",
        REQUESTS,
    ),
    Command(
        "plan.lesson",
        "L",
        "lesson",
        "see the plan change that your decisions suggest",
        "lesson",
        REQUESTS,
    ),
)
"""The commands of a screen with a list of requests."""

COCKPIT = (
    *DECIDING,
    Command("agent.next", "j,down", "next agent", "select the next agent", "move(1)", AGENTS, palette=False),
    Command("agent.last", "k,up", "last agent", "select the agent before", "move(-1)", AGENTS, palette=False),
    Command("agent.go", "g", "go to", "go to the selected agent's pane; F12 comes back", "go", AGENTS),
    Command("agent.restart", "R", "restart", "restart the failed or stopped agent", "restart", AGENTS),
    Command(
        "agent.resume",
        "B",
        "bring back",
        "bring back what was lost with tmux or the machine",
        "resume",
        AGENTS,
    ),
    Command("agent.say", "s", "say", "type words into the selected agent's pane", "say", AGENTS),
    Command("agent.say_several", "S", "say to several", "say it to several agents", "say_several", AGENTS),
    Command("agent.stop", "x", "stop", "stop the selected agent (asks first)", "stop", AGENTS),
    Command("agent.why", "y", "why", "say why the selected agent is what it is", "why", AGENTS),
    Command(
        "agent.snooze",
        "Z",
        "snooze",
        "put the agent's call off for 15 min, or hear it again",
        "snooze",
        AGENTS,
    ),
    Command(
        "look.enter",
        "enter",
        "open or go to",
        "open the request; elsewhere go to the agent's pane",
        "enter",
        LOOK,
        palette=False,
    ),
    Command("look.next", "tab", "next panel", "go to the next panel", "panel(1)", LOOK),
    Command("look.last", "shift+tab", "last panel", "go to the panel before", "panel(-1)", LOOK),
    Command("run.engine", "E", "start the engine", "start the engine when none runs", "engine", PROGRAM),
    Command("run.new", "", "new run", "start the plan again when its run is over", "new_run", PROGRAM),
    Command("run.down", "", "down", "stop every agent and the engine (asks first)", "down", PROGRAM),
)
"""The commands of the first screen, in the order in which the key bar and the help show them."""

EVERYWHERE = (
    Command("look.log", "l", "log", "see everything that happened", "app.log", LOOK),
    Command("look.away", "W", "while away", "see what happened while you were away", "app.away", LOOK),
    Command("look.tour", "T", "tour", "six steps through the first screen", "app.tour", LOOK),
    Command("look.theme", "", "colours", "choose other colours", "app.change_theme", LOOK),
    Command("help", "question_mark", "help", "see every key", "app.help", PROGRAM),
    Command("palette", "ctrl+p", "all commands", "find a command", "app.command_palette", PROGRAM, False),
    Command("quit", "q,ctrl+q,ctrl+c", "quit", "leave; agents and engine go on", "app.leave", PROGRAM),
)
"""What every mode has."""

FILTER = (
    Command("mode.filter", "slash", "filter", "show only what holds a text", "filter", LOOK),
    Command("mode.back", "escape", "back", "take the filter away, else go to the cockpit", "back", LOOK),
)
"""What every mode but the cockpit has."""

CARD = (
    Command(
        "card.approve", "a", "approve once", "approve what the card shows, once", "approve('once')", "Card"
    ),
    Command("card.task", "t", "until the task ends", "approve for the task", "approve('task')", "Card"),
    Command("card.plan", "p", "until the plan ends", "approve for the plan", "approve('plan')", "Card"),
    Command(
        "card.widen",
        "w",
        "widen the plan",
        "let the plan allow it for good; shows the patch first",
        "change_plan('widened')",
        "Card",
    ),
    Command(
        "card.transfer",
        "o",
        "transfer",
        "give the requester the file in the plan; patch first",
        "change_plan('transferred')",
        "Card",
    ),
    Command(
        "card.hand_over",
        "h",
        "hand over",
        "reject, and give the owner the change as a task",
        "hand_over",
        "Card",
    ),
    Command("card.reject", "r", "reject", "reject, with a reason if you like", "reject", "Card"),
    Command("card.undo", "u", "reject and undo", "reject, and take back what it wrote", "undo", "Card"),
    Command("card.mine", "m", "that was me", "the change was yours", "disown", "Card"),
    Command(
        "card.earlier", "e", "earlier decisions", "see what was decided about these paths", "earlier", "Card"
    ),
    Command("card.close", "escape,q", "close", "close without deciding", "close", "Card"),
)

PATCH = (
    Command(
        "patch.accept", "y,enter", "accept", "change the plan's file as the patch says", "accept", "Patch"
    ),
    Command("patch.dismiss", "d", "never", "do not suggest this patch again", "never", "Patch"),
    Command("patch.close", "escape,n,q", "back", "change nothing", "close", "Patch"),
)

LOG = (
    Command("log.filter", "slash", "filter", "show only what holds a text", "filter", "Log"),
    Command("log.close", "escape,q,l", "back", "back to the first screen", "close", "Log"),
)

LINES = (Command("lines.close", "escape,q,i", "back", "back to the files", "close", "Files"),)

ROWS = (
    Command("rows.up", "up,k", "up", "one up", "move(-1)", "Lists"),
    Command("rows.down", "down,j", "down", "one down", "move(1)", "Lists"),
    Command("rows.page_up", "pageup", "page up", "a page up", "page(-1)", "Lists"),
    Command("rows.page_down", "pagedown", "page down", "a page down", "page(1)", "Lists"),
    Command("rows.first", "home", "first", "to the first", "edge(-1)", "Lists"),
    Command("rows.last", "end", "last", "to the last", "edge(1)", "Lists"),
)

EVERYTHING = (*COCKPIT, *EVERYWHERE, *FILTER, *CARD, *PATCH, *LOG, *LINES, *ROWS)

_SIGNS = {
    "question_mark": "?",
    "slash": "/",
    "asterisk": "*",
    "escape": "esc",
    "enter": "⏎",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "up": "↑",
    "down": "↓",
    "plus": "+",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "minus": "-",
    "left": "←",
    "right": "→",
    "tab": "⇥",
    "shift+tab": "⇤",
}


def key_sign(key: str) -> str:
    """The first of a command's keys, as people read it."""
    first = key.split(",")[0]
    return first.replace("ctrl+", "^") if first.startswith("ctrl+") else _SIGNS.get(first, first)


def key_signs(key: str) -> str:
    """All of a command's keys, as people read them."""
    return " ".join(key_sign(each) for each in key.split(",") if each)


def groups(commands: Iterable[Command]) -> Iterator[tuple[str, list[Command]]]:
    """The commands by group, in the order in which the groups come up first."""
    found: dict[str, list[Command]] = {}
    for command in commands:
        found.setdefault(command.group, []).append(command)
    yield from found.items()
