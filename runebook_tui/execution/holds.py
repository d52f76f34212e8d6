"""Holds: the stopped writes that wait for the operator, from the gate's question to its answer."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from runebook_tui.core import boundary
from runebook_tui.core import commands as c
from runebook_tui.core.printable import visible
from runebook_tui.core.state import RequestState, State
from runebook_tui.core.types import RequestKind
from runebook_tui.execution.patience import hold_seconds

Handle = Callable[[c.Command], Awaitable[object]]
Push = Callable[[dict[str, Any]], None]

AGAIN_SECONDS = 15.0
"""An answered question that comes again within this time (the engine was away) gets the same answer."""
RETURN_SECONDS = 5.0
"""How long a question outlives the connection that asked it: a supervisor attaches again."""

_DOING = {
    "open": "open {path} for writing",
    "create": "create {path}",
    "truncate": "cut {path}",
    "rename": "rename {path} to {to}",
    "replace": "replace {path}{by}",
    "link": "link {path} as {to}",
    "symlink": "make {path} a symbolic link",
    "unlink": "remove {path}",
    "mkdir": "make the folder {path}",
    "rmdir": "remove the folder {path}",
    "mknod": "make the special file {path}",
}


@dataclass(frozen=True)
class StoppedWrite:
    """One call that the gate of `agent` stopped; `number` is the gate's own for it."""

    agent: str
    number: int
    path: str
    pid: int
    program: str
    words: str
    waits: bool
    reason: str
    source: str | None = None
    """The file of the repository that would take the place of `path`."""
    spent: frozenset[int] = frozenset()
    """The requests whose approval for once the gate has seen used for `path`."""

    @classmethod
    def from_message(cls, agent: str, message: Mapping[str, Any]) -> StoppedWrite:
        """Raises ValueError for what is none."""
        record, number = message.get("record"), message.get("id")
        if not isinstance(record, dict) or type(number) is not int:
            raise ValueError("a stopped write needs an id and a record")
        path, pid, program = record.get("path"), record.get("pid"), record.get("program")
        if not isinstance(path, str) or not path or type(pid) is not int or not isinstance(program, str):
            raise ValueError("a stopped write needs a path, a pid and a program")
        return cls(
            agent=agent,
            number=number,
            path=path[:65_536],
            pid=pid,
            program=program[:64],
            words=_words(record),
            waits=message.get("waits") is True,
            reason=str(message.get("reason", ""))[:500],
            source=_source(record),
            spent=_spent(message.get("spent", [])),
        )


def _spent(given: object) -> frozenset[int]:
    if not isinstance(given, list) or not all(type(each) is int for each in given):
        raise ValueError("what is spent is a list of requests")
    return frozenset(given)


def _words(record: Mapping[str, Any]) -> str:
    doing = _DOING.get(str(record.get("op")), "write {path}")
    to = record.get("to") or "a place outside the repository"
    new = _source(record) or record.get("via")
    act = doing.format(path=record["path"], to=to, by=f" with {new}" if new else "")
    argv = str(record.get("argv", ""))[:200]
    how = f": {argv}" if argv and argv != record["program"] else ""
    return f"{record['program'] or 'a program'} (pid {record['pid']}{how}), which would {act}"


def _source(record: Mapping[str, Any]) -> str | None:
    source = record.get("from")
    return source[:65_536] if isinstance(source, str) and source else None


@dataclass
class _Waiting:
    write: StoppedWrite
    request: int
    push: Push
    seconds: float
    until: float
    timer: asyncio.TimerHandle


