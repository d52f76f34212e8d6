"""Past: the requests that are decided, over all runs, with who decided them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from runebook_tui.core.events import CoordinationResponse, Record, RequestWithdrawn
from runebook_tui.core.fold import apply
from runebook_tui.core.state import RequestState, State
from runebook_tui.core.types import ENGINE, OPERATOR

TYPES = (
    "ApiDrifted",
    "ChangeUndone",
    "CoordinationRequest",
    "CoordinationResponse",
    "DecisionTakenBack",
    "RequestGrew",
    "RequestWithdrawn",
    "UndoRefused",
    "UndoRestored",
)
"""The types of records that tell of requests: no others need be read."""

RECORDS = 5_000
"""How many of the newest records are looked at."""


@dataclass(frozen=True, slots=True)
class Decided:
    """One request that is decided, and by whom: OPERATOR, or ENGINE where it was withdrawn by itself."""

    request: RequestState
    by: str

    @property
    def time(self) -> float:
        """When it was decided, unix seconds."""
        at = self.request.decided_at
        return self.request.updated_at if at is None else at


def decided(state: State, records: Iterable[Record] = ()) -> tuple[Decided, ...]:
    """The decided requests of the state's run, and of the runs that `records` tell of, the newest first.

    `records` are of TYPES, oldest first. What the state knows of a request counts before them.
    """
    earlier, by = State(), dict[int, str]()
    for record in tuple(records)[-RECORDS:]:
        earlier = apply(earlier, record)
        if isinstance(record.event, CoordinationResponse | RequestWithdrawn):
            by[record.event.request] = record.actor
    requests = {**earlier.requests, **state.requests}
    found = [Decided(each, by.get(each.id, _usual(each))) for each in requests.values() if not each.open]
    return tuple(sorted(found, key=lambda each: (each.time, each.request.id), reverse=True))


def _usual(request: RequestState) -> str:
    return ENGINE if request.status == "withdrawn" else OPERATOR
