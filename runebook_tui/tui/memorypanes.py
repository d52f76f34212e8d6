"""MemoryPanes: the panes of a backend in memory: what they show is put in, and what is asked is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from runebook_tui.tui.backend import BackendError, Frame, Rows, Way


class MemoryPanes:
    """`frames` and `histories` hold what is answered; `captured` counts looks, `kept` what was copied."""

    def __init__(self) -> None:
        self.frames: dict[str, Frame] = {}
        self.histories: dict[str, tuple[bytes, ...]] = {}
        self.captured: Counter[str] = Counter()
        self.kept: list[str] = []

    async def captures(self, agents: Sequence[str]) -> Mapping[str, Frame | BackendError]:
        """The frames put into `frames`."""
        self.captured.update(agents)
        return {agent: self.frames[agent] for agent in agents if agent in self.frames}

    async def rows(self, agent: str, start: int, count: int) -> Rows:
        """Rows of the history put into `histories`, then of the frame."""
        above = self.histories.get(agent, ())
        first = max(0, len(above) + start)
        lines = (*above, *self.frames[agent].lines)[first : max(first, len(above) + start + count)]
        return Rows(tuple(lines), first, len(above))

    async def way(self, agent: str) -> Way:
        """A command that does nothing; it takes no terminal."""
        if agent not in self.frames:
            raise BackendError(f"{agent} has no pane")
        return Way(("true", agent), takes_terminal=False, back="F12")

    async def keep(self, text: str) -> None:
        """Remember the text in `kept`."""
        self.kept.append(text)
