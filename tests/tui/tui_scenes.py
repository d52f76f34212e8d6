"""A plan in full swing, told by real commands to a MemoryBackend; a clock that stands still."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from textual.pilot import Pilot

from runebook_tui.core import commands as c
from runebook_tui.core.types import OPERATOR, AgentStatus, Author, Change, ExecutionPlan, Version
from runebook_tui.tui.app import RunebookApp
from runebook_tui.tui.backend import Frame
from runebook_tui.tui.memory import MemoryBackend
from runebook_tui.tui.screens.cockpit import CockpitScreen
from runebook_tui.tui.verdict import SETTLE_SECONDS

T0 = 1_700_000_000.0
NOW = T0 + 41 * 60 + 7

PLAN = ExecutionPlan.model_validate(
    {
        "plan": {"name": "checkout-rewrite"},
        "phases": [
            {"id": "orchestration", "title": "Orchestration"},
            {"id": "build", "title": "Build the parts", "after": ["orchestration"]},
            {"id": "wire", "after": ["build"], "needs": {"apis": ["storage"]}},
            {"id": "continuous", "after": ["orchestration"], "continuous": True},
        ],
        "agents": [
            {
                "id": "core",
                "phase": "orchestration",
                "command": ["make", "core"],
                "claims": ["src/core/**"],
                "tasks": [{"id": "core-1"}],
            },
            {
                "id": "storage",
                "phase": "build",
                "command": ["claude", "--", "Implement storage"],
                "claims": ["src/storage/**"],
                "tasks": [
                    {"id": "storage-1", "title": "Implement"},
                    {"id": "storage-2", "title": "Publish the API"},
                    {"id": "storage-3", "title": "Retention"},
                ],
            },
            {
                "id": "capture",
                "phase": "build",
                "command": ["bash", "capture.sh"],
                "claims": ["src/capture/**"],
                "tasks": [{"id": "capture-1", "title": "Record commands"}],
            },
            {
                "id": "surfaces",
                "phase": "build",
                "command": ["python", "surfaces.py"],
                "claims": ["src/surfaces/**"],
                "tasks": [{"id": "surfaces-1", "title": "tmux status line"}],
            },
            {
                "id": "analysis",
                "phase": "wire",
                "command": ["python", "analyse.py"],
                "claims": ["src/analysis/**"],
                "needs": {"apis": ["storage"]},
                "tasks": [{"id": "analysis-1", "title": "Wire the pipeline"}],
            },
            {
                "id": "nix-ci",
                "phase": "continuous",
                "command": ["python", "nix_ci.py"],
                "claims": ["flake.nix"],
                "tasks": [{"id": "nix-1", "title": "Keep the flake green"}],
            },
        ],
        "interfaces": [{"name": "storage", "owner": "storage", "path": "src/storage/api.py"}],
    }
)

DIFF = """--- a/src/storage/api.py
+++ b/src/storage/api.py
@@ -39,6 +39,8 @@ class Store:
     def close(self) -> None:
         self._connection.close()
 
-    def append_event(self, event: Event) -> int:
+    def append_event(self, event: Event, limit: int | None = None) -> int:
+        if limit is not None and limit < 0:
+            raise ValueError("limit")
         with self._lock:
             return self._append(event)
 
"""

PANE = Frame(
    (
        b"$ pytest -q tests/storage",
        b"\x1b[32m.....\x1b[31mF\x1b[32m...\x1b[0m                                   [ 90%]",
        b"\x1b[31mE   TypeError: append_event() missing 1 argument: 'limit'\x1b[0m",
        b"",
        b"\x1b[1m> Read src/storage/api.py\x1b[0m",
        b"\x1b[2m  Thinking about pagination ...\x1b[0m",
        b"> ",
    ),
    (2, 6),
)


def version(text: str) -> Version:
    """A version of a file that can be told from others by `text`."""
    return Version(kind="file", digest=text, size=len(text))


def touch(path: str, author: Author, added: int = 3, removed: int = 1, after: str = "after") -> c.Touch:
    """A change of `path` by `author`."""
    change = Change(path=path, before=version("before"), after=version(after), added=added, removed=removed)
    return c.Touch(change, author)


def by(agent: str) -> Author:
    """An agent, known for certain."""
    return Author(name=agent, evidence=f"the gate saw pid 4121 ({agent})", pid=4121, program="sed -i")


YOU_OR_STORAGE = Author(candidates=("storage", OPERATOR), evidence="only storage was active")


def running(backend: MemoryBackend, agent: str, at: float, pid: int = 100) -> None:
    """Tell that the agent's program runs."""
    backend.do(c.ReportStarted(agent, f"%{pid}", pid), at=at)


