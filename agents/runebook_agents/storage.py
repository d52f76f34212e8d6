"""The storage agent: remembers what the fleet ran and what came of it, and publishes its interface.

It follows the log, not the panes: what is not there was not captured. It goes on until the plan
finalizes, through a restart of the engine, and after `kill -9` from where it was.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from runebook_tui.agent import Agent, AgentError, EngineAway
from runebook_tui.memory.outputs import printed_in
from runebook_tui.memory.retention import retain
from runebook_tui.memory.store import FILE_NAME, Busy, Store, StoreError
from runebook_tui.memory.writer import TYPES, Writer

T = TypeVar("T")

_WAKING = ("FinalizeStarted", "PlanChanged")
_PATIENCE_SECONDS = 30.0
_LOOK_SECONDS = 1.0
_RETAIN_SECONDS = 3600.0


class Storage(Agent):
    """Keeps the memory of the repository in its own folder."""

    def initialize(self) -> None:
        """Open the memory; a file of an earlier Runebook is brought up to date."""
        self._read_plan()
        self._publishing: list[dict[str, Any]] = []
        self._promised: list[dict[str, Any]] = []
        self._store = Store(self.context.folder / FILE_NAME, write=True)
        self._writer = Writer(self._store, lambda record: printed_in(self.context.root, record))
        self._began = 0.0
        self._position = 0
        self._written = 0
        self._blocked = ""
        print(f"\x1b[1m{self.context.agent}\x1b[0m: remembers commands, errors and suggestions", flush=True)

    def execute(self) -> None:
        """Catch up with the log, publish what is promised, and follow until the plan finalizes."""
        self._take_up()
        self._promised = self._interfaces if self._publishing else []
        while not self.finalizing.is_set():
            due = bool(self._promised or self._publishing)
            if due and self._published():
                self._promised, self._publishing, due = [], [], False
            self._retain()
            self._follow(_LOOK_SECONDS if due else _PATIENCE_SECONDS)
            if self._changed:
                self._surely(self._follow_plan)

    def _read_plan(self) -> None:
        """Take the plan as it is now: what is promised, and how long what is kept."""
        self._changed = False
        self._plan = self.context.plan()
        self._interfaces = [i for i in self._plan["interfaces"] if i["owner"] == self.context.agent]
        self._retained = float("-inf")

    def _follow_plan(self) -> None:
        """Take up what the plan says by now: new tasks, interfaces that are new or promise other things."""
        before, waiting = self._interfaces, [each["name"] for each in self._promised]
        self._read_plan()
        self._take_up()
        if any("publish" in task["id"] for task in self.context.tasks()):
            self._promised = [i for i in self._interfaces if i not in before or i["name"] in waiting]

    def _take_up(self) -> None:
        """Do the tasks that are left; one with "publish" in its id is done by publishing."""
        rest = [task for task in self._surely(self.context.tasks) if task["status"] != "completed"]
        self._publishing = [task for task in rest if "publish" in task["id"]] if self._interfaces else []
        for task in rest:
            self._surely(partial(self.context.start_task, task["id"]))
            if task not in self._publishing:
                self._surely(self._catch_up)
                done = partial(self.context.complete_task, task["id"], f"{self._written} records written")
                self._surely(done)

    def _surely(self, ask: Callable[[], T]) -> T:
        """What the engine answers, also when it is being started again meanwhile."""
        while True:
            try:
                return ask()
            except EngineAway:
                self._began = 0.0
                if self.finalizing.wait(_LOOK_SECONDS):
                    raise

    def finalize(self) -> None:
        """Write down what has happened until now."""
        try:
            self._catch_up()
        except AgentError as error:
            print(f"the end of the log was not read: {error}", flush=True)
        self._store.close()
        print(f"finalized: {self._written} records since the start", flush=True)

    def status(self) -> str:
        """How far it has come."""
        return self._blocked or f"record {self._position}, {self._written} written"

    def _catch_up(self) -> None:
        while self._take(0.0):
            continue

    def _follow(self, seconds: float) -> None:
        """Take what comes; an engine that is being started again is waited for."""
        try:
            self._take(seconds)
        except EngineAway:
            self._began = 0.0
            self.finalizing.wait(_LOOK_SECONDS)

    def _take(self, seconds: float) -> bool:
        """Write the next records, waiting up to `seconds` for them; whether there were any."""
        if not self._began and not self._begin():
            return False
        records, upto = self.context.records(self._position, (*TYPES, *_WAKING), seconds)
        if upto == self._position:
            return False
        while True:
            try:
                self._written += self._writer.take(self._began, records, upto)
                break
            except Busy as busy:
                print(f"waits: {busy}", flush=True)
        for record in records:
            if record["type"] == "CommandRan" and record.get("failed"):
                print(f"  \x1b[31m✗\x1b[0m {record['agent']}: {_line(record['command'])}", flush=True)
        self._changed |= any(record["type"] == "PlanChanged" for record in records)
        self._position = upto
        return True

    def _begin(self) -> bool:
        """Tell which log this is, by its first record, and how far it was followed."""
        first, _ = self.context.records(0)
        if first:
            self._began = float(first[0]["time"])
            self._position = self._writer.position(self._began)
        return bool(first)

    def _published(self) -> bool:
        """Publish the interfaces, once their files are there; whether that is done."""
        try:
            for interface in self._promised:
                if not (self.context.root / interface["path"]).is_file():
                    raise AgentError(f"{interface['path']} is not there")
                version = self.context.publish(interface["name"])
                print(f"\x1b[35m◆\x1b[0m published {interface['name']} version {version}", flush=True)
            for task in self._publishing:
                self.context.complete_task(task["id"])
        except EngineAway:
            return False
        except AgentError as error:
            self._block(f"cannot be published: {error}")
            return False
        self._blocked = ""
        return True

    def _block(self, why: str) -> None:
        """Say once why the tasks cannot go on."""
        if why == self._blocked:
            return
        print(f"  {_line(why)}", flush=True)
        with suppress(EngineAway):
            for task in self._publishing:
                self.context.block_task(task["id"], why[:2000])
            self._blocked = why

    def _retain(self) -> None:
        """Once an hour: forget what the plan does not want kept any more."""
        if time.monotonic() - self._retained < _RETAIN_SECONDS:
            return
        self._retained = time.monotonic()
        policy = self._plan["policy"]
        try:
            gone = retain(
                self._store, days=policy["memory_days"], megabytes=policy["memory_mb"], now=time.time()
            )
        except StoreError as error:
            print(f"nothing was forgotten: {error}", flush=True)
            return
        if gone:
            print(f"  forgot {gone} things that are older or more than the plan keeps", flush=True)


def _line(text: str) -> str:
    """A text of others on one line, without what a terminal would obey."""
    shown = " ".join(text.split())[:160]
    return "".join(each if each.isprintable() else "�" for each in shown)
