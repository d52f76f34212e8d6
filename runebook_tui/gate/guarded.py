"""The operator's own places, which no gated program writes: the plan, git's settings, Runebook's state.

All paths are bytes: absolute, real, in the supervisor's own view.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from runebook_tui.core.ownership import operators_own

_SETTINGS = (b"config", b"config.worktree", b"info/exclude", b"info/attributes", b"commondir")
# info/exclude and info/attributes decide what is ignored; the rest of info/ is git's (gc writes info/refs).


class Guarded:
    """Knows the operator's places for the repository at `root`, the `agent` and the git folders `git`."""

    def __init__(self, root: bytes, agent: str, git: Iterable[bytes] = ()) -> None:
        self._root = root + b"/"
        self._agent = agent
        top = root + b"/.git"
        self._files = {root + b"/runebook.toml", top}
        self._trees = {root + b"/.runebook"}
        for folder in {top, os.path.realpath(top), *git}:
            self._trees.add(folder + b"/hooks")
            for name in _SETTINGS:
                self._files |= {folder + b"/" + name, folder + b"/" + name + b".lock"}
        # Where one of them is a link, what it points to is the operator's as well.
        self._files |= {os.path.realpath(path) for path in self._files if os.path.islink(path)}
        self._trees |= {os.path.realpath(path) for path in self._trees if os.path.islink(path)}
        self._prefixes = tuple(self._files | self._trees)

    def holds(self, path: bytes) -> bool:
        """Whether `path` is the operator's."""
        if not path.startswith(self._prefixes):
            return False
        if path in self._files:
            return True
        if path.startswith(self._root) and path.startswith(b".runebook", len(self._root)):
            return operators_own(os.fsdecode(path[len(self._root) :]), self._agent)
        return any(path == tree or path.startswith(tree + b"/") for tree in self._trees)

    def below(self, folder: bytes) -> bool:
        """Whether one of the operator's places is `folder` or inside it."""
        inside = folder + b"/"
        return self.holds(folder) or any(place.startswith(inside) for place in self._prefixes)
