"""Answers: what each key on a decision card will do, in words that are true of this request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from runebook_tui.core.aftermath import Means
from runebook_tui.core.decisions import heirs, task_id, why_not_by
from runebook_tui.core.interfaces import drifted_api, why_not_accepted
from runebook_tui.core.planedits import EditError
from runebook_tui.core.sentences import process
from runebook_tui.core.state import RequestState, State
from runebook_tui.core.types import OPERATOR, RequestKind
from runebook_tui.core.undos import may_undo
from runebook_tui.core.widening import plan_edits
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


def answers(
    state: State, request: RequestState, *, engine_alive: bool, earlier: int = 0, listed: bool = False
) -> list[Answer]:
    """The keys of the card of `request`, in the order in which they are shown.

    `earlier` is how many decisions there were before, `listed` whether those are shown now.
    """
    gone = "" if engine_alive else "the engine is not running (E starts it)"
    crossed = request.kind is RequestKind.CROSSED
    what = "this path" if len(request.paths) == 1 else f"these {len(request.paths)} paths"
    who = request.who
    held = request.held_until is not None
    stays = "the change stays, and " if crossed else "this write goes on, and " if held else ""
    task = _task(state, request)
    uncertain = "" if request.requester else "it is not certain who made the change"
    if request.kind is RequestKind.DRIFT:
        return _of_a_drift(state, request, gone)
    if request.kind is RequestKind.CONFLICT:
        return [
            Answer(
                _COMMANDS["card.approve"],
                "take the lane's",
                f"what {who} wrote in its worktree replaces what is here",
                gone,
            ),
            Answer(_COMMANDS["card.reject"], "leave it out", f"it stays in the worktree of {who}", gone),
            Answer(_COMMANDS["card.close"], "close", "decide nothing now"),
        ]
    found = [
        Answer(
            _COMMANDS["card.approve"],
            "let it stand" if crossed else "let it go on" if held else "approve once",
            _once(request, what),
            gone,
        ),
        Answer(
            _COMMANDS["card.reject"],
            "reject",
            _no(request),
            gone,
        ),
    ]
    if may_undo(request):
        found.append(_undo(gone))
    found += [
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
        *_by_plan(state, request, what, gone),
    ]
    if request.kind is RequestKind.CROSSED and OPERATOR in request.candidates:
        found.append(
            Answer(_COMMANDS["card.mine"], "that was me", "you made the change: nobody is asked", gone)
        )
    if earlier:
        shows = "back to the diff" if listed else "what was decided about the same paths before"
        found.append(Answer(_COMMANDS["card.earlier"], f"earlier decisions ({earlier})", shows))
    found.append(Answer(_COMMANDS["card.close"], "close", "decide nothing now"))
    return found


def _by_plan(state: State, request: RequestState, what: str, gone: str) -> Iterator[Answer]:
    """What changes more than this request: the plan, or another agent's work."""
    who, one = request.who, len(request.paths) == 1
    ways: tuple[tuple[Means, str, str, str], ...] = (
        (
            "widened",
            "card.widen",
            "widen the plan",
            f"{who} may write {what} without asking, by the plan; shows the patch first",
        ),
        (
            "transferred",
            "card.transfer",
            f"transfer the file{'' if one else 's'}",
            f"{what if one else 'they'} {'is' if one else 'are'} {who}'s from now on; shows the patch first",
        ),
        ("handed over", "card.hand_over", "hand over", _hand_over(state, request)),
    )
    for means, command, word, effect in ways:
        if not why_not_by(state, request, means):
            yield Answer(_COMMANDS[command], word, effect, gone or _why_not_in_plan(state, request, means))


def _why_not_in_plan(state: State, request: RequestState, means: Means) -> str:
    """Why no plan can say it; "" when one can, or need not."""
    try:
        if means != "handed over":
            plan_edits(state, request, means)
    except EditError as error:
        return str(error)
    return ""


def _hand_over(state: State, request: RequestState) -> str:
    """What handing over does."""
    owners = heirs(state, request)
    if not owners:
        return ""
    back = ", and takes this change out again" if may_undo(request) else ""
    return f"rejects it{back}; {owners[0]} gets it as task {task_id(request.id)}, with the diff"


def _of_a_drift(state: State, request: RequestState, gone: str) -> list[Answer]:
    """The keys for a published interface that has changed."""
    api = drifted_api(state, request)
    name, version = ("the interface", 0) if api is None else (api.name, api.version)
    found = [
        Answer(
            _COMMANDS["card.approve"],
            f"publish as v{version + 1}",
            f"{name} is from now on as its file is; those who build on it are told",
            gone or why_not_accepted(state, request),
        ),
        Answer(
            _COMMANDS["card.reject"],
            f"keep v{version}",
            "the file stays as it is; until it is as it was, no agent starts that needs it",
            gone,
        ),
    ]
    if may_undo(request):
        found.append(_undo(gone))
    return [*found, Answer(_COMMANDS["card.close"], "close", "decide nothing now")]


def _undo(gone: str) -> Answer:
    return Answer(
        _COMMANDS["card.undo"],
        "reject and undo",
        "takes this change out again and leaves everybody else's; a patch of it is kept",
        gone,
    )


def _once(request: RequestState, what: str) -> str:
    """What approving once gives."""
    if request.kind is RequestKind.CROSSED:
        return "the change stays as it is"
    if request.hook:
        now = request.held_until is not None
        act = "makes this edit now" if now else "may make this edit at its next try"
        return f"{request.hook} {act}, as it is shown; any other asks again"
    if request.held_until is not None:
        files = " and ".join(dict.fromkeys(_files(each.owner) for each in request.crossings.values()))
        return f"this write goes on ({process(request)}); it may go on writing {files}"
    if request.kind is RequestKind.HELD:
        return f"{request.who}'s next try may write {what}, once"
    return f"{request.who} may write {what}, once"


def _files(owner: str | None) -> str:
    return "files that nobody owns" if owner is None else f"{owner}'s files"


def _no(request: RequestState) -> str:
    """What rejecting does."""
    if request.kind is RequestKind.CROSSED:
        return "records that it must not stay; the bytes stay until somebody changes them"
    if request.held_until is not None:
        return "the write fails, and the program is told your reason"
    if request.kind is RequestKind.HELD:
        return "the request is closed; nothing was written, and nothing waits for your answer"
    return f"{request.who} gets no, with your reason"


def _task(state: State, request: RequestState) -> str | None:
    agent = state.agents.get(request.requester or "")
    return None if agent is None else agent.task
