"""A change of one file as text for people: a unified diff, or words where there is none."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from runebook_tui.core.secret_names import secret_named
from runebook_tui.core.types import Change, Version
from runebook_tui.history.differences import binary, compare


def patch(change: Change, before: bytes | None, after: bytes | None, *, limit: int) -> str:
    """`change` with the contents that are at hand, in at most about `limit` characters.

    Bytes that are not UTF-8 become lone surrogates, as in paths. Never raises for odd content.
    """
    lines = [f"--- {_side('a', change.path, change.before)}", f"+++ {_side('b', change.path, change.after)}"]
    lines += _body(change, before, after)
    return _bounded(lines, limit)


def _side(letter: str, path: str, version: Version) -> str:
    return "/dev/null" if version.kind == "absent" else quoted(f"{letter}/{path}")


def quoted(path: str) -> str:
    """`path` as git prints it: in quotes with octal escapes when it holds control characters, `"` or `\\`."""
    if not re.search(r'[\x00-\x1f\x7f"\\]', path):
        return path
    special = {"\n": "\\n", "\t": "\\t", '"': '\\"', "\\": "\\\\"}
    shown = (special.get(each, f"\\{ord(each):03o}") for each in path)
    plain = zip(path, shown, strict=True)
    return '"' + "".join(s if c < " " or c in '"\\\x7f' else c for c, s in plain) + '"'


def _body(change: Change, old: bytes | None, new: bytes | None) -> Iterator[str]:
    before, after = change.before, change.after
    if before.kind == after.kind == "file" and (before.mode ^ after.mode) & 0o111:
        yield f"mode {before.mode & 0o777:o} → {after.mode & 0o777:o}"
    if before.digest is not None and before.digest == after.digest and before.kind == after.kind:
        return
    if "symlink" in (before.kind, after.kind) or "other" in (before.kind, after.kind):
        yield f"{_described(before, old)} → {_described(after, new)}"
        return
    if secret_named(change.path):
        yield f"named like a secret: contents are not kept ({_size(before)} → {_size(after)})"
        return
    if before.kind == "absent":
        old = b""
    if after.kind == "absent":
        new = b""
    if old is None or new is None:
        yield from _missing(before, old, "before")
        yield from _missing(after, new, "after")
        yield f"contents cannot be compared ({_size(before)} → {_size(after)})"
        return
    if binary(old) or binary(new):
        yield f"binary ({_size(before)} → {_size(after)})"
        return
    found = compare(old, new)
    if found is None:
        yield f"too large to compare ({_size(before)} → {_size(after)})"
        return
    if not found.hunks:
        yield "an empty file"
    for line in found.hunks:
        yield line.decode("utf-8", "surrogateescape")


def _missing(version: Version, data: bytes | None, when: str) -> Iterator[str]:
    if data is not None:
        return
    if version.digest is None:
        yield f"what was in it {when} is not known"
    elif version.stored:
        yield f"what was in it {when} is no longer kept"
    else:
        yield f"what was in it {when} was not kept (too large)"


def _described(version: Version, data: bytes | None) -> str:
    if version.kind == "absent":
        return "nothing"
    if version.kind == "other":
        return "a folder, a special file or one that cannot be read"
    if version.kind == "file":
        return f"a file of {_size(version)}"
    target = "(target not kept)" if data is None else quoted(os.fsdecode(data))
    return f"symbolic link to {target}"


def _size(version: Version) -> str:
    if version.kind == "absent":
        return "nothing"
    if version.digest is None:
        return "unknown"
    return "1 byte" if version.size == 1 else f"{version.size:,} bytes"


def _bounded(lines: list[str], limit: int) -> str:
    shown: list[str] = []
    room = max(limit, 0)
    for index, line in enumerate(lines):
        if len(line) + 1 > room:
            if room > 1:
                shown.append(line[: room - 1])
            rest, more = len(lines) - index, sum(len(each) + 1 for each in lines[index:]) - room
            plural = "line" if rest == 1 else "lines"
            shown.append(f"… cut here: {more:,} more characters in {rest:,} {plural}")
            break
        shown.append(line)
        room -= len(line) + 1
    return "\n".join(shown) + "\n"
