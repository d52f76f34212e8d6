"""Two contents compared as lines, in bounded time."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

from runebook_tui.history.git import environment

LINE_LIMIT = 20_000
BYTE_LIMIT = 2_000_000

_CONTEXT = 3
_CORE_LINES = 1_500
"""What differs, with the equal head and tail cut off: above this many lines difflib can take a second."""
_CORE_WORK = 100_000
_GIT_SECONDS = 5.0

Opcode = tuple[str, int, int, int, int]
Edit = tuple[int, int, int, int]
"""Lines `old[a:b]` became `new[c:d]`, as (a, b, c, d)."""

_HEAD = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


@dataclass(frozen=True)
class Difference:
    """The hunks of a unified diff, as lines without line ends, and how many lines came and went."""

    hunks: tuple[bytes, ...]
    added: int
    removed: int


def binary(data: bytes) -> bool:
    """Whether `data` is no text by git's rule: a NUL among its first 8,000 bytes."""
    return b"\0" in data[:8000]


def compare(before: bytes, after: bytes) -> Difference | None:
    """The difference of two texts; None when either is binary or larger than 20,000 lines or 2 MB.

    Lines end at LF only. Small differences are found by difflib; above that by `git diff --no-index`, because
    difflib takes time in the square of the lines.
    """
    if not comparable(before) or not comparable(after):
        return None
    old, new = lines_of(before), lines_of(after)
    opcodes = _by_difflib(old, new)
    if opcodes is None:
        return _by_git(before, after)
    changed = [each for each in opcodes if each[0] != "equal"]
    return Difference(
        hunks=tuple(_hunks(old, new, opcodes)),
        added=sum(j2 - j1 for _, _, _, j1, j2 in changed),
        removed=sum(i2 - i1 for _, i1, i2, _, _ in changed),
    )


def comparable(data: bytes) -> bool:
    """Whether `data` is a text of at most 20,000 lines and 2 MB."""
    return len(data) <= BYTE_LIMIT and not binary(data) and data.count(b"\n") < LINE_LIMIT


def edits(old: Sequence[bytes], new: Sequence[bytes]) -> list[Edit] | None:
    """Where two comparable texts differ, in order, as few lines as the search finds; None when it fails."""
    opcodes = _by_difflib(old, new)
    if opcodes is not None:
        return [(i1, i2, j1, j2) for tag, i1, i2, j1, j2 in opcodes if tag != "equal"]
    hunks = _git_hunks(b"".join(old), b"".join(new), context=0)
    if hunks is None:
        return None
    heads = (_HEAD.match(line) for line in hunks if line.startswith(b"@@ "))
    return [(*_span(head[1], head[2]), *_span(head[3], head[4])) for head in heads if head]


def kept_lines(before: bytes, after: bytes) -> list[int | None] | None:
    """For each line of `after` the number (from 0) of the line of `before` that it is; None for a new one.

    None in all when the two cannot be compared (see `compare`).
    """
    if not comparable(before) or not comparable(after):
        return None
    old, new = lines_of(before), lines_of(after)
    found = edits(old, new)
    if found is None:
        return None
    kept: list[int | None] = []
    at = 0
    for i1, i2, j1, j2 in found:
        kept.extend(range(at, i1))
        kept.extend([None] * (j2 - j1))
        at = i2
    kept.extend(range(at, len(old)))
    return kept


def _span(start: bytes, count: bytes | None) -> tuple[int, int]:
    size = 1 if count is None else int(count)
    first = int(start) - (size > 0)
    return first, first + size


def _by_difflib(old: Sequence[bytes], new: Sequence[bytes]) -> list[Opcode] | None:
    """How to make `new` of `old`; None when the search could take too long."""
    head = _equal(old, new)
    tail = _equal(old[head:][::-1], new[head:][::-1])
    core_old, core_new = old[head : len(old) - tail], new[head : len(new) - tail]
    if not core_old or not core_new:
        pass  # only added or only removed: no search
    elif max(len(core_old), len(core_new)) > _CORE_LINES or _work(core_old, core_new) > _CORE_WORK:
        return None
    return _opcodes(core_old, core_new, head, (len(old), len(new)))


def lines_of(data: bytes) -> list[bytes]:
    """The lines of a text with their ends; the last one may have none."""
    lines = data.split(b"\n")
    last = lines.pop()
    ended = [line + b"\n" for line in lines]
    return [*ended, last] if last else ended


