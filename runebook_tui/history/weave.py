"""The weave: a text with every line that it ever held, from which one author's changes can be taken back.

Each line knows whose step put it in and whose step took it out. Taking back leaves out the lines that
`ours` put in, and puts in again, at their old place, those that `ours` took out. Nobody else's line is ever
left out. Where others have changed the same lines, or the old place cannot be told, it is a Conflict.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from runebook_tui.history.differences import comparable, edits, lines_of


@dataclass(frozen=True)
class Conflict:
    """Why a change cannot be taken back, in words for people."""

    reason: str


@dataclass(frozen=True)
class TextStep:
    """What a text became at one time; `ours` is to be taken back."""

    after: bytes
    ours: bool


@dataclass(eq=False)
class _Hunk:
    """What an edit of ours put in and took out, with later edits of ours to the same lines."""

    took: bool = False
    """Whether it took out lines that somebody else had put in."""
    torn: bool = False
    """Whether somebody else has changed it, so that it cannot be taken back."""


@dataclass(eq=False)
class _Line:
    text: bytes
    put_by: _Hunk | None = None
    """The edit of ours that put it in; None for everybody else's lines."""
    taken_by: _Hunk | None = None
    """The edit of ours that took out somebody else's line. It stands right before what replaced it."""
    alive: bool = True


@dataclass(frozen=True)
class _Region:
    """The place of one edit in the weave: the dead lines before, what it takes out, the dead lines after."""

    before: Sequence[_Line]
    gone: Sequence[_Line]
    """From the first to the last living line that is taken out, with the dead ones between."""
    after: Sequence[_Line]
    left: _Line | None
    """The living line before the region, and `right` the one after it; None at the ends of the text."""
    right: _Line | None


def takeback(before: bytes, steps: Sequence[TextStep]) -> bytes | Conflict:
    """The text that the last step left, without what the steps of `ours` did to it.

    `before` is what was there first. All must be `comparable`. Steps of one side in a row count as one, so
    that a text that was seen half written does no harm.
    """
    if not all(comparable(text) for text in (before, *(step.after for step in steps))):
        return Conflict("it is no text, or too large to compare")
    weave = [_Line(text) for text in lines_of(before)]
    hunks: list[_Hunk] = []
    for ours, run in groupby(steps, key=lambda step: step.ours):
        after = lines_of(list(run)[-1].after)
        alive = [at for at, line in enumerate(weave) if line.alive]
        found = edits([weave[at].text for at in alive], after)
        if found is None:
            return Conflict("the search for what has changed took too long")
        woven: list[_Line] = []
        done = 0
        for i1, i2, j1, j2 in found:
            start, stop, region = _region(weave, alive, i1, i2)
            woven += weave[done:start]
            woven += _by_us(region, after[j1:j2], hunks) if ours else _by_others(region, after[j1:j2])
            done = stop
        weave = woven + weave[done:]
    if any(hunk.torn for hunk in hunks):
        return Conflict("others have changed the same lines since")
    kept = [line.text for line in weave if (line.alive and line.put_by is None) or line.taken_by is not None]
    if any(not text.endswith(b"\n") for text in kept[:-1]):
        return Conflict("lines were added after a last line that has no line end")
    return b"".join(kept)


def _region(weave: Sequence[_Line], alive: Sequence[int], i1: int, i2: int) -> tuple[int, int, _Region]:
    """The region of an edit that takes out the living lines `i1:i2`, and where it begins and ends."""
    start = alive[i1 - 1] + 1 if i1 else 0
    stop = alive[i2] if i2 < len(alive) else len(weave)
    first, last = (alive[i1], alive[i2 - 1] + 1) if i1 < i2 else (stop, stop)
    region = _Region(
        before=weave[start:first],
        gone=weave[first:last],
        after=weave[last:stop],
        left=weave[start - 1] if start else None,
        right=weave[stop] if stop < len(weave) else None,
    )
    return start, stop, region


def _by_us(region: _Region, fresh: Sequence[bytes], hunks: list[_Hunk]) -> Iterator[_Line]:
    """An edit of ours. It is one with the earlier edits of ours that it touches."""
    touched = (*region.before, *region.gone)
    earlier = [hunk for line in touched if (hunk := line.taken_by or line.put_by) is not None]
    hunk = earlier[0] if earlier else _Hunk()
    hunk.took |= any(each.took for each in earlier)
    hunk.torn |= any(each.torn for each in earlier)
    hunks.append(hunk)
    for line in touched:
        if line.taken_by is not None:
            line.taken_by = hunk
        elif line.alive and line.put_by is None:
            line.taken_by = hunk
            hunk.took = True
        line.alive = False
        yield line
    yield from (_Line(text, put_by=hunk) for text in fresh)
    yield from region.after


def _by_others(region: _Region, fresh: Sequence[bytes]) -> Iterator[_Line]:
    """An edit of somebody else. It tears our edits that it changes, or whose place it makes unclear."""
    for line in region.gone:
        if line.alive and line.put_by is not None:
            line.put_by.torn |= bool(fresh) or line.put_by.took
        elif line.taken_by is not None:
            line.taken_by.torn = True
        line.alive = False
    if not fresh:
        yield from (*region.before, *region.gone, *region.after)
        return
    left, right = (None if line is None else line.put_by for line in (region.left, region.right))
    if left is not None and left is right:
        left.torn = True
    for line in (*region.before, *region.after):
        # A line's old place is clear while what replaced it stands right after it.
        clear = line.taken_by is right and not (region.gone and line in region.before)
        if line.taken_by is not None and not clear:
            line.taken_by.torn = True
    added = [_Line(text) for text in fresh]
    if region.gone:
        yield from (*region.before, *region.gone, *added, *region.after)
    else:
        yield from (*added, *region.before, *region.after)
