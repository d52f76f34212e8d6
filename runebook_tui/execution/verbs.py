"""The verbs of the engine's socket: what each may be asked by whom, and what it answers.

An agent speaks for itself only; what decides is the operator's alone, and an attempt by anybody
else is refused and written down.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from runebook_tui.core import boundary
from runebook_tui.core import commands as c
from runebook_tui.core.away import policy_for
from runebook_tui.core.presence import Look
from runebook_tui.core.printable import visible
from runebook_tui.core.resuming import lost_agents
from runebook_tui.core.snoozing import Snooze
from runebook_tui.core.state import State
from runebook_tui.core.types import OPERATOR
from runebook_tui.execution import wire
from runebook_tui.execution.amending import Amending
from runebook_tui.execution.attempts import Attempts
from runebook_tui.execution.captured import Captured
from runebook_tui.execution.deciding import Deciding, request_words
from runebook_tui.execution.errands import Errands
from runebook_tui.execution.hooks import Hooks
from runebook_tui.execution.mailbox import Mailbox
from runebook_tui.execution.outputs import Outputs
from runebook_tui.execution.records import Records
from runebook_tui.execution.reports import Report
from runebook_tui.execution.routing import FORWARDED, routed
from runebook_tui.execution.saying import Saying
from runebook_tui.execution.server import Connection
from runebook_tui.execution.showing import Showing
from runebook_tui.execution.suggesting import Suggesting
from runebook_tui.execution.supervision import Supervision
from runebook_tui.execution.typist import Typist
from runebook_tui.execution.undoing import Undoing
from runebook_tui.execution.view import owner, view
from runebook_tui.history.versions import History
from runebook_tui.log.aside import Use
from runebook_tui.log.eventlog import EventLog
from runebook_tui.orchestrator.coordinator import Refused
from runebook_tui.tmux.panes import Panes

Answer = dict[str, Any]
Verb = Callable[[Connection, Answer], Awaitable[Answer]]

_NAMED_CHARACTERS = 64


class Host(Protocol):
    """What the verbs need of the runner."""

    root: Path
    host: str
    showing: Showing
    attempts: Attempts
    outputs: Outputs
    panes: Panes
    typist: Typist
    amending: Amending
    undoing: Undoing | None
    """Takes back and brings back; None until the engine observes the tree."""

    @property
    def state(self) -> State:
        """The state now."""

    @property
    def errands(self) -> Errands | None:
        """What has other hosts' engines do something; None where there are no others."""

    async def handle(self, command: c.Command, actor: str) -> object:
        """Carry out a command. Raises Refused, LogError."""

    async def report(self, report: Report, actor: str) -> None:
        """Have what a client says of itself recorded. Raises Refused, LogError."""

    async def changed(self, condition: Callable[[State], bool], seconds: float) -> bool:
        """Wait until `condition` holds of the state; False after `seconds`."""

    def shut_down(self) -> None:
        """End everything that was started, soon."""

    async def new_run(self) -> None:
        """Start over with the plan as it is in the file."""

    async def sweep(self) -> None:
        """Look at every tree now."""

    async def publish(self, agent: str, api: str, actor: str) -> None:
        """Publish an interface, its file and its command checked. Raises Refused, LogError."""

    async def remove_lane(self, agent: str) -> bool:
        """Remove the worktree of `agent`; whether its branch went too. Raises Refused."""

    def root_of(self, agent: str) -> Path:
        """The top of the tree in which `agent` works."""

    def history_of(self, agent: str) -> History:
        """The history of that tree."""


