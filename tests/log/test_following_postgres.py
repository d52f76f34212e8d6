"""A screen's view of a log in PostgreSQL: told at once, and through a broken line."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psycopg
import pytest

from runebook_tui.core.events import RunEnded, RunStarted
from runebook_tui.core.types import ExecutionPlan, PlanInfo
from runebook_tui.execution import follow as following
from runebook_tui.execution.follow import follow
from runebook_tui.log.postgres import PostgresLog
from runebook_tui.log.schema import make

LONG = 60.0
PLAN = ExecutionPlan(plan=PlanInfo(name="watched"))


async def test_a_reader_is_told_at_once_and_goes_on_after_a_broken_line(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(database)
    monkeypatch.setenv("RUNEBOOK_STORE", database)
    # Without looking by itself now and then, it lives by what it hears.
    monkeypatch.setattr(following, "_LOOK_SECONDS", LONG)
    updates = follow(tmp_path)
    with PostgresLog(database) as log:
        async with asyncio.timeout(LONG):
            assert (await anext(updates)).state.run == 0
            waiting = asyncio.ensure_future(anext(updates))
            await asyncio.to_thread(
                log.append, [RunStarted(plan=PLAN)], run=1, actor="engine", expected=0, time=1.0
            )
            assert (await waiting).state.plan == PLAN
            with psycopg.connect(database, autocommit=True) as link:
                link.execute(
                    "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            waiting = asyncio.ensure_future(anext(updates))
            ended = RunEnded(outcome="completed")
            await asyncio.to_thread(log.append, [ended], run=1, actor="engine", expected=1, time=2.0)
            while (state := (await waiting).state).outcome is None:
                waiting = asyncio.ensure_future(anext(updates))
            assert (state.seq, state.outcome) == (2, "completed")
    await updates.aclose()
