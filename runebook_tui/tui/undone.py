"""Undone: what became of an undo, in words for the operator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_PATHS_SHOWN = 3


@dataclass(frozen=True)
class Outcome:
    """One thing to say of an undo."""

    done: bool
    title: str
    words: str


def undo_outcomes(answer: Mapping[str, object]) -> Iterator[Outcome]:
    """What the engine's answer to "reject and undo" says; nothing when it is about something else."""
    undo, done, refused = answer.get("undo"), answer.get("done"), answer.get("refused")
    if isinstance(done, list) and done:
        back = f"`runebook-tui undo --restore {undo}` brings it back"
        yield Outcome(True, f"undone as {undo}", f"{_listed(done)}; {back}")
    if isinstance(refused, dict) and refused:
        path, reason = next(iter(refused.items()))
        more = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
        kept = answer.get("refused_patch")
        patch = f"; the change is kept in {kept}" if kept else ""
        yield Outcome(False, "rejected, but not undone", f"{path}: {reason}{more}{patch}")


def _listed(paths: list[str]) -> str:
    more = f" and {len(paths) - _PATHS_SHOWN} more" if len(paths) > _PATHS_SHOWN else ""
    return ", ".join(paths[:_PATHS_SHOWN]) + more
