"""The command `surface`: what shows Runebook outside its screens, installed and taken out again."""

from __future__ import annotations

import os
import shutil
import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

from runebook_tui.cli import shapes
from runebook_tui.cli.agreement import agreed, somebody_there
from runebook_tui.cli.installing import content_of
from runebook_tui.cli.place import CommandError
from runebook_tui.core.printable import visible
from runebook_tui.surfaces.catalogue import SURFACES, Installed, placed, text_of
from runebook_tui.tmux.guest import Guest, default_socket


def surface(arguments: Namespace) -> int:
    """Carry out one step of the command."""
    if arguments.step in ("menu", "decide"):
        from runebook_tui.cli import popup

        return popup.menu(arguments) if arguments.step == "menu" else popup.decide(arguments)
    if arguments.step == "list":
        return _list(arguments)
    if os.environ.get("RUNEBOOK_AGENT"):
        raise CommandError("an agent's pane is no place to change the user's files from; ask the operator")
    if arguments.name not in SURFACES:
        raise CommandError(f"name a surface: {', '.join(SURFACES)}", 2)
    steps: dict[str, Callable[[Namespace, Installed], int]] = {"install": _install, "uninstall": _uninstall}
    return steps[arguments.step](arguments, _place(arguments.name))


def _place(name: str) -> Installed:
    config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return placed(SURFACES[name], Path.home(), config)


def _program() -> list[str]:
    return [sys.executable, "-P", "-m", "runebook_tui"]


def _list(arguments: Namespace) -> int:
    """List the surfaces, and which are installed."""
    shown = [_shape(_place(name)) for name in SURFACES]
    if arguments.json:
        print(shapes.dump(shown))
        return 0
    for each in shown:
        there = each["status"] if each["program"] else f"{each['status']} ({each['name']} is not here)"
        print(f"{each['name']:8} {there:28} {visible(each['file'])}")
    return 0


def _shape(place: Installed) -> dict[str, Any]:
    text = content_of(place.file)
    line = place.line in _lines(place.into)
    status = "not installed"
    if text is not None:
        current = text == text_of(place.surface, _program())
        status = ("installed" if line else "without its line") if current else "out of date"
    elif line:
        status = "without its file"
    return {
        "name": place.surface.name,
        "title": place.surface.title,
        "program": shutil.which(place.surface.program),
        "file": str(place.file),
        "into": str(place.into),
        "line": place.line,
        "status": status,
    }


def _install(arguments: Namespace, place: Installed) -> int:
    """Write the surface's own file, and add the line that loads it where that is agreed to."""
    _write(place.file, text_of(place.surface, _program()))
    done = place.line in _lines(place.into)
    if not done and _agreed(arguments, f"add this line to {place.into}?\n\n    {place.line}\n"):
        lines = _lines(place.into)
        lines.insert(0 if place.surface.first else len(lines), place.line)
        _write(place.into, "\n".join(lines) + "\n")
        done = True
    if arguments.json:
        print(shapes.dump(_shape(place)))
        return 0
    print(f"wrote {visible(str(place.file))}")
    if not done:
        where = " (at its top)" if place.surface.first else ""
        print(
            f"to load it, add this line to {visible(str(place.into))}{where}:\n\n    {visible(place.line)}\n"
        )
    print(f"`runebook-tui surface uninstall {place.surface.name}` takes it back")
    return 0


def _uninstall(arguments: Namespace, place: Installed) -> int:
    """Take line and file away, and what is shown just now."""
    lines = _lines(place.into)
    if place.line in lines:
        if not _agreed(arguments, f"take this line out of {place.into}?\n\n    {place.line}\n"):
            raise CommandError("nothing was changed; say --yes if its line is to be taken out")
        kept = [line for line in lines if line != place.line]
        if kept:
            _write(place.into, "\n".join(kept) + "\n")
        else:
            _write(place.into, "")
    place.file.unlink(missing_ok=True)
    for folder in (place.file.parent, place.file.parent.parent):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    if place.surface.name == "tmux":
        Guest(default_socket()).farewell()
    if arguments.json:
        print(shapes.dump(_shape(place)))
    else:
        print(f"nothing of Runebook is left in {visible(str(place.into))}")
    return 0


def _agreed(arguments: Namespace, question: str) -> bool:
    return bool(arguments.yes) or (not arguments.json and somebody_there() and agreed(question))


def _lines(file: Path) -> list[str]:
    text = content_of(file) or ""
    return text.removesuffix("\n").split("\n") if text else []


def _write(file: Path, text: str) -> None:
    """Write a file in one step, with the permissions that it has; a link to it stays one."""
    file = Path(os.path.realpath(file))
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f".{file.name}.runebook-new")
    fresh.write_bytes(text.encode())
    fresh.chmod(file.stat().st_mode & 0o777 if file.exists() else 0o600)
    os.replace(fresh, file)
