"""An agent's share of a file: what HEAD's version becomes by that agent's uncommitted changes alone."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from runebook_tui.core.types import OPERATOR, Author, Change, Version
from runebook_tui.history.weave import Conflict, TextStep, takeback

_TRIALS = 60

Content = Callable[[Version], bytes | None]
"""The bytes of a version, or None where they are not kept."""


class Held(NamedTuple):
    """A version with its bytes; None where they are not at hand."""

    version: Version
    data: bytes | None


class Committed(NamedTuple):
    """What a commit left at the path, and the agent whose share it took; None for any other commit."""

    version: Version
    agent: str | None


@dataclass(frozen=True)
class LeftOut:
    """Why no share can be told, in words for people."""

    reason: str


@dataclass(frozen=True)
class Step:
    """One change of the path; a change that nobody saw has an author without a name."""

    before: Version
    after: Version
    author: Author


def steps_of(touches: Iterable[tuple[Change, Author]]) -> list[Step]:
    """The changes of one path in order, with what was missed between them as a step of its own."""
    steps: list[Step] = []
    for change, author in touches:
        if steps and not same(steps[-1].after, change.before):
            steps.append(Step(steps[-1].after, change.before, Author()))
        steps.append(Step(change.before, change.after, author))
    return steps


def same(one: Version, other: Version) -> bool:
    """Whether git would see no difference."""
    if one.kind != other.kind or one.digest != other.digest:
        return False
    if one.kind == "absent":
        return True
    return one.digest is not None and (one.kind != "file" or (one.mode ^ other.mode) & 0o100 == 0)


def share(
    agent: str,
    head: Version,
    steps: Sequence[Step],
    content: Content,
    commits: Callable[[], Sequence[Committed]],
    *,
    owned: bool,
    forgotten: bool = False,
) -> Held | LeftOut | None:
    """What `head` becomes by what `agent` did since; None when that is nothing.

    `commits` gives what the latest commits left there, the newest first: they tell which steps HEAD has,
    where it has one agent's and not another's. `owned` says that the path is the agent's: then changes from
    before Runebook saw it are, too; `forgotten` that there may have been steps before these.
    """
    base = _base(head, steps, content, commits)
    if base is None:
        if forgotten and (owned or any(_may_be(step, agent) for step in steps)):
            return LeftOut("the log no longer has its older changes, so nobody's share can be told")
        if owned and all(step.author.name == agent for step in steps):
            return Held(steps[-1].after, content(steps[-1].after))
        if not any(_may_be(step, agent) for step in steps):
            return None
        return LeftOut("its last commit holds what Runebook has not seen, so nobody's share can be told")
    start, included = base
    pending = [at for at in range(start, len(steps)) if at not in included]
    for at in pending:
        author = steps[at].author
        if author.name is None and agent in author.candidates:
            names = " or ".join("you" if each == OPERATOR else each for each in author.candidates)
            return LeftOut(f"it is not certain who wrote it: {names}")
    kept = included.union(at for at in pending if steps[at].author.name == agent)
    if kept == included:
        return None
    found = _by(steps, start, kept, content)
    if found is None:
        return LeftOut("others changed the same lines, or it builds on what they have not committed")
    return None if same(found.version, head) else found


def _may_be(step: Step, agent: str) -> bool:
    return agent == step.author.name or agent in step.author.candidates


def _base(
    head: Version, steps: Sequence[Step], content: Content, commits: Callable[[], Sequence[Committed]]
) -> tuple[int, set[int]] | None:
    """From which step on something is not in HEAD, and which of those steps are in HEAD all the same."""
    start = _place(head, steps)
    if start is not None:
        return start, set()
    latest = commits()
    for at, commit in enumerate(latest[1:], start=1):
        start = _place(commit.version, steps)
        if start is None:
            continue
        included: set[int] = set()
        for later in reversed(latest[:at]):
            grown = _taken(later, steps, start, included, content)
            if grown is None:
                return None
            included = grown
        return start, included
    return None


def _place(version: Version, steps: Sequence[Step]) -> int | None:
    """How many steps had been taken when `version` was last there."""
    for at in range(len(steps), 0, -1):
        if same(steps[at - 1].after, version):
            return at
    return 0 if steps and same(steps[0].before, version) else None


def _taken(
    commit: Committed, steps: Sequence[Step], start: int, included: set[int], content: Content
) -> set[int] | None:
    """The steps that are in `commit`: those of its agent up to some time, and those before it."""
    theirs = [
        at for at in range(start, len(steps)) if steps[at].author.name == commit.agent and at not in included
    ]
    for count in range(len(theirs), max(0, len(theirs) - _TRIALS), -1):
        tried = included.union(theirs[:count])
        found = _by(steps, start, tried, content)
        if found is not None and same(found.version, commit.version):
            return tried
    return None


def _by(steps: Sequence[Step], start: int, kept: Collection[int], content: Content) -> Held | None:
    """What the version at `start` becomes by the `kept` steps alone; None where they build on others."""
    while start < len(steps) and start in kept:
        start += 1
    now = steps[start - 1].after if start else steps[0].before
    if not any(at in kept for at in range(start, len(steps))):
        return Held(now, content(now))
    rest = range(start, len(steps))
    texts = [content(now), *(content(steps[at].after) for at in rest)]
    if now.kind == "file" and all(steps[at].after.kind == "file" for at in rest) and None not in texts:
        first, *later = (text for text in texts if text is not None)
        woven = [TextStep(text, ours=at not in kept) for text, at in zip(later, rest, strict=True)]
        data = takeback(first, woven)
        return None if isinstance(data, Conflict) else _file(data, _mode(now, steps, rest, kept))
    for at in rest:
        if at not in kept or same(now, steps[at].after):
            continue
        if not same(now, steps[at].before):
            return None
        now = steps[at].after
    return Held(now, content(now))


def _mode(now: Version, steps: Sequence[Step], rest: Iterable[int], kept: Collection[int]) -> int:
    mode = now.mode
    for at in rest:
        if at in kept and (steps[at].before.mode ^ steps[at].after.mode) & 0o100:
            mode = steps[at].after.mode
    return mode


def _file(data: bytes, mode: int) -> Held:
    digest = hashlib.sha256(data).hexdigest()
    return Held(Version(kind="file", digest=digest, size=len(data), mode=mode), data)
