"""A round: a fresh stage, a course of blows on it, and after each the question what was lost."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.chaos.blows import BLOWS
from benchmarks.chaos.hosts import FarGround, TwoHosts
from benchmarks.chaos.network import Network, can_cut
from benchmarks.chaos.server import PostgresServer
from benchmarks.chaos.stage import Broken, Ground, Stage
from benchmarks.scratch import scratch_folder
from benchmarks.session import BenchmarkError
from runebook_tui.log.opening import STORE_VARIABLE

STORES = ("sqlite", "postgres", "hosts")
"""Where the log is: SQLite, PostgreSQL, and PostgreSQL for two hosts."""


class Round:
    """One round by its `seed`; what it did is added to `count`."""

    def __init__(self, seed: int, course: Sequence[str], store: str, count: Counter[str]) -> None:
        self._seed = seed
        self._course = course
        self._store = store
        self._count = count
        self._struck = 0

    def play(self, deadline: float, kept: Path) -> bool:
        """Strike until the course or the time (monotonic seconds) ends; whether nothing broke.

        What broke is printed, and what tells the course of it put below `kept`.
        """
        with scratch_folder() as folder, ExitStack() as stack:
            try:
                stage = stack.enter_context(self._stage(folder))
            except BenchmarkError as error:
                return self._broke(error, kept)
            try:
                with stage:
                    try:
                        self._strike(stage, deadline)
                    except (Broken, BenchmarkError):
                        stage.keep(self._place(kept))
                        raise
            except (Broken, BenchmarkError) as error:
                return self._broke(error, kept)
            finally:
                self._count.update(dict(stage.ledger.count()))
                self._count["records"] += stage.auditor.records
        return True

    def _strike(self, stage: Stage, deadline: float) -> None:
        chance = random.Random(self._seed)
        for kind in self._course:
            if time.monotonic() > deadline:
                break
            self._struck += 1
            self._count[kind] += BLOWS[kind](stage, chance)
            stage.audit()
        stage.voices.hush()
        stage.audit(whole=True)

    @contextmanager
    def _stage(self, folder: Path) -> Iterator[Stage]:
        """The stage, which has not begun, with its server at work."""
        with ExitStack() as stack:
            if self._store == "sqlite":
                yield Stage(Ground(folder), self._seed, small_disk="disk" in self._course)
                return
            hosts = self._store == "hosts"
            network = stack.enter_context(Network(hosts=hosts)) if can_cut() else None
            server = stack.enter_context(PostgresServer(network))
            os.environ[STORE_VARIABLE] = server.url
            if hosts:
                yield TwoHosts(FarGround(folder), self._seed, server)
            else:
                yield Stage(Ground(folder), self._seed, server)

    def _place(self, kept: Path) -> Path:
        return kept / f"seed-{self._seed}"

    def _broke(self, error: Exception, kept: Path) -> bool:
        blows = ", ".join(self._course[: self._struck])
        place = self._place(kept)
        print(f"broken: seed {self._seed} ({self._store}), after {blows}: {error}; see {place}", flush=True)
        return False
