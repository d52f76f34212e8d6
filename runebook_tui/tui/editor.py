"""Editor: the operator's own, opened at a line, or on a private copy of a text."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePath

_USUAL = ("nano", "vim", "vi")
"""What is tried where neither VISUAL nor EDITOR says anything."""
_WITH_COLON = frozenset({"hx", "helix", "subl", "zed"})
"""Editors that take PATH:LINE."""
_WITH_OPTION = frozenset({"code", "codium", "code-insiders", "cursor"})
"""Editors that take it after `-g`; they open a window of their own."""


class EditorError(Exception):
    """No editor could be used; the text is one line for people."""


def editor_command(environment: Mapping[str, str]) -> list[str]:
    """The program and its arguments: VISUAL's, else EDITOR's, else a usual one. Raises EditorError."""
    said = environment.get("VISUAL") or environment.get("EDITOR") or ""
    try:
        command = shlex.split(said)
    except ValueError as error:
        raise EditorError(f"VISUAL or EDITOR cannot be read: {error}") from error
    if command:
        return command
    found = next((name for name in _USUAL if shutil.which(name)), None)
    if found is None:
        raise EditorError("no editor: set VISUAL or EDITOR")
    return [found]


def at_line(environment: Mapping[str, str], path: Path, line: int) -> list[str]:
    """The command that opens `path`, which is absolute, at a line. Raises EditorError.

    Editors that are not known take `+LINE PATH`, as vi does.
    """
    words = editor_command(environment)
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


def text_edited(text: str, name: str, environment: Mapping[str, str] = os.environ) -> str:
    """The text after the editor ends; the file that it opens is called `name`, in a folder of its own.

    Raises EditorError when the editor cannot be run, fails, or leaves no UTF-8 text.
    """
    command = editor_command(environment)
    with tempfile.TemporaryDirectory(prefix="runebook-") as folder:
        path = Path(folder) / name
        path.write_bytes(text.encode())
        try:
            done = subprocess.run([*command, os.fspath(path)], env=dict(environment), check=False)
            after = path.read_bytes().decode()
        except (OSError, ValueError) as error:
            raise EditorError(f"{command[0]}: {error}") from error
    if done.returncode:
        raise EditorError(f"{command[0]} ended with {done.returncode}: nothing is changed")
    return after
