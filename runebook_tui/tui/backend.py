"""Backend: what the screens need of the world, as a protocol. `memory.py` is the twin without a world."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from runebook_tui.core.calls import Call
from runebook_tui.core.events import Record
from runebook_tui.core.state import State
from runebook_tui.core.story import Story, WrittenLine
from runebook_tui.history.heads import FileHead
from runebook_tui.orchestrator.problems import Problem
from runebook_tui.settings import Notify


class BackendError(Exception):
    """What was asked for could not be done; the text is one line for people."""


@dataclass(frozen=True)
class Update:
    """The state after a change, and the records that made it, oldest first."""

    state: State
    records: tuple[Record, ...]
    engine_alive: bool
    away: tuple[str, ...] = ()
    """The other hosts of the plan of which no engine lives."""


@dataclass(frozen=True)
class Frame:
    """What a pane shows: rows of text with SGR sequences, and the cursor at (column, row) from 0."""

    lines: tuple[bytes, ...]
    cursor: tuple[int, int] | None = None
    history: int = 0
    """How many rows have scrolled out at the top and can be read by `Backend.rows`."""
    width: int = 0
    """The pane's columns; with another width the history is folded anew."""


@dataclass(frozen=True)
class Rows:
    """Some rows of a pane, the first of them with the number `first`, counted from the oldest row kept.

    `history` is as in `Frame`. The first row starts plain; styles then run on from row to row.
    """

    lines: tuple[bytes, ...]
    first: int = 0
    history: int = 0


@dataclass(frozen=True)
class Way:
    """How to go to a pane: the command, and whether it takes the terminal until the operator comes back."""

    argv: tuple[str, ...]
    takes_terminal: bool
    back: str
    """The key that comes back."""


@dataclass(frozen=True)
class PlanFile:
    """The plan's file as it is now: its text to the byte, and what is wrong with it."""

    text: str
    problems: tuple[Problem, ...]


class Backend(Protocol):
    """The engine, its log and its panes, seen from the screens."""

    root: Path
    """The repository."""

    def follow(self) -> AsyncIterator[Update]:
        """The whole state at once, with its newest records, then every change of it or of the engine.

        Goes on when the engine ends and when it is back.
        """
        ...

    async def send(self, do: str, **fields: object) -> dict[str, object]:
        """Ask the engine to do something; raises BackendError with its refusal.

        approve, reject {request, scope, reason, seen, means, plan}; reject {undo: True} answers with
        `undo`, `done`, `refused`, `patch` and `refused_patch`. With {requests} in the place of {request} the
        answer has what became of each in `requests`, and `refused`. preview {request, means} answers with
        `patch`, `plan` (the SHA-256 of the plan's text) and `words`. take-back; disown {request}; restart,
        stop {agent}; down; new-run; undo {request}; restore {undo}. amend-preview {edits} answers with
        `patch` and `before` (the SHA-256 of the plan's text), amend {edits or text, seen} does it.
        say {agents, text} answers with `said`, a list of {id, outcome, why}.
        answer {agent, question, answer}: yes or no to the question in those words.
        """
        ...

    async def seen(self, request: int) -> dict[str, str]:
        """The SHA-256 of what is now at each path of the request that it has not written; "" of nothing.

        Read before `diff` and `heads`, it is at most older than what they show.
        """
        ...

    async def diff(self, request: int) -> str:
        """The unified diff of everything that the request is about, bounded; "" when there is none yet.

        Of a stopped rename or link: what it would make of its target. Of a drift: first that of the contract.
        """
        ...

    async def heads(self, request: int) -> tuple[FileHead, ...]:
        """The first lines of the request's files as they are now, of those that `diff` does not show."""
        ...

    async def plan_file(self) -> PlanFile:
        """The plan's file as it is now. Raises BackendError where it cannot be read."""
        ...

    async def check(self, text: str) -> tuple[Problem, ...]:
        """What would be wrong with the plan's file if it held this text, errors first."""
        ...

    async def captures(self, agents: Sequence[str]) -> Mapping[str, Frame | BackendError]:
        """What the panes of the agents show now, asked for in one go; who has no pane is left out."""
        ...

    async def rows(self, agent: str, start: int, count: int) -> Rows:
        """`count` rows of the agent's pane from `start` on: 0 is the first on its screen, -1 the last above.

        What tmux has not kept is left out. Raises BackendError.
        """
        ...

    async def way(self, agent: str) -> Way:
        """How the operator's terminal goes to the agent's pane. Raises BackendError when it has none."""
        ...

    async def keep(self, text: str) -> None:
        """Put a copied text where tmux pastes from. Raises BackendError."""
        ...

    async def events(self, before: int | None, limit: int) -> tuple[Record, ...]:
        """At most `limit` records of the log older than `before` (None: the newest), newest first."""
        ...

    async def since(self, moment: float, types: Sequence[str]) -> tuple[Record, ...]:
        """The records of `types` after the moment (unix seconds), oldest first. Raises BackendError."""
        ...

    async def files(self) -> tuple[str, ...]:
        """The files of the repository's tree that git does not ignore, bounded. Raises BackendError."""
        ...

    async def touches(self, after: int) -> tuple[Record, ...]:
        """The newest `Touched` records after record `after`, bounded, oldest first. Raises BackendError."""
        ...

    async def story(self, path: str, claim: str | None) -> Story:
        """What is known of a file, which the plan's claim decides about. Raises BackendError."""
        ...

    async def lines(self, path: str) -> tuple[WrittenLine, ...]:
        """The lines of a file, each with who wrote it. Raises BackendError when they cannot be told."""
        ...

    async def remember(self, text: str) -> None:
        """Keep where the operator looks; "" forgets it. What cannot be kept is lost."""
        ...

    async def remembered(self) -> str:
        """What was kept last by a screen that did not forget it; "" while another screen is open."""
        ...

    async def call(self, found: Sequence[Call], notify: Notify) -> None:
        """Tell the operator of calls outside of the screen, by the means that `notify` names."""
        ...

    async def close(self) -> None:
        """Give back what the backend holds. Agents go on."""
        ...
