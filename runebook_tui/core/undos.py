"""Undos: which request may be taken back, what is recorded of it, and what the state keeps. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, assert_never

from runebook_tui.core import events as e
from runebook_tui.core.commands import RecordRestore, RecordUndo
from runebook_tui.core.state import RequestState, State, UndoState
from runebook_tui.core.types import OPERATOR, Author


def why_not_undone(state: State, number: int, *, rejecting: bool = False) -> str:
    """Why what request `number` wrote cannot be taken back now; "" when it may be tried.

    `rejecting` says that the request is rejected in the same breath, so that it may be open.
    """
    request = state.requests.get(number)
    if request is None:
        return f"there is no request {number}"
    if not may_undo(request):
        if request.undone:
            return f"request {number} is undone already ({', '.join(dict.fromkeys(request.undone.values()))})"
        return f"request {number} was {request.kind}: nothing was written that could be undone"
    if request.status == "withdrawn":
        return f"request {number} was withdrawn: {request.answer or 'it is void'}"
    if request.open and not rejecting:
        return f"request {number} is open: decide it first, or reject it with undo"
    return ""


def may_undo(request: RequestState) -> bool:
    """Whether the request wrote something that could be taken back."""
    return bool(left_to_undo(request))


def left_to_undo(request: RequestState) -> tuple[str, ...]:
    """The paths that the request wrote and that are not undone."""
    return tuple(
        path
        for path, crossing in request.crossings.items()
        if crossing.change is not None and path not in request.undone
    )


def why_not_restored(state: State, undo: str) -> str:
    """Why an undo cannot be taken back now; "" when it may be tried."""
    known = state.undos.get(undo)
    if known is None:
        return f"there is no undo {undo}"
    if not known.left:
        return f"undo {undo} is restored already" if known.restored else f"undo {undo} removed nothing"
    return ""


def recorded(state: State, command: RecordUndo | RecordRestore) -> tuple[e.Event, ...]:
    """The events of an undo or a restore that has happened. The touches are the operator's."""
    match command:
        case RecordUndo():
            touches = _touches(command, f"undo of request {command.request}")
            undone = (*command.changes, *command.gone)
            done = e.ChangeUndone(
                undo=command.undo, request=command.request, changes=undone, patch=command.patch
            )
            refused = (
                e.UndoRefused(
                    undo=command.undo,
                    request=command.request,
                    path=path,
                    reason=reason,
                    patch=command.refused_patch,
                )
                for path, reason in command.refused.items()
            )
            return (*touches, *((done,) if undone else ()), *refused)
        case RecordRestore():
            if not command.changes:
                return ()
            touches = _touches(command, f"undo {command.undo} restored")
            return (*touches, e.UndoRestored(undo=command.undo, changes=command.changes))
        case _:
            assert_never(command)


def _touches(command: RecordUndo | RecordRestore, evidence: str) -> tuple[e.Touched, ...]:
    author = Author(name=OPERATOR, evidence=evidence)
    return tuple(
        e.Touched(change=change, author=author, cause=evidence, lane=command.lane)
        for change in command.changes
    )


def applied(state: State, event: e.ChangeUndone | e.UndoRefused | e.UndoRestored, time: float) -> State:
    """The state after what happened to an undo."""
    known = state.undos.get(event.undo)
    match event:
        case e.ChangeUndone():
            undo = known or UndoState(event.undo, event.request, time)
            undo = replace(undo, changes=_frozen({c.path: c for c in event.changes}), patch=event.patch)
            state = _request(
                state,
                event.request,
                undone={change.path: event.undo for change in event.changes},
                over={change.path for change in event.changes},
            )
        case e.UndoRefused():
            undo = known or UndoState(event.undo, event.request, time)
            refused = {**undo.refused, event.path: event.reason}
            undo = replace(undo, refused=_frozen(refused), refused_patch=event.patch)
            state = _request(state, event.request, refused={event.path: event.reason})
        case e.UndoRestored():
            if known is None:
                return state
            back = {change.path for change in event.changes}
            undo = replace(known, restored=known.restored | back)
            state = _request(state, known.request, over=back)
        case _:
            assert_never(event)
    return replace(state, undos=_frozen({**state.undos, event.undo: undo}))


def _request(
    state: State,
    number: int,
    *,
    undone: Mapping[str, str] | None = None,
    refused: Mapping[str, str] | None = None,
    over: set[str] | None = None,
) -> State:
    """The request with these paths undone or refused, and what was known of the paths `over` forgotten."""
    request = state.requests.get(number)
    if request is None:
        return state
    past = over or set()
    changed = replace(
        request,
        undone=_frozen(_without(request.undone, past) | dict(undone or {})),
        undo_refused=_frozen(_without(request.undo_refused, past) | dict(refused or {})),
    )
    return replace(state, requests=_frozen({**state.requests, number: changed}))


def _without(mapping: Mapping[str, str], paths: set[str]) -> dict[str, str]:
    return {path: value for path, value in mapping.items() if path not in paths}


def _frozen(mapping: Mapping[Any, Any]) -> Mapping[Any, Any]:
    return MappingProxyType(dict(mapping))
