"""Hooks: what the hooks of agents' clients say on the engine's socket, and what their clients are told."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from collections.abc import Mapping
from typing import Any

from runebook_tui.core import commands as c
from runebook_tui.core.activity import Activity
from runebook_tui.core.printable import visible
from runebook_tui.execution import wire
from runebook_tui.execution.doorbell import Doorbell, Host, Ring
from runebook_tui.execution.holds import Holds
from runebook_tui.execution.mailbox import Mailbox
from runebook_tui.execution.questions import Questions
from runebook_tui.execution.server import Connection
from runebook_tui.hooks.event import HookError, HookEvent, Kind
from runebook_tui.hooks.reading import guessed_kind, read
from runebook_tui.hooks.replies import NO_OPINION, TITLES, Reply, allowance, denial, hears, told

Answer = dict[str, Any]

_ACTIVITY: Mapping[Kind, Activity] = {
    Kind.SESSION_START: Activity.IDLE,
    Kind.PROMPT: Activity.WORKING,
    Kind.BEFORE_TOOL: Activity.WORKING,
    Kind.AFTER_TOOL: Activity.WORKING,
    Kind.SUBAGENT: Activity.WORKING,
    Kind.STOP: Activity.IDLE,
    Kind.SESSION_END: Activity.DONE,
}
_BEGINS = (Kind.SESSION_START, Kind.PROMPT)
_ENDS = (Kind.STOP, Kind.SESSION_END)
_MOST_CALLS = 4096
_MOST_ABOUT = 200


class _Use:
    """Tokens and cost of an agent's model, each answer counted once."""

    def __init__(self) -> None:
        self.tokens: int | None = None
        self.cost: float | None = None
        self._answers: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def add(self, answer: str, tokens: int | None, cost: float | None) -> None:
        """Count an answer of the model; one of the same name that was told of before counts as it is now."""
        before_tokens, before_cost = self._answers.pop(answer, (0, 0.0)) if answer else (0, 0.0)
        if tokens is not None:
            self.tokens = (self.tokens or 0) + tokens - before_tokens
        if cost is not None:
            self.cost = (self.cost or 0.0) + cost - before_cost
        if answer:
            self._answers[answer] = (tokens or before_tokens, cost or before_cost)
            if len(self._answers) > _MOST_CALLS:
                self._answers.popitem(last=False)


