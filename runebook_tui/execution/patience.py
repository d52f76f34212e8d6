"""How long the gate lets a write of an agent wait: never longer than the shell of its client does.

A client that gives up on a command goes on without knowing why. So the gate refuses shortly before, in words,
with the request's number; the request stays open, and its approval is for the next try.
"""

from __future__ import annotations

from runebook_tui.clients.registry import ADAPTERS
from runebook_tui.core.away import policy_for
from runebook_tui.core.types import ExecutionPlan

REFUSE_BEFORE = 2.0
"""Seconds before the client's shell gives up."""


def hold_seconds(plan: ExecutionPlan, agent: str, path: str) -> float:
    """Seconds that a write of `path` by `agent` waits for the operator."""
    return at_most(policy_for(plan.policy, path).hold_seconds, plan, agent)


def at_most(policy: float, plan: ExecutionPlan, agent: str) -> float:
    """`policy` seconds, or as many as the shell of the agent's client has patience for."""
    spec = plan.agent(agent)
    shell = None if spec is None or spec.client is None else ADAPTERS[spec.client].shell_seconds
    return policy if shell is None else min(policy, shell - REFUSE_BEFORE)