def _equal(old: Sequence[bytes], new: Sequence[bytes]) -> int:
    count = 0
    for one, other in zip(old, new, strict=False):
        if one != other:
            break
        count += 1
    return count


def _work(old: Sequence[bytes], new: Sequence[bytes]) -> int:
    """How many pairs of equal lines a search may visit."""
    counts = Counter(new)
    return sum(times * counts[line] for line, times in Counter(old).items())


def _opcodes(old: Sequence[bytes], new: Sequence[bytes], head: int, sizes: tuple[int, int]) -> list[Opcode]:
    found: list[Opcode] = [("equal", 0, head, 0, head)] if head else []
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, new).get_opcodes():
        found.append((tag, i1 + head, i2 + head, j1 + head, j2 + head))
    i, j = head + len(old), head + len(new)
    if i < sizes[0]:
        found.append(("equal", i, sizes[0], j, sizes[1]))
    return found


def _groups(opcodes: Sequence[Opcode]) -> Iterator[list[Opcode]]:
    """The changes with three equal lines around them, apart where more than six lie between."""
    group: list[Opcode] = []
    for index, (tag, i1, i2, j1, j2) in enumerate(opcodes):
        if tag != "equal":
            group.append((tag, i1, i2, j1, j2))
            continue
        first, last = index == 0, index == len(opcodes) - 1
        if not first and (last or i2 - i1 > 2 * _CONTEXT):
            kept = min(_CONTEXT, i2 - i1)
            group.append((tag, i1, i1 + kept, j1, j1 + kept))
            yield group
            group = []
        if not last and (first or not group):
            kept = min(_CONTEXT, i2 - i1)
            group = [(tag, i2 - kept, i2, j2 - kept, j2)]
        elif not last:
            group.append((tag, i1, i2, j1, j2))
    if any(tag != "equal" for tag, *_ in group):
        yield group


def _hunks(old: list[bytes], new: list[bytes], opcodes: Sequence[Opcode]) -> Iterator[bytes]:
    for group in _groups(opcodes):
        removed, added = (group[0][1], group[-1][2]), (group[0][3], group[-1][4])
        yield f"@@ -{_range(*removed)} +{_range(*added)} @@".encode("ascii")
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                yield from _marked(b" ", old[i1:i2])
            else:
                yield from _marked(b"-", old[i1:i2])
                yield from _marked(b"+", new[j1:j2])


def _marked(mark: bytes, lines: Sequence[bytes]) -> Iterator[bytes]:
    for line in lines:
        yield mark + line.removesuffix(b"\n")
        if not line.endswith(b"\n"):
            yield b"\\ No newline at end of file"


def _range(start: int, stop: int) -> str:
    count = stop - start
    if count == 1:
        return str(start + 1)
    return f"{start + 1 if count else start},{count}"


def _by_git(before: bytes, after: bytes) -> Difference | None:
    hunks = _git_hunks(before, after, context=_CONTEXT)
    if hunks is None:
        return None
    return Difference(
        hunks=hunks,
        added=sum(line.startswith(b"+") for line in hunks),
        removed=sum(line.startswith(b"-") for line in hunks),
    )


def _git_hunks(before: bytes, after: bytes, *, context: int) -> tuple[bytes, ...] | None:
    # No configuration, attributes or repository may have a say, so it runs in a folder of its own.
    own = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_ATTR_NOSYSTEM": "1"}
    options = ("--no-index", "--no-color", "--no-ext-diff", "--no-textconv", "--text", f"-U{context}")
    try:
        with tempfile.TemporaryDirectory(prefix="runebook-") as name:
            folder = Path(name)
            (folder / "a").write_bytes(before)
            (folder / "b").write_bytes(after)
            done = subprocess.run(
                ["git", "-c", "core.attributesFile=/dev/null", "diff", *options, "--", "a", "b"],
                cwd=folder,
                env=environment() | own | {"GIT_CEILING_DIRECTORIES": str(folder.resolve().parent)},
                capture_output=True,
                stdin=subprocess.DEVNULL,
                timeout=_GIT_SECONDS,
            )
    except (OSError, subprocess.TimeoutExpired):
        return None
    at = done.stdout.find(b"\n@@ ")
    if done.returncode != 1 or at < 0:
        return None
    return tuple(done.stdout[at + 1 :].removesuffix(b"\n").split(b"\n"))
