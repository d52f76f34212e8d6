"""Questions: what an agent's client asks of its user in its pane, as the one authority knows it."""

from __future__ import annotations

from dataclasses import dataclass

from runebook_tui.core.activity import Activity
from runebook_tui.core.authority import standing
from runebook_tui.core.standing import Word
from runebook_tui.core.state import AgentState, State


@dataclass(frozen=True, slots=True)
class Question:
    """One that is open. `words` are the client's, bounded, not made safe."""

    agent: str
    words: str
    since: float | None
    """Unix seconds."""


def question(state: State, agent: AgentState) -> Question | None:
    """What the agent's client asks, or None; also while a request of the agent waits."""
    if not agent.alive:
        return None
    stands = standing(state, agent)
    if stands.word is Word.WAITING:
        return Question(agent.id, stands.line or stands.rule, stands.since)
    doing = agent.doing
    if doing is not None and doing.activity is Activity.WAITING and stands.word is Word.BLOCKED:
        return Question(agent.id, doing.about or doing.client, doing.since)
    return None


def questions(state: State) -> tuple[Question, ...]:
    """All that are open, the oldest first."""
    found = [asked for agent in state.agents.values() if (asked := question(state, agent)) is not None]
    return tuple(sorted(found, key=lambda asked: asked.since or 0.0))
