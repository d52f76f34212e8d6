"""Captured output, as files of the repository hold it: read whole where it is short, else both ends."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

MOST_OUTPUT = 256 * 1024
"""Characters of a command's output that are kept: its beginning and its end."""


class Output(NamedTuple):
    """What a command printed."""

    text: str
    cut: bool
    """Whether some of it is missing."""


def printed_in(root: Path, record: Mapping[str, Any]) -> Output | None:
    """What a command printed, from the file of the repository at `root` that its record names.

    Only captured output is read: files below `.runebook/agents/<id>/output/`.
    """
    name = str(record.get("output") or "")
    parts = name.split("/")
    if parts[:2] != [".runebook", "agents"] or parts[3:4] != ["output"] or ".." in parts:
        return None
    return output_in(root.joinpath(*parts[:4]), "/".join(parts[4:]))


def output_in(folder: Path, name: str) -> Output | None:
    """The file `name` below `folder`, its beginning and end; None where there is no such file.

    Nothing outside of `folder` is read, and no link is followed out of it.
    """
    try:
        path = (folder / name).resolve(strict=True)
        if not path.is_relative_to(folder.resolve()) or not path.is_file():
            return None
        with path.open("rb") as file:
            whole = file.seek(0, 2)
            file.seek(0)
            if whole <= MOST_OUTPUT:
                return Output(file.read(MOST_OUTPUT).decode("utf-8", "replace"), cut=False)
            head = file.read(MOST_OUTPUT // 2)
            file.seek(whole - MOST_OUTPUT // 2)
            kept = head + b"\n[...]\n" + file.read(MOST_OUTPUT // 2)
    except (OSError, ValueError):
        return None
    return Output(kept.decode("utf-8", "replace"), cut=True)