def scene() -> MemoryBackend:
    """Core is done; storage and nix-ci work, capture asks, surfaces failed, analysis waits; two requests."""
    backend = MemoryBackend(now=lambda: NOW)
    backend.do(c.TakeEngine(1, "host"), at=T0)
    backend.do(c.StartRun(PLAN), actor=OPERATOR, at=T0)
    running(backend, "core", T0 + 1)
    backend.do(c.StartTask("core", "core-1"), at=T0 + 2)
    backend.do(c.CompleteTask("core", "core-1"), at=T0 + 1400)
    backend.do(c.ReportExited("core", code=0), at=T0 + 1500)
    for number, agent in enumerate(("storage", "capture", "surfaces", "nix-ci")):
        running(backend, agent, T0 + 1707, 200 + number)
    backend.do(c.StartTask("storage", "storage-1"), at=T0 + 1710)
    backend.do(c.CompleteTask("storage", "storage-1"), at=T0 + 2000)
    backend.do(c.StartTask("storage", "storage-2"), at=T0 + 2001)
    backend.do(c.StartTask("capture", "capture-1"), at=T0 + 2002)
    backend.do(c.StartTask("nix-ci", "nix-1"), at=T0 + 2002)
    backend.do(c.ReportNet("gate", "nix-ci", False, "the kernel is older than 5.19"), at=T0 + 2003)
    backend.do(c.ReportExited("surfaces", code=3, last_lines=("boom", "[/x] Traceback")), at=T0 + 2100)
    backend.do(c.Observe((touch("src/storage/store.py", by("storage"), 12, 0),)), at=T0 + 2300)
    backend.do(c.Observe((touch("src/core/types.py", YOU_OR_STORAGE, 12, 0),)), at=NOW - 123)
    backend.do(
        c.Ask("capture", ("src/storage/api.py",), "append_event needs a limit argument to page", pid=4121),
        at=NOW - 14,
    )
    backend.diffs = {1: DIFF.replace("storage/api", "core/types"), 2: ""}
    backend.frames = {"storage": PANE, "capture": PANE, "nix-ci": PANE}
    assert backend.state.agents["surfaces"].status is AgentStatus.FAILED
    return backend


class Stage:
    """A running app with its pilot, its backend and a monotonic clock that the test moves."""

    def __init__(self, backend: MemoryBackend) -> None:
        self.backend = backend
        self.pulse = 1000.0
        self.now = NOW
        self.app = RunebookApp(backend, now=lambda: self.now, pulse=lambda: self.pulse)
        self.pilot: Pilot[None]

    @property
    def cockpit(self) -> CockpitScreen:
        """The first screen, whatever is over it."""
        return self.app.screen_stack[0]

    def text(self) -> str:
        """What stands on the screen, row by row."""
        return "\n".join(strip.text for strip in self.app.screen._compositor.render_strips())

    def colours(self, text: str) -> set[str]:
        """The colours in which the runs of text that begin with `text`, or hold it, are drawn."""
        return {
            segment.style.color.name
            for strip in self.app.screen._compositor.render_strips()
            for segment in strip
            if (segment.text == text or (len(text) > 1 and text in segment.text))
            and segment.style
            and segment.style.color
        }

    def bar(self) -> str:
        """The last row."""
        return self.text().splitlines()[-1]

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for a condition; fails with the screen's text."""
        end = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < end, self.text()
            await self.pilot.pause()

    async def shows(self, *texts: str) -> None:
        """Wait until all texts stand on the screen."""
        await self.until(lambda: all(text in self.text() for text in texts))

    async def press(self, *keys: str) -> None:
        """Press keys without letting the operator's time pass."""
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def go(self, panel: str) -> None:
        """Press tab until a panel ("plan", "pane", "requests") has the focus."""
        for _ in range(4):
            focused = self.app.focused
            if focused is not None and any(each.id == panel for each in focused.ancestors_with_self):
                return
            await self.press("tab")
        raise AssertionError(f"{panel} cannot be reached: {self.text()}")

    async def look(self) -> None:
        """Let the operator look at what is drawn for a while."""
        await self.pilot.pause()
        self.pulse += 2 * SETTLE_SECONDS

    async def decide(self, *keys: str) -> None:
        """Look, then press keys."""
        await self.look()
        await self.press(*keys)


@asynccontextmanager
async def stage(
    backend: MemoryBackend | None = None, size: tuple[int, int] = (120, 36)
) -> AsyncIterator[Stage]:
    """The app on a backend: the first update shown, the crossing (request 1) selected, the plan focused."""
    played = Stage(backend or scene())
    async with played.app.run_test(size=size, notifications=True) as pilot:
        played.pilot = pilot
        await played.until(lambda: played.app.view.loaded)
        played.cockpit.requests.select(1)
        await pilot.pause()
        played.cockpit.plan.focus()
        await pilot.pause()
        yield played
