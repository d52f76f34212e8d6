"""The tools for agents, over MCP on standard input and output (`runebook-tui mcp`, official Python SDK 2.x).

They ask the engine's socket and nothing else: the engine tells by the process which agent is asking, so
no tool takes a name. No tool decides anything; that is the operator's.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ToolError
from mcp_types import ToolAnnotations
from pydantic import Field

from runebook_tui import __version__
from runebook_tui.core.printable import visible
from runebook_tui.execution.client import EngineDown, EngineError, ask_engine
from runebook_tui.mcp.answers import (
    Advice,
    Api,
    Apis,
    Boundaries,
    Decision,
    Gate,
    Identity,
    Message,
    Messages,
    Ownership,
    Requests,
    Suggestion,
    Suggestions,
    Task,
    Tasks,
    Ticket,
)
from runebook_tui.place import lane_of

CHECK_SECONDS = 3_600
"""The longest that a plan may let the check of an interface take."""
PATIENCE = 45
"""Seconds that one call waits at the most: the shortest client gives up after 60 (opencode)."""

INSTRUCTIONS = """\
Runebook runs several agents on this repository at the same time. Each owns some of the files. A write to a
file that another agent owns is stopped until the operator, a person, approves it. Ask first: `who_owns` a
path, `request_access` with a reason, go on with other work, `wait_for_decision`. When a request is rejected,
respect the reason and find another way within your own files. Never route around a boundary."""

NO_AGENT = (
    "this process is in no agent's pane: these tools are for the agents that Runebook runs, and you are the "
    "operator, who uses `runebook-tui` itself"
)
NO_ENGINE = (
    "Runebook's engine does not run now: go on with the files that you own, write no others, and try again "
    "in a minute"
)

_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class Tools:
    """The tools, for the repository at `root`. Every method is one; raises ToolError with one line."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def who_am_i(self) -> Identity:
        """Say which agent of the plan you are: your phase, your tasks, and what checks your writes."""
        known = await self._ask("view")
        agent = known["agent"]
        if agent is None:
            return Identity(agent=None, words=NO_AGENT, plan=known["plan"])
        words = f"you are {agent['id']}, an agent of the plan {known['plan']}, in phase {agent['phase']}"
        return Identity(
            agent=agent["id"],
            words=words,
            plan=known["plan"],
            title=agent["title"],
            phase=agent["phase"],
            status=agent["status"],
            waits_for=agent["waits_for"],
            finalizing=agent["finalizing"],
            current_task=agent["task"],
            tasks=[Task(**each) for each in known["tasks"] if each["agent"] == agent["id"]],
            gate=Gate(**agent["gate"]),
            hook=agent["hook"],
            unread=agent["unread"],
            folder=agent["cwd"],
            branch=agent["branch"],
        )

    async def my_boundaries(self) -> Boundaries:
        """List what you own, what you were granted, what is shared, and what others own."""
        return Boundaries(**(await self._ask("view"))["boundaries"])

    async def who_owns(self, path: str) -> Ownership:
        """Say who owns a path (relative to the repository, or absolute) and whether you may write it now."""
        return Ownership(**await self._ask("owner", path=self._inside(path)))

    async def request_access(self, paths: list[str], reason: str) -> Ticket:
        """Ask the operator for leave to write paths that you do not own.

        Say in `reason` what you would change and why. Returns a ticket at once; go on with other work, and
        use wait_for_decision.
        """
        await self._as_agent()
        inside = [self._inside(path) for path in paths]
        number = (await self._ask("ask", paths=inside, reason=reason))["request"]
        if number is None:
            return Ticket(ticket=None, words="you may write all of these already: go on")
        return Ticket(
            ticket=number,
            words=f"queued as request {number}: go on with other work, then wait_for_decision({number})",
        )

    async def wait_for_decision(
        self, ticket: int, seconds: Annotated[float, Field(ge=0, le=PATIENCE)] = 30
    ) -> Decision:
        """Wait until the operator has decided about a ticket, for some seconds at most.

        `open` means not yet: go on with other work and ask again. After `rejected`, respect the reason.
        """
        answer = await self._ask("wait-request", patience=seconds, request=ticket, seconds=seconds)
        words = {
            "open": "not decided yet: go on with other work and ask again",
            "approved": "approved: you may write it now",
            "rejected": "rejected: do not write it; find another way within your own files",
            "withdrawn": "withdrawn: ask again if you still need it",
        }
        return Decision(
            ticket=answer["request"],
            status=answer["status"],
            scope=answer["scope"],
            reason=answer["reason"],
            words=words[answer["status"]],
        )

    async def my_requests(self) -> Requests:
        """List your requests and what the operator answered."""
        known = await self._ask("view")
        return Requests(requests=known["requests"], more=known["more_requests"])

    async def list_apis(self) -> Apis:
        """List the interfaces of the plan, which are published, and which have changed since."""
        return Apis(apis=(await self._ask("view"))["apis"])

    async def publish_api(self, name: str) -> Api:
        """Publish an interface that you own: its file is read and checked against the plan."""
        await self._as_agent()
        await self._ask("publish", patience=CHECK_SECONDS, api=name)
        apis = [Api(**each) for each in (await self._ask("view"))["apis"]]
        return next(each for each in apis if each.name == name)

    async def start_task(self, task: str) -> Task:
        """Say that you take up a task of yours. An approval `until the task ends` counts from here."""
        return await self._task("task-start", task)

    async def finish_task(self, task: str, note: str = "") -> Task:
        """Say that a task of yours is done. Others may wait for it, so finish it only when it is."""
        return await self._task("task-done", task, note)

    async def block_task(self, task: str, reason: str) -> Task:
        """Say that you cannot go on with a task, and why. The operator sees it."""
        return await self._task("task-block", task, reason)

    async def list_tasks(self) -> Tasks:
        """List all tasks of the plan, of whichever agent, with where they stand."""
        return Tasks(tasks=(await self._ask("view"))["tasks"])

    async def send_message(self, to: list[str], text: str) -> Message:
        """Send words to other agents by their ids, to `operator` (a person), or to `all` agents."""
        await self._as_agent()
        return _message(await self._ask("tell", to=to, text=text))

    async def read_messages(self) -> Messages:
        """Read what others have sent you since you last read. Agents may err: judge what they ask of you."""
        await self._as_agent()
        answer = await self._ask("inbox", by="mcp")
        return Messages(messages=[_message(each) for each in answer["messages"]])

    async def recommend(
        self, ticket: int, recommendation: Literal["approve", "reject"], reason: str = ""
    ) -> Advice:
        """Say what you think of another's request about files that you own. The operator decides."""
        await self._as_agent()
        await self._ask("recommend", request=ticket, advice=recommendation, reason=reason)
        return Advice(ticket=ticket, recommendation=recommendation, reason=reason)

    async def suggestions(self) -> Suggestions:
        """List what would help in this repository by what failed here; the list may be empty."""
        found = (await self._ask("suggestions"))["suggestions"]
        return Suggestions(suggestions=[_suggestion(each) for each in found])

    async def plan(self) -> str:
        """The whole plan: phases, agents, claims, tasks, interfaces, policy."""
        try:
            return json.dumps((await self._ask("plan"))["plan"], indent=2)
        except ToolError as error:
            raise ResourceError(str(error)) from error

    async def _task(self, do: str, task: str, reason: str = "") -> Task:
        await self._as_agent()
        await self._ask(do, task=task, reason=reason)
        tasks = [Task(**each) for each in (await self._ask("view"))["tasks"]]
        return next(each for each in tasks if each.id == task)

    async def _as_agent(self) -> None:
        """Raise ToolError unless this is an agent; the operator would act in somebody else's name."""
        if (await self._ask("view"))["agent"] is None:
            raise ToolError(NO_AGENT)

    async def _ask(self, do: str, *, patience: float = 0.0, **fields: object) -> dict[str, Any]:
        """The engine's answer, fit to be shown. Each question connects anew, so engines may change."""
        try:
            answer = await ask_engine(self._root, do, fields, seconds=10.0 + patience)
        except EngineDown as error:
            raise ToolError(NO_ENGINE) from error
        except EngineError as error:
            raise ToolError(_shown(str(error))) from error
        shown: dict[str, Any] = _shown(answer)
        return shown

    def _inside(self, text: str) -> str:
        """A path as a model says it, relative to the repository or to the worktree that it is in."""
        if not os.path.isabs(text):
            return text
        path = Path(os.path.normpath(text))
        lane = lane_of(path)
        top = lane[2] if lane is not None else self._root
        for each in (top, top.resolve()):
            if path.is_relative_to(each):
                return str(path.relative_to(each))
        raise ToolError(f"{visible(text, 500)} is not in the repository: Runebook has no say there")


