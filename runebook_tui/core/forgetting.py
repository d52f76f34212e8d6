"""Forgetting: the log lets go of old changes of files, so that it does not grow for ever. Pure.

The newest `[policy] log_changes` of them stay; of those before, one stays for each path, the newest. So what
is left of a path's story is its end: all of it, or from one change before the bound on. Nothing else goes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal, NamedTuple

from pydantic import Field

from runebook_tui.core.fact import Fact

if TYPE_CHECKING:
    from runebook_tui.core.state import State

FEWEST = 1_000
"""So many of the newest changes are kept in any case."""


class Old(NamedTuple):
    """What is to be forgotten: of each path of each tree touched between two records, all before the last.

    However old those are; what was not touched between the two stays as it is.
    """

    before: int
    after: int = 0
    gone: frozenset[int] = frozenset()
    """Numbers of changes that go although they are the last of their path: it is not there, nor expected."""


class TouchesForgotten(Fact):
    """Old changes of files went from the log; the record came with their removal, or not at all."""

    type: Literal["TouchesForgotten"] = "TouchesForgotten"
    before: int
    """The bound: of changes with smaller numbers only the newest of each path is in the log."""
    touches: int
    """How many changes the run has seen so far, those that are forgotten among them."""
    runs: dict[int, int] = Field(default_factory=dict)
    """How many changes went, by the number of their run."""

    @property
    def count(self) -> int:
        """How many changes went."""
        return sum(self.runs.values())


def applied(state: State, event: TouchesForgotten) -> State:
    """The state after it: a log without those changes counts as many as the log with them did."""
    return replace(
        state,
        touches=event.touches,
        forgotten=state.forgotten + event.runs.get(state.run, 0),
        forgotten_before=max(state.forgotten_before, event.before),
    )


def kept_no_more(count: int) -> str:
    """What a reader of a run is told where the log no longer has `count` changes of it; "" for none."""
    if not count:
        return ""
    return "1 older change is no longer kept" if count == 1 else f"{count:,} older changes are no longer kept"


def forgotten_words(event: TouchesForgotten) -> str:
    """What went, for people."""
    what = "1 old change of a file" if event.count == 1 else f"{event.count:,} old changes of files"
    return f"the log forgot {what}"
