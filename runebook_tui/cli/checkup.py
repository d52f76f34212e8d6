"""What this machine has of what Runebook needs: one finding for each thing."""

from __future__ import annotations

import asyncio
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from runebook_tui.core.types import GateMode
from runebook_tui.execution.machine import test_machine
from runebook_tui.tmux.server import TmuxError
from runebook_tui.tmux.server import check as check_tmux

_SECONDS = 5.0
_KILLABLE = (5, 19)
"""The oldest Linux on which a signal does not interrupt a stopped call."""
_PTRACE = 1 << 19
"""CAP_SYS_PTRACE, as a bit of CapEff in /proc/PID/status."""


@dataclass(frozen=True)
class Finding:
    """One thing: whether it is there, what there is, and what to do when it is not ("" for nothing)."""

    id: str
    status: Literal["ok", "less", "missing"]
    words: str
    advice: str = ""


def machine_findings() -> Iterator[Finding]:
    """What holds for the whole machine. Takes up to the twenty seconds of the gate's self-test."""
    yield Finding("python", "ok", f"{platform.python_version()}, {sys.executable}")
    yield _git()
    yield _tmux()
    yield _gate()
    yield _kernel()
    yield _ptrace()


def said(*command: str, cwd: Path | None = None) -> str | None:
    """What a program prints on one line; None when it is missing, fails or takes more than five seconds."""
    try:
        done = subprocess.run(
            command, cwd=cwd, capture_output=True, stdin=subprocess.DEVNULL, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return os.fsdecode(done.stdout).rstrip("\n") if done.returncode == 0 else None


def number_in(path: str) -> int | None:
    """The number in a file of the kernel's; None when there is none."""
    try:
        return int(Path(path).read_text("ascii"))
    except (OSError, ValueError):
        return None


def _git() -> Finding:
    version = said("git", "--version")
    if version is None:
        return Finding("git", "missing", "git cannot be run", "install git")
    return Finding("git", "ok", version.removeprefix("git version "))


def _tmux() -> Finding:
    try:
        check_tmux()
    except TmuxError as error:
        return Finding("tmux", "missing", str(error), "install tmux 3.2 or newer")
    program = shutil.which("tmux") or "tmux"
    return Finding("tmux", "ok", f"{(said(program, '-V') or '').removeprefix('tmux ')}, {program}")


def _gate() -> Finding:
    machine = asyncio.run(test_machine())
    if machine.mode is GateMode.ENFORCE:
        return Finding("gate", "ok", "enforces: a foreign write waits for you before it lands")
    does = {
        GateMode.OBSERVE: "observes: a foreign write lands and is named",
        GateMode.OFF: "off: who wrote what is not certain",
    }
    advice = "what the gate needs is in docs/gate.md; everything else works without it"
    why = f" ({machine.reason})" if machine.reason else ""
    return Finding("gate", "less", f"{does[machine.mode]}{why}", advice)


def _kernel() -> Finding:
    system, release = platform.system(), platform.release()
    if system != "Linux":
        return Finding("kernel", "less", f"{system} {release}", "the kernel gate needs Linux")
    found = re.match(r"(\d+)\.(\d+)", release)
    if found is None or (int(found[1]), int(found[2])) < _KILLABLE:
        advice = "Linux 5.19 or newer can hold a write without a signal breaking it off"
        return Finding("kernel", "less", f"Linux {release}, {platform.machine()}", advice)
    return Finding("kernel", "ok", f"Linux {release}, {platform.machine()}")


def _ptrace() -> Finding:
    scope = number_in("/proc/sys/kernel/yama/ptrace_scope")
    if scope is None:
        return Finding("ptrace", "ok", "not restricted by Yama")
    if scope >= 3 or (scope == 2 and not _may_trace()):
        advice = (
            "the gate cannot read paths: `sudo sysctl kernel.yama.ptrace_scope=1` (3 lasts until a reboot)"
        )
        return Finding("ptrace", "less", f"Yama's ptrace_scope is {scope}", advice)
    return Finding("ptrace", "ok", f"Yama's ptrace_scope is {scope}")


def _may_trace() -> bool:
    try:
        status = Path("/proc/self/status").read_text("ascii", "replace")
    except OSError:
        return False
    found = re.search(r"^CapEff:\s*([0-9a-f]+)$", status, re.MULTILINE)
    return found is not None and bool(int(found[1], 16) & _PTRACE)
