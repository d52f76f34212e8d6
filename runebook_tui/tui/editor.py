"""Editor: the operator's own editor on a private copy of a text, while the program is set aside."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

_USUAL = ("nano", "vim", "vi")
"""What is tried where neither VISUAL nor EDITOR says anything."""


class EditorError(Exception):
    """No editor could be used; the text is one line for people."""


def editor_command(environment: Mapping[str, str]) -> list[str]:
    """The program and its arguments. Raises EditorError."""
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