class Holds:
    """Files stopped writes as requests, and answers the gates when a request is decided or time is up."""

    def __init__(
        self, handle: Handle, state: Callable[[], State], there: Callable[[str, str], str | None]
    ) -> None:
        """`there` tells what is at a path of an agent's tree now, as `core.grants.There` does."""
        self._handle = handle
        self._state = state
        self._there = there
        self._waiting: dict[tuple[str, int, int], _Waiting] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._hooks: defaultdict[int, list[float]] = defaultdict(list)

    def enter(self, request: int, until: float) -> None:
        """The hook of an agent's client waits for this request, too, `until` (unix seconds) at most."""
        self._hooks[request].append(until)

    async def leave(self, request: int, until: float, reason: str, *, gone: bool) -> None:
        """It waits no more; `gone` says that nobody wants the edit any more."""
        self._hooks[request].remove(until)
        if not self._hooks[request]:
            del self._hooks[request]
        await self._settled(request, reason, gone=gone)

    async def take(self, write: StoppedWrite, source: int, push: Push) -> dict[str, Any]:
        """The answer to a stopped write; `source` names the supervisor that asks."""
        state, now = self._state(), time.time()
        answer = self._known(state, write, now)
        if answer is not None:
            return answer
        seconds = hold_seconds(state.plan, write.agent, write.path) if write.waits else None
        until = None if seconds is None else now + seconds
        await self._handle(
            c.Hold(
                agent=write.agent,
                path=write.path,
                pid=write.pid,
                program=write.program,
                words=write.words,
                until=until,
                reason=write.reason,
                source=write.source,
            )
        )
        request = _latest(self._state(), write)
        if request is None:
            return _refusal(None, f"{visible(write.path, 200)} is not yours to write")
        if seconds is None or until is None:
            return _refusal(request.id, self._ticket(request.id, write, write.reason or "this does not wait"))
        key = (write.agent, source, write.number)
        self._forget(key)
        timer = asyncio.get_running_loop().call_later(seconds, self._later, self._expire, key)
        self._waiting[key] = _Waiting(write, request.id, push, seconds, until, timer)
        return {"request": request.id, "verdict": "hold", "words": ""}

    async def let_go(self, agent: str, source: int, number: int, reason: str) -> None:
        """The process of a stopped write does not want it any more."""
        waiting = self._forget((agent, source, number))
        if waiting is not None:
            await self._settled(waiting.request, reason, gone=True)

    def lost(self, agent: str, source: int) -> None:
        """A supervisor's connection is gone: it may come back and ask again, or it has ended."""
        keys = [key for key in self._waiting if key[:2] == (agent, source)]
        if keys:
            requests = {waiting.request for key in keys if (waiting := self._forget(key)) is not None}
            asyncio.get_running_loop().call_later(RETURN_SECONDS, self._later, self._abandon, requests)

    async def end_forgotten(self) -> None:
        """After a restart: what no supervisor has asked again does not wait any more."""
        asked = {waiting.request for waiting in self._waiting.values()} | self._hooks.keys()
        for request in self._state().open_requests:
            if request.held_until is not None and request.id not in asked:
                await self._handle(c.EndHold(request.id, "the engine was away"))

    def published(self, state: State) -> None:
        """Answer what has been decided."""
        for key, waiting in list(self._waiting.items()):
            request = state.requests.get(waiting.request)
            if request is not None and request.open:
                continue
            self._forget(key)
            if request is not None and request.status == "approved":
                waiting.push(_settle(waiting, "continue", ""))
            else:
                waiting.push(_settle(waiting, "refuse", self._no(request, waiting.write)))

    def close(self) -> None:
        """Ask nothing and answer nothing any more."""
        for key in list(self._waiting):
            self._forget(key)
        for task in self._tasks:
            task.cancel()

    def _known(self, state: State, write: StoppedWrite, now: float) -> dict[str, Any] | None:
        """The answer that needs no question: a grant or plan that came meanwhile, or one given just now.

        Whether the act of an approval goes on is not told here: the gate that asks saw its writes, and when.
        """

        def there(path: str) -> str | None:
            return self._there(write.agent, path)

        verdict = boundary.may_write(state, write.agent, write.path, now, pid=write.pid, there=there)
        grant = boundary.covering_grant(state, write.agent, write.path, write.pid, now, there=there)
        fresh = grant is None or (grant.unused(write.path) and grant.request not in write.spent)
        if not verdict.crosses and fresh:
            return {"request": None if grant is None else grant.request, "verdict": "continue", "words": ""}
        for request in reversed(tuple(state.requests.values())):
            if (
                request.kind is RequestKind.HELD
                and request.status == "rejected"
                and (request.requester, request.pid) == (write.agent, write.pid)
                and write.path in request.crossings
                and 0 <= now - (request.decided_at or 0.0) <= AGAIN_SECONDS
            ):
                return _refusal(request.id, self._no(request, write))
        return None

    async def _expire(self, key: tuple[str, int, int]) -> None:
        waiting = self._forget(key)
        if waiting is None:
            return
        late = f"nobody answered within {waiting.seconds:g} s"
        waiting.push(_settle(waiting, "refuse", self._ticket(waiting.request, waiting.write, late)))
        await self._settled(waiting.request, f"refused, because {late}", gone=False)

    async def _abandon(self, requests: set[int]) -> None:
        for request in requests:
            await self._settled(request, "the process that wanted it has ended", gone=True)

    async def _settled(self, request: int, reason: str, *, gone: bool) -> None:
        """One that waited does so no more: the request says why, and until when others do."""
        waiting = [each.until for each in self._waiting.values() if each.request == request]
        waiting += self._hooks.get(request, ())
        if not waiting:
            await self._handle(c.EndHold(request, reason, gone))
        elif not gone:
            await self._handle(c.EndHold(request, reason, until=min(waiting)))

    def _forget(self, key: tuple[str, int, int]) -> _Waiting | None:
        waiting = self._waiting.pop(key, None)
        if waiting is not None:
            waiting.timer.cancel()
        return waiting

    def _later(self, work: Callable[[Any], Coroutine[Any, Any, None]], about: Any) -> None:
        task = asyncio.get_running_loop().create_task(work(about))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _ticket(self, request: int, write: StoppedWrite, why: str) -> str:
        return (
            f"{self._whose(write)}; {why}: request {request} is open, "
            "go on with other work and try again once it is approved"
        )

    def _no(self, request: RequestState | None, write: StoppedWrite) -> str:
        if request is None:
            return f"{self._whose(write)}; the request is void"
        reason = f": {visible(request.answer, 500)}" if request.answer else ""
        if request.status == "rejected":
            return f"{self._whose(write)}; the operator rejected request {request.id}{reason}"
        return f"{self._whose(write)}; request {request.id} was withdrawn{reason}"

    def _whose(self, write: StoppedWrite) -> str:
        claim = self._state().owners.owner_of(write.path)
        return f"{visible(write.path, 200)} is {'nobody' if claim is None else claim.owner}'s"


def _latest(state: State, write: StoppedWrite) -> RequestState | None:
    """The open request that holds the write's path for its agent."""
    for request in reversed(state.open_requests):
        mine = request.kind is RequestKind.HELD and request.requester == write.agent
        if mine and write.path in request.crossings:
            return request
    return None


def _refusal(request: int | None, words: str) -> dict[str, Any]:
    return {"request": request, "verdict": "refuse", "words": words}


def _settle(waiting: _Waiting, verdict: str, words: str) -> dict[str, Any]:
    return {
        "push": "settle",
        "id": waiting.write.number,
        "request": waiting.request,
        "verdict": verdict,
        "words": words,
    }
