"""The commit guard: what git's hooks ask before a commit is made or a branch moves.

Nobody but an agent is ever stopped. Who commits is told by the engine, which knows the process; where none
answers, an agent is who its environment says. Standard library only.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from runebook_tui.place import find_repository, has_run, socket_path

REFUSED = 9
"""The exit status that stops git; of every other one people hear, and git goes on."""

_SECONDS = 5.0
_SHOWN = 10
_AT_ONCE = 2_000


class Refusal(NamedTuple):
    """A path that an agent may not commit, and why."""

    path: str
    reason: str


Rule = Callable[[Path, str, Sequence[str]], list[Refusal]]
"""What an agent of a repository may not commit of some paths, by the log. Raises RuleError."""


class EngineAway(Exception):
    """No engine answers."""


class GuardEngine:
    """The engine of the repository at `root`, asked what whoever runs this process may commit.

    Raises EngineAway.
    """

    def __init__(self, root: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(_SECONDS)
        try:
            self._socket.connect(str(socket_path(root)))
        except OSError as error:
            self._socket.close()
            raise EngineAway from error
        self._lines = self._socket.makefile("rb")

    def agent(self) -> str | None:
        """The agent that is speaking, or None for anybody else."""
        agent = self._ask(())["agent"]
        return None if agent is None else str(agent)

    def refused(self, paths: Sequence[str]) -> list[Refusal]:
        """Which of `paths` the agent that is speaking may not commit."""
        found = []
        for start in range(0, len(paths), _AT_ONCE):
            refused = self._ask(paths[start : start + _AT_ONCE])["refused"]
            found += [Refusal(str(each["path"]), str(each["reason"])) for each in refused]
        return found

    def close(self) -> None:
        """Hang up."""
        self._lines.close()
        self._socket.close()

    def _ask(self, paths: Sequence[str]) -> dict[str, Any]:
        question = {"do": "may-commit", "paths": list(paths), "agent": os.environ.get("RUNEBOOK_AGENT", "")}
        try:
            self._socket.sendall(json.dumps(question, ensure_ascii=True).encode() + b"\n")
            answer = json.loads(self._lines.readline())
        except (OSError, ValueError) as error:
            raise EngineAway from error
        if not isinstance(answer, dict) or answer.get("ok") is not True:
            raise EngineAway
        return answer


def check(hook: str, rule: Rule) -> int:
    """Look at what `hook` is about; 0, or REFUSED after a line for each path to standard output.

    Without an engine `rule` says what an agent may not commit, or the plan's file where nothing has run yet.
    What cannot be told is refused.
    """
    root = repository()
    if root is None:
        return 0
    agent: str | None
    try:
        engine = GuardEngine(root)
        agent = engine.agent()
    except EngineAway:
        engine, agent = None, os.environ.get("RUNEBOOK_AGENT") or None
    if agent is None:
        return 0
    from runebook_tui.core.printable import visible
    from runebook_tui.git.coming import entering, staged
    from runebook_tui.git.plan_rule import RuleError, not_to_commit
    from runebook_tui.git.process import GitError

    try:
        paths = staged() if hook == "pre-commit" else entering(sys.stdin.buffer)
        if not paths:
            return 0
        if engine is not None:
            refused = engine.refused(paths)
        elif has_run(root):
            refused = rule(root, agent, paths)
        else:
            refused = [Refusal(*each) for each in not_to_commit(root, agent, paths)]
    except EngineAway:
        print("runebook: the engine went away; commit again")
        return REFUSED
    except (GitError, RuleError, OSError, ValueError) as error:
        print(f"runebook: {visible(f'{agent} may not commit what cannot be looked at: {error}', 500)}")
        return REFUSED
    for each in refused[:_SHOWN]:
        print(f"runebook: {agent} may not commit {visible(each.path, 300)}: {visible(each.reason, 300)}")
    if len(refused) > _SHOWN:
        print(f"runebook: and {len(refused) - _SHOWN} more")
    if refused:
        print("runebook: leave them out (git restore --staged PATH), or ask first (runebook-tui ask PATH)")
    return REFUSED if refused else 0


def repository() -> Path | None:
    """The repository that the hook runs in: the top of its main work tree.

    Where git's folder does not tell that, it is RUNEBOOK_ROOT, or what is around the current folder.
    """
    here = find_repository(Path.cwd())
    folder = os.environ.get("GIT_DIR")
    place = Path(folder).absolute() if folder else None if here is None else here / ".git"
    if place is not None and place.is_file():
        line = place.read_bytes()[:8192].removeprefix(b"gitdir: ").rstrip(b"\n")
        place = place.parent / os.fsdecode(line)
    if place is not None:
        with suppress(OSError):
            place = place / os.fsdecode((place / "commondir").read_bytes().rstrip(b"\n"))
        place = Path(os.path.realpath(place))
        if place.name == ".git":
            return place.parent
    given = os.environ.get("RUNEBOOK_ROOT")
    return Path(given) if given else here
