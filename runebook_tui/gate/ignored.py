"""What git ignores, asked only when somebody writes a foreign path; loaded then, since git is a process."""

from __future__ import annotations

import os
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runebook_tui.git.ignore import Ignore


class LazyIgnore:
    """Answers for the repository at `root`; where git fails nothing is ignored."""

    def __init__(self, root: bytes) -> None:
        self._root = Path(os.fsdecode(root))
        self._ignore: Ignore | None = None

    def among(self, paths: list[str]) -> set[str]:
        """The ignored ones of `paths`, which are relative to the root."""
        if self._ignore is None:
            from runebook_tui.git.ignore import Ignore

            self._ignore = Ignore(self._root)
        return self._ignore.among(paths)