class Hooks:
    """Answers the verb `hook`."""

    def __init__(self, host: Host, holds: Holds, mailbox: Mailbox) -> None:
        self._host = host
        self._mailbox = mailbox
        self._doorbell = Doorbell(host, holds)
        self.questions = Questions()
        self._begun: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._use: dict[str, _Use] = {}
        self._parts: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._prompts: Counter[str] = Counter()

    def close(self) -> None:
        """Let go of what was needed."""
        self._doorbell.close()

    def prompts(self, agent: str) -> int:
        """How often the client of `agent` has said that it was given a prompt, since the engine began."""
        return self._prompts[agent]

    async def hook(self, connection: Connection, message: Answer) -> Answer:
        """One run of a hook: its client's payload, and what the client is to be told."""
        agent = connection.speaks_for(message.get("agent") or None)
        client = wire.text_field(message, "client", limit=32)
        payload = wire.text_field(message, "payload", limit=wire.MAX_LINE)
        name = wire.text_field(message, "event", default="", limit=80)
        folder = wire.text_field(message, "cwd", default="", limit=65_536)
        try:
            if client not in TITLES:
                raise HookError(f"there is no client {client!r} whose hook is known")
            event = read(payload, name)
            reply = await self._answered(agent, client, event, event.cwd or folder, connection)
        except HookError as error:
            reply = denial(client, guessed_kind(payload, name), f"Runebook: not done, because {error}")
        return {"stdout": reply.stdout, "stderr": reply.stderr, "status": reply.status}

    async def _answered(
        self, agent: str, client: str, event: HookEvent, cwd: str, connection: Connection
    ) -> Reply:
        known = self._host.state.agents.get(agent)
        if known is not None and known.hook != TITLES[client]:
            await self._host.report(c.ReportNet("hook", agent, True, TITLES[client]), agent)
        self.questions.heard(agent, event)
        if event.kind is Kind.PROMPT and not self._is_part(agent, event):
            self._prompts[agent] += 1
        if event.kind is Kind.MODEL:
            self._use.setdefault(agent, _Use()).add(event.call, event.tokens, event.cost)
        reply = NO_OPINION
        if event.kind.asks:
            await self._report(agent, client, event, Activity.WORKING)
            reply = await self._doorbell.answer(Ring(agent, client, event, cwd, connection.hung_up))
            if event.kind is Kind.PERMISSION and reply == NO_OPINION:
                reply = await self._asked(agent, client, event, connection)
            self._begin(agent, event)
        elif event.kind is Kind.NOTICE:
            if event.waiting:
                await self._report(agent, client, event, Activity.WAITING, event.words)
        elif event.kind in _ACTIVITY and not (self._is_part(agent, event) and event.kind in _ENDS):
            await self._report(agent, client, event, _activity(event), event.words)
        if event.kind is Kind.AFTER_TOOL:
            await self._doorbell.ran(agent, event)
            await self._ran(agent, client, event)
        if reply == NO_OPINION and hears(client, event) and not self._is_part(agent, event):
            words = await self._mailbox.take(agent, "hook")
            return told(client, event, words) if words else reply
        return reply

    async def _asked(self, agent: str, client: str, event: HookEvent, connection: Connection) -> Reply:
        """The client asks its user: the answer that the operator gives by Runebook, if any."""
        words = visible(f"may {event.tool} run? {_matter(event)}".strip(), _MOST_ABOUT)
        await self._report(agent, client, event, Activity.WAITING, self.questions.first(agent) or words)
        if not self.questions.waits(client, event):
            return NO_OPINION
        end = await self.questions.wait(agent, event, words, client, connection.hung_up)
        following = self.questions.first(agent)
        if following is not None:
            await self._report(agent, client, event, Activity.WAITING, following)
        elif end == "left":  # whoever says no in the pane ends the turn, and no hook tells of it
            await self._report(agent, client, event, Activity.IDLE)
        if end == "yes":
            return allowance(client, event.kind, "the operator said yes")
        return denial(client, event.kind, "Runebook: the operator said no") if end == "no" else NO_OPINION

    def _is_part(self, agent: str, event: HookEvent) -> bool:
        """Whether this is about a session that the client began for a part of the work (opencode does)."""
        if event.kind is Kind.SUBAGENT and event.name == "session.created" and event.session:
            self._parts[agent, event.session] = None
            if len(self._parts) > _MOST_CALLS:
                self._parts.popitem(last=False)
        return (agent, event.session) in self._parts

    async def _report(
        self, agent: str, client: str, event: HookEvent, activity: Activity, about: str = ""
    ) -> None:
        waiting = self.questions.first(agent) if activity is Activity.WORKING else None
        if waiting is not None:  # a part of it goes on, but the question stays open
            activity, about = Activity.WAITING, waiting
        known = self._host.state.agents.get(agent)
        doing = None if known is None else known.doing
        fresh = doing is None or not doing.session or event.kind in _BEGINS
        fresh = fresh and not self._is_part(agent, event)
        use = self._use.get(agent)
        await self._host.report(
            c.ReportActivity(
                agent=agent,
                client=TITLES[client],
                activity=activity,
                about=visible(about, _MOST_ABOUT),
                session=event.session if fresh else "",
                model=event.model,
                tokens=None if use is None else use.tokens,
                cost=None if use is None else use.cost,
            ),
            agent,
        )

    def _begin(self, agent: str, event: HookEvent) -> None:
        if event.command:
            self._begun[agent, event.call or event.command] = time.monotonic()
            if len(self._begun) > _MOST_CALLS:
                self._begun.popitem(last=False)

    async def _ran(self, agent: str, client: str, event: HookEvent) -> None:
        if not event.command:
            return
        begun = self._begun.pop((agent, event.call or event.command), None)
        seconds = event.seconds
        if seconds is None and begun is not None:
            seconds = time.monotonic() - begun
        await self._host.report(
            c.ReportCommand(
                agent=agent,
                client=TITLES[client],
                command=event.command,
                code=event.code,
                failed=event.failed,
                seconds=None if seconds is None else round(seconds, 3),
                session=event.session,
            ),
            agent,
        )


def _matter(event: HookEvent) -> str:
    """What the tool would do, as far as it can be told: its command, or its paths."""
    paths = ", ".join(dict.fromkeys(edit.path for edit in event.edits))
    return event.command or paths


def _activity(event: HookEvent) -> Activity:
    """What the client does after `event`; a turn of Claude Code's that its server refused says so."""
    limited = event.kind is Kind.STOP and event.failed and "rate_limit" in event.words
    return Activity.LIMITED if limited else _ACTIVITY[event.kind]
