"""The diff of a request, wherever its files are."""

from __future__ import annotations

from pathlib import Path

from runebook_tui.cli.asking import ask_engine
from runebook_tui.core.hosts import host_of_request
from runebook_tui.core.state import RequestState, State
from runebook_tui.execution.client import EngineError
from runebook_tui.history.diffs import request_diff
from runebook_tui.history.heads import tree
from runebook_tui.place import host_name


def diff_of(root: Path, state: State, request: RequestState) -> str:
    """The diff; that of another host's files is asked for, and is what the log has where it cannot be had."""
    if host_of_request(state, request) != host_name(root):
        try:
            return str(ask_engine("diff", root, request=request.id)["diff"])
        except (EngineError, TimeoutError):
            return request.contract
    ahead = tree(root, request.lane) if request.open else None
    return request.contract + request_diff(root, request.crossings, ahead=ahead)
