"""Choices: what a person chose on a screen, kept for the next session. Standard library only.

The file is `$XDG_STATE_HOME/runebook/choices.json`; settings come before it, and nothing depends on it.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

_MOST_BYTES = 64 * 1024


def choices_path(environment: Mapping[str, str] = os.environ) -> Path:
    """Where the file is, whether or not there is one."""
    base = environment.get("XDG_STATE_HOME", "")
    home = Path(environment.get("HOME") or Path.home())
    return (Path(base) if base.startswith("/") else home / ".local" / "state") / "runebook" / "choices.json"


def chosen(name: str, path: Path | None = None) -> str:
    """What was chosen for `name`; "" where nothing was, or the file cannot be read."""
    return _read(choices_path() if path is None else path).get(name, "")


def choose(name: str, value: str, path: Path | None = None) -> None:
    """Keep a choice; where that is not possible it counts for this session only."""
    file = choices_path() if path is None else path
    known = _read(file)
    if known.get(name, "") == value:
        return
    with suppress(OSError):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False) as written:
            json.dump({**known, name: value}, written)
        Path(written.name).replace(file)


def _read(file: Path) -> dict[str, str]:
    try:
        with file.open("rb") as opened:
            known = json.loads(opened.read(_MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    pairs = known.items() if isinstance(known, dict) else ()
    return {key: value for key, value in pairs if isinstance(value, str)}
