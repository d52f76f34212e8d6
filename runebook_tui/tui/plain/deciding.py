"""Deciding: the orders of plain mode that go to requests and questions, show them, and decide them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping

from runebook_tui.core.consequences import depends
from runebook_tui.core.decisions import why_not_taken_back
from runebook_tui.core.grants import Scope
from runebook_tui.core.needs import Need, needs
from runebook_tui.core.printable import visible
from runebook_tui.core.questions import Question, question
from runebook_tui.core.sentences import SCOPE_WORDS
from runebook_tui.core.speech import Answer
from runebook_tui.core.state import RequestState
from runebook_tui.core.undos import may_undo, why_not_undone
from runebook_tui.tui.backend import BackendError
from runebook_tui.tui.offers import may_be_mine
from runebook_tui.tui.plain import words
from runebook_tui.tui.plain.room import Handler, NotDoneError, Room, numbered
from runebook_tui.tui.verdict import Verdict, matter

_DIFF_LINES = 200
_LINE_CHARACTERS = 400
_SIDES = {"+": "added", "-": "removed"}


class Deciding:
    """Only what the operator has heard of is decided, as they heard it.

    An order without a number is about the request or question that the operator went to last: nothing that
    comes up by itself takes its place.
    """

    def __init__(self, room: Room) -> None:
        self._room = room
        self._at: Need | None = None
        self._heard: dict[int, object] = {}
        """What each request was about when it was told."""
        self._seen: dict[int, Mapping[str, str]] = {}
        """What was at the paths of a request when its difference was shown."""
        self.orders: dict[str, Handler] = {
            "request.next": self._next,
            "request.open": self._open,
            "request.approve": self._approve,
            "request.reject": self._reject,
            "request.undo": self._undo,
            "request.mine": self._mine,
            "request.take_back": self._take_back,
            "card.task": self._for_the_task,
            "card.plan": self._for_the_plan,
            "card.hand_over": self._hand_over,
            "mode.requests": self._list,
        }

    @property
    def place(self) -> str:
        """Where an order without a number goes: "request 12", "alpha"; "" for nowhere."""
        need = self._still()
        return "" if need is None else f"request {need.request}" if need.request is not None else need.agent

    def heard(self, number: int) -> None:
        """The operator was told of a request, as it is now."""
        if (request := self._room.state.requests.get(number)) is not None:
            self._heard[number] = matter(request)

    def _still(self) -> Need | None:
        """Where the operator is, while that is open."""
        need, state = self._at, self._room.state
        if need is not None and need.request is not None:
            request = state.requests.get(need.request)
            return need if request is not None and request.open else None
        return need

    # ── looking ─────────────────────────────────────────────────────────────────────────────────

    async def _next(self, rest: str) -> None:
        """Go to the next that needs the operator, in the order of urgency; after the last comes the first."""
        room = self._room
        waiting = needs(room.state, room.now())
        if not waiting:
            self._at = None
            room.say("nobody needs you")
            return
        names = [(need.request, need.agent) for need in waiting]
        here = None if self._at is None else (self._at.request, self._at.agent)
        self._at = waiting[(names.index(here) + 1) % len(names) if here in names else 0]
        left = len(waiting) - 1
        room.say(words.need_line(room.state, self._at, room.now()))
        if left:
            room.say(f"and {left} more")
        if self._at.request is not None:
            self.heard(self._at.request)

    async def _list(self, rest: str) -> None:
        """The open requests and questions, one a line."""
        room = self._room
        found = needs(room.state, room.now())
        for need in found:
            room.say(words.need_line(room.state, need, room.now()))
            if need.request is not None:
                self.heard(need.request)
        if not found:
            room.say("no request waits for you; one comes when an agent writes what another owns")

    async def _open(self, rest: str) -> None:
        """All that is known of a request, with its difference, bounded."""
        request = self._named(rest)[0]
        self._at = Need(request=request.id)
        self._room.tell(words.request_details(request, self._room.now()))
        self._room.tell(
            f"depends on it: {visible(each, _LINE_CHARACTERS)}" for each in depends(self._room.state, request)
        )
        try:
            seen, diff = await asyncio.gather(
                self._room.backend.seen(request.id), self._room.backend.diff(request.id)
            )
        except BackendError as error:
            raise NotDoneError(visible(str(error))) from error
        self.heard(request.id)
        self._seen[request.id] = seen
        self._room.tell(_difference(diff))

    # ── deciding ────────────────────────────────────────────────────────────────────────────────

    async def _approve(self, rest: str) -> None:
        if (asked := self._question(rest)) is not None:
            await self._answer(asked, "yes")
        else:
            await self._decide(rest, Scope.ONCE)

    async def _for_the_task(self, rest: str) -> None:
        await self._decide(rest, Scope.TASK)

    async def _for_the_plan(self, rest: str) -> None:
        await self._decide(rest, Scope.PLAN)

    async def _decide(self, rest: str, scope: Scope) -> None:
        request, reason = self._open_one(rest)
        verdict = Verdict((request.id,), "approve", scope, reason, seen=self._seen.get(request.id, {}))
        await self._sent(request, verdict, f"approved {SCOPE_WORDS[scope]}")

    async def _reject(self, rest: str) -> None:
        if (asked := self._question(rest)) is not None:
            await self._answer(asked, "no")
            return
        request, reason = self._open_one(rest)
        await self._sent(request, Verdict((request.id,), "reject", reason=reason), "rejected")

    async def _hand_over(self, rest: str) -> None:
        request, reason = self._open_one(rest)
        verdict = Verdict((request.id,), "reject", reason=reason, means="handed over")
        await self._sent(request, verdict, "rejected, and handed over to the owner as a task")

    async def _undo(self, rest: str) -> None:
        """Reject and undo an open request; take back what a decided one wrote."""
        request, reason = self._named(rest)
        if not request.open:
            if why := why_not_undone(self._room.state, request.id):
                raise NotDoneError(visible(why))
            await self._room.send("undo", request=request.id)
            return
        request, reason = self._open_one(rest)
        if not may_undo(request):
            raise NotDoneError(
                f"request {request.id}: nothing was written that could be undone; reject says no to it"
            )
        await self._sent(request, Verdict((request.id,), "reject", reason=reason, undo=True), "rejected")

    async def _mine(self, rest: str) -> None:
        request, _ = self._open_one(rest)
        if not may_be_mine(request):
            raise NotDoneError(f"request {request.id}: {visible(request.who)} did it for certain, not you")
        await self._sent(request, Verdict((request.id,), "disown"), "withdrawn: that was you")

    async def _take_back(self, rest: str) -> None:
        if why := why_not_taken_back(self._room.state, self._room.now()):
            raise NotDoneError(visible(why))
        await self._room.send("take-back")

    async def _sent(self, request: RequestState, verdict: Verdict, done: str) -> None:
        """Send a decision about what the operator heard, and say that it is made."""
        self._room.settled.add(request.id)
        try:
            await self._room.send(verdict.do, **verdict.fields())
        except NotDoneError:
            self._room.settled.discard(request.id)
            self._seen.pop(request.id, None)
            raise
        self._room.say(f"request {request.id} {done}; take back undoes that for 30 seconds")

    # ── which one ───────────────────────────────────────────────────────────────────────────────

    def _named(self, rest: str) -> tuple[RequestState, str]:
        """The request that an order names, or where the operator is; and what follows."""
        number, more = numbered(rest)
        if number is None:
            here = self._still()
            if here is None or here.request is None:
                raise NotDoneError(
                    "which request? say its number after the command, or next to go to the first"
                )
            number = here.request
        request = self._room.state.requests.get(number)
        if request is None:
            raise NotDoneError(f"there is no request {number}")
        return request, more

    def _open_one(self, rest: str) -> tuple[RequestState, str]:
        """An open request, unless it is not any more what the operator heard."""
        request, more = self._named(rest)
        if not request.open:
            raise NotDoneError(f"request {request.id} is {request.status} already")
        heard, now = self._heard.get(request.id), matter(request)
        if heard != now:
            self._seen.pop(request.id, None)
            self.heard(request.id)
            why = "has not been told yet" if heard is None else "has changed since it was told"
            self._room.say(f"nothing was decided: request {request.id} {why}. It is:")
            self._room.say(words.request_line(request, self._room.now()))
            raise NotDoneError("say the command again if you mean it")
        return request, more

    def _question(self, rest: str) -> Question | None:
        """The question of the agent that the order names, or where the operator is; None for neither."""
        name = rest.split(" ", 1)[0]
        here = self._still()
        if not name and here is not None and here.request is None:
            name = here.agent
        agent = self._room.state.agents.get(name)
        if agent is None:
            return None
        asked = question(self._room.state, agent)
        if asked is None:
            raise NotDoneError(f"{agent.id} asks nothing now; why {agent.id} says what it does")
        return asked

    async def _answer(self, asked: Question, answer: Answer) -> None:
        await self._room.send("answer", agent=asked.agent, question=asked.words, answer=answer)
        self._room.say(f"{asked.agent} was answered {answer}: {visible(asked.words, _LINE_CHARACTERS)}")


def _difference(diff: str) -> Iterator[str]:
    """A unified diff as lines that say what they are, between a line that counts and one that ends it."""
    lines = diff.splitlines()
    if not lines:
        yield "nothing is written yet that could be shown"
        return
    body = [line for line in lines if not line.startswith(("+++", "---"))]
    count = {sign: sum(line.startswith(sign) for line in body) for sign in _SIDES}
    added = "1 line" if count["+"] == 1 else f"{count['+']} lines"
    yield f"the difference: {added} added, {count['-']} removed"
    for line in lines[:_DIFF_LINES]:
        yield visible(line, _LINE_CHARACTERS)
    if len(lines) > _DIFF_LINES:
        yield f"{len(lines) - _DIFF_LINES} more lines are not shown; runebook-tui requests --diff has them"
    yield "end of the difference"
