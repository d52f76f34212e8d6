"""A log that is exported and imported is the same log, whatever the stores are."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runebook_tui.core import events as e
from runebook_tui.core.forgetting import Old
from runebook_tui.core.types import Author, Change, Version
from runebook_tui.log.eventlog import AlreadyRecorded, EventLog, LogError
from runebook_tui.log.lease import own_lease
from runebook_tui.log.memory import MemoryLog
from runebook_tui.log.opening import Store
from runebook_tui.log.postgres import PostgresLog
from runebook_tui.log.schema import make
from runebook_tui.log.sqlite import SqliteLog
from runebook_tui.log.transfer import exported, imported

ANYTHING = st.text(st.characters(codec=None), max_size=30)
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)


def touched(path: str, lane: str) -> e.Touched:
    change = Change(path=path, before=Version(kind="absent"), after=Version(kind="file", digest="d"))
    return e.Touched(change=change, author=Author(name="alpha", program=path), lane=lane)


EVENTS = st.one_of(st.builds(touched, ANYTHING, TEXT), st.builds(e.AgentReady, agent=TEXT))
APPENDS = st.lists(
    st.tuples(
        st.lists(EVENTS, min_size=1, max_size=3),
        st.integers(0, 2**31),
        TEXT,
        st.floats(allow_nan=False, allow_infinity=False).map(
            lambda time: time + 0.0
        ),  # no store tells -0.0 from it
        st.none() | TEXT,
    ),
    max_size=6,
)


@pytest.fixture(scope="module")
def emptied(postgres, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], EventLog]:
    """An empty log of a kind."""
    url = postgres.url(postgres.database())
    make(url)
    folder = tmp_path_factory.mktemp("logs")

    def empty(kind: str) -> EventLog:
        if kind == "postgres":
            with psycopg.connect(url, autocommit=True) as link:
                link.execute("TRUNCATE runebook.event")
            return PostgresLog(url)
        (folder / "log.sqlite").unlink(missing_ok=True)
        return MemoryLog() if kind == "memory" else SqliteLog(folder / "log.sqlite")

    return empty


def lines(log: EventLog) -> bytes:
    return "".join(f"{line}\n" for line in exported(log)).encode("ascii")


def read_into(log: EventLog, text: bytes) -> int:
    return log.fill(imported(io.BytesIO(text).readline))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(APPENDS)
def test_from_store_to_store_nothing_is_lost(emptied, appends: list[tuple]) -> None:
    log: EventLog = MemoryLog()
    keys: list[str] = []
    for events, run, actor, time, key in appends:
        try:
            log.append(events, run=run, actor=actor, expected=log.last_seq(), time=time, key=key)
        except AlreadyRecorded:
            continue
        keys += [] if key is None else [key]
    records, text = log.read(), lines(log)
    for kind in ("sqlite", "postgres", "sqlite", "memory"):
        with emptied(kind) as log:
            assert read_into(log, text) == len(records)
            assert log.read() == records
            assert lines(log) == text
            for record in records:
                if isinstance(record.event, e.Touched):
                    path, lane = record.event.change.path, record.event.lane
                    assert record in log.read(path=path, lane=lane)
            for key in keys:
                with pytest.raises(AlreadyRecorded):
                    log.append([], run=1, actor="x", expected=len(records), time=1.0, key=key)


GOOD = {"seq": 1, "time": 1.0, "run": 1, "actor": "engine", "event": {"type": "AgentReady", "agent": "a"}}
HEAD = {"runebook": "log", "format": 1, "records": 2}


def text_of(*rows: object) -> bytes:
    return b"".join(row if isinstance(row, bytes) else json.dumps(row).encode() + b"\n" for row in rows)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "line 1 is not JSON"),
        (b"{}\n", "line 1 does not say that this is a log"),
        (text_of(HEAD | {"records": True}), "line 1 does not say"),
        (text_of(HEAD | {"format": 3}), "newer Runebook .format 3"),
        (text_of(HEAD | {"format": 2}, GOOD, GOOD), "line 3 is not record 2"),
        (text_of(HEAD | {"format": 2}, GOOD, GOOD | {"seq": 3}), "records are missing that"),
        (text_of(HEAD, GOOD | {"seq": "1"}), "line 2 has no number"),
        (text_of(HEAD, GOOD | {"seq": 2**63}), "line 2 has no number"),
        (text_of(HEAD, GOOD), "ends after 1 of 2 records"),
        (text_of(HEAD, GOOD, GOOD | {"seq": 2}, GOOD | {"seq": 3}), "ends after 3 of 2 records"),
        (text_of(HEAD, GOOD, GOOD), "line 3 is not record 2"),
        (text_of(HEAD, GOOD, b"\xff\n"), "line 3 is not JSON"),
        (text_of(HEAD, GOOD, b"[" * 100_000 + b"\n"), "line 3 is not JSON"),
        (text_of(HEAD, GOOD, b"[]\n"), "line 3 is not a JSON object"),
        (text_of(HEAD, GOOD, b'{"seq": 2, "time"'), "line 3 is not JSON"),
        (text_of(HEAD, GOOD | {"run": -1}), "line 2 has no run"),
        (text_of(HEAD, GOOD | {"run": 2**63}), "line 2 has no run"),
        (text_of(HEAD, GOOD | {"time": float("nan")}), "line 2 has no time"),
        (text_of(HEAD, GOOD | {"time": 10**400}), "line 2 has no time"),
        (text_of(HEAD, GOOD | {"actor": "a\0"}), "line 2 has no actor"),
        (text_of(HEAD, GOOD | {"actor": "\ud800"}), "line 2 has no actor"),
        (text_of(HEAD, GOOD | {"key": 3}), "line 2 has a key that is no text"),
        (
            text_of(HEAD, GOOD | {"key": "k"}, GOOD | {"seq": 2, "key": "k"}),
            "line 3 has the key of an earlier",
        ),
        (text_of(HEAD, GOOD | {"event": "x"}), "line 2 has no event"),
        (text_of(HEAD, GOOD, GOOD | {"seq": 2, "event": {"type": "NeverHeard"}}), "line 3 holds no event"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_imported(tmp_path: Path, text: bytes, said: str) -> None:
    with SqliteLog(tmp_path / "log.sqlite") as log:
        with pytest.raises(LogError, match=said) as error:
            read_into(log, text)
        assert "\n" not in str(error.value)
        assert log.last_seq() == 0
        assert read_into(log, text_of(HEAD | {"records": 1}, GOOD)) == 1


def test_nothing_is_half_imported_and_only_an_empty_log_is_filled(database: str) -> None:
    make(database)
    many = [GOOD | {"seq": seq} for seq in range(1, 2500)]
    with PostgresLog(database) as log:
        with pytest.raises(LogError, match="line 2,501 is not JSON"):
            read_into(log, text_of(HEAD | {"records": 2500}, *many, b"x"))
        assert log.last_seq() == 0
        assert read_into(log, text_of(HEAD | {"records": 2499}, *many)) == 2499
        with pytest.raises(LogError, match="the log holds 2,499 records; only an empty one"):
            read_into(log, text_of(HEAD | {"records": 1}, GOOD))
        assert sum(1 for _ in exported(log)) == 2500


def test_a_log_that_has_forgotten_goes_from_store_to_store(emptied) -> None:
    log: EventLog = MemoryLog()
    events = [touched("x", ""), touched("x", ""), touched("y", ""), touched("x", "")]
    log.append(events, run=1, actor="engine", expected=0, time=1.0)
    log.forget(Old(before=5), touches=4, run=1, actor="engine", expected=4, time=2.0)
    records, text = log.read(), lines(log)
    assert [record.seq for record in records] == [3, 4, 5]
    assert json.loads(text.splitlines()[0]) == HEAD | {"format": 2, "records": 3}
    for kind in ("sqlite", "postgres", "memory"):
        with emptied(kind) as log:
            assert read_into(log, text) == 3
            assert (log.read(), lines(log), log.last_seq()) == (records, text, 5)


def test_a_log_that_forgets_while_it_is_exported_says_so(tmp_path: Path) -> None:
    with SqliteLog(tmp_path / "log.sqlite") as log:
        log.append([touched("x", "")] * 3, run=1, actor="engine", expected=0, time=1.0)
        told = exported(log)
        next(told)
        log.forget(Old(before=4), touches=3, run=1, actor="engine", expected=3, time=2.0)
        with pytest.raises(LogError, match="export it again"):
            list(told)


def test_a_field_of_a_newer_runebook_is_kept(tmp_path: Path) -> None:
    event = GOOD["event"] | {"mood": "good"}  # type: ignore[operator]
    text = text_of(HEAD | {"records": 1}, GOOD | {"event": event})
    with SqliteLog(tmp_path / "log.sqlite") as log:
        read_into(log, text)
        assert lines(log) == text


def test_by_the_command_line_from_sqlite_to_postgresql_and_back(tmp_path: Path, database: str) -> None:
    def runebook(*words: str, store: str = "", status: int = 0, given: bytes = b"") -> str:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "runebook_tui", *words],
            cwd=tmp_path,
            env={**os.environ, "RUNEBOOK_STORE": store},
            input=given,
            capture_output=True,
            check=False,
        )
        assert done.returncode == status, done
        return (done.stdout + done.stderr).decode()

    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / "runebook.toml").write_text('[plan]\nname = "x"\n')
    (tmp_path / ".runebook").mkdir()
    here = Store(tmp_path / ".runebook" / "log.sqlite")
    with here.open() as log:
        log.append([touched("\udcff", "")], run=1, actor="engine", expected=0, time=1.5, key="k")
    runebook("log", "export", "copy.jsonl")
    assert "is there already" in runebook("log", "export", "copy.jsonl", status=1)
    assert "`runebook-tui store init` makes it" in runebook(
        "log", "import", "copy.jsonl", store=database, status=1
    )
    make(database)
    with PostgresLog(database) as engine:
        engine.take_lease(mine := own_lease(1.0))
        assert "an engine runs on" in runebook("log", "import", "copy.jsonl", store=database, status=1)
        engine.release_lease(mine.pid)
    assert "1 records are in PostgreSQL" in runebook("log", "import", "copy.jsonl", store=database)
    assert "only an empty one" in runebook("log", "import", "copy.jsonl", store=database, status=1)
    moved = runebook("log", "export", store=database)
    assert moved.encode() == (tmp_path / "copy.jsonl").read_bytes()
    here.path.unlink()
    assert "1 records are in" in runebook("log", "import", given=moved.encode())
    with here.open() as log:
        assert lines(log) == moved.encode()
    assert "no --follow" in runebook("log", "export", "--limit", "3", status=2)
