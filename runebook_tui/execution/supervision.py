"""Supervision: what the supervisors of the panes say on the engine's socket, and what they are told."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from runebook_tui.capture.environment import shell_environment
from runebook_tui.core import commands as c
from runebook_tui.core.capture import captures
from runebook_tui.core.names import host_words
from runebook_tui.core.printable import visible
from runebook_tui.core.state import State
from runebook_tui.core.types import OPERATOR, AgentSpec, GateMode
from runebook_tui.execution import wire
from runebook_tui.execution.attempts import Attempts
from runebook_tui.execution.contents import content_at
from runebook_tui.execution.folders import make_agents_folder
from runebook_tui.execution.holds import Holds, StoppedWrite
from runebook_tui.execution.machine import Machine
from runebook_tui.execution.outfit import Outfit, surroundings
from runebook_tui.execution.rulebook import Rulebook
from runebook_tui.execution.server import Connection
from runebook_tui.execution.speakers import Speaker
from runebook_tui.execution.vault import Vault
from runebook_tui.orchestrator.coordinator import Refused

Answer = dict[str, Any]
Verb = Callable[[Connection, Answer], Awaitable[Answer]]

FRONT_SECONDS = 8.0
KNOWN_SECONDS = 5.0
_ATTACH_SECONDS = 3.0
_ENVIRONMENT = {"GIT_OPTIONAL_LOCKS": "0"}
"""Added for every agent: one's `git status` takes no lock on which another's commit would fail (git(1))."""


class Host(Protocol):
    """What supervision needs of the runner."""

    root: Path
    host: str
    attempts: Attempts
    machine: Machine
    vault: Vault

    @property
    def state(self) -> State:
        """The state now."""

    @property
    def mine(self) -> State:
        """That of this host's agents and requests."""

    async def handle(self, command: c.Command, actor: str) -> object:
        """Carry out a command. Raises Refused, LogError."""

    async def handle_surely(self, command: c.Command) -> None:
        """Carry out what has happened already: when the log cannot take it, try until it can."""

    def recorded(self, agent: str, records: Sequence[Mapping[str, object]]) -> None:
        """Take what the gate of `agent` saw being written. Raises ValueError, TypeError."""

    def missed(self, agent: str) -> None:
        """Writes of `agent` went unrecorded."""

    def root_of(self, agent: str) -> Path:
        """The top of the tree in which `agent` works."""

    async def front_agent(self, pid: int, seconds: float) -> str | None:
        """The agent whose pane's first process is `pid`."""

    def supervise(self, pid: int, agent: str) -> None:
        """Remember that `pid` supervises `agent`."""

    async def outfit(self, spec: AgentSpec) -> Outfit:
        """What an agent runs, its client's files written. Raises Refused."""

    def program_ended(self, front: int, code: int | None, signal: int | None) -> None:
        """The program of the pane whose first process is `front` ended so."""


