"""Captured: what the shells of the panes say that ran, by their relays (capture/relay.py)."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from runebook_tui.core import commands as c
from runebook_tui.core.activity import CommandSource
from runebook_tui.core.capture import MOST_VARIABLES, captures
from runebook_tui.core.printable import visible
from runebook_tui.core.state import State
from runebook_tui.execution import wire
from runebook_tui.execution.server import Connection

Answer = dict[str, Any]
Verb = Callable[[Connection, Answer], Awaitable[Answer]]

_MOST_COMMAND = 100_000
_MOST_NAME = 128
_MOST_SECONDS = 1e12


class Host(Protocol):
    """What this needs of the runner."""

    root: Path

    @property
    def state(self) -> State:
        """The state now."""

    async def handle(self, command: c.Command, actor: str) -> object:
        """Carry out a command. Raises Refused, LogError."""

    async def output_of(self, agent: str, mark: str) -> str:
        """The file that holds what the pane of `agent` printed between a command's marks; "" for none."""


class Captured:
    """Answers the verb `captured`; `wanted` in an answer says whether the plan wants to hear more."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.verbs: Mapping[str, Verb] = {"captured": self._captured}

    async def _captured(self, connection: Connection, message: Answer) -> Answer:
        agent = connection.speaks_for(message.get("agent") or None)
        if not captures(self._host.state.plan, agent) or agent not in self._host.state.agents:
            return {"wanted": False}
        shell = visible(wire.text_field(message, "shell", limit=32), 32)
        session = visible(wire.text_field(message, "session", limit=32), 32)
        folder = self._folder(wire.text_field(message, "folder", default="", limit=65_536))
        match wire.text_field(message, "what", limit=16):
            case "command":
                await self._ran(agent, shell, session, folder, message)
            case "begin":
                await self._host.handle(c.ReportShell(agent, shell, session, folder), agent)
            case "end":
                await self._host.handle(c.ReportShell(agent, shell, session, folder, ended=True), agent)
            case other:
                raise wire.WireError(f"field 'what' must be command, begin or end, not {other!r}")
        return {"wanted": True}

    async def _ran(self, agent: str, shell: str, session: str, folder: str, message: Answer) -> None:
        started, ended = _time(message, "started"), _time(message, "ended")
        code = message.get("code")
        number = wire.text_field(message, "number", default="", limit=20)
        output = await self._host.output_of(agent, f"{session}.{number}")
        await self._host.handle(
            c.ReportCommand(
                agent=agent,
                client=shell,
                command=wire.text_field(message, "command", limit=_MOST_COMMAND),
                code=code if type(code) is int else None,
                seconds=None if started is None or ended is None else round(max(ended - started, 0.0), 3),
                session=session,
                source=CommandSource.SHELL,
                folder=folder,
                started=started,
                ended=ended,
                environment=_environment(message),
                output=output,
            ),
            agent,
        )

    def _folder(self, named: str) -> str:
        """A folder relative to the repository, or absolute outside of it."""
        path, root = posixpath.normpath(named) if named else "", os.fspath(self._host.root)
        if path == root:
            return "."
        return visible(path.removeprefix(root + "/"), 4096)


def _time(message: Answer, name: str) -> float | None:
    """A field in unix seconds. Raises WireError."""
    value = message.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _MOST_SECONDS:
        raise wire.WireError(f"field {name!r} must be unix seconds")
    return float(value)


def _environment(message: Answer) -> dict[str, str | None]:
    """The variables that changed. Raises WireError."""
    value = message.get("environment", {})
    if not isinstance(value, dict) or not all(isinstance(each, str | None) for each in value.values()):
        raise wire.WireError("field 'environment' must hold texts and nulls")
    return {visible(name, _MOST_NAME): text for name, text in sorted(value.items())[:MOST_VARIABLES]}
