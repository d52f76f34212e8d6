"""The console command. What runs as a pane's first process starts without the heavy imports."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

_HOOK_USAGE = "usage: runebook-tui hook CLIENT [EVENT] < PAYLOAD"
_EXEC_USAGE = "usage: runebook-tui exec AGENT [-- COMMAND [ARGUMENT ...]]"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["exec"]:
        return _execute(words[1:])
    if words[:1] == ["hook"]:
        return _hook(words[1:])
    if words[:2] == ["guard", "check"] and len(words) == 3:
        return _guard(words[2])
    from runebook_tui.cli.command import run

    return run(words)


def _hook(words: list[str]) -> int:
    """`runebook-tui hook CLIENT [EVENT]`: what an agent's client runs before it edits."""
    if not 1 <= len(words) <= 2 or words[0].startswith("-"):
        asked = words[:1] in (["-h"], ["--help"])
        print(_HOOK_USAGE, file=sys.stdout if asked else sys.stderr)
        return 0 if asked else 2
    from runebook_tui.hooks.entry import main as answer

    return answer(words)


def _guard(hook: str) -> int:
    """`runebook-tui guard check HOOK`: what the commit guard's hooks call."""
    from runebook_tui.git.guard import Refusal, check

    def rule(root: Path, agent: str, paths: Sequence[str]) -> list[Refusal]:
        from runebook_tui.cli.guarding import refused

        return refused(root, agent, paths)

    return check(hook, rule)


def _execute(words: list[str]) -> int:
    """`runebook-tui exec AGENT [-- COMMAND ...]`: a program of an agent, under the gate."""
    agent, rest = (words[0], words[1:]) if words else ("", [])
    off = bool(rest) and (rest[0] != "--" or len(rest) == 1)
    if off or not agent or agent.startswith("-"):
        asked = agent in ("-h", "--help")
        print(_EXEC_USAGE, file=sys.stdout if asked else sys.stderr)
        return 0 if asked else 2
    from runebook_tui.gate.pane import run
    from runebook_tui.place import find_plan, find_repository, socket_path

    given = os.environ.get("RUNEBOOK_ROOT") if not rest else None
    plan = find_plan(Path.cwd())
    root = Path(given) if given else plan.parent if plan else find_repository(Path.cwd())
    if root is None:
        print("runebook-tui: the current folder is not in a git repository", file=sys.stderr)
        return 2
    return run(agent, rest[1:] or None, root, socket_path(root))


if __name__ == "__main__":
    sys.exit(main())
