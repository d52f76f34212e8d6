"""The operator's editor, opened at a line."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path, PurePath

_WITH_COLON = frozenset({"hx", "helix", "subl", "zed"})
"""Editors that take PATH:LINE."""
_WITH_OPTION = frozenset({"code", "codium", "code-insiders", "cursor"})
"""Editors that take it after `-g`; they open a window of their own."""


def editor_command(environment: Mapping[str, str], path: Path, line: int) -> list[str]:
    """The command that opens `path`, which is absolute, at a line; [] when there is no editor.

    The editor is VISUAL's, else EDITOR's, else vi. Those that are not known take `+LINE PATH`, as vi does.
    """
    named = environment.get("VISUAL") or environment.get("EDITOR") or shutil.which("vi") or ""
    try:
        words = shlex.split(named)
    except ValueError:
        words = []
    if not words:
        return []
    name = PurePath(words[0]).name
    if name in _WITH_OPTION:
        return [*words, "-g", f"{path}:{line}"]
    return [*words, f"{path}:{line}"] if name in _WITH_COLON else [*words, f"+{line}", str(path)]


def file_of(tree: Path, path: str) -> Path | None:
    """The file that a text of an agent's names, absolute; None when the tree does not hold it."""
    try:
        found = (tree / path).resolve()
        inside = found.is_relative_to(tree.resolve()) and found.is_file()
    except (OSError, ValueError, RuntimeError):
        return None
    return found if inside else None
