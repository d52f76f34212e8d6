"""The outfit: what an agent's program is before it starts, and the files that its client is given."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from runebook_tui.clients.adapter import Assignment
from runebook_tui.clients.brief import brief
from runebook_tui.clients.registry import ADAPTERS, missing
from runebook_tui.core.messages import unread
from runebook_tui.core.state import State
from runebook_tui.core.types import AgentSpec
from runebook_tui.execution.mailbox import portion
from runebook_tui.hooks.replies import hears_anything
from runebook_tui.orchestrator.coordinator import Refused
from runebook_tui.place import socket_path, state_folder

_SESSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}")
_MOST_SETTINGS = 1 << 20
"""Bytes of a settings file that are read."""


@dataclass(frozen=True)
class Outfit:
    """What a pane runs: the command, and what is added to its environment."""

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    told: tuple[int, ...] = ()
    """The messages that the agent's brief tells it."""


def fit_out(root: Path, state: State, spec: AgentSpec, session: str | None = None) -> Outfit:
    """What the agent `spec` runs; a client's files are written.

    `session` is the client's own id of a session to take up again; one that could be taken for anything else
    on a command line is not used, for it comes from the agent's side. Raises Refused, in one line for people.
    """
    if spec.command is not None:
        return Outfit(spec.command)
    if spec.client is None:
        return Outfit((sys.executable, "-P", "-m", "runebook_tui.agent", str(spec.builtin)))
    adapter = ADAPTERS[spec.client]
    inherited = {**os.environ, **spec.env}
    path = inherited.get("PATH")
    lacking = missing(spec.client, lambda name: shutil.which(name, path=path))
    if lacking is not None:
        raise Refused(lacking)
    folder = (state_folder(root) / "agents" / spec.id).absolute()
    mcp = mcp_command()
    looked_at = adapter.looks_at(inherited)
    tools = mcp is not None and "mcp" in adapter.nets
    heard = session is not None or hears_anything(spec.client)
    messages = [] if heard else portion(unread(state, spec.id))
    # The brief is a file, or stands in one: it is made of the plan without its secrets.
    shown = state.plan.agent(spec.id) or spec
    job = Assignment(
        spec=spec,
        brief=brief(state, shown, _runebook(path), mcp=tools, messages=messages),
        folder=folder,
        hook=hook_command(),
        mcp=mcp,
        environment=surroundings(root, spec.id),
        inherited=inherited,
        settings="" if looked_at is None else _text_of(looked_at),
        session=session if session is not None and _SESSION.fullmatch(session) else None,
    )
    try:
        start = adapter.start(job)
    except ValueError as error:
        raise Refused(f"{adapter.title} cannot be started: {looked_at} {error}") from error
    try:
        for name, text in start.files.items():
            write_below(folder, name, text)
        for name, target in start.links.items():
            link_below(folder, name, target)
    except (OSError, UnicodeError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise Refused(f"cannot write the files of {adapter.title} in {folder}: {why}") from error
    program = shutil.which(start.command[0], path=path) or start.command[0]
    return Outfit((program, *start.command[1:]), start.environment, tuple(each.id for each in messages))


def surroundings(root: Path, agent: str) -> dict[str, str]:
    """The variables of an agent's pane: who it is, and where the engine is."""
    return {
        "RUNEBOOK_AGENT": agent,
        "RUNEBOOK_ROOT": os.fspath(root),
        "RUNEBOOK_SOCKET": os.fspath(socket_path(root)),
    }


def hook_command() -> tuple[str, ...]:
    """The hook's command line: `-I -S` for a fast start, which the hook's entry is written for."""
    return (sys.executable, "-I", "-S", str(Path(__file__).parents[1] / "hooks" / "entry.py"))


def mcp_command() -> tuple[str, ...] | None:
    """The MCP server's command line, or None where the extra `mcp` is not installed."""
    if find_spec("runebook_tui.mcp") is None or find_spec("mcp") is None:
        return None
    return (sys.executable, "-P", "-m", "runebook_tui", "mcp")


def _runebook(path: str | None) -> str:
    """What an agent types for the command line: the short name where that is this installation."""
    found = shutil.which("runebook-tui", path=path)
    if found is not None and Path(found).parent == Path(sys.executable).parent:
        return "runebook-tui"
    return shlex.join((sys.executable, "-P", "-m", "runebook_tui"))


def _text_of(file: str) -> str:
    """What a settings file holds; "" where there is none. Raises Refused."""
    try:
        with open(file, "rb") as settings:
            return settings.read(_MOST_SETTINGS).decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise Refused(f"the settings {file} cannot be read: {error.strerror}") from error


def write_below(folder: Path, name: str, text: str) -> None:
    """Write a file below the agent's `folder`, at once or not at all, readable by the user alone.

    The agent may have put a link anywhere below its folder: none is followed. Raises OSError.
    """
    with _parent(folder, name) as (here, last):
        fresh = _unused(here, last)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with open(os.open(fresh, flags, 0o600, dir_fd=here), "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.replace(fresh, last, src_dir_fd=here, dst_dir_fd=here)


def remove_below(folder: Path, name: str) -> None:
    """Remove a file below the agent's `folder`, if it is there. Raises OSError."""
    with _parent(folder, name) as (here, last), suppress(FileNotFoundError):
        os.unlink(last, dir_fd=here)


def link_below(folder: Path, name: str, target: str) -> None:
    """Link a name below the agent's `folder` to what is at `target`, if anything is. Raises OSError."""
    if not os.path.exists(target):
        return
    with _parent(folder, name) as (here, last):
        fresh = _unused(here, last)
        os.symlink(target, fresh, dir_fd=here)
        os.replace(fresh, last, src_dir_fd=here, dst_dir_fd=here)


@contextmanager
def _parent(folder: Path, name: str) -> Iterator[tuple[int, str]]:
    """The folder that is to hold `name`, opened, and the last part of the name."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    *parents, last = name.split("/")
    here = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        os.fchmod(here, 0o700)
        for each in parents:
            inner = _folder_in(here, each)
            os.close(here)
            here = inner
        yield here, last
    finally:
        os.close(here)


def _unused(here: int, name: str) -> str:
    """A name beside `name` in the folder `here` that is free."""
    fresh = f".{name}.new"
    with suppress(FileNotFoundError):
        os.unlink(fresh, dir_fd=here)
    return fresh


def _folder_in(here: int, name: str) -> int:
    """The folder `name` in the folder `here`, opened; made where there is none, or something else."""
    with suppress(FileNotFoundError):
        if not stat.S_ISDIR(os.stat(name, dir_fd=here, follow_symlinks=False).st_mode):
            os.unlink(name, dir_fd=here)
    with suppress(FileExistsError):
        os.mkdir(name, 0o700, dir_fd=here)
    return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=here)
