"""The handle: coordination messages sent to a runner from Python, as an agent would send them."""

from __future__ import annotations

from typing import Protocol, assert_never

from runebook_tui.core import commands as c
from runebook_tui.core import events as e
from runebook_tui.core.state import State
from runebook_tui.core.types import OPERATOR, AgentStatus

Message = (
    e.AgentReady
    | e.TaskStarted
    | e.TaskBlocked
    | e.TaskCompleted
    | e.ApiPublished
    | e.CoordinationRequest
    | e.CoordinationResponse
    | e.StatusUpdate
)


class _Runner(Protocol):
    @property
    def state(self) -> State: ...

    async def handle(self, command: c.Command, actor: str) -> object: ...

    async def publish(self, agent: str, api: str, actor: str) -> None: ...


class CoordinationHandle:
    """Sends coordination messages to a runner in the same event loop."""

    def __init__(self, runner: _Runner) -> None:
        self._runner = runner

    @property
    def state(self) -> State:
        """The runner's state now."""
        return self._runner.state

    async def send(self, message: Message) -> None:
        """Deliver one message. Raises Refused when the rules do not allow it, LogError."""
        command, actor = self._command(message)
        if isinstance(command, c.PublishApi):
            await self._runner.publish(command.agent, command.api, actor)
        else:
            await self._runner.handle(command, actor)

    def _command(self, message: Message) -> tuple[c.Command, str]:
        match message:
            case e.AgentReady():
                return c.MarkReady(message.agent), message.agent
            case e.TaskStarted():
                return c.StartTask(message.agent, message.task), message.agent
            case e.TaskBlocked():
                return c.BlockTask(message.agent, message.task, message.reason), message.agent
            case e.TaskCompleted():
                return c.CompleteTask(message.agent, message.task, message.note), message.agent
            case e.ApiPublished():
                return c.PublishApi(message.agent, message.api, None), message.agent
            case e.CoordinationRequest():
                paths = tuple(crossing.path for crossing in message.crossings)
                agent = message.requester or ""
                return c.Ask(agent, paths, message.reason, message.pid, message.program), agent
            case e.CoordinationResponse():
                return c.Decide(message.request, message.decision, message.scope, message.reason), OPERATOR
            case e.StatusUpdate():
                return self._status(message), OPERATOR
            case _:
                assert_never(message)

    def _status(self, message: e.StatusUpdate) -> c.Command:
        if message.status is AgentStatus.STOPPED:
            return c.StopAgent(message.agent, message.reason)
        if message.status is AgentStatus.STARTING:
            return c.RestartAgent(message.agent)
        raise ValueError(f"an agent becomes {message.status} by what it does, not by being told")