class Verbs:
    """Answers the engine's socket."""

    def __init__(self, host: Host, supervision: Supervision, log: EventLog, use: Use) -> None:
        self._host = host
        self._supervision = supervision
        self._mailbox = Mailbox(host)
        self._hooks = Hooks(host, supervision.holds, self._mailbox)
        self._anyone: Mapping[str, Verb] = {
            "hello": self._hello,
            "plan": self._plan,
            "view": self._view,
            "owner": self._owner,
            "exec": supervision.execute,
            "may-commit": self._may_commit,
            "wait-request": self._wait_request,
            **Records(host, log, use).verbs,
        }
        self._agents: Mapping[str, Verb] = {
            **supervision.verbs,
            **self._mailbox.verbs,
            **Suggesting(host).verbs,
            "ready": self._ready,
            "task-start": self._task,
            "task-done": self._task,
            "task-block": self._task,
            "publish": self._publish,
            "ask": self._ask,
            "acceptance": self._acceptance,
            "wait-finalize": self._wait_finalize,
            "settle": self._settle,
            "hook": self._hooks.hook,
            **Captured(host).verbs,
        }
        self._operator: Mapping[str, Verb] = {
            **Deciding(host).verbs,
            **host.amending.verbs,
            **host.showing.verbs,
            **Saying(host, self._hooks).verbs,
            "restart": self._restart,
            "resume": self._resume,
            "stop": self._stop,
            "snooze": self._snooze,
            "down": self._down,
            "new-run": self._new_run,
            "sweep": self._sweep,
            "looked": self._looked,
            "lane-remove": self._remove_lane,
        }

    def close(self) -> None:
        """Let go of what the verbs needed."""
        self._hooks.close()

    async def __call__(self, connection: Connection, message: Answer) -> Answer:
        """Answer one message. Raises Refused, WireError, LogError."""
        do = wire.text_field(message, "do", limit=64)
        speaker = connection.speaker if do != "hook" else await self._supervision.known_speaker(connection)
        verb = self._anyone.get(do) or self._agents.get(do) or self._operator.get(do)
        if verb is None:
            raise wire.WireError(f"there is no verb {do!r}")
        if speaker.name is None and do not in ("hello", "exec", "may-commit"):
            await self._host.attempts.note(f"pid {speaker.pid}", _attempted(message), speaker.why)
            raise Refused(f"refused: {speaker.why}")
        if do in self._operator and not speaker.is_operator:
            await self._host.attempts.note(str(speaker.name), _attempted(message), "only the operator may")
            raise Refused(f"only the operator may {do}; this process {speaker.why}")
        if not speaker.is_operator or do not in FORWARDED:
            return await verb(connection, message)
        host = self._host
        return await routed(host.state, host.host, host.errands, message, partial(verb, connection))

    async def visited(self, connection: Connection, message: Answer) -> Answer:
        """Answer the operator of another host. Raises as a call does."""
        do = wire.text_field(message, "do", limit=64)
        verb = (self._operator.get(do) or self._agents.get(do)) if do in FORWARDED else None
        if verb is None:
            raise Refused(f"the operator of another host may not {visible(do)} here")
        return await verb(connection, message)

    # ── anyone ──────────────────────────────────────────────────────────────────────────────────

    async def _hello(self, connection: Connection, message: Answer) -> Answer:
        state, you = self._host.state, connection.speaker.name
        spec = state.plan.agent(you or "")
        phase = None if spec is None else state.plan.phase(spec.phase)
        serves = spec is not None and (bool(spec.tasks) or (phase is not None and phase.continuous))
        return {
            "pid": os.getpid(),
            "run": state.run,
            "seq": state.seq,
            "you": you,
            "serves": serves,
            "host": self._host.host,
        }

    async def _plan(self, connection: Connection, message: Answer) -> Answer:
        return {"plan": self._host.state.plan.model_dump(mode="json")}

    async def _view(self, connection: Connection, message: Answer) -> Answer:
        return view(self._host.state, connection.speaker.agent)

    async def _owner(self, connection: Connection, message: Answer) -> Answer:
        path = repository_path(wire.text_field(message, "path"))
        return owner(self._host.state, connection.speaker.agent, path)

    async def _wait_request(self, connection: Connection, message: Answer) -> Answer:
        number = wire.number_field(message, "request")
        seconds = min(wire.seconds_field(message, "seconds", default=0.0), 86_400.0)
        if number not in self._host.state.requests:
            raise Refused(f"there is no request {number}")
        await self._host.changed(lambda state: not state.requests[number].open, seconds)
        request = self._host.state.requests[number]
        if connection.speaker.agent is not None and not request.open:
            await self._mailbox.decided(connection.speaker.agent, number)
        return request_words(request)

    async def _may_commit(self, connection: Connection, message: Answer) -> Answer:
        """What of `paths` the speaker's agent may not commit. A process that is not known is who it says."""
        claimed = wire.text_field(message, "agent", default="", limit=64) or None
        agent = connection.speaker.agent if connection.speaker.name is not None else claimed
        paths = wire.texts_field(message, "paths", limit=10_000)
        state = self._host.state
        reasons = {} if agent is None else {p: boundary.commit_refusal(state, agent, p) for p in paths}
        refused = [{"path": path, "reason": why} for path, why in reasons.items() if why is not None]
        if agent is not None and refused:
            more = f" and {len(refused) - 1} more" if len(refused) > 1 else ""
            await self._host.attempts.note(
                agent, f"commit {refused[0]['path']}{more}", str(refused[0]["reason"])
            )
        return {"agent": agent, "refused": refused}

    # ── agents ──────────────────────────────────────────────────────────────────────────────────

    async def _ready(self, connection: Connection, message: Answer) -> Answer:
        agent = connection.speaks_for(message.get("agent"))
        await self._host.handle(c.MarkReady(agent), agent)
        return {"agent": agent}

    async def _task(self, connection: Connection, message: Answer) -> Answer:
        task = wire.text_field(message, "task", limit=64)
        known = self._host.state.tasks.get(task)
        if known is None and connection.speaker.is_operator:
            raise Refused(f"the plan has no task {task!r}")
        agent = connection.speaks_for(message.get("agent"), None if known is None else known.agent)
        reason = wire.text_field(message, "reason", default="", limit=2000)
        commands: dict[str, c.Command] = {
            "task-start": c.StartTask(agent, task),
            "task-done": c.CompleteTask(agent, task, reason),
            "task-block": c.BlockTask(agent, task, reason),
        }
        command = commands[message["do"]]
        await self._host.handle(command, connection.speaker.name or agent)
        return {"agent": agent, "task": task, "status": self._host.state.tasks[task].status.value}

    async def _publish(self, connection: Connection, message: Answer) -> Answer:
        name = wire.text_field(message, "api", limit=128)
        interface = self._host.state.plan.interface(name)
        if interface is None and connection.speaker.is_operator:
            raise Refused(f"the plan has no interface {name!r}")
        agent = connection.speaks_for(message.get("agent"), None if interface is None else interface.owner)
        await self._host.publish(agent, name, connection.speaker.name or agent)
        api = self._host.state.apis.get(name)
        return {"api": name, "version": None if api is None else api.version}

    async def _ask(self, connection: Connection, message: Answer) -> Answer:
        agent = connection.speaks_for(message.get("agent"))
        paths = tuple(repository_path(path) for path in wire.texts_field(message, "paths", limit=100))
        if not paths:
            raise wire.WireError("say which path")
        reason = wire.text_field(message, "reason", default="", limit=2000)
        question = c.Ask(agent, paths, reason, connection.pid, always=message.get("always") is True)
        await self._host.handle(question, agent)
        request = None
        state = self._host.state
        if foreign := boundary.to_ask(state, replace(question, pid=None), state.time):
            request = boundary.open_question(state, agent, foreign)
        return {
            "request": None if request is None else request.id,
            "agent": agent,
            "hold_seconds": min(
                policy_for(state.plan.policy, path).hold_seconds for path in foreign or paths
            ),
        }

    async def _settle(self, connection: Connection, message: Answer) -> Answer:
        """Look at the whole tree now, so that all that was written is in the log."""
        agent = connection.speaks_for(message.get("agent"))
        if agent not in self._host.state.agents:
            raise Refused(f"the plan has no agent {agent!r}")
        await self._host.sweep()
        return {"agent": agent, "seq": self._host.state.seq}

    async def _acceptance(self, connection: Connection, message: Answer) -> Answer:
        agent = connection.speaks_for(message.get("agent"))
        report = c.ReportAcceptance(
            agent,
            wire.text_field(message, "check", limit=64),
            message.get("passed") is True,
            None if message.get("code") is None else wire.number_field(message, "code"),
            None if message.get("seconds") is None else wire.seconds_field(message, "seconds"),
            visible(wire.text_field(message, "commit", default="", limit=64)),
            visible(wire.text_field(message, "reason", default="", limit=500)),
        )
        await self._host.handle(report, agent)
        return {"check": report.check, "passed": report.passed}

    async def _wait_finalize(self, connection: Connection, message: Answer) -> Answer:
        agent = connection.speaks_for(message.get("agent"))
        seconds = min(wire.seconds_field(message, "seconds", default=86_400.0), 7 * 86_400.0)

        def told(state: State) -> bool:
            return agent not in state.agents or state.agents[agent].finalizing or state.outcome is not None

        return {"finalize": await self._host.changed(told, seconds)}

    # ── the operator ────────────────────────────────────────────────────────────────────────────

    async def _restart(self, connection: Connection, message: Answer) -> Answer:
        agent = wire.text_field(message, "agent", limit=64)
        await self._host.handle(c.RestartAgent(agent), OPERATOR)
        return {"agent": agent}

    async def _resume(self, connection: Connection, message: Answer) -> Answer:
        named = wire.texts_field(message, "agents")
        lost = [each.id for each in lost_agents(self._host.state) if not named or each.id in named]
        await self._host.handle(c.ResumeAgents(named), OPERATOR)
        agents = self._host.state.agents
        return {"agents": [{"id": each, "session": agents[each].resumes or None} for each in lost]}

    async def _stop(self, connection: Connection, message: Answer) -> Answer:
        agent = wire.text_field(message, "agent", limit=64)
        await self._host.handle(c.StopAgent(agent, "stopped by the operator"), OPERATOR)
        return {"agent": agent}

    async def _snooze(self, connection: Connection, message: Answer) -> Answer:
        agent = wire.text_field(message, "agent", limit=64)
        await self._host.handle(Snooze(agent), OPERATOR)
        return {"agent": agent, "until": self._host.state.agents[agent].snoozed_until}

    async def _down(self, connection: Connection, message: Answer) -> Answer:
        self._host.shut_down()
        return {"pid": os.getpid()}

    async def _new_run(self, connection: Connection, message: Answer) -> Answer:
        await self._host.new_run()
        return {"run": self._host.state.run}

    async def _remove_lane(self, connection: Connection, message: Answer) -> Answer:
        agent = wire.text_field(message, "agent", limit=64)
        return {"agent": agent, "branch_removed": await self._host.remove_lane(agent)}

    async def _looked(self, connection: Connection, message: Answer) -> Answer:
        """The operator opens the screen, or leaves it; since when it had been away."""
        await self._host.handle(Look(leaves=message.get("leaves") is True), OPERATOR)
        return {"away_since": self._host.state.away_since}

    async def _sweep(self, connection: Connection, message: Answer) -> Answer:
        await self._host.sweep()
        return {"seq": self._host.state.seq}


def _attempted(message: Answer) -> str:
    """What a message wants, short: "approve 4", "stop beta"."""
    about = next(
        (message[each] for each in ("request", "undo", "agent") if message.get(each) is not None), ""
    )
    return visible(f"{message['do']} {about}".strip(), _NAMED_CHARACTERS)


def repository_path(text: str) -> str:
    """A path of a message as a normal repository path. Raises Refused when it leaves the repository."""
    path = posixpath.normpath(text) if text else ""
    if not path or "\0" in text or path.startswith(("/", "../")) or path in ("..", "."):
        raise Refused(f"{text!r} is not a path inside the repository")
    return path
