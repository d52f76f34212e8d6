"""Learning: what the decisions of a run say about the plan, as edits that are suggested. Pure.

A lesson is only ever a suggestion, and gone once the plan has it, or the operator dismissed it.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal, NamedTuple

from runebook_tui.core.fact import Fact
from runebook_tui.core.ownership import operators_own
from runebook_tui.core.pattern import compile_pattern, meeting_path
from runebook_tui.core.planedits import (
    AddClaim,
    AddMayWrite,
    AddPathPolicy,
    EditError,
    PlanEdit,
    literal,
    written,
)
from runebook_tui.core.printable import visible
from runebook_tui.core.state import RequestState, State
from runebook_tui.core.types import ExecutionPlan, RequestKind

ENOUGH = 3
"""So many decisions of one kind make a lesson."""

_KINDS = (RequestKind.ASKED, RequestKind.HELD, RequestKind.CROSSED)


@dataclass(frozen=True)
class Lesson:
    """A change of the plan that the operator's decisions suggest."""

    edit: PlanEdit
    words: str
    """Why, and what it would do, in one line."""
    requests: tuple[int, ...]
    """The numbers of the requests whose decisions say so, oldest first."""

    @property
    def id(self) -> str:
        """Six hexadecimal digits that name the edit; another edit, be it wider, is another lesson."""
        return lesson_id(self.edit)


class LessonDismissed(Fact):
    """The operator does not want this edit of the plan to be suggested again."""

    type: Literal["LessonDismissed"] = "LessonDismissed"
    edit: PlanEdit


@dataclass(frozen=True)
class DismissLesson:
    """Do not suggest the lesson of this id again."""

    lesson: str


class _Case(NamedTuple):
    """One path of one decided request."""

    request: int
    requester: str
    path: str
    owner: str | None
    claim: str
    """The owner's claim that covers the path; "" where nobody owns it."""
    approved: bool


def lesson_id(edit: PlanEdit) -> str:
    """The id of the lesson that suggests `edit`."""
    return hashlib.sha256(json.dumps(written([edit]), sort_keys=True).encode()).hexdigest()[:6]


def lesson_of(state: State, lesson: str) -> Lesson | None:
    """The lesson of that id, or None when there is none (any more)."""
    return next((each for each in lessons(state) if each.id == lesson), None)


def applied(state: State, event: LessonDismissed) -> State:
    """The state after a lesson was dismissed."""
    if event.edit in state.dismissed_lessons:
        return state
    return replace(state, dismissed_lessons=(*state.dismissed_lessons, event.edit))


def lessons(state: State) -> tuple[Lesson, ...]:
    """What the decisions of the run suggest and the plan does not have, by the oldest request first."""
    cases = [case for request in state.requests.values() for case in _cases(state, request)]
    found = [*_permissions(state, cases), *_refusals(state, cases)]
    fresh = [lesson for lesson in found if lesson.edit not in state.dismissed_lessons]
    return tuple(sorted(fresh, key=lambda lesson: (lesson.requests, lesson.id)))


def _cases(state: State, request: RequestState) -> Iterator[_Case]:
    """The paths of a decided request that cross a boundary of the plan as it is now."""
    agent = request.requester
    if agent not in state.agents or agent is None or request.kind not in _KINDS:
        return
    if request.status not in ("approved", "rejected"):
        return
    for path in request.crossings:
        if operators_own(path, None) or path == ".git" or path.startswith(".git/"):
            continue
        asks = state.plan.policy.unowned == "ask"
        if not state.owners.may_modify(agent, path, unowned_asks=asks).crosses:
            continue
        claim = state.owners.owner_of(path)
        owner, pattern = (None, "") if claim is None else (claim.owner, claim.pattern)
        yield _Case(request.id, agent, path, owner, pattern, request.status == "approved")


