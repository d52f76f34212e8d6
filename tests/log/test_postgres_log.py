"""The log in PostgreSQL: sessions that break, several writers, hosts that are cut off."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from postgres import Cluster

from runebook_tui.core.events import AgentReady, Record
from runebook_tui.log import link as links
from runebook_tui.log.eventlog import Conflict, LeaseTaken, LogError, encode
from runebook_tui.log.lease import Lease, own_lease
from runebook_tui.log.listening import PostgresEar
from runebook_tui.log.postgres import PostgresLog
from runebook_tui.log.postgres_append import Batch, prepare
from runebook_tui.log.schema import make

LONG = 60.0
HOST = socket.gethostname()


@pytest.fixture
def url(database: str) -> str:
    make(database)
    return database


@pytest.fixture
def log(url: str) -> Iterator[PostgresLog]:
    with PostgresLog(url) as log:
        yield log


def add(log: PostgresLog, name: str, **more: object) -> Record:
    (record,) = log.append(
        [AgentReady(agent=name)],
        run=1,
        actor="engine",
        expected=log.last_seq(),
        time=1.0,
        **more,  # type: ignore[arg-type]
    )
    return record


def names(log: PostgresLog) -> list[str]:
    return [record.event.agent for record in log.read() if isinstance(record.event, AgentReady)]


def cut(url: str) -> None:
    """End every session of the log, as a restart of the server does."""
    with psycopg.connect(url, autocommit=True) as link:
        link.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_a_session_that_broke_is_made_anew_by_the_next_call(log: PostgresLog, url: str) -> None:
    add(log, "one")
    cut(url)
    assert names(log) == ["one"]
    cut(url)
    add(log, "two")
    assert names(log) == ["one", "two"]


def test_several_writers_leave_no_gap_and_lose_nothing(log: PostgresLog, url: str) -> None:
    """A reader never sees 8 before 7, while three append at once."""
    writers = [
        subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("log_writer.py")), url, name, "40"],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        for name in ("a", "b", "c")
    ]
    seen: list[int] = []
    while len(seen) < 120:
        seen += [record.seq for record in log.read(after=len(seen))]
    said = [line.split() for writer in writers for line in writer.communicate()[0].decode().splitlines()]
    assert seen == list(range(1, 121))
    assert {int(seq): name for seq, name in said} == dict(enumerate(names(log), 1))


def test_an_append_whose_answer_was_lost_is_in_the_log_once(
    log: PostgresLog, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line breaks after the server has committed, before it could say so."""

    class Breaking:
        """A session that is cut when the answer to its commit is under way."""

        def __init__(self, link: links.Link) -> None:
            self.link = link

        def __getattr__(self, name: str) -> object:
            return getattr(self.link, name)

        def execute(self, query: str, *arguments: object) -> object:
            answer = self.link.execute(query, *arguments)  # type: ignore[call-overload]
            if query == "COMMIT":
                self.link.close()
                raise psycopg.OperationalError("the line broke")
            return answer

    add(log, "one")
    log._session._link = Breaking(log._session.linked())  # type: ignore[assignment]
    assert add(log, "two", key="k").seq == 2
    add(log, "three")
    assert names(log) == ["one", "two", "three"]


def test_an_append_that_was_lost_before_its_commit_is_made_again(log: PostgresLog) -> None:
    class Breaking:
        def __init__(self, link: links.Link) -> None:
            self.link = link

        def __getattr__(self, name: str) -> object:
            return getattr(self.link, name)

        def execute(self, query: str, *arguments: object) -> object:
            if query == "COMMIT":
                self.link.close()
                raise psycopg.OperationalError("the line broke")
            return self.link.execute(query, *arguments)  # type: ignore[call-overload]

    log._session._link = Breaking(log._session.linked())  # type: ignore[assignment]
    add(log, "one")
    assert names(log) == ["one"]


def test_a_writer_that_is_silent_before_its_commit_loses_the_turn(log: PostgresLog, url: str) -> None:
    """As a host whose network was cut between the two trips of an append."""
    record = add(log, "one")
    second = record.model_copy(update={"seq": 2})
    batch = Batch((second,), (encode(AgentReady(agent="never")),), None, uuid.uuid4())
    cut_off, _ = links.connect(url)
    with cut_off:
        cut_off.execute("SET idle_in_transaction_session_timeout = '500ms'")
        prepare(cut_off, log.id, batch)
        add(log, "two")
        with pytest.raises(psycopg.Error):
            cut_off.execute("COMMIT")
    assert names(log) == ["one", "two"]


