"""Who owns what by the plan's file alone, for a hook that must start fast. Standard library only.

The planner reads and checks the same file with all that a plan can hold; here an agent's commit waits.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path

from runebook_tui.core.ownership import FileOwnership, OwnershipManager
from runebook_tui.place import PLAN_NAME


class RuleError(Exception):
    """What an agent may commit cannot be told; one line for people."""


def not_to_commit(root: Path, agent: str, paths: Sequence[str]) -> list[tuple[str, str]]:
    """Which of `paths` the agent may not commit, each with the reason. Raises RuleError."""
    try:
        plan = tomllib.loads((root / PLAN_NAME).read_text(encoding="utf-8"))
        claims = [
            FileOwnership(str(claim), str(each["id"]))
            for each in plan.get("agents", [])
            for claim in each.get("claims", [])
        ]
        claims += [FileOwnership(str(e["path"]), str(e["owner"]), True) for e in plan.get("shared", [])]
        may_write = [
            (str(each["id"]), str(pattern))
            for each in plan.get("agents", [])
            for pattern in each.get("may_write", [])
        ]
        asks = plan.get("policy", {}).get("unowned") == "ask"
        owners = OwnershipManager(claims, may_write)
    except OSError as error:
        raise RuleError(f"{PLAN_NAME} cannot be read: {error.strerror}") from error
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise RuleError(f"{PLAN_NAME} is no plan: {error}") from error
    reasons = ((path, owners.not_to_commit(agent, path, unowned_asks=asks)) for path in paths)
    return [(path, reason) for path, reason in reasons if reason is not None]
