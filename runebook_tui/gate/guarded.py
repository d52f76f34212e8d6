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
    """Knows the operator's places for the repository at `root`, the `agent` and the git folders `git`.

    Where `root` is an agent's worktree, `main` is the repository's own tree, which has such places too.
    `keep` are files elsewhere.
    """

    def __init__(
        self,
        root: bytes,
        agent: str,
        git: Iterable[bytes] = (),
        main: bytes = b"",
        keep: Iterable[bytes] = (),
    ) -> None:
        self._roots = tuple(top + b"/" for top in (root, main) if top)
        self._agent = agent
        tops = {top + b".git" for top in self._roots}
        self._files = {top + b"runebook.toml" for top in self._roots} | tops | set(keep)
        self._trees = {top + b".runebook" for top in self._roots}
        for folder in {*tops, *map(os.path.realpath, tops), *git}:
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
        for root in self._roots:
            if path.startswith(root) and path.startswith(b".runebook", len(root)):
                return operators_own(os.fsdecode(path[len(root) :]), self._agent)
        return any(path == tree or path.startswith(tree + b"/") for tree in self._trees)

    def below(self, folder: bytes) -> bool:
        """Whether one of the operator's places is `folder` or inside it."""
        inside = folder + b"/"
        return self.holds(folder) or any(place.startswith(inside) for place in self._prefixes)
