"""Offers: which keys of the cockpit do something now, and their words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from runebook_tui.core.snoozing import is_snoozed
from runebook_tui.core.snoozing import why_not as why_not_snoozed
from runebook_tui.core.state import AgentState, RequestState
from runebook_tui.core.types import OPERATOR, RequestKind
from runebook_tui.core.undos import may_undo


def may_be_mine(request: RequestState) -> bool:
    """Whether the operator may have made the change themselves."""
    return request.kind is RequestKind.CROSSED and OPERATOR in request.candidates


def offers(
    keys: Mapping[str, str],
    *,
    request: RequestState | None,
    requests: int,
    asks: str | None = None,
    marked: tuple[RequestState, ...] = (),
    last: tuple[tuple[int, ...], int] | None = None,
    lesson: bool = False,
    agent: AgentState | None,
    engine_alive: bool,
    lost: int,
    needs: int,
    now: float,
) -> Iterator[tuple[str, str]]:
    """Keys with their words, the most important first. `keys` gives the key of a command's id.

    `request` and `agent` are the selected ones, `requests` is how many there are, `asks` is the agent whose
    question is selected, `marked` are decided together, `lost` is how many agents can be brought back,
    `needs` how many requests and agents need the operator at `now` (unix seconds). `last`: the requests of
    the last decision and the seconds that are left to take it back.
    """
    for name, word in of_requests(request, marked, last, asks=asks, engine_alive=engine_alive):
        yield keys[name], word
    if marked:
        yield keys["request.unmark"], "clear marks"
    if needs > (request is not None) and not marked:
        yield keys["request.next"], "next"
    if lost and engine_alive:
        yield keys["agent.resume"], f"bring back {lost}"
    if agent is not None and engine_alive:
        if agent.restartable:
            yield keys["agent.restart"], f"restart {agent.id}"
        if is_snoozed(agent, now):
            yield keys["agent.snooze"], f"hear {agent.id} again"
        elif not why_not_snoozed(agent, now):
            yield keys["agent.snooze"], f"snooze {agent.id}"
        if agent.alive:
            yield keys["agent.say"], f"say to {agent.id}"
            yield keys["agent.stop"], f"stop {agent.id}"
    if not engine_alive:
        yield keys["run.engine"], "start the engine"
    if lesson and engine_alive:
        yield keys["plan.lesson"], "lesson"
    if requests > 1 and not marked:
        yield keys["request.mark"], "mark"
    if agent is not None:
        yield keys["agent.why"], f"why {agent.id}"
    yield keys["look.log"], "log"
    yield keys["quit"], "quit"


def of_requests(
    request: RequestState | None,
    marked: tuple[RequestState, ...],
    last: tuple[tuple[int, ...], int] | None,
    *,
    asks: str | None = None,
    engine_alive: bool,
) -> Iterator[tuple[str, str]]:
    """Of `commands.DECIDING` what can be done now, by id, with its word; arguments as of `offers`."""
    back = _take_back(last) if engine_alive else ()
    if marked:
        count = len(marked)
        if engine_alive:
            first = f"{marked[0].id}, marked" if count == 1 else f"{count} marked"
            yield "request.approve", f"approve {first}"
            yield "request.reject", f"reject {first}"
            if all(may_undo(each) for each in marked):
                yield "request.undo", f"reject+undo {first}"
        yield from back
        yield "request.mark", "mark or unmark"
    elif asks is not None:
        if engine_alive:
            yield "request.approve", f"yes to {asks}"
            yield "request.reject", f"no to {asks}"
            yield from back
    elif request is not None:
        if engine_alive:
            yield "request.approve", f"approve {request.id}"
            yield "request.reject", f"reject {request.id}"
            yield from back
            if may_undo(request):
                yield "request.undo", f"reject+undo {request.id}"
            if may_be_mine(request):
                yield "request.mine", f"{request.id} was me"
        yield "request.open", f"open {request.id}"
    else:
        yield from back


def _take_back(last: tuple[tuple[int, ...], int] | None) -> tuple[tuple[str, str], ...]:
    """The key that takes the last decision back, and for how long it does."""
    if last is None:
        return ()
    numbers, seconds = last
    what = str(numbers[0]) if len(numbers) == 1 else f"{len(numbers)} decisions"
    return (("request.take_back", f"take back {what} ({seconds} s)"),)
