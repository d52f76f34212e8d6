"""Saying: the operator's words and answers, typed into agents' panes on the engine's socket."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal, Protocol

from runebook_tui.clients.dialogs import DIALOGS
from runebook_tui.core import commands as c
from runebook_tui.core.activity import Activity
from runebook_tui.core.messages import EVERYBODY
from runebook_tui.core.panerules import read_pane
from runebook_tui.core.questions import question
from runebook_tui.core.refusal import hint
from runebook_tui.core.speech import MOST_BYTES, Answer, ReportAnswered, ReportSaid, refusal
from runebook_tui.core.state import AgentState, State
from runebook_tui.core.types import OPERATOR
from runebook_tui.execution import wire
from runebook_tui.execution.foreground import stranger
from runebook_tui.execution.hooks import Hooks
from runebook_tui.execution.lookout import rules_for
from runebook_tui.execution.server import Connection
from runebook_tui.execution.typist import Said, Typist
from runebook_tui.orchestrator.coordinator import Refused
from runebook_tui.tmux.panes import Panes, TmuxError

Message = dict[str, Any]
Verb = Callable[[Connection, Message], Awaitable[Message]]

_TELLS_OF_PROMPTS = ("Claude Code", "Codex CLI", "Gemini CLI", "opencode", "Qwen Code")
"""Clients whose hook is known to run at each prompt (docs/hooks.md)."""

_OWN_COMMANDS = ("/", "!", "#")
"""What a client's own commands begin with: they are no prompts, and no hook tells of them."""

_GONE_SECONDS = 5.0
"""How long a dialog may take to go once its keys were pressed."""
_STEP_SECONDS = 0.1


class Host(Protocol):
    """What this needs of the runner."""

    panes: Panes
    typist: Typist

    @property
    def state(self) -> State:
        """The state now."""

    async def handle(self, command: c.Command, actor: str) -> object:
        """Carry out a command. Raises Refused, LogError."""


class Saying:
    """Answers the verbs `say` and `answer`; `hooks` knows what agents' clients say."""

    def __init__(self, host: Host, hooks: Hooks) -> None:
        self._host = host
        self._hooks = hooks
        self.verbs: Mapping[str, Verb] = {"say": self._say, "answer": self._answer}

    async def _say(self, connection: Connection, message: Message) -> Message:
        """Type a text into the panes of agents, and submit it; what became of it, for each."""
        text = wire.text_field(message, "text", limit=MOST_BYTES).replace("\r\n", "\n").rstrip("\n")
        if why := refusal(text):
            raise Refused(why)
        names = self._named(tuple(dict.fromkeys(wire.texts_field(message, "agents", limit=1000))))
        forced = message.get("force") is True
        told = await asyncio.gather(*(self._said(name, text, forced=forced) for name in names))
        return {"said": [{"id": name, "outcome": said.outcome, "why": said.why} for name, said in told]}

    def _named(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """The agents that are meant; `all` are those that run. Raises Refused."""
        agents = self._host.state.agents
        if EVERYBODY in names:
            names = tuple(agent.id for agent in self._host.state.live_agents())
            if not names:
                raise Refused("no agent is running")
        for name in names:
            if name not in agents:
                raise Refused(f"the plan has no agent {name!r}{hint(name, agents)}")
        if not names:
            raise Refused("say to whom")
        return names

    async def _said(self, name: str, text: str, *, forced: bool) -> tuple[str, Said]:
        """Say it to one agent, and write down what became of it."""
        agent = self._host.state.agents[name]
        why = self._why_held(agent, forced=forced)
        said = Said("held", why) if why else await self._typed(agent, text)
        await self._host.handle(ReportSaid(name, text, said.outcome, said.why), OPERATOR)
        return name, said

    async def _typed(self, agent: AgentState, text: str) -> Said:
        doing = agent.doing
        surely = doing is not None and doing.client in _TELLS_OF_PROMPTS and doing.activity is Activity.IDLE
        surely = surely and not text.startswith(_OWN_COMMANDS)
        try:
            return await self._host.typist.type_into(
                agent.pane or "",
                text,
                prompts=lambda: self._hooks.prompts(agent.id),
                client=doing.client if doing is not None and surely else "",
            )
        except TmuxError as error:
            return Said("typed", str(error))

    async def _answer(self, connection: Connection, message: Message) -> Message:
        """Answer what an agent's client asks of its user, if it is still the question that was seen."""
        name = wire.text_field(message, "agent", limit=64)
        given = wire.text_field(message, "answer", limit=8)
        seen = wire.text_field(message, "question", default="", limit=1000)
        if given not in ("yes", "no"):
            raise wire.WireError("answer yes or no")
        answer: Answer = "yes" if given == "yes" else "no"
        agent = self._host.state.agents.get(name)
        if agent is None:
            raise Refused(f"the plan has no agent {name!r}{hint(name, self._host.state.agents)}")
        open_now = question(self._host.state, agent)
        if open_now is None:
            raise Refused(f"{name} asks nothing")
        asked = open_now.words
        if seen and seen != asked:
            raise Refused(f"{name} asks something else by now: {asked}")
        by: Literal["hook", "keys"] = "hook"
        if not self._hooks.questions.answer(name, answer):
            by = "keys"
            await self._pressed(agent, answer)
        await self._host.handle(ReportAnswered(name, asked, answer, by), OPERATOR)
        return {"agent": name, "question": asked, "answer": answer, "by": by}

    async def _pressed(self, agent: AgentState, answer: Answer) -> None:
        """Answer the dialog in the agent's pane by its keys, and see it gone. Raises Refused."""
        pane, rules = agent.pane or "", rules_for(agent)
        try:
            screen = await asyncio.to_thread(self._host.panes.look, pane)
            shown = read_pane(rules, screen.lines)
            dialog = DIALOGS.get(shown.rule)
            keys = () if dialog is None else dialog.keys(answer, screen.lines)
            if not keys:
                raise Refused(f"{agent.id} can be answered in its pane only: no key for this is known")
            await asyncio.to_thread(self._host.panes.press, pane, keys)
            deadline = asyncio.get_running_loop().time() + _GONE_SECONDS
            while asyncio.get_running_loop().time() < deadline:
                now = await asyncio.to_thread(self._host.panes.look, pane)
                again = read_pane(rules, now.lines)
                if now.lines != screen.lines and (again.rule, again.line) != (shown.rule, shown.line):
                    return
                await asyncio.sleep(_STEP_SECONDS)
        except TmuxError as error:
            raise Refused(f"{agent.id} was not answered: {error}") from error
        raise Refused(
            f"the keys were pressed, but the question of {agent.id} is still open: look at its pane"
        )

    def _why_held(self, agent: AgentState, *, forced: bool) -> str:
        """Why nothing is typed into its pane now; "" when it may be."""
        if not agent.alive or agent.pane is None or agent.pid is None:
            return f"{agent.id} is not running"
        if forced:
            return ""
        asked = question(self._host.state, agent)
        if asked is not None:
            return f"a question is open in its pane: {asked.words}"
        other = stranger(agent.pid)
        return f"{other} has its terminal, not its own program" if other else ""
