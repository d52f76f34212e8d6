"""What event capture costs at each prompt: the same shell with Runebook's part in it and without."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import shutil
import termios
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from benchmarks.processes import start
from benchmarks.scratch import Scratch, texts, tree
from benchmarks.session import DEADLINE, PROGRAM, BenchmarkError, Session
from benchmarks.table import Table, milliseconds, percentile, ratio
from runebook_tui.execution.follow import open_log

FULL, QUICK = 200, 5

_AGENTS = ("seen", "unseen")
_PLAN = """
[[agents]]
id = "capture"
phase = "work"
builtin = "event-capture"
tasks = [{{ id = "capture-work" }}]
[[agents]]
id = "seen"
phase = "work"
command = ["sleep", "86400"]
gate = "observe"
env = {{ HOME = "{home}" }}
[[agents]]
id = "unseen"
phase = "work"
command = ["sleep", "86400"]
gate = "observe"
env = {{ HOME = "{home}" }}
capture = "off"
"""

# Each prompt shows a variable, which each command sets: no prompt is taken for the one before.
_SHELLS = {
    "bash": (".bashrc", "n=0 PS1='ready$n> '\n", "n={}\n"),
    "zsh": (".zshrc", "setopt promptsubst\nn=0 PS1='ready$n> '\n", "n={}\n"),
    "fish": (
        ".config/fish/config.fish",
        "set -g n 0\nset -g fish_greeting\nfunction fish_prompt\n printf 'ready%s> ' $n\nend\n",
        "set n {}\n",
    ),
}
_MARK = b"\x1b]133;A"
_COLUMNS = ("shell", "captured, ms", "not captured, ms", "longer by, ms", "captured")
_NOTE = (
    "p50 / p99 of {rounds} prompts each, in turn, from Enter to the next prompt, at a pseudo-terminal under "
    "the gate (observe); the last two columns compare the medians. What ran is in the log afterwards, of the "
    "captured shell alone."
)


class _Shell:
    """An interactive shell of an agent at a pseudo-terminal."""

    def __init__(self, session: Session, agent: str, shell: str) -> None:
        self._says = _SHELLS[shell][2]
        self._name = f"{shell} of {agent}"
        self._terminal, theirs = pty.openpty()
        self.printed = bytearray()
        try:
            self._process = start(
                [*PROGRAM, "exec", agent, "--", shell, "-i"],
                cwd=session.root,
                env={**os.environ, "TERM": "xterm"},
                stdin=theirs,
                stdout=theirs,
                stderr=theirs,
                preexec_fn=_take_terminal,
            )
        finally:
            os.close(theirs)
        self._until(b"ready0> ")

    def prompt(self, number: int) -> float:
        """Seconds from Enter to the prompt that shows `number`."""
        begun = time.perf_counter()
        os.write(self._terminal, self._says.format(number).encode())
        self._until(f"ready{number}> ".encode())
        return time.perf_counter() - begun

    def _until(self, text: bytes) -> None:
        deadline = time.monotonic() + DEADLINE
        begun = len(self.printed)
        while text not in self.printed[max(0, begun - len(text)) :]:
            if not select.select([self._terminal], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise BenchmarkError(f"{self._name} shows no prompt: {bytes(self.printed[-500:])!r}")
            try:
                self.printed += os.read(self._terminal, 65_536)
            except OSError as error:
                raise BenchmarkError(f"{self._name} has ended: {bytes(self.printed[-500:])!r}") from error

    def close(self) -> None:
        """Type `exit`, and read on until it is gone."""
        os.write(self._terminal, b"exit\n")
        with suppress(OSError):  # EIO: nobody has the other side open any more
            while select.select([self._terminal], [], [], DEADLINE)[0] and os.read(self._terminal, 65_536):
                continue
        os.close(self._terminal)
        self._process.wait(DEADLINE)


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def measure(folder: Path, rounds: int) -> Iterator[Table]:
    """The table of what a prompt takes."""
    shells = [name for name in _SHELLS if shutil.which(name) is not None]
    home = folder / "home"
    for name in shells:
        file, text, _ = _SHELLS[name]
        (home / file).parent.mkdir(parents=True, exist_ok=True)
        (home / file).write_text(text)
    # Else fish reads every page of the manual at its first start.
    (home / ".local/share/fish/generated_completions").mkdir(parents=True)
    scratch = Scratch(folder / "capture")
    try:
        scratch.commit({"main": texts(tree(200))})
        plan = scratch.root / "runebook.toml"
        plan.write_text(plan.read_text() + _PLAN.format(home=home))
        with Session(scratch) as session:
            rows = [_row(session, name, rounds) for name in shells]
    finally:
        scratch.remove()
    yield Table("A prompt in a captured shell", _COLUMNS, rows, _NOTE.format(rounds=rounds))


def _row(session: Session, name: str, rounds: int) -> tuple[str, ...]:
    shells = {agent: _Shell(session, agent, name) for agent in _AGENTS}
    taken: dict[str, list[float]] = {agent: [] for agent in _AGENTS}
    try:
        for number in range(1, rounds + 2):
            for agent in _AGENTS if number % 2 else reversed(_AGENTS):
                seconds = shells[agent].prompt(number)
                if number > 1:  # the first of each fills the caches
                    taken[agent].append(seconds)
        marked = [agent for agent, shell in shells.items() if _MARK in shell.printed]
    finally:
        for shell in shells.values():
            shell.close()
    if marked != ["seen"]:
        raise BenchmarkError(f"of {name} the shells that print marks are {marked}")
    if not session.log.until(lambda: _told(session, name) == {"seen": rounds + 1}, 10.0):
        raise BenchmarkError(f"of {name} the log has {_told(session, name)}, not {rounds + 1} commands")
    seen, unseen = (taken[agent] for agent in _AGENTS)
    ours, theirs = percentile(seen, 50), percentile(unseen, 50)
    longer = f"{(ours - theirs) * 1000:.2f}"
    return name, milliseconds(seen), milliseconds(unseen), longer, ratio(ours, theirs)


def _told(session: Session, shell: str) -> dict[str, int]:
    """How many commands of the shell are in the log, by agent."""
    found: dict[str, int] = {}
    with open_log(session.root) as log:
        for record in log.read(types=["CommandRan"]):
            event = record.event
            if event.type == "CommandRan" and event.client == shell:
                found[event.agent] = found.get(event.agent, 0) + 1
    return found
