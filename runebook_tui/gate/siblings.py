"""Temporary siblings: the file that an editor writes beside another one and then renames onto it.

Names are file names without folders. Sources of the habits: sed(1) -i, vim's `backup` and `swapfile`,
mkstemp(3), rsync(1), GNU patch, emacs' auto-save and locks, and what coding agents do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

# After the other file's own name; with the first kind that one need not exist yet.
_UNFINISHED = re.compile(r"\.tmp(?:[.\-_]?[0-9][0-9a-z]*(?:[.\-_][0-9a-zA-Z]+)*)?")
_STAMPED = re.compile(r"(.+?)(?:\.[0-9]+)?\.[0-9a-f]{12}\.tmp")  # Qwen Code 0.24: six random bytes
_BESIDE = re.compile(
    r"#|~(?:[0-9]+~)?|\.~[0-9]+~|\.sw[a-z]x?|\.(?:bak|orig|rej|old|new|save|lock|part)"
    r"|\.(?:tmp|temp)[.\-_].+|\.temp|\.[A-Za-z0-9]{6,12}"
)
_LEADING = re.compile(r"(?:\.#|\.~|[.#~])")
_MAKERS = re.compile(r"(?:sed|tmp|\.?tmp[._-]?|perl|po|pr)[A-Za-z0-9_]{6,12}\Z|4913\Z")
_RANDOM = re.compile(r"(?=.*[0-9])(?=.*[A-Z])(?=.*[a-z])[A-Za-z0-9]{6,12}\Z|XX[A-Za-z0-9]{6}\Z")


def named_for(name: str, exists: Callable[[str], bool]) -> str | None:
    """The file that the new `name` is named for ("pay.py" for ".pay.py.swp"), or None."""
    stamped = _STAMPED.fullmatch(name)
    if stamped:
        return stamped[1]
    body = _LEADING.sub("", name, count=1) if _LEADING.match(name) else name
    for start in dict.fromkeys((name, body)):
        for at in range(len(start) - 1, 0, -1):
            rest = start[at:]
            if _UNFINISHED.fullmatch(rest):
                return start[:at]
            if _BESIDE.fullmatch(rest) and exists(start[:at]):
                return start[:at]
    return body if body != name and body and exists(body) else None


def nameless(name: str) -> bool:
    """Whether a program made the name up, as mkstemp does: it says nothing of the file that it is for."""
    return bool(_MAKERS.match(name) or _RANDOM.match(name))


def named_in(arguments: Iterable[str], exists: Callable[[str], bool]) -> str | None:
    """The one existing sibling that the arguments of a program name; None for none or several."""
    names = {word.rstrip("/").rpartition("/")[2] for word in arguments}
    found = [name for name in names if name not in ("", ".", "..") and exists(name)]
    return found[0] if len(found) == 1 else None
