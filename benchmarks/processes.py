"""Processes that a round starts, none of which outlives it, at whatever moment it is interrupted."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Sequence
from types import FrameType
from typing import Any

_started: list[subprocess.Popen[bytes]] = []
_starting = False
_interrupted = False


def heed_signals() -> None:
    """Make INT, TERM and HUP end the round, though never between a process's start and its registration."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)


def start(command: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
    """`subprocess.Popen` in a session of its own; `end_all` knows the process from its first moment."""
    global _starting
    _starting = True
    try:
        process = subprocess.Popen(command, start_new_session=True, **options)
        _started.append(process)
    finally:
        _starting = False
    if _interrupted:
        raise KeyboardInterrupt
    return process


def end_all() -> None:
    """Kill and collect what is left."""
    while _started:
        process = _started.pop()
        process.kill()
        process.wait()


def _stop(number: int, frame: FrameType | None) -> None:
    global _interrupted
    _interrupted = True
    if not _starting:
        raise KeyboardInterrupt
