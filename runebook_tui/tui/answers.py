"""Answers: what each key on a decision card will do, in words that are true of this request."""

from __future__ import annotations

from dataclasses import dataclass

from runebook_tui.core.state import RequestState, State
from runebook_tui.core.types import OPERATOR, RequestKind
from runebook_tui.core.undos import may_undo
from runebook_tui.tui import commands
from runebook_tui.tui.commands import Command

_COMMANDS = {command.id: command for command in commands.CARD}


@dataclass(frozen=True)
class Answer:
    """One key of the card. `not_now` says why it decides nothing; "" when it does."""

    command: Command
    word: str
    effect: str
    not_now: str = ""


def answers(state: State, request: RequestState, *, engine_alive: bool) -> list[Answer]:
    """The keys of the card of `request`, in the order in which they are shown."""
    gone = "" if engine_alive else "the engine is not running (E starts it)"
    crossed = request.kind in (RequestKind.CROSSED, RequestKind.DRIFT)
    what = "this path" if len(request.paths) == 1 else f"these {len(request.paths)} paths"
    who = request.who
    stays = "the change stays, and " if crossed else ""
    task = _task(state, request)
    uncertain = "" if request.requester else "it is not certain who made the change"
    found = [
        Answer(
            _COMMANDS["card.approve"],
            "let it stand" if crossed else "approve once",
            "the change stays as it is" if crossed else f"{who} may write {what}, once",
            gone,
        ),
        Answer(
            _COMMANDS["card.task"],
            "until the task ends",
            f"{stays}{who} may write {what} until {task} is done",
            gone or uncertain or ("" if task else f"{who} has no task in progress"),
        ),
        Answer(
            _COMMANDS["card.plan"],
            "until the plan ends",
            f"{stays}{who} may write {what} from now on",
            gone or uncertain,
        ),
        Answer(
            _COMMANDS["card.reject"],
            "reject",
            "records that it must not stay; the bytes stay until somebody changes them"
            if crossed
            else f"{who} gets no, with your reason",
            gone,
        ),
    ]
    if may_undo(request):
        found.append(
            Answer(
                _COMMANDS["card.undo"],
                "reject and undo",
                "takes this change out again and leaves everybody else's; a patch of it is kept",
                gone,
            )
        )
    if request.kind is RequestKind.CROSSED and OPERATOR in request.candidates:
        found.append(
            Answer(_COMMANDS["card.mine"], "that was me", "you made the change: nobody is asked", gone)
        )
    found.append(Answer(_COMMANDS["card.close"], "close", "decide nothing now"))
    return found


def _task(state: State, request: RequestState) -> str | None:
    agent = state.agents.get(request.requester or "")
    return None if agent is None else agent.task
