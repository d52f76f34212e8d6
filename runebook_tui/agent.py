"""The contract of a built-in or third-party agent, and the program that runs one in its pane.

An agent is a class named by an entry point of the group `runebook.agents`. Runebook runs
`python -m runebook_tui.agent NAME` in a pane: `initialize`, then `execute`, then, when the plan
finalizes, `finalize`. An exception ends the program with status 1, which fails the agent.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Literal

from runebook_tui.place import socket_path

GROUP = "runebook.agents"

_AGAIN_SECONDS = 1.0


class AgentError(Exception):
    """The engine refused what the agent asked, or does not answer."""


class EngineAway(AgentError):
    """The engine does not answer: it was ended, or is just being started again."""


class AgentContext:
    """What an agent may do: speak to the engine, as itself.

    The engine knows who is speaking by the process, so there is no token to keep. Every method
    raises AgentError when the engine refuses or does not answer.
    """

    def __init__(self, agent: str, root: Path) -> None:
        self.agent = agent
        """The id in the plan."""
        self.root = root
        """The repository."""

    @property
    def folder(self) -> Path:
        """The agent's own folder, `.runebook/agents/<id>/`: the one place there that it may write."""
        return self.root / ".runebook" / "agents" / self.agent

    def ready(self) -> None:
        """Say that the agent is set up and at work."""
        self._ask("ready")

    def tasks(self) -> list[dict[str, Any]]:
        """The agent's own tasks, in the plan's order, each with "id", "title", "status" and "reason".

        The status is "not started", "in progress", "completed" or "blocked". An agent that was started
        again finds here what it had done.
        """
        return [each for each in self._ask("view")["tasks"] if each["agent"] == self.agent]

    def start_task(self, task: str) -> None:
        """Take up a task."""
        self._ask("task-start", task=task)

    def block_task(self, task: str, reason: str) -> None:
        """Say why a task cannot go on."""
        self._ask("task-block", task=task, reason=reason)

    def complete_task(self, task: str, note: str = "") -> None:
        """Say that a task is done."""
        self._ask("task-done", task=task, reason=note)

    def publish(self, api: str) -> int:
        """Publish an interface; its version. Refused while its file lacks what was promised."""
        return int(self._ask("publish", api=api)["version"])

    def ask(self, paths: Sequence[str], reason: str, seconds: float = 0.0, *, always: bool = False) -> str:
        """Ask to write paths that others own; with `always`, also those that the plan lets this agent write.

        Returns "not needed", "approved", "rejected", "withdrawn", or "open" when nobody decided
        within `seconds`.
        """
        request = self._ask("ask", paths=list(paths), reason=reason, always=always)["request"]
        if request is None:
            return "not needed"
        return str(self._ask("wait-request", seconds + 10.0, request=request, seconds=seconds)["status"])

    def tell(self, to: Sequence[str], text: str, request: int | None = None) -> int:
        """Send `text` to agents by their ids, to "operator", or to "all"; the message's number."""
        return int(self._ask("tell", to=list(to), text=text, request=request)["id"])

    def inbox(self) -> list[dict[str, Any]]:
        """The messages that this agent has not read, oldest first; they count as read now.

        Each has "id", "from" (an agent, "operator", or "engine"), "to", "text", "request" (a number or None)
        and "time" (unix seconds).
        """
        return list(self._ask("inbox")["messages"])

    def recommend(self, request: int, advice: Literal["approve", "reject"], reason: str = "") -> None:
        """Say what this agent thinks of a request about paths that it owns; the operator decides."""
        self._ask("recommend", request=request, advice=advice, reason=reason)

    def suggest(
        self,
        kind: str,
        title: str,
        *,
        words: str = "",
        snippet: str = "",
        priority: Literal["high", "normal", "low"] = "normal",
        confidence: float = 0.5,
        fingerprint: str = "",
        **provenance: str | int | None,
    ) -> int:
        """Suggest something to whoever works here; the suggestion's number.

        `kind` is a short word such as "fix", `words` says why, `snippet` is a command or text to copy: it is
        never executed. `confidence` is from 0 to 1. The same `fingerprint` (default: kind, title and snippet)
        is the same suggestion, and counts up. Of `provenance`, any of `rule`, `layer` ("heuristics",
        "search", "model", "pattern"), `command` (the `seq` of the failure's record), `agent` (whose failure),
        `file` and `line`.
        """
        answer = self._ask(
            "suggest",
            kind=kind,
            title=title,
            words=words,
            snippet=snippet,
            priority=priority,
            confidence=confidence,
            fingerprint=fingerprint,
            provenance=provenance,
        )
        return int(answer["id"])

    def suggestions(self) -> list[dict[str, Any]]:
        """The suggestions that are kept, the best open one first, then those that are over, newest first.

        Each has "id", "agent", "kind", "priority", "title", "words", "snippet", "confidence", "provenance",
        "fingerprint", "first" and "time" (unix seconds), "count", "applied" (how often), "status" ("open",
        "applied", "dismissed") and "by".
        """
        return list(self._ask("suggestions", all=True)["suggestions"])

    def withdraw(self, suggestion: int) -> None:
        """Dismiss a suggestion of this agent: it is not needed any more."""
        self._ask("suggestion-dismiss", suggestion=suggestion)

    def records(
        self, after: int = 0, types: Sequence[str] = (), seconds: float = 0.0
    ) -> tuple[list[dict[str, Any]], int]:
        """The records after number `after`, oldest first, some hundred at the most, and where to go on.

        Without one, waits up to `seconds` (600 at the most) for the first. A record is its event's fields
        (docs/cli.md) with "seq", "time" (unix seconds), "run" and "actor". `types` names the events that
        are wanted; () for all. The number is what to give as `after` next.
        """
        answer = self._ask("records", seconds + 30.0, after=after, types=list(types), seconds=seconds)
        return list(answer["records"]), int(answer["seq"])

    def owner(self, path: str) -> dict[str, Any]:
        """Whose a path of the repository is: "owner" (an id, "operator" or None), "claim", "shared",
        "you_may_write" and "words".
        """
        return self._ask("owner", path=path)

    def accept(
        self,
        check: str,
        passed: bool,
        code: int | None = None,
        seconds: float | None = None,
        commit: str = "",
        reason: str = "",
    ) -> None:
        """Say what an acceptance check of the plan came to; `code` is None where it did not end by itself."""
        result: dict[str, Any] = {
            "passed": passed,
            "code": code,
            "seconds": seconds,
            "commit": commit,
            "reason": reason,
        }
        self._ask("acceptance", check=check, **result)

    def plan(self) -> dict[str, Any]:
        """The plan as it is now, in the names of the plan's file."""
        return dict(self._ask("plan")["plan"])

    def serves(self) -> bool:
        """Whether the agent, having tasks or being continuous, goes on until the plan finalizes."""
        return bool(self._ask("hello")["serves"])

    def wait_finalize(self) -> None:
        """Wait until the plan asks this agent to finalize."""
        while not self._ask("wait-finalize", None, seconds=3600)["finalize"]:
            continue

    def _ask(self, do: str, timeout: float | None = 30.0, **fields: Any) -> dict[str, Any]:
        question = json.dumps({"do": do, "agent": self.agent, **fields}, ensure_ascii=True)
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(timeout)
                connection.connect(str(socket_path(self.root)))
                connection.sendall(question.encode() + b"\n")
                answer = json.loads(connection.makefile("rb").readline())
        except (OSError, ValueError) as error:
            raise EngineAway(f"the engine does not answer: {error}") from error
        if not answer.get("ok"):
            raise AgentError(str(answer.get("error")))
        return dict(answer)


