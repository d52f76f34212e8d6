"""Contracts as the engine reads them: in a thread, or where that may take long in a bounded process."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from runebook_tui.contracts.reader import Reading, is_quick, read
from runebook_tui.core.contract import Clause, Contract, InterfaceStub, wanted
from runebook_tui.core.printable import visible

READ_SECONDS = 60.0
"""How long the reading process may take on a loaded machine; its own limit is of processor time."""
_KILL_SECONDS = 5.0
_DRAIN_SECONDS = 2.0
_KEPT_BYTES = 8192
_LINES_SHOWN = 6
_SHOWN = 800


async def read_contract(root: Path, interface: InterfaceStub) -> tuple[str | None, Contract, str]:
    """SHA-256 of the interface's file below `root` (None without one), its contract, and what went wrong."""
    asked = tuple(wanted(interface))
    found = await asyncio.to_thread(read if is_quick(asked) else _read_apart, root, interface.path, asked)
    held = {(kind, what): lines for kind, what, lines in found.clauses}
    contract = tuple(Clause(kind=kind, wanted=what, lines=held.get((kind, what), ())) for kind, what in asked)
    return found.digest, contract, found.fault


def _read_apart(root: Path, path: str, asked: Sequence[tuple[str, str]]) -> Reading:
    """`read` in a process of its own: a hostile file or pattern does not make the engine wait for long."""
    question = json.dumps({"root": os.fspath(root), "path": path, "wanted": asked})
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "runebook_tui.contracts"],
            input=question.encode(),
            capture_output=True,
            timeout=READ_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Reading(None, (), f"{path} cannot be checked: {error}")
    if done.returncode != 0:
        words = done.stderr.decode("utf-8", "replace").strip().splitlines()
        why = f"signal {-done.returncode}" if done.returncode < 0 else words[-1] if words else "it failed"
        return Reading(None, (), f"{path} cannot be checked: its reader ended ({why})")
    answer = json.loads(done.stdout)
    clauses = tuple((kind, what, tuple(lines)) for kind, what, lines in answer["clauses"])
    return Reading(answer["digest"], clauses, answer["fault"])


async def run_check(main: Path, tree: Path, interface: InterfaceStub) -> str:
    """Run the interface's command as its owner in `tree`; how it failed, in one line, or ""."""
    if interface.command is None:
        return ""
    return await asyncio.to_thread(_checked, main, tree, interface)


def _checked(main: Path, tree: Path, interface: InterfaceStub) -> str:
    command = list(interface.command or ())
    shown = f"its check `{visible(shlex.join(command), 200)}`"
    # As its owner, under the gate: what it runs is the owner's own code.
    argv = [sys.executable, "-P", "-m", "runebook_tui", "exec", interface.owner, "--", *command]
    environment = {
        **os.environ,
        "RUNEBOOK_AGENT": interface.owner,
        "RUNEBOOK_ROOT": os.fspath(main),
    }
    try:
        process = subprocess.Popen(
            argv,
            cwd=tree,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        return f"{shown} could not be started: {error.strerror}"
    assert process.stdout is not None
    tail = _Tail(process.stdout)
    try:
        code = process.wait(interface.command_seconds)
        failed = "" if code == 0 else f"exit {code}" if code > 0 else f"signal {-code}"
    except subprocess.TimeoutExpired:
        _end(process)
        failed = f"it took longer than {interface.command_seconds:g} s"
    words = tail.words()
    return f"{shown} failed ({failed})" + (f": {words}" if words else "") if failed else ""


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process with its group."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_KILL_SECONDS)
            return


class _Tail:
    """Reads what a program prints, and keeps the end of it. A daemon may hold the pipe open for ever."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._kept = b""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with suppress(OSError, ValueError):
            while data := os.read(self._stream.fileno(), _KEPT_BYTES):
                self._kept = (self._kept + data)[-_KEPT_BYTES:]

    def words(self) -> str:
        """The last lines, as one."""
        self._thread.join(_DRAIN_SECONDS)
        lines = [line.strip() for line in self._kept.decode("utf-8", "replace").splitlines()]
        said = [line for line in lines if line][-_LINES_SHOWN:]
        return visible(" | ".join(said)[-_SHOWN:])
