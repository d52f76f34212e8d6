"""The doorbell: edits that the hooks of agents' clients ask about, from question to answer."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Protocol

from runebook_tui.core import commands as c
from runebook_tui.core import proposals
from runebook_tui.core.away import policy_for
from runebook_tui.core.grants import Scope
from runebook_tui.core.ownership import operators_own
from runebook_tui.core.printable import visible
from runebook_tui.core.state import RequestState, State
from runebook_tui.core.types import Crossing, RequestKind
from runebook_tui.execution.attempts import Attempts
from runebook_tui.execution.forecast import forecast
from runebook_tui.execution.holds import Holds
from runebook_tui.execution.reports import Report
from runebook_tui.git.ignore import Ignore, is_private
from runebook_tui.history.versions import History
from runebook_tui.hooks.event import HookEvent, Kind
from runebook_tui.hooks.patience import hold_seconds
from runebook_tui.hooks.places import Place, places_of
from runebook_tui.hooks.replies import NO_OPINION, TITLES, Reply, allowance, denial

AGAIN_SECONDS = 60.0
"""The same edit that comes again so soon after its rejection gets the same answer, and asks nobody anew."""
_MOST_PASSED = 4096
_MOST_REASON = 2000


class Host(Protocol):
    """What the doorbell needs of the runner."""

    root: Path
    attempts: Attempts

    @property
    def state(self) -> State:
        """The state now."""

    async def handle(self, command: c.Command, actor: str) -> object:
        """Carry out a command. Raises Refused, LogError."""

    async def report(self, report: Report, actor: str) -> None:
        """Have what a client says of itself recorded. Raises Refused, LogError."""

    async def changed(self, condition: Callable[[State], bool], seconds: float) -> bool:
        """Wait until `condition` holds of the state; False after `seconds`."""

    def root_of(self, agent: str) -> Path:
        """The top of the tree in which `agent` works."""

    def history_of(self, agent: str) -> History:
        """The history of that tree."""


class Ring(NamedTuple):
    """One question: who asks what, from which folder, and until it does not want to know any more."""

    agent: str
    client: str
    event: HookEvent
    cwd: str
    gone: Callable[[], Awaitable[None]]


class _Passed(NamedTuple):
    """The tool call that an approval for once was told to."""

    call: str
    kind: Kind


class Doorbell:
    """Answers before-tool hooks: at once where the rule says it, else when the operator has decided."""

    def __init__(self, host: Host, holds: Holds) -> None:
        self._host = host
        self._holds = holds
        self._ignores: dict[Path, Ignore] = {}
        self._passed: dict[tuple[str, int, str], _Passed] = {}

    def close(self) -> None:
        """Let go of git's processes."""
        for ignore in self._ignores.values():
            ignore.close()

    async def answer(self, ring: Ring) -> Reply:
        """What the client is told. Raises HookError, Refused, LogError."""
        if not ring.event.edits:
            return NO_OPINION
        root = self._host.root_of(ring.agent)
        main = os.fspath(self._host.root) if root != self._host.root else ""
        cwd = ring.cwd or os.fspath(root)
        places = await asyncio.to_thread(places_of, ring.event.edits, cwd, os.fspath(root), main)
        for place in places:
            if place.anothers or operators_own(place.path, ring.agent):
                return await self._forbidden(ring, place)
        foreign = await self._foreign(ring.agent, root, places)
        policy = self._host.state.plan.policy
        foreign = [place for place in foreign if policy_for(policy, place.path).away != "flag"]
        if not foreign:
            return NO_OPINION  # what is flagged is seen when it has landed
        coming = await asyncio.to_thread(forecast, self._host.history_of(ring.agent), root, cwd, foreign)
        state = self._host.state
        return await self._asked(
            ring,
            tuple(
                Crossing(path=path, owner=proposals.owner(state, path), proposed=version)
                for path, version in coming.items()
            ),
        )

    async def ran(self, agent: str, event: HookEvent) -> None:
        """The tool has run: what was approved for it once is used up, or still to be had if it failed."""
        for key, passed in list(self._passed.items()):
            if key[0] == agent and event.call and passed.call == event.call:
                del self._passed[key]
                if not event.failed:
                    await self._host.handle(c.SpendGrant(agent, key[1], key[2]), agent)

    # ── the rule ────────────────────────────────────────────────────────────────────────────────

    async def _foreign(self, agent: str, root: Path, places: Sequence[Place]) -> list[Place]:
        """The places that need the operator's word."""
        state = self._host.state
        found = [
            place
            for place in places
            if not is_private(place.path) and proposals.verdict(state, agent, place.path).crosses
        ]
        if not found:
            return []
        if root not in self._ignores:
            self._ignores[root] = Ignore(root)
        ignored = await asyncio.to_thread(self._ignores[root].among, [place.path for place in found])
        return [place for place in found if place.path not in ignored]

    async def _forbidden(self, ring: Ring, place: Place) -> Reply:
        why = "it is in another's working tree" if place.anothers else "it belongs to the operator"
        shown = visible(place.path, 500)
        await self._host.attempts.note(ring.agent, f"write {shown}", why)
        return self._no(ring, f"{shown} is not an agent's to write: {why}")

    def _granted(self, ring: Ring, crossing: Crossing) -> int | None:
        """The request whose approval covers this edit, or None."""
        grant = proposals.allowing(self._host.state, ring.agent, crossing)
        if grant is None:
            return None
        passed = self._passed.get((ring.agent, grant.request, crossing.path))
        if grant.scope is Scope.ONCE and passed is not None and not _same_call(passed, ring.event):
            return None
        return grant.request

    # ── the question ────────────────────────────────────────────────────────────────────────────

    async def _asked(self, ring: Ring, crossings: tuple[Crossing, ...]) -> Reply:
        missing = tuple(each for each in crossings if self._granted(ring, each) is None)
        if not missing:
            return self._yes(ring, crossings)
        rejected = self._rejected_before(ring.agent, missing)
        if rejected is not None:
            return self._no(ring, self._why_not(rejected, missing))
        policy = self._host.state.plan.policy
        treatments = [policy_for(policy, each.path) for each in missing]
        # One edit of several files waits only if each of them may, and as long as the least patient.
        waits = all(each.away != "refuse" for each in treatments)
        patience = min(each.hold_seconds for each in treatments)
        seconds = hold_seconds(ring.client, patience) if waits else 0.0
        until = time.time() + seconds
        refusal = "" if waits else "the plan refuses it at once"
        propose = c.Propose(
            agent=ring.agent,
            client=TITLES[ring.client],
            tool=visible(ring.event.tool, 80),
            crossings=missing,
            until=until if waits else None,
            reason=refusal,
            about=visible(ring.event.command, 1000),
        )
        await self._host.handle(propose, ring.agent)
        request = proposals.open_proposal(self._host.state, ring.agent, [each.path for each in missing])
        if request is None:
            return self._no(ring, f"{self._whose(missing)}; it could not be asked")
        if not waits:
            return self._no(ring, self._ticket(request.id, missing, refusal))
        return await self._waited(ring, request.id, crossings, missing, seconds, until)

    async def _waited(
        self,
        ring: Ring,
        number: int,
        crossings: tuple[Crossing, ...],
        missing: tuple[Crossing, ...],
        seconds: float,
        until: float,
    ) -> Reply:
        self._holds.enter(number, until)
        decided = asyncio.ensure_future(
            self._host.changed(lambda state: not _is_open(state, number), seconds)
        )
        gone = asyncio.ensure_future(ring.gone())
        try:
            await asyncio.wait((decided, gone), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:  # the engine ends; the hook asks the next one
            decided.cancel()
            raise
        finally:
            gone.cancel()
            with suppress(asyncio.CancelledError):
                await gone
        if not decided.done():
            decided.cancel()
            await self._holds.leave(number, until, f"{TITLES[ring.client]} does not wait any more", gone=True)
            return self._no(ring, f"{self._whose(missing)}; nobody waited for the answer")
        late = f"nobody answered within {seconds:g} s"
        await self._holds.leave(number, until, f"refused, because {late}", gone=False)
        request = self._host.state.requests.get(number)
        if request is not None and request.open:
            return self._no(ring, self._ticket(number, missing, late))
        if request is None or request.status != "approved":
            return self._no(ring, self._why_not(request, missing))
        shown = request.crossings
        if all(
            each.path in shown and proposals.same(shown[each.path].proposed, each.proposed)
            for each in missing
        ):
            return self._yes(ring, crossings)
        return self._no(
            ring, f"{self._whose(missing)}; another edit of it was approved: look at it and try again"
        )

    def _rejected_before(self, agent: str, missing: Sequence[Crossing]) -> RequestState | None:
        """The request by which just this was rejected a moment ago."""
        for request in reversed(tuple(self._host.state.requests.values())):
            if (
                request.kind is RequestKind.HELD
                and request.hook
                and (request.requester, request.status) == (agent, "rejected")
                and 0 <= time.time() - (request.decided_at or 0.0) <= AGAIN_SECONDS
                and all(
                    each.proposed is not None
                    and each.path in request.crossings
                    and request.crossings[each.path].proposed == each.proposed
                    for each in missing
                )
            ):
                return request
        return None

    # ── the answer ──────────────────────────────────────────────────────────────────────────────

    def _yes(self, ring: Ring, crossings: Sequence[Crossing]) -> Reply:
        """The edit may be made. A shell command is not what was approved: its client may ask for itself."""
        requests = set()
        for crossing in crossings:
            grant = proposals.allowing(self._host.state, ring.agent, crossing)
            if grant is None:
                continue
            requests.add(grant.request)
            if len(self._passed) >= _MOST_PASSED:
                self._passed.pop(next(iter(self._passed)))
            self._passed[ring.agent, grant.request, crossing.path] = _Passed(ring.event.call, ring.event.kind)
        if ring.event.command:
            return NO_OPINION
        numbers = ", ".join(str(number) for number in sorted(requests))
        return allowance(ring.client, ring.event.kind, f"Runebook: the operator approved request {numbers}")

    def _no(self, ring: Ring, words: str) -> Reply:
        return denial(ring.client, ring.event.kind, f"Runebook: {words}")

    def _ticket(self, request: int, missing: Sequence[Crossing], why: str) -> str:
        return (
            f"{self._whose(missing)}; {why}. It is queued as request {request}: "
            "go on with other work, and ask again by trying the same edit later"
        )

    def _why_not(self, request: RequestState | None, missing: Sequence[Crossing]) -> str:
        if request is None:
            return f"{self._whose(missing)}; the request is void"
        lines = request.answer[:_MOST_REASON].split("\n")
        reason = ": " + "\n".join(visible(line, _MOST_REASON) for line in lines) if request.answer else ""
        if request.status == "rejected":
            return f"{self._whose(missing)}; the operator rejected request {request.id}{reason}"
        return f"{self._whose(missing)}; request {request.id} was withdrawn{reason}"

    def _whose(self, missing: Sequence[Crossing]) -> str:
        first = missing[0]
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        return f"{visible(first.path, 200)} is {first.owner or 'nobody'}'s{more}"


def _same_call(passed: _Passed, event: HookEvent) -> bool:
    """Whether both are about one tool call: a client asks for permission after its hook has let it pass."""
    return bool(event.call and passed.call == event.call) or passed.kind is not event.kind


def _is_open(state: State, number: int) -> bool:
    request = state.requests.get(number)
    return request is not None and request.open
