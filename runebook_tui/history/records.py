"""One write as the gate recorded it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from sys import intern

from runebook_tui.core.types import OPERATOR

OPERATIONS = frozenset(
    {
        "open",
        "create",
        "truncate",
        "rename",
        "link",
        "symlink",
        "unlink",
        "mkdir",
        "rmdir",
        "mknod",
        "unreadable",
    }
)
_PATH_LIMIT = 65_536
_PROGRAM_LIMIT = 64


@dataclass(frozen=True, slots=True)
class WriteRecord:
    """A write by a process of an agent, reported before the system call went on.

    `n` grows within one supervisor, `time` is in unix seconds, `to` is the new name of a rename or link. `op`
    may be `unreadable`: something was written and nobody knows where; then `path` is empty. `was` tells when
    what was at `path` and at `to` had last changed (the inode's change time, unix seconds; None where nothing
    was there); it is () when that is not known.
    """

    agent: str
    n: int
    time: float
    pid: int
    program: str
    op: str
    path: str
    to: str | None
    grant: int | None = None
    """The request whose approval the gate let it pass under."""
    was: tuple[float | None, ...] = ()

    @property
    def places(self) -> tuple[str, ...]:
        """The paths that the write may have changed: a link changes its new name only."""
        if self.to is None:
            return () if self.op == "link" else (self.path,)
        return (self.to,) if self.op == "link" or self.to == self.path else (self.path, self.to)

    @property
    def opens(self) -> bool:
        """Whether bytes can land after the record, through a descriptor."""
        return self.op in ("open", "create", "truncate")

    def removes(self, path: str) -> bool:
        """Whether nothing is at `path` after it."""
        moved = self.op == "rename" and path.startswith(self.path + "/")
        return moved or (self.path == path and self.op in ("unlink", "rename"))

    def found(self, path: str) -> tuple[float | None, ...]:
        """When what was at `path` before the write had last changed; () when that is not known."""
        return tuple(was for was, place in zip(self.was, (self.path, self.to), strict=False) if place == path)


def write_record(agent: str, record: Mapping[str, object]) -> WriteRecord:
    """The record that a gate sent for `agent`.

    Raises ValueError when a field is missing, of the wrong type or makes no sense.
    """
    if not agent or agent == OPERATOR:
        raise ValueError("a write record needs the id of an agent")
    op = record.get("op")
    if not isinstance(op, str) or op not in OPERATIONS:
        raise ValueError("'op' is none of the writes that a gate records")
    blind = op == "unreadable"
    program = record.get("program", "")
    if not isinstance(program, str):
        raise ValueError("'program' is not a text")
    to = record.get("to")
    return WriteRecord(
        agent=agent,
        n=_whole(record, "n"),
        time=_seconds(record.get("time")),
        pid=_whole(record, "pid"),
        program=intern(program[:_PROGRAM_LIMIT]),
        op=intern(op),
        path="" if blind else _path(record.get("path"), "path"),
        to=None if blind or to is None else _path(to, "to"),
        grant=None if record.get("grant") is None else _whole(record, "grant"),
        was=_times(record.get("was", ())),
    )


def _whole(record: Mapping[str, object], name: str) -> int:
    value = record.get(name)
    if type(value) is not int or not 0 <= value < 1 << 63:
        raise ValueError(f"{name!r} is not a whole number")
    return value


def _times(value: object) -> tuple[float | None, ...]:
    if not isinstance(value, (list, tuple)) or len(value) > 2:
        raise ValueError("'was' is not a list of times")
    return tuple(None if each is None else _seconds(each) for each in value)


def _seconds(value: object) -> float:
    if type(value) not in (int, float) or not isinstance(value, (int, float)):
        raise ValueError("'time' is not a number")
    if not 0 <= value < 1e11:  # refuses NaN too
        raise ValueError("'time' is not a time")
    return float(value)


def _path(value: object, name: str) -> str:
    if not isinstance(value, str) or not value or len(value) > _PATH_LIMIT or "\0" in value:
        raise ValueError(f"{name!r} is not a path")
    if value.startswith("/") or any(part in ("", ".", "..") for part in value.split("/")):
        raise ValueError(f"{name!r} is not a path inside the repository")
    return intern(value)  # thousands of records are of the same few paths