class Supervision:
    """Starts agents' commands under the gate, takes its records, and answers its questions."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._attached: dict[str, dict[int, Connection]] = {}
        self._arrival = asyncio.Event()
        self._silent: dict[str, float] = {}
        self._rulebook = Rulebook(host.root, lambda: host.machine)
        self.holds = Holds(
            host.handle_surely,
            lambda: host.mine,
            lambda agent, path: content_at(host.root_of(agent), path),
        )
        """The stopped writes that wait for the operator."""
        self.verbs: Mapping[str, Verb] = {
            "attach": self._attach,
            "writes": self._writes,
            "exited": self._exited,
            "held": self._held,
            "unheld": self._unheld,
            "refused": self._refused,
            "proved": self._proved,
        }

    def attached(self, agent: str) -> bool:
        """Whether a supervisor of `agent` is connected."""
        return bool(self._attached.get(agent))

    async def next_attached(self) -> None:
        """Wait until a supervisor connects."""
        self._arrival.clear()
        await self._arrival.wait()

    async def known_speaker(self, connection: Connection) -> Speaker:
        """Who speaks. One whose supervisor is not known gets some seconds: the engine has just begun."""
        with suppress(TimeoutError):
            async with asyncio.timeout(KNOWN_SECONDS):
                while connection.speaker.name is None:
                    await self.next_attached()
        return connection.speaker

    async def wait_attached(self, agents: Sequence[str]) -> None:
        """After a restart: their records of what was written meanwhile come before the first look."""

        def back() -> bool:
            return all(self.attached(agent) or not self._gated(agent) for agent in agents)

        try:
            async with asyncio.timeout(_ATTACH_SECONDS):
                while not back():
                    await self.next_attached()
        except TimeoutError:
            return

    async def report_silent(self) -> None:
        """Say so when an agent's gate ceased to report: its writes have no certain author any more."""
        now = time.monotonic()
        for agent in self._host.mine.live_agents():
            if self.attached(agent.id) or not self._gated(agent.id):
                self._silent.pop(agent.id, None)
            elif now - self._silent.setdefault(agent.id, now) > _ATTACH_SECONDS:
                reason = "its supervisor does not report"
                await self._host.handle_surely(c.ReportNet("gate", agent.id, False, reason))

    def _gated(self, agent: str) -> bool:
        return self._host.state.agents[agent].spec.gate is not GateMode.OFF

    async def end_forgotten(self) -> None:
        """After a restart, once the supervisors are back: no write waits that none of them knows of."""
        await self.holds.end_forgotten()

    def published(self, state: State) -> None:
        """Tell the supervisors what follows for them from a new state."""
        self.holds.published(state)
        if self._rulebook.changed(state):
            for agent, connections in self._attached.items():
                spec = state.plan.agent(agent)
                if spec is not None:
                    message = {"push": "rules", "rules": self._rulebook.of(state, spec)}
                    for connection in connections.values():
                        connection.push(message)

    def close(self) -> None:
        """Answer no stopped write any more."""
        self.holds.close()

    async def execute(self, connection: Connection, message: Answer) -> Answer:
        """What the front of a pane is to run, and by which rules."""
        agent = wire.text_field(message, "agent", limit=64)
        given = None if message.get("command") is None else wire.texts_field(message, "command", limit=10_000)
        state = self._host.state
        spec = state.plan.agent(agent)
        if spec is None:
            raise Refused(f"the plan has no agent {agent!r}")
        if spec.host != self._host.host:
            raise Refused(f"{agent} runs on {host_words(spec.host)}, this is {host_words(self._host.host)}")
        if given is None and await self._host.front_agent(connection.pid, FRONT_SECONDS) != agent:
            raise Refused(f"this is not the pane of {agent}: say what to run after `--`")
        speaker = connection.speaker
        if speaker.name not in (agent, OPERATOR):
            who = speaker.name or f"pid {speaker.pid}"
            await self._host.attempts.note(who, f"exec {agent}", speaker.why)
            raise Refused(f"only {agent} itself and the operator may run programs as {agent}")
        self._host.supervise(connection.pid, agent)
        with suppress(OSError):  # a full disk: the agent has no folder of its own, and runs
            make_agents_folder(self._host.root, agent)
        outfit = await self._host.outfit(spec) if given is None else Outfit(given)
        if not outfit.command:
            raise Refused("there is no command to run")
        given_env = self._host.vault.spec(spec).env
        mode, reason = self._host.machine.allows(spec.gate)
        root = self._host.root_of(agent)
        lanes = {"tree": agent, "main": str(self._host.root)} if root != self._host.root else {}
        return {
            "agent": agent,
            "command": list(outfit.command),
            "cwd": str(root / spec.cwd) if given is None else None,
            "env": {
                **_ENVIRONMENT,
                **given_env,
                **(shell_environment({**os.environ, **given_env}) if captures(state.plan, spec.id) else {}),
                **outfit.environment,
                **surroundings(self._host.root, agent),
            },
            "gate": mode.value,
            "reason": reason,
            "rules": self._rulebook.of(self._host.state, spec),
            "root": str(root),
            **lanes,
        }

    async def _attach(self, connection: Connection, message: Answer) -> Answer:
        agent = self._supervised(connection, message)
        self._host.supervise(connection.pid, agent)
        connection.settle()
        try:
            mode = GateMode(wire.text_field(message, "gate", default="off", limit=16))
        except ValueError as error:
            raise wire.WireError("field 'gate' is enforce, observe or off") from error
        spec = self._host.state.plan.agent(agent)
        default = "the plan says so" if spec is not None and spec.gate is mode else ""
        reason = wire.text_field(message, "reason", default="", limit=500) or default
        source = id(connection)
        self._attached.setdefault(agent, {})[source] = connection
        self._arrival.set()
        connection.on_close.append(lambda: self._detached(agent, source))
        if agent in self._host.state.agents:
            report = c.ReportNet(
                "gate", agent, mode is not GateMode.OFF, reason, mode, proven=message.get("proved") is True
            )
            await self._host.handle(report, agent)
        return {} if spec is None else {"rules": self._rulebook.of(self._host.state, spec)}

    def _detached(self, agent: str, source: int) -> None:
        self._attached[agent].pop(source, None)
        self.holds.lost(agent, source)

    async def _writes(self, connection: Connection, message: Answer) -> Answer:
        agent = self._supervised(connection, message)
        records = message.get("records")
        if not isinstance(records, list):
            raise wire.WireError("field 'records' must be a list")
        dropped = message.get("dropped", 0)
        if isinstance(dropped, int) and dropped > connection.dropped:
            connection.dropped = dropped
            self._host.missed(agent)
        try:
            self._host.recorded(agent, records)
        except (AttributeError, TypeError, ValueError) as error:
            raise wire.WireError(f"a write record cannot be read: {error}") from error
        connection.pause()
        return {}

    async def _exited(self, connection: Connection, message: Answer) -> Answer:
        code = wire.number_field(message, "status") if "status" in message else None
        number = wire.number_field(message, "signal") if "signal" in message else None
        self._host.program_ended(connection.pid, code, number)
        return {}

    async def _held(self, connection: Connection, message: Answer) -> Answer:
        agent = self._supervised(connection, message)
        try:
            write = StoppedWrite.from_message(agent, message)
        except ValueError as error:
            raise wire.WireError(str(error)) from error
        return await self.holds.take(write, id(connection), connection.push)

    async def _unheld(self, connection: Connection, message: Answer) -> Answer:
        agent = self._supervised(connection, message)
        reason = wire.text_field(message, "reason", default="its process has ended", limit=500)
        await self.holds.let_go(agent, id(connection), wire.number_field(message, "id"), reason)
        return {}

    async def _refused(self, connection: Connection, message: Answer) -> Answer:
        agent = self._supervised(connection, message)
        record = message.get("record")
        path = record.get("path") if isinstance(record, dict) else None
        doing = record.get("op") if isinstance(record, dict) else None
        doing = doing if doing in ("signal", "trace", "limit") else "write"
        attempt = f"{doing} {visible(str(path), 500)}" if path else "write a place that cannot be told"
        reason = wire.text_field(message, "reason", default="", limit=500)
        await self._host.attempts.note(agent, attempt, reason)
        return {}

    async def _proved(self, connection: Connection, message: Answer) -> Answer:
        agent = self._supervised(connection, message)
        known = self._host.state.agents.get(agent)
        if known is not None:
            report = c.ReportNet("gate", agent, True, known.gate, known.gate_mode, proven=True)
            await self._host.handle(report, agent)
        return {}

    def _supervised(self, connection: Connection, message: Answer) -> str:
        """The agent that a supervisor speaks for: no program under the filter may say what only it knows."""
        agent = connection.speaks_for(message.get("agent"))
        if not connection.unfiltered:
            raise Refused(f"only the supervisor of {agent} may say that")
        return agent
