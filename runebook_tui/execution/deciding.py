"""Deciding: the operator's answers to requests, with what each brings about in files and plan."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, get_args

from runebook_tui.core import commands as c
from runebook_tui.core.aftermath import Means
from runebook_tui.core.decisions import why_not_by, why_not_taken_back
from runebook_tui.core.grants import Scope
from runebook_tui.core.hosts import host_of_request, hosts
from runebook_tui.core.planedits import EditError, PlanEdit
from runebook_tui.core.printable import visible
from runebook_tui.core.state import RequestState, State
from runebook_tui.core.types import OPERATOR, RequestKind
from runebook_tui.core.undos import may_undo, why_not_undone
from runebook_tui.core.widening import plan_edits
from runebook_tui.execution import wire
from runebook_tui.execution.amending import Amending
from runebook_tui.execution.contents import contents_at
from runebook_tui.execution.server import Connection
from runebook_tui.execution.undoing import Undoing
from runebook_tui.history.diffs import request_diff
from runebook_tui.history.heads import tree
from runebook_tui.orchestrator.coordinator import Refused
from runebook_tui.place import STATE_NAME, state_folder

Answer = dict[str, Any]

MOST_TOGETHER = 200
"""So many requests can be decided by one message."""

_BEFORE = (RequestKind.ASKED, RequestKind.HELD)
"""What is decided before it is written."""
_FOLDER = "handed"


class Host(Protocol):
    """What deciding needs of the runner."""

    root: Path
    host: str
    undoing: Undoing | None
    """Takes back and brings back; None until the engine observes the tree."""
    amending: Amending

    @property
    def state(self) -> State:
        """The state now."""

    async def handle(self, command: c.Command, actor: str) -> object:
        """Carry out a command. Raises Refused, LogError."""


class Deciding:
    """Answers the verbs by which the operator decides."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.verbs = {
            "approve": self._decide,
            "reject": self._decide,
            "disown": self._disown,
            "preview": self._preview,
            "take-back": self._take_back,
            "undo": self._undo,
            "restore": self._restore,
        }

    async def _decide(self, connection: Connection, message: Answer) -> Answer:
        """One request, or several: then each is answered for itself, and what was refused is said."""
        numbers = wire.numbers_field(message, "requests", limit=MOST_TOGETHER)
        origin = self._origin(connection)
        if not numbers:
            return await self._one(wire.number_field(message, "request"), message, "", origin)
        group = uuid.uuid4().hex if len(numbers) > 1 else ""
        decided: list[Answer] = []
        refused: dict[str, str] = {}
        for number in dict.fromkeys(numbers):
            try:
                decided.append(await self._one(number, message, group, origin))
            except Refused as error:
                refused[str(number)] = str(error)
        return {"requests": decided, "refused": refused}

    def _origin(self, connection: Connection) -> str | None:
        """The host whose operator speaks, where the plan names any."""
        if not any(hosts(self._host.state.plan)):
            return None
        visitor = connection.speaker.host
        return self._host.host if visitor is None else visitor

    async def _one(self, number: int, message: Answer, group: str, origin: str | None) -> Answer:
        approved = message["do"] == "approve"
        means = _means(message, approved)
        undoes = not approved and message.get("undo") is True
        request = self._host.state.requests.get(number)
        if request is not None and means and (why := why_not_by(self._host.state, request, means)):
            raise Refused(why)
        patch = ""
        if means == "handed over" and request is not None and request.open:
            patch = await self._kept_diff(request)
            undoes = undoes or may_undo(request)
        undoing = self.undoing() if undoes else None
        if undoes and (why := why_not_undone(self._host.state, number, rejecting=True)):
            raise Refused(why)
        command = c.Decide(
            number,
            "approved" if approved else "rejected",
            _scope(message),
            wire.text_field(message, "reason", default="", limit=2000),
            means=means,
            group=group,
            base=await self._base(request, message) if approved and request is not None else {},
            patch=patch,
            from_host=origin,
        )
        if approved and means:
            await self._with_plan(command, message)
        else:
            await self._host.handle(command, OPERATOR)
        words = request_words(self._host.state.requests[number])
        return words | await undoing.undo(number) if undoing else words

    async def _base(self, request: RequestState, message: Answer) -> Mapping[str, str]:
        """What is at the paths now, which an approval beforehand is bound to.

        Raises Refused when that is not what the operator looked at.
        """
        if request.kind not in _BEFORE or host_of_request(self._host.state, request) != self._host.host:
            return {}
        where = tree(self._host.root, request.lane)
        paths = [path for path, each in request.crossings.items() if each.change is None]
        base = await asyncio.to_thread(contents_at, where, paths)
        seen = message.get("seen") or {}
        if not isinstance(seen, dict):
            raise wire.WireError("'seen' is an object of paths and digests")
        for path, digest in seen.items():
            if path in base and base[path] != digest:
                shown = visible(str(path), 200)
                raise Refused(f"{shown} has changed since you looked at request {request.id}: look again")
        return base

    async def _preview(self, connection: Connection, message: Answer) -> Answer:
        """The patch of the plan that an approval by these means would bring, and the text that it is for."""
        amendment = await self._host.amending.preview(self._edits(message, _means(message, True)))
        answer = amendment.answer()
        return {"patch": answer["patch"], "plan": answer["before"], "words": answer["edits"]}

    async def _with_plan(self, command: c.Decide, message: Answer) -> None:
        """Change the plan, then decide; a decision that comes too late leaves the plan as it was."""
        edits = self._edits(message | {"request": command.request}, command.means)
        seen = wire.text_field(message, "plan", default="", limit=64)
        if not seen:
            seen = (await self._host.amending.preview(edits)).answer()["before"]
        changed = (await self._host.amending.amend(edits, seen)).answer()
        before, after = changed["before"], changed["after"]
        try:
            decision = replace(command, plan_before=before, plan_after=after)
            await self._host.handle(decision, OPERATOR)
        except Refused:
            await self._host.amending.restore(before, after)
            raise

    def _edits(self, message: Answer, means: Means) -> tuple[PlanEdit, ...]:
        """Raises Refused."""
        number = wire.number_field(message, "request")
        request = self._host.state.requests.get(number)
        if request is None or not request.open:
            raise Refused(f"request {number} is not open")
        if not means:
            raise wire.WireError("say whether it is widened or transferred")
        if why := why_not_by(self._host.state, request, means):
            raise Refused(why)
        try:
            return plan_edits(self._host.state, request, means)
        except EditError as error:
            raise Refused(str(error)) from error

    async def _kept_diff(self, request: RequestState) -> str:
        """The diff of a request in a file of its own; "" where none is known."""
        diff = await asyncio.to_thread(
            request_diff, self._host.root, request.crossings, ahead=tree(self._host.root, request.lane)
        )
        if not diff:
            return ""
        name = f"request-{request.id}.patch"
        folder = state_folder(self._host.root) / _FOLDER
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            (folder / name).write_text(diff, encoding="utf-8", errors="surrogateescape")
        except OSError as error:
            raise Refused(f"the diff cannot be kept, so nothing was handed over: {error.strerror}") from error
        return f"{STATE_NAME}/{_FOLDER}/{name}"

    async def _take_back(self, connection: Connection, message: Answer) -> Answer:
        """The last decision, and what it undid."""
        state = self._host.state
        last = state.last_decision
        if last is None or (why_not_taken_back(state, time.time())):
            raise Refused(why_not_taken_back(state, time.time()))
        undos = {
            undo
            for number in last.requests
            for undo in state.requests[number].undone.values()
            if undo in state.undos and state.undos[undo].time >= last.time and state.undos[undo].left
        }
        restored = [await self.undoing().restore(undo) for undo in sorted(undos)]
        if last.plan_before and last.plan_before != last.plan_after:
            await self._host.amending.restore(last.plan_before, last.plan_after)
        await self._host.handle(c.TakeBack(), OPERATOR)
        requests = [request_words(self._host.state.requests[number]) for number in last.requests]
        return {"requests": requests, "restored": restored, "plan_restored": bool(last.plan_before)}

    async def _disown(self, connection: Connection, message: Answer) -> Answer:
        number = wire.number_field(message, "request")
        await self._host.handle(c.Disown(number), OPERATOR)
        return request_words(self._host.state.requests[number])

    async def _undo(self, connection: Connection, message: Answer) -> Answer:
        return await self.undoing().undo(wire.number_field(message, "request"))

    async def _restore(self, connection: Connection, message: Answer) -> Answer:
        return await self.undoing().restore(wire.text_field(message, "undo", limit=32))

    def undoing(self) -> Undoing:
        """What takes back and brings back. Raises Refused while the engine is starting."""
        if self._host.undoing is None:
            raise Refused("the engine is still starting; try again in a moment")
        return self._host.undoing


def request_words(request: RequestState) -> Answer:
    """What became of a request, for whoever asked."""
    return {
        "request": request.id,
        "status": request.status,
        "scope": request.scope.value if request.status == "approved" else None,
        "reason": request.answer,
        "means": request.means,
    }


def _scope(message: Answer) -> Scope:
    try:
        return Scope(wire.text_field(message, "scope", default="once", limit=16))
    except ValueError as error:
        raise wire.WireError("the scope is once, task or plan") from error


def _means(message: Answer, approved: bool) -> Means:
    text = wire.text_field(message, "means", default="", limit=32)
    for known in get_args(Means):
        if text == known and (not known or approved is (known != "handed over")):
            means: Means = known
            return means
    raise wire.WireError("an approval may be 'widened' or 'transferred', a rejection 'handed over'")
