"""Who wrote each line of a file, from the changes of it that were seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from runebook_tui.core.events import Record, Touched
from runebook_tui.core.types import Author, Change, Version
from runebook_tui.history.differences import kept_lines, lines_of

Read = Callable[[Version], bytes | None]
"""Gives the content of a version of a file, or None when it is not kept (any more)."""


@dataclass(frozen=True)
class Origin:
    """Where a line comes from: one of the changes `touches`, newest first.

    With `unseen` it may also have come by a change that nobody saw, or with `forgotten` by one that the log
    no longer has. Without any it is line `base` (from 0) of what was there before the first change.
    """

    touches: tuple[Record, ...] = ()
    unseen: bool = False
    base: int | None = None
    forgotten: bool = False

    @property
    def author(self) -> Author | None:
        """Who wrote it, by name only where no other can have; None from before the first change."""
        authors = [_touched(each).author for each in self.touches]
        names = {each.name for each in authors}
        if authors and not self.unseen and len(names) == 1 and None not in names:
            return authors[0]
        if not authors and not self.unseen:
            return None
        known = (name for each in authors for name in ((each.name,) if each.name else each.candidates))
        told = "nobody saw it change" if self.unseen else authors[0].evidence
        if self.forgotten:
            told = "older than the changes that the log keeps"
            return Author(candidates=tuple(dict.fromkeys(known)), evidence=told)
        if len(authors) > 1:
            told = f"one of {len(authors)} changes, between which no content is kept"
        return Author(candidates=tuple(dict.fromkeys(known)), evidence=told)


def trace(
    content: bytes,
    touches: Sequence[Record],
    base: Version,
    read: Read,
    *,
    forgotten: bool = False,
    go_on: Callable[[], bool] = lambda: True,
) -> list[Origin]:
    """The origin of each line of `content`, which is what a file holds now.

    `touches` are the `Touched` records that led from `base` to it, newest first. A line keeps its origin
    through later changes of other lines, and where a change with a cause (git's) brings a content back that
    was there before. When `go_on` says no, what is left to find is unseen. With `forgotten` there were
    changes before these, and what they can have brought has no certain author: what was there before the
    first, what came with a file that may have had another name, and what a change with a cause may have
    brought back.
    """
    walk = _Walk(content, forgotten)
    expected = Version(kind="file", digest=sha256(content).hexdigest(), size=len(content))
    at = 0
    while at < len(touches) and walk.pending:
        if not go_on():
            walk.give_up()
            return walk.found
        change = _touched(touches[at]).change
        if not _alike(change.after, expected):
            walk.unseen = True
            walk.back_to(_content(change.after, read))
        older = _restored(touches, at)
        if older is not None:
            expected, at = change.after, older
            continue
        appeared = change.before.kind == "absent" and at == len(touches) - 1
        returned = bool(_touched(touches[at]).cause) and change.after.kind == "file"
        if forgotten and (appeared or returned):
            walk.writers.append(touches[at])
            walk.give_up()
            return walk.found
        if not _alike(change.before, change.after):
            walk.writers.append(touches[at])
            walk.back_to(_content(change.before, read))
        expected = change.before
        at += 1
    if walk.pending and not _alike(base, expected):
        walk.unseen = True
        walk.back_to(_content(base, read))
    walk.arrive()
    return walk.found


class _Walk:
    """From the present content back to older ones: which lines are still to be found there."""

    def __init__(self, content: bytes, forgotten: bool) -> None:
        count = len(lines_of(content))
        self.found = [Origin()] * count
        self.pending = {line: line for line in range(count)}
        """Line of the present content, and the line of `_here` that it is."""
        self.writers: list[Record] = []
        """The changes between `_here` and the next older content."""
        self.unseen = False
        self._forgotten = forgotten
        self._here = content

    def back_to(self, older: bytes | None) -> None:
        """Lines that `older` does not hold came by the changes since; nothing is known of it when None."""
        kept = None if older is None else kept_lines(older, self._here)
        if older is None or kept is None:
            return
        origin = Origin(tuple(self.writers), self.unseen)
        pending = {}
        for line, here in self.pending.items():
            before = kept[here]
            if before is None:
                self.found[line] = origin
            else:
                pending[line] = before
        self.pending, self._here = pending, older
        self.writers, self.unseen = [], False

    def give_up(self) -> None:
        """The rest may have come by anything."""
        for line in self.pending:
            self.found[line] = Origin(tuple(self.writers), unseen=True, forgotten=self._forgotten)

    def arrive(self) -> None:
        """`_here` is the oldest content there is: the rest is from it, unless changes came before it."""
        if self.writers or self.unseen:
            self.give_up()
            return
        for line, here in self.pending.items():
            self.found[line] = Origin(base=here)


def _touched(record: Record) -> Touched:
    assert isinstance(record.event, Touched)
    return record.event


def _restored(touches: Sequence[Record], at: int) -> int | None:
    """The older change after which the file was as after change `at`, if what has a cause brought it back."""
    touch = _touched(touches[at])
    if not touch.cause or touch.change.after.kind != "file":
        return None
    changes: list[Change] = [_touched(each).change for each in touches]
    for older in range(len(touches) - 1, at, -1):
        if _alike(changes[older].after, touch.change.after):
            return older
    for older in range(len(touches) - 1, at, -1):
        if _alike(changes[older].before, touch.change.after):
            return older + 1
    return None


def _alike(one: Version, other: Version) -> bool:
    known = one.digest is not None or one.kind == "absent"
    return known and one.kind == other.kind and one.digest == other.digest


def _content(version: Version, read: Read) -> bytes | None:
    if version.kind == "absent":
        return b""
    return read(version) if version.kind == "file" else None
