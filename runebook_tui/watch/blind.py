"""Whether the watch sees: since when it does not, and why."""

from __future__ import annotations

import time
from collections.abc import Callable


class Blindness:
    """The reasons why sight is lost, one a subject; `told` gets each new text, None when sight is back."""

    def __init__(self, told: Callable[[str | None], None]) -> None:
        self._told = told
        self._reasons: dict[str, str] = {}
        self.since: float | None = None
        """When sight was lost (unix seconds), or None."""

    def lose(self, subject: str, reason: str) -> None:
        """`subject` ("watch", "git") does not see, for a `reason` that people read."""
        self._change({**self._reasons, subject: reason})

    def regain(self, subject: str) -> None:
        """`subject` sees again."""
        self._change({each: reason for each, reason in self._reasons.items() if each != subject})

    def _change(self, reasons: dict[str, str]) -> None:
        if reasons == self._reasons:
            return
        if not reasons:
            self.since = None
        elif self.since is None:
            self.since = time.time()
        self._reasons = reasons
        self._told("; ".join(reasons.values()) or None)
