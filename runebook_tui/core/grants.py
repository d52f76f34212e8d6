"""Grants: what an approval gives, and whether one covers a write now.

Standard library only: the gate's supervisor asks the same question as the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

JOIN_SECONDS = 2.0
"""Writes of one author to one owner's paths within this time of each other belong together."""

LATE_SECONDS = 10.0
"""A write that no gate saw may be noticed so long after its approval was used."""

SPENT = 100
"""So many grants are kept that are used up, or bound to one process: it may be writing still."""


class Scope(StrEnum):
    """How far an approval reaches."""

    ONCE = "once"
    TASK = "task"
    PLAN = "plan"


ABSENT = ""
"""Stands for the digest of a path at which nothing is."""

There = Callable[[str], str | None]
"""What is at a path now: its SHA-256, ABSENT, or None when nobody can tell."""


def _nothing() -> Mapping[str, str]:
    return MappingProxyType({})


def _unused() -> Mapping[str, tuple[float, int | None]]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Grant:
    """What an approval gives. Times are unix seconds, processes are as the supervisor numbers them."""

    request: int
    agent: str
    paths: frozenset[str]
    scope: Scope
    task: str | None = None
    pid: int | None = None
    """With scope once: the process whose write was waiting; nobody else may use it."""
    owners: frozenset[str | None] = frozenset()
    """With `pid`: whose other paths that process may go on writing, at most JOIN_SECONDS apart."""
    used: Mapping[str, tuple[float, int | None]] = field(default_factory=_unused)
    """With scope once: the paths already written, when and by which process."""
    used_at: float = 0.0
    """When it was given or last used."""
    base: Mapping[str, str] = field(default_factory=_nothing)
    """With scope once: what was at a path when it was approved (SHA-256, hexadecimal, or ABSENT)."""
    comes: Mapping[str, str] = field(default_factory=_nothing)
    """With scope once: what was approved to be there afterwards, where that was known; as in `base`."""

    def unused(self, path: str) -> bool:
        """Whether `path` was approved and has not been written; other scopes than once are never used up."""
        return path in self.paths and (self.scope is not Scope.ONCE or path not in self.used)

    def covers(
        self,
        path: str,
        owner: str | None,
        pid: int | None,
        now: float,
        *,
        late: bool,
        there: There | None = None,
    ) -> bool:
        """Whether process `pid` may write `path`, which is `owner`'s, under this grant now.

        `late` says that the write has happened: a process that began in time may write to its end. With
        `there` a first write needs what was at the path when it was approved.
        """
        if self.scope is not Scope.ONCE:
            return path in self.paths
        if self.pid is not None and pid is not None and pid != self.pid:
            return False
        if path in self.paths and path not in self.used:
            return there is None or self._as_it_was(path, there)
        recent = 0 <= now - self.used_at <= JOIN_SECONDS
        used = self.used.get(path)
        if used is None:
            return self.pid is not None and pid == self.pid and owner in self.owners and recent
        known = pid is not None and used[1] is not None
        if known:
            return pid == used[1] and (late or recent)
        return recent or (late and 0 <= now - used[0] <= LATE_SECONDS)

    def _as_it_was(self, path: str, there: There) -> bool:
        if path not in self.base:
            return True
        now = there(path)
        return now is None or now == self.base[path]

    @property
    def passing(self) -> bool:
        """Whether it is soon good for nothing: used up, or bound to one process."""
        return self.scope is Scope.ONCE and (self.pid is not None or self.paths <= self.used.keys())

    def use(self, path: str, pid: int | None, now: float) -> Grant:
        """The grant after a write of `path` under it."""
        return replace(self, used=MappingProxyType({**self.used, path: (now, pid)}), used_at=now)


def covering(
    grants: Iterable[Grant],
    agent: str,
    path: str,
    owner: str | None,
    pid: int | None,
    now: float,
    *,
    late: bool = False,
    there: There | None = None,
) -> Grant | None:
    """The first of `grants` under which `agent` may write `path` now, or None."""
    for grant in grants:
        if grant.agent == agent and grant.covers(path, owner, pid, now, late=late, there=there):
            return grant
    return None


def lasting(grants: Mapping[int, Grant]) -> Mapping[int, Grant]:
    """`grants`, by request, without the oldest of those that are passing."""
    passing = [request for request, grant in grants.items() if grant.passing]
    gone = frozenset(passing[:-SPENT])
    return MappingProxyType({number: grant for number, grant in grants.items() if number not in gone})


def as_approved(grants: Iterable[Grant], agent: str, path: str, content: str) -> bool:
    """Whether `content` (a digest or ABSENT) at `path` is what some approval for once has promised.

    True, too, where none has: then no content was approved, but the act.
    """
    promised = [grant.comes[path] for grant in grants if grant.agent == agent and path in grant.comes]
    return not promised or content in promised
