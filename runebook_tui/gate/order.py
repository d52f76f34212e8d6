"""What is to be run, and how: the engine's answer to `exec`, checked."""

from __future__ import annotations

import os
from collections.abc import Mapping


class OrderError(Exception):
    """The engine refused, or its answer cannot be carried out; the words say why."""


class Order:
    """One command of one agent.

    `cwd` is absolute; `environment` is complete; `gate` is "enforce", "observe" or "off", with the `reason`
    why it is no more than that; `rules` is what to enforce, as the engine gave it; `root` is the repository's
    real path; `socket` is the engine's. For an agent with a worktree of its own `root` is that, `tree` is the
    agent, and `main` the repository's real path.
    """

    def __init__(self, agent: str, command: list[str], root: str, socket: str) -> None:
        self.agent = agent
        self.command = command
        self.cwd = os.getcwd()
        self.environment = dict(os.environ)
        self.gate = "observe"
        self.reason = ""
        self.rules: object = None
        self.root = os.fsencode(os.path.realpath(root))
        self.tree = ""
        self.main = b""
        self.socket = os.path.abspath(socket)

    @classmethod
    def from_reply(cls, agent: str, reply: dict[str, object], root: str, socket: str) -> Order:
        """The order that the engine's reply gives. Raises OrderError."""
        if reply.get("ok") is not True:
            raise OrderError(str(reply.get("error") or "the engine refused without a reason"))
        command, environment, cwd = reply.get("command"), reply.get("env") or {}, reply.get("cwd")
        if not isinstance(command, list) or not command or not all(isinstance(word, str) for word in command):
            raise OrderError("the engine's answer names no command")
        if not isinstance(environment, dict) or not all(isinstance(v, str) for v in environment.values()):
            raise OrderError("the engine's answer has an environment that is not text")
        order = cls(str(reply.get("agent") or agent), command, str(reply.get("root") or root), socket)
        order.environment.update(environment)
        tree, main = reply.get("tree"), reply.get("main")
        if isinstance(tree, str) and isinstance(main, str):
            order.tree, order.main = tree, os.fsencode(os.path.realpath(main))
        if isinstance(cwd, str):
            order.cwd = order.environment["PWD"] = cwd
        order.restrain(reply)
        return order

    def restrain(self, said: Mapping[str, object]) -> None:
        """Take over `gate`, `reason` and `rules` from the engine's answer, or from the file that it keeps."""
        gate, reason = said.get("gate"), said.get("reason")
        if gate in ("enforce", "observe", "off"):
            self.gate = str(gate)
        self.reason = reason if isinstance(reason, str) else ""
        if self.gate == "off":
            self.reason = self.reason or "switched off by the plan"
        self.rules = said.get("rules")
