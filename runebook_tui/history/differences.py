"""Two contents compared as lines, in bounded time."""

from __future__ import annotations

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
    if len(before) > BYTE_LIMIT or len(after) > BYTE_LIMIT or binary(before) or binary(after):
        return None
    old, new = lines_of(before), lines_of(after)
    if len(old) > LINE_LIMIT or len(new) > LINE_LIMIT:
        return None
    head = _equal(old, new)
    tail = _equal(old[head:][::-1], new[head:][::-1])
    core_old, core_new = old[head : len(old) - tail], new[head : len(new) - tail]
    if not core_old or not core_new:
        pass  # only added or only removed: no search
    elif max(len(core_old), len(core_new)) > _CORE_LINES or _work(core_old, core_new) > _CORE_WORK:
        return _by_git(before, after)
    opcodes = _opcodes(core_old, core_new, head, (len(old), len(new)))
    changed = [each for each in opcodes if each[0] != "equal"]
    return Difference(
        hunks=tuple(_hunks(old, new, opcodes)),
        added=sum(j2 - j1 for _, _, _, j1, j2 in changed),
        removed=sum(i2 - i1 for _, i1, i2, _, _ in changed),
    )


def kept_lines(before: bytes, after: bytes) -> list[int | None] | None:
    """For each line of `after` the number (from 0) of the line of `before` that it is; None for a new one.

    None in all when the two cannot be compared (see `compare`).
    """
    if before == after:
        return list(range(len(lines_of(after))))
    found = compare(before, after)
    if found is None:
        return None
    count = len(lines_of(after))
    kept: list[int | None] = []
    old = 0
    for hunk in found.hunks:
        mark = hunk[:1]
        if mark == b"@":
            start, new = _starts(hunk)
            kept.extend(range(old, old + new - len(kept)))
            old = start
        elif mark == b"+":
            kept.append(None)
        elif mark != b"\\":
            if mark == b" ":
                kept.append(old)
            old += 1
    kept.extend(range(old, old + count - len(kept)))
    return kept


def _starts(head: bytes) -> tuple[int, int]:
    """How many lines come before a hunk in the old and in the new text, from its head."""
    starts = []
    for words in head.split(b" ")[1:3]:
        start, _, count = words[1:].partition(b",")
        starts.append(int(start) - (count != b"0"))
    return starts[0], starts[1]


def lines_of(data: bytes) -> list[bytes]:
    """The lines with their ends; the last one may have none. Lines end at LF only."""
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


def _work(old: list[bytes], new: list[bytes]) -> int:
    """How many pairs of equal lines a search may visit."""
    counts = Counter(new)
    return sum(times * counts[line] for line, times in Counter(old).items())


def _opcodes(old: list[bytes], new: list[bytes], head: int, sizes: tuple[int, int]) -> list[Opcode]:
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
    # No configuration, attributes or repository may have a say, so it runs in a folder of its own.
    own = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_ATTR_NOSYSTEM": "1"}
    options = ("--no-index", "--no-color", "--no-ext-diff", "--no-textconv", "--text", f"-U{_CONTEXT}")
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
    hunks = tuple(done.stdout[at + 1 :].removesuffix(b"\n").split(b"\n"))
    return Difference(
        hunks=hunks,
        added=sum(line.startswith(b"+") for line in hunks),
        removed=sum(line.startswith(b"-") for line in hunks),
    )
