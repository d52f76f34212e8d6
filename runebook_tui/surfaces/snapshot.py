"""The snapshot's file, `.runebook/surface.json`: written in one step, read without asking anybody.

Each field of the object stands on a line of its own, so that a shell finds the first ones without
knowing JSON. All of it is ASCII.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runebook_tui.place import state_folder

FILE_NAME = "surface.json"
_MOST_BYTES = 1 << 20


def path_of(root: Path) -> Path:
    """Where the snapshot of the repository at `root` lies."""
    return state_folder(root) / FILE_NAME


def text_of(snapshot: Mapping[str, Any]) -> str:
    """The snapshot as its file holds it."""
    fields = (
        f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=True)}" for name, value in snapshot.items()
    )
    return "{\n" + ",\n".join(fields) + "\n}\n"


def write(root: Path, text: str) -> None:
    """Put the snapshot in place, whole or not at all. Raises OSError."""
    file = path_of(root)
    fresh = file.with_suffix(".new")
    with open(fresh, "w", encoding="ascii", opener=_private) as opened:
        opened.write(text)
    os.replace(fresh, file)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


def read(root: Path) -> dict[str, Any] | None:
    """What the snapshot says; None where there is none, or where it holds something else."""
    try:
        with path_of(root).open("rb") as opened:
            data = opened.read(_MOST_BYTES + 1)
        found = json.loads(data) if len(data) <= _MOST_BYTES else None
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def remove(root: Path) -> None:
    """Take the snapshot away, where there is one: no engine keeps it true any more. Raises OSError."""
    path_of(root).unlink(missing_ok=True)
