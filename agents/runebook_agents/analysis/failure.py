"""Failures: a command that failed, with what it printed, as the log tells it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

MOST_BYTES = 64 * 1024
"""So much of an output is looked at: its first quarter and its last three."""

_ESCAPES = re.compile(
    r"\x1b(?:\[[0-9;:?]{0,32}[ -/]{0,4}[@-~]|\][^\x07\x1b]{0,512}(?:\x07|\x1b\\)|[@-Z\\-_])"
)
TYPES = ("CommandRan", "AgentExited", "AcceptanceRan")
"""The records that may be about a failed command."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A command that failed, or a write that was refused."""

    seq: int
    """The number of its record."""
    agent: str
    command: str
    output: str
    code: int | None
    folder: str = "."
    """Where it ran, relative to the repository, or absolute."""
    seconds: float | None = None
    time: float = 0.0
    """Unix seconds."""

    @property
    def key(self) -> tuple[str, str, str]:
        """The same for the same command of the same agent in the same folder."""
        return self.agent, self.folder, self.command


def failure_of(record: Mapping[str, Any], root: Path) -> Failure | None:
    """The failure that `record` is about, its output read from below `root`; None when it is about none."""
    seq, time = int(record["seq"]), float(record["time"])
    code = record.get("code")
    match record.get("type"):
        case "CommandRan" if record.get("failed") or code:
            said, error = stored_output(root, str(record.get("output") or "")), str(record.get("error") or "")
            text = plain(said if error in said else f"{said}\n{error}")
            folder = str(record.get("folder") or ".")
            seconds = record.get("seconds")
            return Failure(
                seq, str(record["agent"]), str(record["command"]), text, code, folder, seconds, time
            )
        case "AgentExited" if code or record.get("signal"):
            signal = record.get("signal")
            text = plain("\n".join(map(str, record.get("last_lines") or ())))
            ended = 128 + int(signal) if signal else code
            return Failure(seq, str(record["agent"]), "", text, ended, time=time)
        case "AcceptanceRan" if not record.get("passed"):
            text = plain(str(record.get("reason") or ""))
            name = str(record.get("command") or record.get("check") or "")
            return Failure(
                seq, str(record["agent"]), name, text, code, seconds=record.get("seconds"), time=time
            )
        case _:
            return None


def plain(text: str) -> str:
    """`text` without a terminal's escape sequences and with a line's end for each carriage return."""
    return _ESCAPES.sub("", text).replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def stored_output(root: Path, name: str) -> str:
    """The text of a stored output: below `.runebook/agents/` only, at most MOST_BYTES of it; "" when gone."""
    path = PurePosixPath(name)
    if path.parts[:2] != (".runebook", "agents") or ".." in path.parts:
        return ""
    try:
        descriptor = os.open(root / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return ""
    with open(descriptor, "rb") as file:
        size = os.fstat(descriptor).st_size
        if size <= MOST_BYTES:
            content = file.read(MOST_BYTES)
        else:
            content = file.read(MOST_BYTES // 4)
            file.seek(size - MOST_BYTES * 3 // 4)
            content += b"\n" + file.read(MOST_BYTES * 3 // 4)
    return content.decode("utf-8", "replace")