def _message(given: dict[str, Any]) -> Message:
    known = {name: given[name] for name in ("id", "to", "text", "request")}
    return Message(sender=given["from"], **known)


def _suggestion(given: dict[str, Any]) -> Suggestion:
    own = ("id", "agent", "kind", "priority", "title", "words", "snippet", "confidence", "count")
    where = {name: given["provenance"][name] for name in ("rule", "file", "line")}
    return Suggestion(**{name: given[name] for name in own}, **where, failed=given["provenance"]["agent"])


def _shown(value: Any) -> Any:
    """`value` with what is no text (bytes of names) or would steer a terminal as visible symbols."""
    if isinstance(value, str):
        return _UNPRINTABLE.sub(lambda match: visible(match[0]), value)
    if isinstance(value, list):
        return [_shown(each) for each in value]
    if isinstance(value, dict):
        return {_shown(key): _shown(each) for key, each in value.items()}
    return value


def build(root: Path) -> MCPServer[Any]:
    """The server for the repository at `root`."""
    server = MCPServer[Any]("runebook", instructions=INSTRUCTIONS, version=__version__, log_level="WARNING")
    tools = Tools(root)
    reading: list[Callable[..., Any]] = [tools.who_am_i, tools.my_boundaries, tools.who_owns]
    reading += [
        tools.wait_for_decision,
        tools.my_requests,
        tools.list_apis,
        tools.list_tasks,
        tools.suggestions,
    ]
    acting: list[Callable[..., Any]] = [tools.request_access, tools.publish_api]
    acting += [tools.send_message, tools.read_messages, tools.recommend]
    acting += [tools.start_task, tools.finish_task, tools.block_task]
    for tool in reading:
        server.add_tool(tool, annotations=ToolAnnotations(read_only_hint=True, open_world_hint=False))
    for tool in acting:
        annotations = ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=False)
        server.add_tool(tool, annotations=annotations)
    server.resource("runebook://plan", name="plan", mime_type="application/json")(tools.plan)
    return server


def serve(root: Path) -> None:
    """Serve the tools on standard input and output until the client hangs up."""
    build(root).run("stdio")
