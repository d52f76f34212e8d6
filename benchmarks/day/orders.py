"""Orders: what each agent's shell is told to write and to print, by a FIFO of its own.

A shell of builtins is the cheapest program that a real pane can hold: it starts nothing for an own file and
one process of its own for a foreign one, as an agent's tool is.
"""

from __future__ import annotations

import contextlib
import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

WRITES, REQUESTS, LINES = 40, 1, 600
"""What an agent does in an hour of its day: own writes, foreign ones, and rows that it prints."""
OWN_FILES, FOREIGN_FILES = 20, 200
FOREIGN = "beta"
"""The agent whose files all others write now and then."""

SCRIPT = """\
while read -r do path text; do
  case $do in
    own) printf '%s\\n' "$text" > "$path" ;;
    foreign) (printf '%s\\n' "$text" > "$path") ;;
    print) printf '%s %s\\n' "$path" "$text" ;;
  esac
done < "$1"
"""


@dataclass(frozen=True)
class Order:
    """One line for one agent's shell."""

    agent: str
    line: str


class Course:
    """Which orders are due when `hours` of a day are told in `seconds`; `seed` gives another course."""

    def __init__(self, agents: Sequence[str], hours: float, seconds: float, seed: int) -> None:
        self._agents = agents
        self._seconds = seconds
        self._random = random.Random(seed)
        self._given = dict.fromkeys(("own", "foreign", "print"), 0)
        every = len(agents) * hours / seconds
        self._rates = {"own": WRITES * every, "foreign": REQUESTS * every, "print": LINES * every}

    @property
    def given(self) -> dict[str, int]:
        """How many orders were given, by kind."""
        return dict(self._given)

    def due(self, now: float) -> Iterator[Order]:
        """The orders until `now` (seconds since the beginning) not given yet; none after the day."""
        now = min(now, self._seconds)
        for kind, rate in self._rates.items():
            while self._given[kind] < round(rate * now):
                self._given[kind] += 1
                number = self._given[kind]
                agent = self._agents[number % len(self._agents)]
                yield Order(agent, self._line(kind, agent, number))

    def _line(self, kind: str, agent: str, number: int) -> str:
        words = " ".join(f"{self._random.getrandbits(40):010x}" for _ in range(6))
        if kind == "print":
            return f"print {agent} {number} {words}"
        files = FOREIGN_FILES if kind == "foreign" else OWN_FILES
        owner = FOREIGN if kind == "foreign" else agent
        return f"{kind} {owner}/f{self._random.randrange(files)} {number} {words}"


class Desk:
    """The FIFOs; a shell that waits for an answer reads what it was told meanwhile later, or never."""

    def __init__(self, folder: Path, agents: Sequence[str]) -> None:
        folder.mkdir()
        self.dropped = 0
        """Orders for which there was no room."""
        self.paths = {agent: folder / agent for agent in agents}
        self._ends: dict[str, int] = {}
        for agent, path in self.paths.items():
            os.mkfifo(path)
            self._ends[agent] = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def give(self, order: Order) -> None:
        """Tell it the agent's shell, unless that has too much to do already."""
        try:
            os.write(
                self._ends[order.agent], f"{order.line}\n".encode()
            )  # less than PIPE_BUF: all or nothing
        except BlockingIOError:
            self.dropped += 1

    def close(self) -> None:
        """The shells read their FIFO's end."""
        for end in self._ends.values():
            with contextlib.suppress(OSError):
                os.close(end)
