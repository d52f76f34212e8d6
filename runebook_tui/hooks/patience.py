"""How long each client waits for its hook, in seconds: what its generated configuration says, or allows.

Every answer is given before that. The kernel gate is no part of this: it has `policy.hold_seconds`.
"""

from __future__ import annotations

PATIENCE = {
    # Measured (facts of the project, docs/hooks.md): 1,300 s waited with a timeout of 3,600.
    "claude": 3600.0,
    "codex": 3600.0,
    "gemini": 3600.0,  # 3,600,000 ms in its settings; 900 s waited
    "opencode": 3600.0,  # no limit of its own; 660 s waited
    "copilot": 3600.0,  # 700 s waited
    "qwen": 60.0,  # whatever its settings say, the tool ran after about 60 s
    "cursor": 60.0,  # not measured: the shortest that anybody has
    "goose": 300.0,  # as documented: `timeout` is ours to set; not measured
}
"""Seconds until a client's own timer ends its hook; after that most let the edit land."""

SHORTEST = 60.0
ANSWER_BEFORE = 10.0
"""So long before the client's timer the engine answers."""
GIVE_UP_BEFORE = 5.0
"""So long before the client's timer the hook answers by itself when the engine has not."""


def hold_seconds(client: str, policy: float) -> float:
    """How long a question of this client may wait for the operator when the plan says `policy` seconds."""
    return max(0.0, min(policy, PATIENCE.get(client, SHORTEST) - ANSWER_BEFORE))


def give_up_seconds(client: str) -> float:
    """How long the hook itself waits for the engine's answer."""
    return PATIENCE.get(client, SHORTEST) - GIVE_UP_BEFORE
