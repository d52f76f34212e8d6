"""Stand-ins for agents of the plan: they walk through the plan and implement nothing.

Each takes up its tasks in order, writes the files that it owns by name where they are missing, says
in them what they are, and publishes its interfaces. When RUNEBOOK_DEMO is set, surfaces meets a boundary
on purpose, and asks before it does.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from runebook_tui.agent import Agent

_NOTICE = "Written by Runebook's stand-in for the agent {agent}. Nothing is implemented here."
_COMMENT = {".ts": "//", ".rs": "//", ".nix": "#", ".yml": "#", ".md": ""}


class StandIn(Agent):
    """Walks through the tasks of whichever agent it stands in for."""

    def initialize(self) -> None:
        """Read the plan."""
        plan = self.context.plan()
        self._me: dict[str, Any] = next(a for a in plan["agents"] if a["id"] == self.context.agent)
        self._interfaces = [i for i in plan["interfaces"] if i["owner"] == self.context.agent]
        self._phases = [phase["id"] for phase in plan["phases"]]
        self._demo = "RUNEBOOK_DEMO" in os.environ
        self._pace = float(os.environ.get("RUNEBOOK_DEMO_PACE", "0.1"))
        self._task = ""
        print(f"\x1b[1m{self.context.agent}\x1b[0m: a stand-in, it implements nothing", flush=True)

    def execute(self) -> None:
        """Walk through the tasks, writing the missing files on the way; the last task waits for the rest."""
        tasks = list(self._me["tasks"])
        continuous = [task for task in tasks if "continuous" in task["id"] or task["id"].endswith("-final")]
        for task in tasks:
            if task in continuous:
                continue
            self._take(task)
            for path in self._files():
                self._write(path)
            self._act()
            self._finish(task)
        self._rest = continuous

    def finalize(self) -> None:
        """Complete what was to be done at the end."""
        for task in self._rest:
            self._take(task)
            self._finish(task)
        print("finalized", flush=True)

    def status(self) -> str:
        """The task at hand."""
        return self._task or "between tasks"

    def _take(self, task: dict[str, str]) -> None:
        self._task = task["title"]
        print(f"\x1b[36m▶\x1b[0m {task['title']}", flush=True)
        self.context.start_task(task["id"])
        self.finalizing.wait(self._pace)

    def _finish(self, task: dict[str, str]) -> None:
        if "publish" in task["id"]:
            for interface in self._interfaces:
                version = self.context.publish(interface["name"])
                print(f"\x1b[35m◆\x1b[0m published {interface['name']} version {version}", flush=True)
        self.context.complete_task(task["id"], "by a stand-in")
        print(f"\x1b[32m✓\x1b[0m {task['title']}", flush=True)

    def _files(self) -> list[Path]:
        """The files that the agent owns by name, or that its interfaces promise, and that are missing."""
        literal = [claim.lstrip("/") for claim in self._me["claims"] if not set(claim) & set("*?[\\")]
        named = [path for path in literal if Path(path).suffix]
        promised = [interface["path"] for interface in self._interfaces]
        return [Path(path) for path in (*named, *promised) if not (self.context.root / path).exists()]

    def _write(self, path: Path) -> None:
        mark = _COMMENT.get(path.suffix, "#")
        lines = [f"{mark} {_NOTICE.format(agent=self.context.agent)}".strip()]
        for interface in self._interfaces:
            if interface["path"] == str(path):
                lines += [f"{text}() {{}}" for text in interface["must_contain"]]
        target = self.context.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("\n".join(lines) + "\n")
        print(f"  wrote {path}", flush=True)
        self.finalizing.wait(self._pace)

    def _act(self) -> None:
        """In the demonstration: what makes a plan need an operator."""
        acts: dict[str, Callable[[], None]] = {"surfaces": self._ask}
        act = acts.get(self.context.agent)
        if self._demo and act is not None and "implement" in self._task.lower():
            act()

    def _ask(self) -> None:
        """Ask before changing a shared file, and take no for an answer."""
        path = self.context.root / "src-tauri/src/core/types.rs"
        shared = str(path.relative_to(self.context.root))
        print(f"  asks to change {shared}", flush=True)
        answer = self.context.ask([shared], "suggestions need a Priority type", seconds=3600)
        print(f"  the operator says: {answer}", flush=True)
        if answer == "approved":
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a") as file:
                file.write("pub enum Priority { Low, High }\n")
