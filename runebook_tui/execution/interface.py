"""An interface's file, read to see whether it holds what was promised."""

from __future__ import annotations

import hashlib
from pathlib import Path

from runebook_tui.core.types import InterfaceStub

_LIMIT = 16 * 1024 * 1024


def read_interface(root: Path, interface: InterfaceStub | None) -> tuple[str | None, tuple[str, ...]]:
    """SHA-256 of the interface's file (None: there is none inside the repository) and what it lacks."""
    if interface is None:
        return None, ()
    path = root / interface.path
    try:
        if not path.is_file() or not path.resolve().is_relative_to(root.resolve()):
            return None, ()
        with path.open("rb") as file:
            content = file.read(_LIMIT)
    except OSError:
        return None, ()
    text = content.decode("utf-8", "replace")
    missing = tuple(wanted for wanted in interface.must_contain if wanted not in text)
    return hashlib.sha256(content).hexdigest(), missing
