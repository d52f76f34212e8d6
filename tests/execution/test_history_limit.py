"""The plan says how much the contents that files had may take, also when it changes while a run goes on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from runebook_tui.core.policy import Policy
from runebook_tui.core.state import State
from runebook_tui.core.types import Author
from runebook_tui.execution.trees import Trees
from runebook_tui.log.memory import MemoryLog


async def nothing(*_: object) -> None:
    """What the trees would tell others."""


async def edited(author: Author) -> None:
    """The plan's file is not watched here."""


def under(history_mb: float) -> State:
    state = State()
    return replace(state, plan=state.plan.model_copy(update={"policy": Policy(history_mb=history_mb)}))


def test_the_history_keeps_to_the_plan_in_force(tmp_path: Path) -> None:
    trees = Trees(tmp_path, "", MemoryLog(), lambda pid: False, nothing, State, edited, nothing)
    store = trees.main.history.store
    for megabytes, kept in ((10.0, 300), (1.0, 230)):
        trees.published(under(megabytes))
        for number in range(300):
            assert store.put(f"{megabytes} {number}".encode())
        found = sum(each.is_file() for each in store.folder.rglob("*"))
        assert kept <= found <= megabytes * 1e6 / 4096
    trees.main.history.close()
