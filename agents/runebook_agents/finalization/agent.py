"""The agent: runs what is due, writes the list, waits for the next change; at the end, the run's report."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from runebook_agents.finalization.checklist import Item, updated
from runebook_agents.finalization.checks import Check, Result, run
from runebook_tui.agent import Agent, AgentContext
from runebook_tui.core.printable import visible

CHECKLIST = "ValidationChecklist.md"
"""The list's file, where the agent claims no other Markdown file by name."""

_WAIT_SECONDS = 600.0
_QUIET_SECONDS = 0.3
_BURSTS = 20
_TYPES = ("Touched", "PlanChanged", "FinalizeStarted", "RunEnded")


class Finalization(Agent):
    """Keeps the acceptance checks run, and the list of them true."""

    def __init__(self, context: AgentContext) -> None:
        super().__init__(context)
        self._checks: dict[str, Check] = {}
        self._results: dict[str, Result] = {}
        self._due: set[str] = set()
        self._seq = 0
        self._ends = False
        self._doing = "starting"

    def initialize(self) -> None:
        """Read the plan, and where the log stands."""
        self._read_plan()
        self._seq = self._newest()

    def execute(self) -> None:
        """Run what is due, as files change, until the plan finalizes."""
        for task in self._tasks():
            self.context.start_task(task)
        self._run_due()
        for task in self._tasks():
            if task.endswith("-checklist"):
                self.context.complete_task(task, f"{self._list_path()} is written, and kept true")
        while not self._ends and not self.finalizing.is_set():
            self._doing = "waiting for files to change"
            self._follow()
            if not self._ends:
                self._run_due()

    def finalize(self) -> None:
        """Run what is still due, write the run's report, and complete the tasks if every check passes."""
        self._look()
        self._run_due()
        self._report()
        failing = [each for each in self._checks if not self._results[each].passed]
        open_tasks = [task for task in self._tasks() if not task.endswith("-checklist")]
        if failing:
            reason = f"not accepted: {', '.join(failing)}"
            for task in open_tasks:
                self.context.block_task(task, reason)
            print(reason, file=sys.stderr, flush=True)
            raise SystemExit(1)
        for task in open_tasks:
            self.context.complete_task(task, f"{len(self._checks)} acceptance checks pass")

    def status(self) -> str:
        """The check that runs, or what is waited for."""
        return self._doing

    def _me(self) -> dict[str, Any]:
        agents: list[dict[str, Any]] = self._plan["agents"]
        return next(agent for agent in agents if agent["id"] == self.context.agent)

    def _tasks(self) -> list[str]:
        return [task["id"] for task in self._me()["tasks"]]

    def _read_plan(self) -> None:
        """Take the checks from the plan as it is now; those that are new or other than before are due."""
        self._plan = self.context.plan()
        checks = {each.id: each for each in map(Check.of, self._plan["acceptance"])}
        changed = {name for name, each in checks.items() if self._checks.get(name) != each}
        self._checks = checks
        self._due = (self._due | changed) & checks.keys()

    def _list_path(self) -> str:
        named = [claim.lstrip("/") for claim in self._me()["claims"] if not set(claim) & set("*?[\\")]
        return next((path for path in named if path.endswith(".md")), CHECKLIST)

    # ── what happens ────────────────────────────────────────────────────────────────────────────

    def _newest(self) -> int:
        """The number of the newest record."""
        after, found = 0, True
        while found:
            records, after = self.context.records(after, ["PlanChanged"])
            found = bool(records)
        return after

    def _follow(self) -> None:
        """Wait for what concerns the checks, and then until it has become quiet."""
        if not self._look(_WAIT_SECONDS):
            return
        for _ in range(_BURSTS):
            if self._ends or not self._due or not self._look(_QUIET_SECONDS):
                return

    def _look(self, seconds: float = 0.0) -> bool:
        """Take in what has happened; whether something has, within `seconds` where nothing had yet."""
        found, seen = True, False
        while found:
            records, self._seq = self.context.records(self._seq, _TYPES, 0.0 if seen else seconds)
            found = bool(records)
            seen |= found
            self._take(records)
        return seen

    def _take(self, records: Iterable[dict[str, Any]]) -> None:
        for record in records:
            match record["type"]:
                case "PlanChanged":
                    self._read_plan()
                case "Touched":
                    self._touched(record)
                case "FinalizeStarted":
                    self._ends |= record["agent"] == self.context.agent
                case _:
                    self._ends = True

    def _touched(self, record: dict[str, Any]) -> None:
        """What a check itself has written is no reason to run it again."""
        if record["author"]["name"] == self.context.agent or record["lane"]:
            return
        path = record["change"]["path"]
        if path != self._list_path():
            self._due |= {each.id for each in self._checks.values() if each.looks_at(path)}

    # ── what is done ────────────────────────────────────────────────────────────────────────────

    def _run_due(self) -> None:
        for check in [each for each in self._checks.values() if each.id in self._due]:
            self._due.discard(check.id)
            self._doing = f"runs {check.id}"
            print(f"\x1b[36m▶\x1b[0m {visible(check.words)}", flush=True)
            result = run(check, self.context.root, self._list_path())
            self._results[check.id] = result
            mark = "\x1b[32m✓\x1b[0m" if result.passed else "\x1b[31m✗\x1b[0m"
            print(f"{mark} {check.id}: {visible(result.evidence)}", flush=True)
            self.context.accept(
                check.id, result.passed, result.code, result.seconds, result.commit, result.reason
            )
            self._write_list()
        self._write_list()

    def _write_list(self) -> None:
        """Bring the list up to date; the file is replaced whole, so that nobody reads half of it."""
        path = self.context.root / self._list_path()
        target = Path(os.path.realpath(path))
        content = target.read_bytes() if target.exists() else b""
        after = updated(content, [self._item(each) for each in self._checks.values()])
        if after == content:
            return
        self.context.folder.mkdir(parents=True, exist_ok=True)
        beside = self.context.folder / "list.new"
        beside.write_bytes(after)
        if target.exists():
            shutil.copymode(target, beside)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(beside, target)

    def _item(self, check: Check) -> Item:
        result = self._results.get(check.id)
        if result is None:
            return Item(check.id, check.title, check.words, False, "not run yet")
        if check.id in self._due:
            return Item(check.id, check.title, check.words, False, "to be run again: files have changed")
        return Item(check.id, check.title, check.words, result.passed, result.evidence)

    def _report(self) -> None:
        """Leave the run's report, as far as the run has come, in the agent's own folder."""
        self.context.folder.mkdir(parents=True, exist_ok=True)
        page, text = self.context.folder / "report.html", self.context.folder / "report.md"
        command = [sys.executable, "-P", "-m", "runebook_tui", "report"]
        with text.open("wb") as output:
            written = subprocess.run(command, cwd=self.context.root, stdout=output, check=False)
        drawn = subprocess.run([*command, "--html", os.fspath(page)], cwd=self.context.root, check=False)
        if written.returncode == drawn.returncode == 0:
            print(f"the run's report: {page.relative_to(self.context.root)}", flush=True)
