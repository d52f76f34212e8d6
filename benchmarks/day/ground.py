"""The ground of a day: a scratch repository, and a plan of as many agents as are asked for."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.day.orders import FOREIGN, FOREIGN_FILES, OWN_FILES, SCRIPT, Desk
from benchmarks.scratch import Scratch

PLAN_TITLE = "a-day"
HISTORY_MB = 16
"""The contents of the first eighth of the day: then the oldest go."""
LOG_CHANGES = 9_000
"""A quarter of what a day changes: the log begins to forget in the fifth of fifteen minutes."""


def lay(folder: Path, desk: Desk, gate: str) -> Path:
    """Make and commit the repository in `folder`; its top."""
    scratch = Scratch(folder)
    texts = {f"{FOREIGN}/f{number}": "as committed\n" for number in range(FOREIGN_FILES)}
    policy = f"[policy]\nhistory_mb = {HISTORY_MB}\nlog_changes = {LOG_CHANGES}\n"
    plan = [f'[plan]\nname = "{PLAN_TITLE}"\n{policy}[[phases]]\nid = "work"\n']
    for agent, fifo in desk.paths.items():
        texts |= {f"{agent}/f{number}": "as committed\n" for number in range(OWN_FILES)}
        plan.append(_agent(agent, ["sh", "-c", SCRIPT, "sh", str(fifo)], gate))
    plan.append(_agent(FOREIGN, ["sleep", "infinity"], gate))
    for path, text in {**texts, "runebook.toml": "".join(plan)}.items():
        file = scratch.root / path
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    scratch.git("add", "-A")
    scratch.git("commit", "-q", "-m", "Begin")
    return scratch.root


def _agent(name: str, command: list[str], gate: str) -> str:
    return (
        f'[[agents]]\nid = "{name}"\nphase = "work"\ngate = "{gate}"\n'
        f'command = {json.dumps(command)}\nclaims = ["{name}/**"]\n'
    )
