"""Together: files of different owners that the history changes in the same commits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import combinations

from runebook_tui.core.ownership import OwnershipManager
from runebook_tui.core.types import ExecutionPlan

MOST_FILES = 30
"""A commit of more files (a renaming, a formatter's run) says nothing about which belong together."""
LEAST_COMMITS = 3
LEAST_CONFIDENCE = 0.5
_PAIRS = 3


@dataclass(frozen=True)
class FilePair:
    """Two files of different owners that change together."""

    paths: tuple[str, str]
    commits: int
    """How many commits changed both."""
    confidence: float
    """Of the commits that changed the rarer one, the share that changed both; 0 to 1."""


@dataclass(frozen=True)
class Together:
    """Two owners whose files change together."""

    owners: tuple[str, str]
    commits: int
    """How many commits changed files of both."""
    confidence: float
    """Of the commits that changed files of the rarer one, the share that did; 0 to 1."""
    files: tuple[FilePair, ...]
    """The files that do so most."""


def together(
    plan: ExecutionPlan, commits: Iterable[Collection[str]], files: Collection[str]
) -> tuple[Together, ...]:
    """The pairs of owners with files that change together, most commits first.

    `commits` are what each changed; only what is among `files` counts. Two files count as a pair from
    LEAST_COMMITS and LEAST_CONFIDENCE on.
    """
    owners = OwnershipManager(plan.ownership)
    there = frozenset(files)
    single: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    by_owner: Counter[str] = Counter()
    by_owners: Counter[tuple[str, str]] = Counter()
    for changed in commits:
        if len(changed) > MOST_FILES:
            continue
        owned = {
            path: claim.owner
            for path in sorted(changed)
            if path in there and (claim := owners.owner_of(path))
        }
        single.update(list(owned))
        by_owner.update(set(owned.values()))
        by_owners.update(combinations(sorted(set(owned.values())), 2))
        pairs.update((one, two) for one, two in combinations(owned, 2) if owned[one] != owned[two])
    found: dict[tuple[str, str], list[FilePair]] = {}
    for (one, two), number in pairs.most_common():
        if number < LEAST_COMMITS:
            break
        confidence = number / min(single[one], single[two])
        if confidence >= LEAST_CONFIDENCE:
            one_owner, two_owner = (claim.owner for path in (one, two) if (claim := owners.owner_of(path)))
            key = (min(one_owner, two_owner), max(one_owner, two_owner))
            found.setdefault(key, []).append(FilePair((one, two), number, confidence))
    return tuple(
        Together(
            key, by_owners[key], by_owners[key] / min(by_owner[each] for each in key), tuple(most[:_PAIRS])
        )
        for key, most in sorted(found.items(), key=lambda item: (-by_owners[item[0]], item[0]))
    )
