"""Places: the file and line that an output names, if they are of the repository."""

from __future__ import annotations

import os
from pathlib import Path

from runebook_tui.core.secrets import without_secrets


def place_of(root: Path, folder: str, file: str, line: str = "") -> tuple[str, int | None]:
    """`file` as printed by a command that ran in `folder`, relative to the repository `root`, and its line.

    ("", None) where it is not below the repository or does not exist; nothing is read.
    """
    if not file or "\0" in file or without_secrets(file) != file:
        return "", None
    try:
        path = Path(os.path.normpath(root / folder / file))
        if not path.is_relative_to(root) or ".git" in path.parts or not path.is_file():
            return "", None
        if not path.resolve().is_relative_to(root.resolve()):
            return "", None
    except (OSError, ValueError):
        return "", None
    number = int(line) if line.isascii() and line.isdigit() and len(line) < 9 else None
    return path.relative_to(root).as_posix(), number
