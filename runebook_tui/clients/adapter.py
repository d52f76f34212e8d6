"""The contract of an adapter: how one agent CLI is started, from nothing but values.

An adapter touches no file. What it generates is written by the engine, below `.runebook/agents/<id>/`.
"""

from __future__ import annotations

import json
import shlex
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from runebook_tui.clients.userfile import UserFile
from runebook_tui.core.types import AgentSpec, ClientName

Net = Literal["hook", "mcp", "gate"]
"""What keeps a client to its boundaries: its own hook, Runebook's tools over MCP, the kernel gate."""

HOOK_SECONDS = 3600
"""The timer that is set where a client lets us set it, in seconds: the engine always answers long before."""

GO_ON = "Runebook has started you again. Go on with your work where you left off."
"""The prompt of a session that is taken up again: some clients do not start without one."""


@dataclass(frozen=True)
class Assignment:
    """What a client is started for."""

    spec: AgentSpec
    brief: str
    """What it is told about its place in the plan (`clients/brief.py`)."""
    folder: Path
    """Where its generated files lie: `.runebook/agents/<id>/`, absolute."""
    hook: tuple[str, ...]
    """The command line of the hook, without the client's name, which the adapter adds."""
    mcp: tuple[str, ...] | None = None
    """The command line of Runebook's MCP server; None where the extra is not installed."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """The variables by which hook and MCP server find the engine: `RUNEBOOK_…`."""
    inherited: Mapping[str, str] = field(default_factory=dict)
    """The environment that the client is started in, but for what the adapter adds."""
    settings: str = ""
    """What the file holds that the adapter looks at (`Adapter.looks_at`); "" without one."""
    session: str | None = None
    """The client's own id of a session to take up again."""

    @property
    def prompt(self) -> str:
        """The plan's own prompt for the agent, or, for a session that is taken up again, to go on."""
        return self.spec.prompt if self.session is None else GO_ON

    @property
    def brief_and_prompt(self) -> str:
        """Both in one text, for a client that has no other place for the brief; a session knows it."""
        return f"{self.brief}\n\n{self.prompt}".strip() if self.session is None else self.prompt


@dataclass(frozen=True)
class Start:
    """How a client is started."""

    command: tuple[str, ...]
    """The program, as it is found on PATH, and its arguments."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables added to its environment."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Texts by name below the agent's folder, to be written before the start."""
    links: Mapping[str, str] = field(default_factory=dict)
    """Paths by name below the agent's folder, to be linked to where they exist: logins, never copied."""


class Adapter(ABC):
    """One agent CLI."""

    id: ClientName
    """Its name in the plan."""
    title: str
    """Its name for people."""
    program: str
    """The program that is looked for on PATH."""
    how_to_get: str
    """How to install it, in a few words."""
    nets: tuple[Net, ...]
    """What can hold for it, the strongest voice first; the kernel gate holds for all."""
    hook_seconds: float
    """How long its hook may take before the client goes on without an answer; 0 without a hook."""
    tool_seconds: float
    """How long it waits for an answer of an MCP tool; 0 without MCP."""
    shell_seconds: float | None = None
    """How long its shell tool waits for a command before it goes on without it, where that is known."""
    unhooking: Mapping[str, str] = {}
    """Arguments that take the hook away, and what each does, in words for the plan's checks."""
    when_silent: str = "it speaks when a session begins; docs/clients.md says what keeps it quiet"
    """What to do when its hook has not spoken."""
    user_file: UserFile | None = None
    """The file in the user's home without which its hook does not run."""

    @abstractmethod
    def start(self, job: Assignment) -> Start:
        """How it is started for `job`.

        Raises ValueError, in words, when what it looks at cannot be used.
        """

    def looks_at(self, inherited: Mapping[str, str]) -> str | None:
        """A settings file outside of the agent's folder that `start` has to know, or None."""
        return None

    @property
    def gate_only(self) -> bool:
        """Whether nothing but the kernel gate keeps it to its boundaries."""
        return self.nets == ("gate",)

    def hook_words(self, job: Assignment, event: str = "") -> list[str]:
        """The hook's command line as a list of words; with `event` for a client that does not tell it."""
        return [*job.hook, self.id, *([event] if event else [])]

    def hook_line(self, job: Assignment, event: str = "") -> str:
        """The hook's command line for a client that hands it to a shell."""
        return shlex.join(self.hook_words(job, event))


def as_json(value: object) -> str:
    """`value` as the text of a settings file."""
    return json.dumps(value, ensure_ascii=True, indent=2) + "\n"


def servers(job: Assignment, **more: object) -> dict[str, object]:
    """Runebook's MCP server in the form that most clients share; empty without one."""
    if job.mcp is None:
        return {}
    program, *arguments = job.mcp
    return {"runebook": {"command": program, "args": arguments, "env": dict(job.environment), **more}}


def model_flag(spec: AgentSpec, flag: str = "--model") -> tuple[str, ...]:
    """The option that names the model, where the plan names one."""
    return () if spec.model is None else (flag, spec.model)


def last_words(prompt: str) -> tuple[str, ...]:
    """The prompt after `--`, so that none of it is taken for an option."""
    return ("--", prompt) if prompt else ()


def without(words: Sequence[str], taken: Sequence[str]) -> tuple[tuple[str, ...], bool]:
    """`words` without those of `taken`, and whether one of them was there."""
    return tuple(word for word in words if word not in taken), any(word in taken for word in words)
