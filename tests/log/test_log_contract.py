"""What every store of the log keeps: the same tests for SQLite, PostgreSQL and the twin in memory."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runebook_tui.core import events as e
from runebook_tui.core.forgetting import Old
from runebook_tui.core.types import Author, Change, Version
from runebook_tui.log.eventlog import (
    AlreadyRecorded,
    Conflict,
    EventLog,
    LeaseTaken,
    LogError,
    decode,
    encode,
)
from runebook_tui.log.lease import Lease, is_alive, own_lease, process_start
from runebook_tui.log.memory import MemoryLog
from runebook_tui.log.postgres import PostgresLog
from runebook_tui.log.schema import make
from runebook_tui.log.sqlite import SqliteLog

HOST = socket.gethostname()


@pytest.fixture(params=["sqlite", "memory", "postgres"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EventLog]:
    made: EventLog
    if request.param == "postgres":
        url = request.getfixturevalue("database")
        make(url)
        made = PostgresLog(url)
    else:
        made = MemoryLog() if request.param == "memory" else SqliteLog(tmp_path / "log.sqlite")
    yield made
    made.close()


def ready(agent: str) -> e.AgentReady:
    return e.AgentReady(agent=agent)


def touched(path: str) -> e.Touched:
    change = Change(path=path, before=Version(kind="absent"), after=Version(kind="file", digest="d"))
    return e.Touched(change=change, author=Author(name="alpha", program=path))


def add(
    log: EventLog, *events: e.Event, key: str | None = None, durable: bool = False
) -> tuple[e.Record, ...]:
    return log.append(
        events, run=1, actor="engine", expected=log.last_seq(), time=12.5, key=key, durable=durable
    )


# ── appending and reading ───────────────────────────────────────────────────────────────────────


def test_an_empty_log_is_at_0(log: EventLog) -> None:
    assert log.last_seq() == 0
    assert log.read() == []
    assert add(log) == ()
    assert log.last_seq() == 0


def test_what_is_appended_is_read_as_it_was(log: EventLog) -> None:
    first = add(log, ready("a"), ready("b"))
    second = log.append([touched("x")], run=2, actor="alpha", expected=2, time=-3.0, durable=True)
    assert [record.seq for record in (*first, *second)] == [1, 2, 3]
    assert log.read() == [*first, *second]
    assert log.read()[2] == e.Record(seq=3, time=-3.0, run=2, actor="alpha", event=touched("x"))


def test_a_reader_asks_for_a_part(log: EventLog) -> None:
    add(log, ready("1"), touched("x"), ready("3"), touched("y"), touched("x"), ready("6"))

    def seqs(**asked: object) -> list[int]:
        return [record.seq for record in log.read(**asked)]  # type: ignore[arg-type]

    assert seqs(after=4) == [5, 6]
    assert seqs(before=3) == [1, 2]
    assert seqs(after=1, before=4) == [2, 3]
    assert seqs(after=4, before=3) == []
    assert seqs(limit=2) == [1, 2]
    assert seqs(limit=0) == []
    assert seqs(newest_first=True, limit=2) == [6, 5]
    assert seqs(newest_first=True, before=5, limit=2) == [4, 3]
    assert seqs(types=["Touched"]) == [2, 4, 5]
    assert seqs(types=["Touched", "AgentReady"], after=3) == [4, 5, 6]
    assert seqs(types=["RunEnded"]) == []
    assert seqs(path="x") == [2, 5]
    assert seqs(path="x", newest_first=True, limit=1) == [5]
    assert seqs(path="x", types=["AgentReady"]) == []
    assert seqs(path="X") == []


def forget(log: EventLog, old: Old, touches: int = 5) -> tuple[e.Record, ...]:
    return log.forget(old, touches=touches, run=2, actor="engine", expected=log.last_seq(), time=13.0)


def test_old_touches_go_but_the_newest_of_each_path_and_it_is_recorded(log: EventLog) -> None:
    add(log, touched("x"), touched("y"), ready("a"), touched("x"), touched("x"), touched("y"))
    records = forget(log, Old(before=6))
    said = e.TouchesForgotten(before=6, touches=5, runs={1: 2})
    assert [(r.seq, r.run, r.actor, r.time, r.event) for r in records] == [(7, 2, "engine", 13.0, said)]
    assert [r.seq for r in log.read()] == [2, 3, 5, 6, 7]
    assert [r.seq for r in log.read(path="x")] == [5]
    assert [r.seq for r in log.read(after=2, before=6, newest_first=True)] == [5, 3]
    assert [r.seq for r in log.latest_touches()] == [5, 6]
    assert [row.seq for row in log.rows(before=7)] == [2, 3, 5, 6]
    assert (log.count("Touched"), log.count("Touched", after=3), log.last_seq()) == (3, 2, 7)
    assert add(log, ready("b"))[0].seq == 8


def test_what_is_gone_is_forgotten_altogether(log: EventLog) -> None:
    add(log, touched("x"), touched("y"), touched("x"), touched("z"))
    forget(log, Old(before=4, gone=frozenset({2, 3})))
    assert [r.seq for r in log.read(types=["Touched"])] == [4]


def test_only_what_was_touched_between_is_looked_at(log: EventLog) -> None:
    add(log, touched("x"), touched("x"), touched("y"), touched("y"), touched("x"))
    forget(log, Old(before=5, after=2))
    assert [r.seq for r in log.read(types=["Touched"])] == [1, 2, 4, 5]
    forget(log, Old(before=6, after=4))
    assert [r.seq for r in log.read(types=["Touched"])] == [4, 5]


def test_nothing_is_recorded_where_nothing_is_forgotten(log: EventLog) -> None:
    add(log, touched("x"), ready("a"), touched("y"))
    assert forget(log, Old(before=4)) == ()
    assert log.last_seq() == 3


def test_forgetting_goes_by_what_the_caller_has_seen(log: EventLog) -> None:
    add(log, touched("x"), touched("x"))
    with pytest.raises(Conflict):
        log.forget(Old(before=3), touches=2, run=1, actor="engine", expected=1, time=13.0)
    assert [r.seq for r in log.read()] == [1, 2]


def test_the_two_trees_of_a_path_are_told_apart(log: EventLog) -> None:
    in_lane = touched("x").model_copy(update={"lane": "alpha"})
    add(log, touched("x"), in_lane, in_lane)
    forget(log, Old(before=4))
    assert [r.seq for r in log.read(types=["Touched"])] == [1, 3]


PATHS = [
    "a\nb",
    "\udcff\udc80",
    "\ud800",
    "[x]",
    "a" * 4000,
    "é",
    "e\u0301",
    "a\0b",
    "'; DROP TABLE event; --",
]


def test_hostile_paths_are_kept_and_told_apart(log: EventLog) -> None:
    add(log, *(touched(path) for path in PATHS))
    for n, path in enumerate(PATHS, start=1):
        (record,) = log.read(path=path)
        assert record.seq == n
        assert record.event == touched(path)


def test_who_looked_too_early_is_told_and_nothing_happens(log: EventLog) -> None:
    add(log, ready("a"))
    for expected in (0, 2):
        with pytest.raises(Conflict):
            log.append([ready("b")], run=1, actor="engine", expected=expected, time=0.0, key="k")
    assert log.last_seq() == 1
    add(log, ready("b"), key="k")


def test_the_first_with_a_key_wins_over_the_whole_log(log: EventLog) -> None:
    add(log, ready("a"), ready("b"), key="decision:1", durable=True)
    with pytest.raises(AlreadyRecorded):
        add(log, ready("c"), key="decision:1")
    with pytest.raises(AlreadyRecorded):
        log.append([ready("c")], run=2, actor="x", expected=0, time=0.0, key="decision:1")
    add(log, ready("c"), key="decision:2")
    assert log.last_seq() == 3


def test_appending_nothing_takes_no_key(log: EventLog) -> None:
    add(log, key="k")
    add(log, ready("a"), key="k")


# ── the lease ───────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def other() -> Iterator[subprocess.Popen[bytes]]:
    """Another process that lives until its standard input ends."""
    with subprocess.Popen([sys.executable, "-Sc", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def lease_of(pid: int) -> Lease:
    started = process_start(pid)
    assert started is not None
    return Lease(pid, started, HOST, 1.0)


def test_a_lease_is_held_by_one_living_process(log: EventLog, other: subprocess.Popen[bytes]) -> None:
    assert log.holder(HOST) is None
    theirs = lease_of(other.pid)
    log.take_lease(theirs)
    assert log.holder(HOST) == theirs
    with pytest.raises(LeaseTaken, match=rf"another engine runs \(pid {other.pid} on ") as caught:
        log.take_lease(own_lease(2.0))
    assert caught.value.lease == theirs
    assert isinstance(caught.value, LogError)


def test_taking_ones_own_lease_again_is_no_theft(log: EventLog) -> None:
    log.take_lease(own_lease(1.0))
    log.take_lease(own_lease(2.0))
    holder = log.holder(HOST)
    assert holder is not None
    assert (holder.pid, holder.taken_at) == (os.getpid(), 2.0)


def test_the_lease_of_a_killed_process_is_free(log: EventLog, other: subprocess.Popen[bytes]) -> None:
    theirs = lease_of(other.pid)
    log.take_lease(theirs)
    other.kill()
    os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)
    assert not is_alive(theirs), "dead, though nobody has taken note of it yet (a zombie)"
    assert log.holder(HOST) is None
    log.take_lease(own_lease(2.0))


def test_a_reused_pid_is_another_process(log: EventLog) -> None:
    mine = own_lease(1.0)
    log.take_lease(mine._replace(started=mine.started - 1))
    assert log.holder(HOST) is None
    log.take_lease(mine)
    assert log.holder(HOST) == mine


def test_another_host_has_a_lease_of_its_own(log: EventLog) -> None:
    elsewhere = Lease(1, 0.0, "elsewhere", 1.0)
    log.take_lease(elsewhere)
    log.take_lease(own_lease(1.0))
    assert log.holder("elsewhere") == elsewhere, "whether it lives cannot be told from here"
    with pytest.raises(LeaseTaken, match="elsewhere"):
        log.take_lease(elsewhere._replace(pid=2))


def test_a_lease_is_given_back_by_its_holder_only(log: EventLog) -> None:
    log.take_lease(own_lease(1.0))
    log.release_lease(os.getpid() + 1)
    assert log.holder(HOST) is not None
    log.release_lease(os.getpid())
    assert log.holder(HOST) is None
    log.release_lease(os.getpid())


def test_a_process_that_never_was_has_no_start() -> None:
    assert process_start(2**22 + 1) is None
    assert process_start(os.getpid()) == process_start(os.getpid())


# ── the wire format ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", PATHS, ids=lambda path: ascii(path)[:12])
def test_an_event_survives_its_json(path: str) -> None:
    body = encode(touched(path))
    assert "\n" not in body
    body.encode()
    assert decode(body) == touched(path)


def test_an_older_program_passes_over_what_it_does_not_know() -> None:
    assert decode('{"type": "AgentReady", "agent": "a", "mood": "good"}') == ready("a")


@pytest.mark.parametrize(
    "body", ["", "{", "[]", '{"type": "Unheard"}', '{"type": "AgentReady"}', '"\\ud800"']
)
def test_what_is_no_event_is_an_error_in_one_line(body: str) -> None:
    with pytest.raises(LogError, match="cannot be read") as caught:
        decode(body)
    assert "\n" not in str(caught.value)