def test_a_server_that_goes_and_comes_back() -> None:
    """Killed with -9 while somebody appends, the server has what it said it had, once."""
    with Cluster(durable=True) as cluster:
        url = cluster.url(cluster.database())
        make(url)
        acknowledged: list[str] = []
        enough, over = threading.Event(), threading.Event()

        def write() -> None:
            with PostgresLog(url) as log:
                while not over.is_set():
                    seq = len(acknowledged)
                    with suppress(LogError):
                        log.append(
                            [AgentReady(agent=str(seq))], run=1, actor="engine", expected=seq, time=1.0
                        )
                        acknowledged.append(str(seq))
                    if len(acknowledged) % 20 == 0:
                        enough.set()

        writer = threading.Thread(target=write)
        writer.start()
        for _ in range(2):
            enough.clear()
            assert enough.wait(LONG)
            cluster.kill()
            cluster.start()
        enough.clear()
        assert enough.wait(LONG)
        over.set()
        writer.join()
        with PostgresLog(url) as log:
            assert names(log) == acknowledged
            assert [record.seq for record in log.read()] == list(range(1, len(acknowledged) + 1))
            mine = own_lease(1.0)
            log.take_lease(mine)
            cluster.stop(signal.SIGINT)
            for call in (log.last_seq, lambda: add(log, "lost"), lambda: log.holder(HOST)):
                with pytest.raises(LogError, match="PostgreSQL") as error:
                    call()
                assert "\n" not in str(error.value)
            cluster.start()
            add(log, "again")
            assert names(log) == [*acknowledged, "again"]
            assert log.holder(HOST) == mine


def test_a_silent_server_keeps_nobody_waiting_for_ever(
    log: PostgresLog, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process neither answers nor hangs up, as on a machine that swaps."""
    add(log, "one")
    pid = log._session.linked().info.backend_pid
    real = links.deadline
    monkeypatch.setattr(links, "deadline", lambda link, seconds=0.0: real(link, 0.3))
    os.kill(pid, signal.SIGSTOP)
    try:
        # The next session is a process of its own, which is not stopped.
        assert names(log) == ["one"]
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_host_that_is_silent_is_left_alone_for_a_while(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes a connection and says nothing: who asks next is told at once."""
    log = PostgresLog(url)
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        nowhere = f"postgresql://u@127.0.0.1:{deaf.getsockname()[1]}/d?connect_timeout=2"
        monkeypatch.setattr(log._session, "_url", nowhere)
        log._session.linked().close()
        began = time.monotonic()
        for _ in range(20):
            with pytest.raises(LogError, match="does not answer"):
                log.last_seq()
        assert time.monotonic() - began < 20, "not twenty times two seconds"
    monkeypatch.setattr(log._session, "_url", url)
    monkeypatch.setattr(log._session, "_away", None)
    assert log.last_seq() == 0
    log.close()


def test_another_hosts_lease_ends_with_its_session(url: str) -> None:
    theirs = Lease(1, 5.0, "elsewhere", 1.0)
    with PostgresLog(url) as here:
        there = PostgresLog(url)
        there.take_lease(theirs)
        assert here.holder("elsewhere") == theirs
        with pytest.raises(LeaseTaken, match="elsewhere"):
            here.take_lease(theirs._replace(pid=2))
        there.close()
        while here.holder("elsewhere") is not None:
            threading.Event().wait(0.01)
        assert here.leases() == [theirs], "who it was is still known"
        here.take_lease(theirs._replace(pid=2))


def test_a_lease_that_another_took_meanwhile_is_not_taken_back(url: str) -> None:
    mine, theirs = Lease(1, 5.0, "elsewhere", 1.0), Lease(2, 6.0, "elsewhere", 2.0)
    with PostgresLog(url) as first, PostgresLog(url) as second:
        first.take_lease(mine)
        cut(url)
        second.take_lease(theirs)
        with pytest.raises(LeaseTaken, match="another engine runs"):
            add(first, "late")
        assert names(second) == []
        second.release_lease(2)
        add(first, "again")
        assert second.holder("elsewhere") == mine


async def test_an_append_is_heard_wherever_it_was_made(log: PostgresLog, url: str) -> None:
    ear = PostgresEar(url)
    try:
        assert await ear.wait(LONG), "what came before it listened may have been missed"
        assert not await ear.wait(0.05)
        waiting = asyncio.create_task(ear.wait(LONG))
        await asyncio.to_thread(add, log, "one")
        assert await waiting
        log.append([AgentReady(agent="two")] * 3, run=1, actor="engine", expected=1, time=1.0)
        assert await ear.wait(LONG)
        assert not await ear.wait(0.05), "one append is told once"
        with pytest.raises(Conflict):
            log.append([AgentReady(agent="x")], run=1, actor="engine", expected=0, time=0.0)
        assert not await ear.wait(0.05)
        await asyncio.to_thread(cut, url)
        assert await ear.wait(LONG), "a line that broke may have held something"
        while not await ear.wait(LONG):
            pass
        waiting = asyncio.create_task(ear.wait(LONG))
        await asyncio.to_thread(add, log, "four")
        assert await waiting
    finally:
        ear.close()


def test_an_engine_that_was_killed_can_be_started_again_at_once(url: str) -> None:
    """Its host has a name, so only its session says whether it lives; and the server is a moment late."""
    with PostgresLog(url) as second:
        first = PostgresLog(url)
        first.take_lease(Lease(1, 5.0, "b", 1.0))
        ending = threading.Timer(0.2, first.close)
        ending.start()
        second.take_lease(Lease(2, 6.0, "b", 2.0))
        ending.join()
        assert second.leases() == [Lease(2, 6.0, "b", 2.0)]
