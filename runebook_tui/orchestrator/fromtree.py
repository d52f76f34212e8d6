"""A plan from a repository's folders, and from what its history changes together."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import combinations

from runebook_tui.core.types import AgentSpec, ExecutionPlan, Phase, PlanInfo
from runebook_tui.orchestrator.draft import (
    PLACEHOLDER,
    PLACEHOLDER_COMMENT,
    Comments,
    Draft,
    compose,
    literal_claim,
    plan_name,
    slug,
    unicode_text,
    unused,
    usable_claim,
)
from runebook_tui.orchestrator.together import MOST_FILES

MOST_AGENTS = 8
_DEEPEST = 4


def draft_from_tree(
    files: Sequence[str], commits: Iterable[Collection[str]], name: str, agents: int = 3
) -> Draft:
    """A plan of at most `agents` agents, each with folders whose files the commits change together.

    `files` are paths in the repository, `commits` what each commit changed, the newest first. Files at the
    top, and folders whose names cannot be claims, stay without an owner. Raises ValueError without a folder.
    """
    agents = max(1, min(agents, MOST_AGENTS))
    sizes = _folders(files, len(files) / agents / 2)
    if not sizes:
        raise ValueError("there is no folder with files that an agent could own")
    groups = _groups(sizes, _affinities(sizes, commits), agents)
    comments = Comments()
    comments.header += [
        "Made by `runebook-tui` from the folders of this repository and what its history changes together;",
        "edit it as you like. Files that nobody claims may be written by everybody.",
    ]
    specs: list[AgentSpec] = []
    for n, folders in enumerate(groups):
        ids = [agent.id for agent in specs]
        largest = max(folders, key=lambda folder: (sizes[folder], folder))
        claims = tuple(literal_claim(f"{folder}/") for folder in sorted(folders))
        comments.add(("agents", n, "command"), PLACEHOLDER_COMMENT)
        for k, folder in enumerate(sorted(folders)):
            number = sizes[folder]
            comments.add(("agents", n, "claims", k), "1 file" if number == 1 else f"{number} files")
        specs.append(
            AgentSpec(
                id=unused(slug(largest.rpartition("/")[2]) or "agent", ids),
                phase="work",
                command=PLACEHOLDER,
                claims=claims,
            )
        )
    plan = ExecutionPlan(
        plan=PlanInfo(name=plan_name(name)), phases=(Phase(id="work", title="Work"),), agents=tuple(specs)
    )
    return Draft(compose(plan, comments))


def _folders(files: Sequence[str], largest: float) -> dict[str, int]:
    """The folders to share out, with how many files each holds; none is inside another.

    One of more than `largest` files is looked at folder by folder, unless most of them lie in it directly.
    """
    found: dict[str, int] = {}
    open_: list[tuple[str, list[str]]] = [("", list(files))]
    while open_:
        folder, inside = open_.pop()
        below: dict[str, list[str]] = defaultdict(list)
        for path in inside:
            rest = path[len(folder) + 1 :] if folder else path
            if "/" in rest:
                below[f"{folder}/{rest.partition('/')[0]}" if folder else rest.partition("/")[0]].append(path)
        for each, members in below.items():
            if (
                each.startswith(".")
                or unicode_text(each) != each
                or not usable_claim(literal_claim(f"{each}/"))
            ):
                continue
            deep = each.count("/") + 1
            splits = sum("/" in path[len(each) + 1 :] for path in members) > len(members) // 2
            if len(members) > largest and splits and deep < _DEEPEST:
                open_.append((each, members))
            else:
                found[each] = len(members)
    return found


def _affinities(sizes: Collection[str], commits: Iterable[Collection[str]]) -> dict[tuple[str, str], float]:
    """For pairs of folders, the share of the commits to the rarer one that change both, from 0 to 1."""
    single: Counter[str] = Counter()
    both: Counter[tuple[str, str]] = Counter()
    for changed in commits:
        if len(changed) > MOST_FILES:
            continue
        touched = sorted({folder for path in changed for folder in _above(path) if folder in sizes})
        single.update(touched)
        both.update(combinations(touched, 2))
    return {pair: number / min(single[pair[0]], single[pair[1]]) for pair, number in both.items()}


def _above(path: str) -> Iterator[str]:
    """The folders that the path is in."""
    while path := path.rpartition("/")[0]:
        yield path


def _groups(sizes: dict[str, int], affinities: dict[tuple[str, str], float], most: int) -> list[list[str]]:
    """The folders in at most `most` groups: what changes together joins, and the small join the small."""
    groups = [[folder] for folder in sorted(sizes)]

    def weight(group: list[str]) -> int:
        return sum(sizes[folder] for folder in group)

    def closeness(one: list[str], two: list[str]) -> float:
        known = [affinities.get((min(a, b), max(a, b)), 0.0) for a in one for b in two]
        return sum(known) / len(known)

    total = sum(sizes.values())
    while len(groups) > most:
        one, two = max(
            combinations(groups, 2),
            key=lambda pair: closeness(*pair) - (weight(pair[0]) + weight(pair[1])) / total,
        )
        groups.remove(one)
        groups.remove(two)
        groups.append(sorted([*one, *two]))
    return sorted(groups, key=weight, reverse=True)
