"""Coverage: what a plan's claims make of the files that are there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations, islice

from runebook_tui.core.ownership import FileOwnership, operators_own
from runebook_tui.core.pattern import ClaimPattern, compile_pattern, meeting_path
from runebook_tui.core.types import ExecutionPlan

MOST_COMPARED = 3_000
"""So many pairs of claims are compared that meet in no file, at the most."""


@dataclass(frozen=True)
class Overlap:
    """Two owners' claims that match the same path; the first of them decides."""

    wins: FileOwnership
    loses: FileOwnership
    example: str
    """A path that both match."""
    files: int
    """How many files both match; 0 when the example is not there."""


@dataclass(frozen=True)
class Unowned:
    """Files of one folder at the top that nobody claims."""

    folder: str
    """"" for the top itself."""
    files: int
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Coverage:
    """What the claims make of the files."""

    overlaps: tuple[Overlap, ...]
    """Most files first."""
    unowned: tuple[Unowned, ...]
    """Most files first."""
    idle: tuple[FileOwnership, ...]
    """Claims that match no file."""


def coverage(plan: ExecutionPlan, files: Iterable[str], *, examples: int = 3) -> Coverage:
    """What the claims of a checked plan make of `files`, of which each is looked at once."""
    claims = [(compile_pattern(claim.pattern), n, claim) for n, claim in enumerate(plan.ownership)]
    at: dict[str, list[tuple[ClaimPattern, int, FileOwnership]]] = {}
    for entry in claims:
        at.setdefault(entry[0].anchor, []).append(entry)
    met: Counter[tuple[int, int]] = Counter()
    first: dict[tuple[int, int], str] = {}
    unowned: Counter[str] = Counter()
    bare: dict[str, list[str]] = {}
    used: set[int] = set()
    for path in files:
        found = [entry for anchor in _anchors(path) for entry in at.get(anchor, ()) if entry[0].matches(path)]
        used.update(n for _, n, _ in found)
        if not found and not operators_own(path, None):
            folder = path.partition("/")[0] if "/" in path else ""
            unowned[folder] += 1
            if unowned[folder] <= examples:
                bare.setdefault(folder, []).append(path)
        if len(found) > 1:
            found.sort(key=lambda entry: (entry[0].rank, -entry[1]), reverse=True)
            for other in found[1:]:
                if other[2].owner != found[0][2].owner:
                    pair = (found[0][1], other[1])
                    met[pair] += 1
                    first.setdefault(pair, path)
    overlaps = [
        Overlap(claims[one][2], claims[two][2], first[one, two], files)
        for (one, two), files in met.most_common()
    ]
    overlaps += _elsewhere(claims, {frozenset(pair) for pair in met})
    return Coverage(
        tuple(overlaps),
        tuple(Unowned(folder, number, tuple(bare[folder])) for folder, number in unowned.most_common()),
        tuple(claim for _, n, claim in claims if n not in used),
    )


def _anchors(path: str) -> Iterator[str]:
    """The folders and the file in which a claim that matches `path` may be anchored."""
    while path:
        yield path
        path = path.rpartition("/")[0]
    yield ""


def _elsewhere(
    claims: list[tuple[ClaimPattern, int, FileOwnership]], known: set[frozenset[int]]
) -> Iterator[Overlap]:
    """The overlaps in paths that are not there."""
    pairs = (
        (one, two)
        for one, two in combinations(claims, 2)
        if one[2].owner != two[2].owner
        and frozenset((one[1], two[1])) not in known
        and (_holds(one[0].anchor, two[0].anchor) or _holds(two[0].anchor, one[0].anchor))
    )
    for one, two in islice(pairs, MOST_COMPARED):
        example = meeting_path(one[0].text, two[0].text)
        if example is not None:
            wins, loses = sorted((one, two), key=lambda entry: (entry[0].rank, -entry[1]), reverse=True)
            yield Overlap(wins[2], loses[2], example, 0)


def _holds(folder: str, path: str) -> bool:
    return not folder or path == folder or path.startswith(f"{folder}/")
