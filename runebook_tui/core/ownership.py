"""Who owns a path, and may this agent write it: the one rule that every net calls.

Standard library only: the gate's supervisor calls it too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from runebook_tui.core.pattern import ClaimPattern, compile_pattern, meeting_path

_CACHE_LIMIT = 65_536


class FileOwnership(NamedTuple):
    """One claim with its owner."""

    pattern: str
    """A gitignore-style pattern that names paths inside the repository."""
    owner: str
    shared: bool = False
    """Whether everybody reads it."""


class Verdict(StrEnum):
    """The answer of the rule for one agent and one path."""

    IGNORED = "ignored"
    OWNED = "owned"
    GRANTED = "granted"
    UNOWNED = "unowned"
    SHARED = "shared"
    """Everybody reads it; only its owner and approved requests change it."""
    FOREIGN = "foreign"
    OPERATOR = "operator"
    """The plan, git's hooks and configuration, and Runebook's own state."""

    @property
    def crosses(self) -> bool:
        """Whether a write crosses a boundary."""
        return self in (Verdict.SHARED, Verdict.FOREIGN, Verdict.OPERATOR)


class Tie(NamedTuple):
    """Two claims of different owners that are equally specific, and a path that both match."""

    first: FileOwnership
    second: FileOwnership
    example: str


def ignored_everywhere(path: str) -> bool:
    """Whether `path` is build waste that no plan cares for, whatever git says."""
    return path.endswith(".pyc") or "__pycache__" in path.split("/")


def operators_own(path: str, agent: str | None) -> bool:
    """Whether `path` belongs to the operator whatever the plan claims.

    An agent's own folder below `.runebook/agents/` is its own.
    """
    if path == "runebook.toml":
        return True
    if path == ".runebook" or path.startswith(".runebook/"):
        return agent is None or not path.startswith(f".runebook/agents/{agent}/")
    return path in (".git/config", ".git/hooks") or path.startswith(".git/hooks/")


class OwnershipManager:
    """Answers who owns a path. Among matching claims the most specific wins, then the first written.

    `may_write` has pairs of an agent and a pattern: what that agent may write although others own it.
    """

    def __init__(self, ownership: Iterable[FileOwnership], may_write: Iterable[tuple[str, str]] = ()) -> None:
        self._claims = tuple(ownership)
        self._may_write: dict[str, list[ClaimPattern]] = {}
        for agent, allowed in may_write:
            self._may_write.setdefault(agent, []).append(compile_pattern(allowed))
        self._by_anchor: dict[str, list[tuple[tuple[int, int], int, ClaimPattern, FileOwnership]]] = {}
        for order, claim in enumerate(self._claims):
            pattern = compile_pattern(claim.pattern)
            self._by_anchor.setdefault(pattern.anchor, []).append((pattern.rank, -order, pattern, claim))
        for bucket in self._by_anchor.values():
            bucket.sort(key=lambda entry: entry[:2], reverse=True)
        self._cache: dict[str, FileOwnership | None] = {}

    @property
    def claims(self) -> Sequence[FileOwnership]:
        """Every claim, as given."""
        return self._claims

    def owner_of(self, path: str) -> FileOwnership | None:
        """The claim that decides about the repository-relative `path`, or None."""
        try:
            return self._cache[path]
        except KeyError:
            found = self._find(path)
            if len(self._cache) >= _CACHE_LIMIT:
                self._cache.clear()
            self._cache[path] = found
            return found

    def _find(self, path: str) -> FileOwnership | None:
        best: tuple[tuple[int, int], int] | None = None
        winner: FileOwnership | None = None
        anchor = path
        while True:
            for rank, order, pattern, claim in self._by_anchor.get(anchor, ()):
                if best is not None and (rank, order) <= best:
                    break
                if pattern.matches(path):
                    best, winner = (rank, order), claim
                    break
            if not anchor:
                return winner
            anchor = anchor.rpartition("/")[0]

    def may_modify(
        self,
        agent: str,
        path: str,
        *,
        granted: bool = False,
        ignored: bool = False,
        unowned_asks: bool = False,
    ) -> Verdict:
        """The rule: what a write of `path` by `agent` is.

        `granted` says that an approval covers it, `ignored` that git ignores the path.
        """
        if operators_own(path, agent):
            return Verdict.OPERATOR
        if ignored or ignored_everywhere(path):
            return Verdict.IGNORED
        claim = self.owner_of(path)
        if claim is not None and claim.owner == agent:
            return Verdict.OWNED
        if granted or any(pattern.matches(path) for pattern in self._may_write.get(agent, ())):
            return Verdict.GRANTED
        if claim is None:
            return Verdict.FOREIGN if unowned_asks else Verdict.UNOWNED
        return Verdict.SHARED if claim.shared else Verdict.FOREIGN

    def not_to_commit(self, agent: str, path: str, *, unowned_asks: bool = False) -> str | None:
        """Why `agent` may not commit `path` without an approval, in words; None when it may."""
        verdict = self.may_modify(agent, path, unowned_asks=unowned_asks)
        if not verdict.crosses:
            return None
        if verdict is Verdict.OPERATOR:
            return "it is the operator's"
        claim = self.owner_of(path)
        return "nobody owns it, and the plan asks" if claim is None else f"{claim.owner} owns it"

    def files_of(self, agent: str, paths: Iterable[str]) -> tuple[str, ...]:
        """Those of `paths` that `agent` owns, in the order given."""
        return tuple(path for path in paths if (claim := self.owner_of(path)) and claim.owner == agent)


def ties(ownership: Iterable[FileOwnership]) -> list[Tie]:
    """Every pair of equally specific claims of different owners that meet on some path."""
    groups: dict[tuple[str, int], list[FileOwnership]] = {}
    for claim in ownership:
        pattern = compile_pattern(claim.pattern)
        groups.setdefault((pattern.prefix, pattern.rank[1]), []).append(claim)
    found = []
    for group in groups.values():
        for index, first in enumerate(group):
            for second in group[index + 1 :]:
                if first.owner == second.owner:
                    continue
                example = meeting_path(first.pattern, second.pattern)
                if example is not None:
                    found.append(Tie(first, second, example))
    return found
