"""The rules as a gate's supervisor needs them: JSON, sent when they change and left in a file.

The file, `.runebook/rules.json`, is for commands that run under the gate while no engine does.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from runebook_tui.core.grants import Grant
from runebook_tui.core.state import State
from runebook_tui.core.types import AgentSpec, ExecutionPlan
from runebook_tui.execution.machine import Machine
from runebook_tui.execution.patience import at_most
from runebook_tui.git.process import Git, GitError
from runebook_tui.place import SOCKET_NAME, runtime_folder, state_folder

FILE_NAME = "rules.json"

Rules = dict[str, Any]


def rules_of(plan: ExecutionPlan, agent: str, grants: tuple[Grant, ...], root: Path) -> Rules:
    """What the gate of `agent` goes by, in the repository (or worktree) at `root`."""
    try:
        git = [Git(root).folder(), Git(root).common_folder()]
    except GitError:
        git = [os.fspath(root / ".git")]
    return {
        "agent": agent,
        "claims": [list(claim) for claim in plan.ownership],
        "may_write": [pattern for each, pattern in plan.may_write if each == agent],
        "unowned": plan.policy.unowned,
        "away": plan.policy.away,
        "hold_seconds": at_most(plan.policy.hold_seconds, plan, agent),
        "paths": [
            [
                each.path,
                each.away,
                None if each.hold_seconds is None else at_most(each.hold_seconds, plan, agent),
            ]
            for each in plan.policy.paths
        ],
        "grants": [_grant(grant) for grant in grants if grant.agent == agent],
        "git": list(dict.fromkeys(os.path.realpath(folder) for folder in git)),
        "tmux": _tmux_folders(),
        "keep": [os.path.realpath(runtime_folder(root) / SOCKET_NAME)],
    }


def _grant(grant: Grant) -> dict[str, Any]:
    return {
        "request": grant.request,
        "agent": grant.agent,
        "paths": sorted(grant.paths),
        "scope": grant.scope.value,
        "task": grant.task,
        "pid": grant.pid,
        "owners": sorted(grant.owners, key=str),
        "used": {path: list(use) for path, use in grant.used.items()},
        "used_at": grant.used_at,
        "base": dict(grant.base),
    }


def _tmux_folders() -> list[str]:
    """Where tmux keeps the sockets of this user's servers (tmux(1), TMUX_TMPDIR)."""
    places = ("/tmp", os.environ.get("TMUX_TMPDIR", "/tmp"))
    return list(dict.fromkeys(os.path.realpath(f"{place}/tmux-{os.getuid()}") for place in places))


class Rulebook:
    """Notices when the rules changed, and keeps the file."""

    def __init__(self, root: Path, machine: Callable[[], Machine]) -> None:
        self._root = root
        self._machine = machine
        self._known: tuple[object, object] = (None, None)

    def changed(self, state: State) -> bool:
        """Whether plan or grants are others than when last asked; then the file is written anew."""
        if self._known[0] is state.plan and self._known[1] is state.grants:
            return False
        self._known = state.plan, state.grants
        with suppress(OSError):  # a full disk: the supervisors are told by the socket all the same
            self._write(state)
        return True

    def of(self, state: State, spec: AgentSpec) -> Rules:
        """The rules of one agent now."""
        return rules_of(state.plan, spec.id, tuple(state.grants.values()), self._root)

    def _write(self, state: State) -> None:
        whole = {}
        for spec in state.plan.agents:
            mode, reason = self._machine().allows(spec.gate)
            whole[spec.id] = {"gate": mode.value, "reason": reason, "rules": self.of(state, spec)}
        file = state_folder(self._root) / FILE_NAME
        fresh = file.with_suffix(".new")
        fresh.write_text(json.dumps(whole, ensure_ascii=True))
        fresh.chmod(0o600)
        os.replace(fresh, file)
