"""Capture: shells begin and end in agents' panes, and what is kept of the commands that ran there."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Literal

from runebook_tui.core.activity import CommandRan, CommandSource
from runebook_tui.core.fact import Fact
from runebook_tui.core.secrets import without_secrets

if TYPE_CHECKING:
    from runebook_tui.core.commands import ReportCommand, ReportShell
    from runebook_tui.core.types import AgentSpec, ExecutionPlan

BUILTIN = "event-capture"
"""The agent whose presence in a plan means that what runs in its panes is captured."""
MOST_VARIABLES = 50
"""Variables that one event names."""
_VALUE_CHARACTERS = 200
_MOST_ARGUMENTS = 64
_OPERATORS = frozenset(";&|()<>\n")


class ShellStarted(Fact):
    """An interactive shell started in an agent's pane."""

    type: Literal["ShellStarted"] = "ShellStarted"
    agent: str
    shell: str
    """"bash", "zsh" or "fish"."""
    session: str
    """Its process id, as `CommandRan` names it."""
    folder: str
    """As in `CommandRan`."""


class ShellEnded(Fact):
    """An interactive shell of an agent's pane is gone."""

    type: Literal["ShellEnded"] = "ShellEnded"
    agent: str
    shell: str
    session: str


def capturer(plan: ExecutionPlan) -> AgentSpec | None:
    """The agent that captures, if the plan has one."""
    return next((agent for agent in plan.agents if agent.builtin == BUILTIN), None)


def captures(plan: ExecutionPlan, agent: str, *, output: bool = False) -> bool:
    """Whether commands (and their output) in the pane of `agent` are captured."""
    spec = plan.agent(agent)
    wanted = ("output",) if output else ("output", "commands")
    return capturer(plan) is not None and spec is not None and spec.capture in wanted


def arguments_of(command: str) -> tuple[str, ...]:
    """The words of the first simple command of a command line; () where a quote is left open."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars="".join(_OPERATORS))
    lexer.whitespace_split = True
    lexer.whitespace = " \t\r"
    words: list[str] = []
    try:
        for word in lexer:
            if set(word) <= _OPERATORS or len(words) == _MOST_ARGUMENTS:
                break
            words.append(word)
    except ValueError:
        return ()
    return tuple(words)


def shell_reported(command: ReportShell) -> tuple[ShellStarted | ShellEnded, ...]:
    """The event of a shell that began or ended."""
    if command.ended:
        return (ShellEnded(agent=command.agent, shell=command.shell, session=command.session),)
    started = ShellStarted(
        agent=command.agent, shell=command.shell, session=command.session, folder=command.folder
    )
    return (started,)


def command_reported(command: ReportCommand) -> tuple[CommandRan, ...]:
    """The command that ran, without what looks like a secret."""
    words = without_secrets(command.command)
    variables = sorted(command.environment.items())[:MOST_VARIABLES]
    return (
        CommandRan(
            agent=command.agent,
            client=command.client,
            command=words,
            code=command.code,
            failed=command.failed or bool(command.code),
            seconds=command.seconds,
            session=command.session,
            source=CommandSource(command.source),
            arguments=arguments_of(words),
            folder=command.folder,
            started=command.started,
            ended=command.ended,
            environment={name: _value(name, value) for name, value in variables},
            output=command.output,
            error=without_secrets(command.error, _VALUE_CHARACTERS),
        ),
    )


def _value(name: str, value: str | None) -> str | None:
    """A variable's value without what looks like a secret; its name may say that it is one."""
    if value is None:
        return None
    return without_secrets(f"{name}={value}", _VALUE_CHARACTERS + len(name) + 1).partition("=")[2]