class Agent(ABC):
    """A built-in or third-party agent."""

    def __init__(self, context: AgentContext) -> None:
        self.context = context
        self.finalizing = threading.Event()
        """Set when the plan has asked the agent to finalize; `execute` should then return soon."""

    def initialize(self) -> None:  # noqa: B027  an agent without preparation is fine
        """Prepare; called once, before `execute`."""

    @abstractmethod
    def execute(self) -> None:
        """Do the work: take up and complete the agent's tasks."""

    def finalize(self) -> None:  # noqa: B027  an agent without closing work is fine
        """Do what is left when everybody else is done; called once, after `execute`."""

    def status(self) -> str:
        """One line for people about what the agent is doing."""
        return "working"


def installed_agents() -> dict[str, EntryPoint]:
    """The agents that are installed, by name."""
    return {point.name: point for point in entry_points(group=GROUP)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the agent that the first argument names; exit status 0 when it did its work."""
    names = list(sys.argv[1:] if arguments is None else arguments)
    known = installed_agents()
    if len(names) != 1 or names[0] not in known:
        listed = ", ".join(sorted(known)) or "none; install Runebook with `pip install -e .`"
        print(f"no agent is called {' '.join(names)!r}; installed: {listed}", file=sys.stderr)
        return 2
    agent_id = os.environ.get("RUNEBOOK_AGENT", names[0])
    root = os.environ.get("RUNEBOOK_ROOT")
    if root is None:
        print("RUNEBOOK_ROOT is not set: an agent runs in a pane that Runebook started", file=sys.stderr)
        return 2
    context = AgentContext(agent_id, Path(root))
    agent: Agent = known[names[0]].load()(context)
    threading.Thread(target=_listen, args=(agent,), daemon=True).start()
    agent.initialize()
    context.ready()
    agent.execute()
    if context.serves():
        agent.finalizing.wait()
    agent.finalize()
    return 0


def _listen(agent: Agent) -> None:
    """Wait for the word to finalize, also from the engine that comes after one that was killed."""
    try:
        while not agent.finalizing.is_set():
            try:
                agent.context.wait_finalize()
                return
            except EngineAway:
                agent.finalizing.wait(_AGAIN_SECONDS)
    finally:
        agent.finalizing.set()


if __name__ == "__main__":
    # By its proper name: what agents import (AgentError) and what is raised here have to be the same classes.
    from runebook_tui.agent import main as run

    sys.exit(run())
