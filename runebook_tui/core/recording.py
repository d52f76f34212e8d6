"""Recording: what is written down of files that have changed, were taken back or restored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from runebook_tui.core.types import Author, Change


@dataclass(frozen=True)
class Touch:
    """One observed change and who made it."""

    change: Change
    author: Author
    lane: str = ""
    """The agent in whose lane the file is; "" for the repository's own tree."""
    free: bool = False
    """Whether it crosses no boundary, whoever made it: it brings what was decided already."""


@dataclass(frozen=True)
class Observe:
    """Changes that were seen together. `cause` names what made a burst ("git checkout topic")."""

    touches: tuple[Touch, ...]
    cause: str = ""


@dataclass(frozen=True)
class RecordUndo:
    """What a request had written was taken back, as far as it could be. `gone` were as before already."""

    undo: str
    request: int
    changes: tuple[Change, ...]
    patch: str
    gone: tuple[Change, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    """Why not, by path."""
    refused_patch: str = ""
    lane: str = ""
    """The agent in whose lane that was; "" for the repository's own tree."""


@dataclass(frozen=True)
class RecordRestore:
    """What an undo had removed was put back, at the paths of `changes`."""

    undo: str
    changes: tuple[Change, ...]
    lane: str = ""
