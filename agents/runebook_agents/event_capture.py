"""event-capture: sees to it that what runs in the panes is captured, and that what is kept stays small.

The capturing is the engine's own (docs/capture.md): a gated pane reads no other pane. This agent checks
what it needs, says in its pane what comes in, and serves until the plan finalizes.
"""

from __future__ import annotations

import shutil
from collections import Counter
from typing import Any

from runebook_tui.agent import Agent

_SHELLS = ("bash", "zsh", "fish")
_TYPES = ("CommandRan", "ShellStarted", "ShellEnded")
_SECONDS = 5.0


class EventCapture(Agent):
    """Follows the log for what was captured."""

    def initialize(self) -> None:
        """Check which shells are here, and make the folder for outputs."""
        plan = self.context.plan()
        self._me: dict[str, Any] = next(a for a in plan["agents"] if a["id"] == self.context.agent)
        self._counts: Counter[str] = Counter()
        self._failed = 0
        self._shells = [name for name in _SHELLS if shutil.which(name) is not None]
        (self.context.folder / "output").mkdir(mode=0o700, parents=True, exist_ok=True)
        off = [agent["id"] for agent in plan["agents"] if agent["capture"] == "off"]
        print(f"captures {', '.join(self._shells) or 'no shell: none is installed'}", flush=True)
        if off:
            print(f"not captured, as the plan says: {', '.join(off)}", flush=True)

    def execute(self) -> None:
        """Complete the tasks, for all is in place, and follow what comes until the plan finalizes."""
        for task in self._me["tasks"]:
            self.context.start_task(task["id"])
            self.context.complete_task(task["id"], f"captures {', '.join(self._shells) or 'panes'}")
        after = 0
        while not self.finalizing.is_set() and self.context.serves():
            records, after = self.context.records(after, types=_TYPES, seconds=_SECONDS)
            for record in records:
                self._note(record)

    def finalize(self) -> None:
        """Say what was captured."""
        print(self.status(), flush=True)

    def status(self) -> str:
        """How much was captured."""
        shells = self._counts["ShellStarted"]
        return f"{self._counts['CommandRan']} commands ({self._failed} failed) and {shells} shells captured"

    def _note(self, record: dict[str, Any]) -> None:
        self._counts[record["type"]] += 1
        if record["type"] == "CommandRan" and record["failed"]:
            self._failed += 1
            what = record["error"] or record["command"]
            print(f"{record['agent']}: {ascii(what)[1:-1][:150]}", flush=True)
