"""The log's contract: append in order, read, take the lease. Every store keeps it.

LogError                the store cannot be used: full, read-only, damaged, too new
├── Conflict            somebody else appended first: decide again
├── AlreadyRecorded     an event with this key is in the log: the first one won
├── LeaseTaken          another engine, alive, holds the lease
├── InDoubt             the line broke, and whether the append is in the log is not known
└── NotEmpty            only an empty log can be filled
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol, Self

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from runebook_tui.core.events import EVENT, Event, Record, Touched, TouchesForgotten
from runebook_tui.core.forgetting import Old
from runebook_tui.log.lease import Lease


class LogError(Exception):
    """The log cannot be used; the message is one line for people."""


class Conflict(LogError):
    """The log has grown since the caller last looked."""


class AlreadyRecorded(LogError):
    """An event with the same key is in the log already."""


class LeaseTaken(LogError):
    """Another engine holds the lease and is alive."""

    def __init__(self, lease: Lease) -> None:
        super().__init__(f"another engine runs (pid {lease.pid} on {lease.host})")
        self.lease = lease


class InDoubt(LogError):
    """Whether an append is in the log is not known; the next append finds out."""


class NotEmpty(LogError):
    """Only an empty log can be filled."""

    def __init__(self, records: int) -> None:
        super().__init__(f"the log holds {records:,} records; only an empty one can be filled")


class About(NamedTuple):
    """What can be said of a store itself."""

    kind: str
    """"sqlite", "postgresql" or "memory"."""
    place: str
    """Where it is, for people."""
    format: int
    """The version of its tables."""
    size: int
    """Bytes."""


class Row(NamedTuple):
    """A record as it is kept: its event as the JSON that was written, whatever that Runebook knew."""

    seq: int
    time: float
    run: int
    actor: str
    key: str | None
    body: str

    @property
    def record(self) -> Record:
        """The record. Raises LogError."""
        return Record(seq=self.seq, time=self.time, run=self.run, actor=self.actor, event=decode(self.body))


class EventLog(Protocol):
    """An append-only sequence of records, numbered from 1; only `forget` takes any away."""

    def append(
        self,
        events: Sequence[Event],
        *,
        run: int,
        actor: str,
        expected: int,
        time: float,
        key: str | None = None,
        durable: bool = False,
    ) -> tuple[Record, ...]:
        """Append `events` after record `expected`, all or none.

        `key` is unique over the whole log and belongs to the first event; `durable` returns only
        when the events are on the disk. Raises Conflict, AlreadyRecorded or LogError.
        """

    def read(
        self,
        *,
        after: int = 0,
        before: int | None = None,
        limit: int | None = None,
        types: Sequence[str] = (),
        without: Sequence[str] = (),
        path: str | None = None,
        lane: str = "",
        newest_first: bool = False,
    ) -> list[Record]:
        """Records with `after` < seq < `before`, of `types` if given, touching `path` (of `lane`) if given.

        Those of the types `without` are left out.
        """

    def count(self, kind: str, *, after: int = 0) -> int:
        """How many records of the type `kind` come after record `after`."""

    def latest_touches(self) -> list[Record]:
        """The newest `Touched` of each path of each tree, in order."""

    def forget(
        self, old: Old, *, touches: int, run: int, actor: str, expected: int, time: float
    ) -> tuple[Record, ...]:
        """Let go of old touches and append the `TouchesForgotten` that says so, all or nothing.

        `touches` is how many the run has seen. Returns () when nothing went. Raises Conflict, or LogError,
        also where this user may not take anything away.
        """

    def compact(self) -> None:
        """Give back the room of what was forgotten; nobody else may be writing. Raises LogError."""

    def last_seq(self) -> int:
        """The number of the newest record, 0 when the log is empty."""

    def rows(self, *, before: int) -> Iterator[Row]:
        """Every record with seq < `before` as it is kept, in order, few at a time in memory."""

    def fill(self, rows: Iterable[Row]) -> int:
        """Write `rows`, numbered as they are, into an empty log, all or none; how many there were.

        Raises LogError when the log is not empty; what `rows` raises goes through, and nothing is written.
        """

    def take_lease(self, lease: Lease) -> None:
        """Take the engine's lease on this host. Raises LeaseTaken while another holder is alive."""

    def holder(self, host: str) -> Lease | None:
        """Who holds the lease on `host`, if that process is alive as far as can be told."""

    def release_lease(self, pid: int) -> None:
        """Give back the lease that `pid` holds; nothing happens when it holds none."""

    def leases(self) -> list[Lease]:
        """Every lease that was taken and not given back, whether its holder is alive or not, by host."""

    def is_lost(self) -> bool:
        """Whether the store was deleted under us; its records can still be had through this object."""

    def rescue(self) -> None:
        """Write a deleted store anew, with everything that was in it. Raises LogError."""

    def about(self) -> About:
        """What can be said of the store itself."""

    def close(self) -> None:
        """Let go of the store."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


def numbered(
    events: Sequence[Event], expected: int, *, time: float, run: int, actor: str
) -> tuple[Record, ...]:
    """The records of `events` after record `expected`."""
    return tuple(
        Record(seq=seq, time=time, run=run, actor=actor, event=event)
        for seq, event in enumerate(events, start=expected + 1)
    )


def forgotten(
    before: int, runs: Mapping[int, int], expected: int, *, touches: int, time: float, run: int, actor: str
) -> Record:
    """The record that follows `expected`, of changes forgotten: `runs` says how many of which run."""
    event = TouchesForgotten(before=before, touches=touches, runs=dict(sorted(runs.items())))
    return numbered([event], expected, time=time, run=run, actor=actor)[0]


def encode(event: Event) -> str:
    """An event as ASCII-safe JSON; lone surrogates (bytes of a file name) are kept."""
    try:
        return EVENT.dump_json(event).decode()
    except PydanticSerializationError:
        return json.dumps(EVENT.dump_python(event, mode="json"), ensure_ascii=True, separators=(",", ":"))


def decode(body: str) -> Event:
    """The event that `encode` wrote. Raises LogError when it is not one."""
    try:
        return EVENT.validate_json(body)
    except ValidationError:
        try:
            return EVENT.validate_python(json.loads(body))
        except (ValidationError, ValueError, RecursionError) as error:
            raise LogError(f"a record of the log cannot be read: {body[:80]!r}") from error


def path_of(event: Event) -> bytes | None:
    """What the touches of a path are found by, None for what is no touch."""
    return path_key(event.change.path, event.lane) if isinstance(event, Touched) else None


def path_key(path: str, lane: str) -> bytes:
    """What touches are found by: no path of the repository's own tree begins with a slash."""
    return (f"/{lane}/{path}" if lane else path).encode("utf-8", "surrogatepass")
