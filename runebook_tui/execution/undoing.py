"""Undoing: what a request had written is taken back in the tree, kept, and recorded; and brought back."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from runebook_tui.core import commands as c
from runebook_tui.core import events as e
from runebook_tui.core.state import State
from runebook_tui.core.types import OPERATOR, Change
from runebook_tui.core.undos import left_to_undo, why_not_restored, why_not_undone
from runebook_tui.execution.observer import Observer
from runebook_tui.execution.trees import Tree
from runebook_tui.history.errors import HistoryError, UndoError
from runebook_tui.history.patchfile import write_patch
from runebook_tui.history.undo import Plan, Step, carry_out, change_pairs, plan, prune
from runebook_tui.log.eventlog import EventLog
from runebook_tui.orchestrator.coordinator import Refused
from runebook_tui.place import STATE_NAME, state_folder

_PAGE = 1_000
_UNTOLD = "the log does not tell what was changed"
_TOLD = ("CoordinationRequest", "RequestGrew", "ChangeUndone", "UndoRestored")

Answer = dict[str, Any]


@dataclass(frozen=True)
class _Mark:
    """A record that names the newest touch before it with that change as one to take back."""

    seq: int
    change: Change


@dataclass
class _Done:
    """What became of each path."""

    changes: list[Change] = field(default_factory=list)
    gone: list[Change] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    patch: str = ""
    refused_patch: str = ""

    def answer(self, name: str) -> Answer:
        """For those who asked; the paths that are as they were before count as done."""
        return {
            "undo": name,
            "done": [change.path for change in (*self.changes, *self.gone)],
            "refused": self.refused,
            "patch": self.patch,
            "refused_patch": self.refused_patch,
        }


class Host(Protocol):
    """What undoing needs of the runner."""

    root: Path

    @property
    def state(self) -> State:
        """The state now."""

    async def handle_surely(self, command: c.Command, actor: str) -> None:
        """Carry out what has happened already, however long the log takes."""


class Undoing:
    """Takes back and brings back, one after the other, while nothing else is observed."""

    def __init__(self, host: Host, log: EventLog, tree: Callable[[str], Tree | None]) -> None:
        self._host = host
        self._folder = state_folder(host.root) / "undo"
        self._log = log
        self._tree = tree

    async def undo(self, number: int) -> Answer:
        """Take back what request `number` wrote, path by path. Raises Refused, LogError."""
        return await _to_the_end(self._undo(number))

    async def restore(self, name: str) -> Answer:
        """Bring back what the undo `name` removed, path by path. Raises Refused, LogError."""
        return await _to_the_end(self._restore(name))

    async def _undo(self, number: int) -> Answer:
        tree, observer = self._tree_of(number)
        async with observer.still(self._paths_of(number)):
            if reason := why_not_undone(self._host.state, number):
                raise Refused(reason)
            paths = self._paths_of(number)
            name = self._free_name()
            try:
                marks = await asyncio.to_thread(self._marks_of_request, number)
                done = await asyncio.to_thread(self._take_back, tree, name, paths, marks)
            except HistoryError as error:
                raise Refused(f"nothing was undone: {error}") from error
            command = c.RecordUndo(
                name,
                number,
                tuple(done.changes),
                done.patch,
                tuple(done.gone),
                done.refused,
                done.refused_patch,
                tree.name,
            )
            await self._host.handle_surely(command, OPERATOR)
            await observer.rewritten(done.changes)
        return done.answer(name)

    async def _restore(self, name: str) -> Answer:
        known = self._host.state.undos.get(name)
        tree, observer = self._tree_of(0 if known is None else known.request)
        async with observer.still(() if known is None else tuple(known.left)):
            if reason := why_not_restored(self._host.state, name):
                raise Refused(reason)
            known = self._host.state.undos[name]
            marks = await asyncio.to_thread(self._marks_of_undo, name)
            done = await asyncio.to_thread(self._take_back, tree, None, tuple(known.left), marks)
            command = c.RecordRestore(name, (*done.changes, *done.gone), tree.name)
            await self._host.handle_surely(command, OPERATOR)
            await observer.rewritten(done.changes)
        return done.answer(name) | {"patch": known.patch}

    def _tree_of(self, number: int) -> tuple[Tree, Observer]:
        """The tree that request `number` is about. Raises Refused when it is not observed."""
        request = self._host.state.requests.get(number)
        lane = "" if request is None else request.lane
        tree = self._tree(lane)
        if tree is None or tree.observer is None:
            raise Refused(f"the worktree of {lane} is not there any more")
        return tree, tree.observer

    def _paths_of(self, number: int) -> tuple[str, ...]:
        request = self._host.state.requests.get(number)
        return () if request is None else left_to_undo(request)

    def _free_name(self) -> str:
        """An id that neither the log nor a patch of an earlier log has."""
        taken = [*self._host.state.undos]
        if self._folder.is_dir():
            taken += [each.name for each in self._folder.iterdir()]
        numbers = [int(found[1]) for each in taken if (found := re.match(r"u([0-9]{1,9})\b", each))]
        return f"u{max(numbers, default=0) + 1}"

    # ── in a thread ─────────────────────────────────────────────────────────────────────────────

    def _take_back(
        self, tree: Tree, name: str | None, paths: Iterable[str], marks: Mapping[str, Sequence[_Mark]]
    ) -> _Done:
        """Take the marked touches of `paths` back. With a `name`, patches of it are kept.

        Raises HistoryError when the patch of what is about to be removed cannot be kept.
        """
        done = _Done()
        plans: list[Plan] = []
        steps: dict[str, list[Step]] = {}
        for path in paths:
            try:
                steps[path] = self._steps(tree.name, path, marks.get(path, ()))
                found = plan(tree.history, path, steps[path])
            except HistoryError as error:
                done.refused[path] = str(error)
                continue
            if found is None:
                now = tree.history.known(path)
                done.gone.append(Change(path=path, before=now, after=now))
            else:
                plans.append(found)
        if name is not None and plans:
            write_patch(self._folder / f"{name}.patch", [each.pair for each in plans])
            done.patch = f"{STATE_NAME}/undo/{name}.patch"
        for each in plans:
            try:
                done.changes.append(carry_out(tree.history, each))
            except HistoryError as error:
                done.refused[each.path] = str(error)
        prune(tree.history, done.changes)
        if name is not None and done.refused:
            pairs = [
                pair for path in done.refused for pair in change_pairs(tree.history, steps.get(path, []))
            ]
            try:
                write_patch(self._folder / f"{name}-refused.patch", pairs)
                done.refused_patch = f"{STATE_NAME}/undo/{name}-refused.patch"
            except HistoryError as error:
                done.refused = {path: f"{reason}; {error}" for path, reason in done.refused.items()}
        return done

    def _steps(self, lane: str, path: str, marks: Sequence[_Mark]) -> list[Step]:
        """Every touch of `path` from the first marked one on. Raises UndoError when the log does not tell."""
        if not marks:
            raise UndoError(_UNTOLD)
        old = marks[0].seq <= self._host.state.forgotten_before
        untold = "it is older than the changes that the log keeps" if old else _UNTOLD
        first = self._log.read(path=path, lane=lane, before=marks[0].seq, newest_first=True, limit=1)
        touches = self._log.read(path=path, lane=lane, after=first[0].seq - 1) if first else []
        ours: set[int] = set()
        for mark in marks:
            # An interface's drift is noticed a moment after the touch.
            same = [each.seq for each in touches if each.seq < mark.seq and _change(each) == mark.change]
            new = [seq for seq in same if seq not in ours]
            if not new:
                raise UndoError(untold)
            ours.add(new[-1])
        found = ((change, each.seq in ours) for each in touches if (change := _change(each)) is not None)
        return [Step(change, is_ours) for change, is_ours in found]

    def _marks_of_request(self, number: int) -> dict[str, list[_Mark]]:
        """The changes that a request is about, with those of its earlier undos and restores, by path."""
        told: list[e.Record] = []
        before: int | None = None
        while page := self._log.read(types=_TOLD, before=before, limit=_PAGE, newest_first=True):
            told += page
            before = page[-1].seq
            if any(isinstance(r.event, e.CoordinationRequest) and r.event.request == number for r in page):
                break
        marks: dict[str, list[_Mark]] = {}
        undos: set[str] = set()
        for record in reversed(told):
            event = record.event
            changes: tuple[Change | None, ...] = ()
            if isinstance(event, e.CoordinationRequest | e.RequestGrew) and event.request == number:
                changes = tuple(crossing.change for crossing in event.crossings)
            elif isinstance(event, e.ChangeUndone) and event.request == number:
                undos.add(event.undo)
                changes = event.changes
            elif isinstance(event, e.UndoRestored) and event.undo in undos:
                changes = event.changes
            _mark(marks, record.seq, changes)
        return marks

    def _marks_of_undo(self, name: str) -> dict[str, list[_Mark]]:
        """The changes that an undo made, by path."""
        marks: dict[str, list[_Mark]] = {}
        for record in self._log.read(types=["ChangeUndone"]):
            if isinstance(record.event, e.ChangeUndone) and record.event.undo == name:
                _mark(marks, record.seq, record.event.changes)
        return marks


def _mark(marks: dict[str, list[_Mark]], seq: int, changes: Iterable[Change | None]) -> None:
    for change in changes:
        # Where both sides are the same nothing was left to change, and there is no touch.
        if change is not None and change.before != change.after:
            marks.setdefault(change.path, []).append(_Mark(seq, change))


def _change(record: e.Record) -> Change | None:
    return record.event.change if isinstance(record.event, e.Touched) else None


async def _to_the_end(work: Coroutine[Any, Any, Answer]) -> Answer:
    """Go on when whoever asked has hung up: what was changed in the tree must come into the log."""
    return await asyncio.shield(asyncio.create_task(work))