def _permissions(state: State, cases: Sequence[_Case]) -> Iterator[Lesson]:
    """What was approved again and again of one requester, among what one claim covers."""

    def key(case: _Case) -> tuple[str, str, str]:
        return case.requester, case.owner or "", case.claim

    for _, group in groupby(sorted(cases, key=key), key=key):
        for pattern, those in _kinds(_since_last(list(group), approved=True)):
            first, numbers = those[0], _numbers(those)
            agent, words = first.requester, f"was approved {len(numbers)} times for {_files(first, pattern)}"
            if first.owner is None:
                yield Lesson(AddClaim(agent, pattern), f"{agent} {words}: let it own them", numbers)
            else:
                one = pattern == literal(first.path)
                others = [] if one else _others(state.plan, pattern, agent, first.owner)
                also = f" (this reaches files of {', '.join(others)}, too)" if others else ""
                does = f"{agent} {words}: let it write {'it' if one else 'them'} without asking{also}"
                yield Lesson(AddMayWrite(agent, pattern), does, numbers)


def _refusals(state: State, cases: Sequence[_Case]) -> Iterator[Lesson]:
    """What was rejected again and again, whoever asked, among what one claim covers."""

    def key(case: _Case) -> tuple[str, str]:
        return case.owner or "", case.claim

    for _, group in groupby(sorted(cases, key=key), key=key):
        for pattern, those in _kinds(_since_last(list(group), approved=False)):
            if all(_refuses(state.plan, case.path) for case in those):
                continue
            numbers = _numbers(those)
            who = ", ".join(dict.fromkeys(case.requester for case in those))
            words = f"{who}: {len(numbers)} requests for {_files(those[0], pattern)} were rejected: "
            yield Lesson(AddPathPolicy(pattern, away="refuse"), words + "refuse them at once", numbers)


def _since_last(cases: list[_Case], *, approved: bool) -> list[_Case]:
    """The newest of `cases` that were all decided so."""
    cases.sort(key=lambda case: case.request)
    last = max((case.request for case in cases if case.approved is not approved), default=0)
    return [case for case in cases if case.request > last]


def _kinds(cases: Sequence[_Case]) -> Iterator[tuple[str, Sequence[_Case]]]:
    """Patterns that each cover enough of `cases`, with those.

    One file, else the deepest folder, else one ending of all; else the same within each folder at the top.
    """
    if len(_numbers(cases)) < ENOUGH:
        return
    paths = sorted({case.path for case in cases})
    folder = posixpath.commonpath([posixpath.dirname(path) for path in paths])
    endings = {posixpath.splitext(path)[1] for path in paths}
    try:
        if len(paths) == 1:
            yield literal(paths[0]), cases
        elif folder:
            yield _below(folder), cases
        elif len(endings) == 1 and (ending := endings.pop()):
            yield f"*{literal(ending)[1:]}", cases
        else:
            for part in sorted({path.partition("/")[0] for path in paths}):
                yield from _kinds([case for case in cases if case.path.partition("/")[0] == part])
    except EditError:
        return


def _below(folder: str) -> str:
    """A claim of everything in `folder`, as people write it."""
    pattern = literal(folder)
    return f"{pattern if pattern[1] in '!#~' else pattern[1:]}/**"


def _files(case: _Case, pattern: str) -> str:
    """Which files, in words: "files of storage in src/storage/"."""
    whose = "that nobody owns" if case.owner is None else f"of {case.owner}"
    if pattern.endswith("/**"):
        return f"files {whose} in {visible(pattern.removesuffix('**'))}"
    if pattern.startswith("*"):
        return f"files {whose} that end in {visible(pattern[1:])}"
    return f"{visible(case.path)} {whose}"


def _numbers(cases: Iterable[_Case]) -> tuple[int, ...]:
    return tuple(sorted({case.request for case in cases}))


def _others(plan: ExecutionPlan, pattern: str, *known: str) -> list[str]:
    """Whose claims meet `pattern` beside those of the `known`."""
    found = (
        claim.owner
        for claim in plan.ownership
        if claim.owner not in known and meeting_path(claim.pattern, pattern) is not None
    )
    return list(dict.fromkeys(found))


def _refuses(plan: ExecutionPlan, path: str) -> bool:
    """Whether a foreign write of `path` is refused at once already."""
    rules = [rule for rule in plan.policy.paths if rule.away and compile_pattern(rule.path).matches(path)]
    best = max(rules, key=lambda rule: compile_pattern(rule.path).rank, default=None)
    return (plan.policy.away if best is None else best.away) == "refuse"
