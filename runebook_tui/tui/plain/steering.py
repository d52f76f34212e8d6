"""Steering: the orders of plain mode to agents, the engine and the run."""

from __future__ import annotations

from functools import partial

from runebook_tui.core.printable import visible
from runebook_tui.core.resuming import lost_agents
from runebook_tui.core.state import AgentState
from runebook_tui.tui.plain.room import Handler, NotDoneError, Room

_TEXT = 500


class Steering:
    """What ends a program is asked about first."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self.orders: dict[str, Handler] = {
            "agent.say": self._say,
            "agent.snooze": self._snooze,
            "agent.restart": self._restart,
            "agent.resume": self._resume,
            "agent.stop": self._stop,
            "run.engine": self._engine,
            "run.new": self._new_run,
            "run.down": self._down,
        }

    async def _say(self, rest: str) -> None:
        agents, text = self._room.agents(rest)
        if not agents:
            raise NotDoneError("no agent is running")
        if not text:
            raise NotDoneError("say what? the words follow the agent's name")
        answer = await self._room.send("say", agents=list(agents), text=text)
        said = answer.get("said")
        for each in said if isinstance(said, list | tuple) else ():
            how = {"submitted": "has it", "typed": "was typed to, but not submitted"}
            done = how.get(str(each["outcome"]), "was not typed to")
            self._room.say(visible(f"{each['id']} {done}: {each['why']}", _TEXT))

    async def _snooze(self, rest: str) -> None:
        agent, _ = self._room.agent(rest)
        answer = await self._room.send("snooze", agent=agent.id)
        again = "is heard again" if answer.get("until", 0) is None else "is put off for 15 minutes"
        self._room.say(f"the call of {agent.id} {again}")

    async def _restart(self, rest: str) -> None:
        agent, _ = self._room.agent(rest)
        if not agent.restartable:
            raise NotDoneError(f"{agent.id} neither failed nor was stopped")
        await self._room.send("restart", agent=agent.id)
        self._room.say(f"{agent.id} is started again")

    async def _resume(self, rest: str) -> None:
        if not (lost := lost_agents(self._room.state)):
            raise NotDoneError("no agent was lost")
        await self._room.send("resume", agents=[agent.id for agent in lost])
        self._room.say(f"brought back: {', '.join(agent.id for agent in lost)}")

    async def _stop(self, rest: str) -> None:
        agent, _ = self._room.agent(rest)
        if not agent.alive:
            raise NotDoneError(f"{agent.id} is not running")
        self._room.ask(
            f"stop {agent.id}? its program is ended, its files stay, and restart starts it again;",
            partial(self._stopped, agent),
        )

    async def _stopped(self, agent: AgentState) -> None:
        await self._room.send("stop", agent=agent.id)
        self._room.say(f"{agent.id} is stopped")

    async def _engine(self, rest: str) -> None:
        if self._room.alive:
            raise NotDoneError("the engine runs already")
        await self._room.send("hello")

    async def _new_run(self, rest: str) -> None:
        await self._room.send("new-run")
        self._room.say("a new run begins")

    async def _down(self, rest: str) -> None:
        self._room.ask("stop everything? every agent's program and the engine are ended;", self._all_down)

    async def _all_down(self) -> None:
        await self._room.send("down")
        self._room.say("every agent and the engine are ended")
