"""The log's file: several processes, kill -9, a full disk, and files that are no log."""

from __future__ import annotations

import os
import resource
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from runebook_tui.core.events import AgentReady, AttemptRefused
from runebook_tui.log.eventlog import AlreadyRecorded, Conflict, LogError
from runebook_tui.log.sqlite import SCHEMA_VERSION, SqliteLog

WRITER = Path(__file__).with_name("log_writer.py")
REPOSITORY = Path(__file__).parents[2]
BIG = AttemptRefused(speaker="x" * 50_000, attempt="", reason="")


def writer(file: Path, name: str, count: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, WRITER, file, name, str(count)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )


def names(log: SqliteLog) -> list[str]:
    return [record.event.agent for record in log.read() if isinstance(record.event, AgentReady)]


def add(log: SqliteLog, name: str, **more: object) -> None:
    log.append([AgentReady(agent=name)], run=1, actor="x", expected=log.last_seq(), time=0.0, **more)  # type: ignore[arg-type]


def in_one_line(error: pytest.ExceptionInfo[LogError], path: Path) -> str:
    words = str(error.value)
    assert "\n" not in words
    assert str(path) in words
    return words


# ── several processes ───────────────────────────────────────────────────────────────────────────


def test_writers_that_race_and_decide_again_lose_nothing(tmp_path: Path) -> None:
    file = tmp_path / "log.sqlite"
    count = 60
    writers = [writer(file, name, count) for name in ("a", "b")]
    outputs = [process.communicate(timeout=100)[0] for process in writers]
    assert [process.returncode for process in writers] == [0, 0]
    with SqliteLog(file) as log:
        written = names(log)
        assert log.last_seq() == 2 * count
        for name, output in zip("ab", outputs, strict=True):
            mine = [f"{name}-{n}" for n in range(count)]
            assert [each for each in written if each in mine] == mine
            acknowledged = [line.split() for line in output.decode().splitlines()]
            assert [(written[int(seq) - 1], each) for seq, each in acknowledged] == [(m, m) for m in mine]


def test_all_who_make_the_log_at_once_open_it(tmp_path: Path) -> None:
    for n in range(20):
        file = tmp_path / f"log{n}.sqlite"
        together = threading.Barrier(6)
        troubles: list[LogError] = []

        def open_it(file: Path, together: threading.Barrier, troubles: list[LogError]) -> None:
            together.wait()
            try:
                SqliteLog(file).close()
            except LogError as error:
                troubles.append(error)

        threads = [threading.Thread(target=open_it, args=(file, together, troubles)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert troubles == []


def test_a_log_that_another_process_is_making_is_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "log.sqlite"
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        opened: list[SqliteLog] = []
        thread = threading.Thread(target=lambda: opened.append(SqliteLog(file)))
        thread.start()
        thread.join(0.2)
        assert (thread.is_alive(), opened) == (True, [])
        other.execute("ROLLBACK")
        thread.join()
    (log,) = opened
    with log:
        add(log, "a")
        assert names(log) == ["a"]


def test_kill_9_loses_no_event_that_was_acknowledged(tmp_path: Path) -> None:
    file = tmp_path / "log.sqlite"
    acknowledged: list[str] = []
    for n in range(4):
        with writer(file, f"w{n}", 0) as process:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(20 + 13 * n)]
            process.kill()
            lines += process.stdout.readlines()
        acknowledged += [line.decode().split()[1] for line in lines if line.endswith(b"\n")]
        with SqliteLog(file) as log:
            written = names(log)
            assert set(acknowledged) <= set(written)
            assert len(written) == log.last_seq() <= len(acknowledged) + n + 1, "at most one is in the air"
            add(log, "still works")
            acknowledged.append("still works")


def test_one_of_two_engines_gets_the_key_and_the_other_hears_of_it(tmp_path: Path) -> None:
    with SqliteLog(tmp_path / "log") as one, SqliteLog(tmp_path / "log") as two:
        before = two.version()
        add(one, "first", key="decision:1", durable=True)
        assert two.version() != before
        with pytest.raises(AlreadyRecorded):
            add(two, "second", key="decision:1")
        with pytest.raises(Conflict):
            two.append([AgentReady(agent="x")], run=1, actor="x", expected=0, time=0.0)
        assert names(two) == ["first"]


def test_a_reader_sees_what_is_appended_while_it_is_open(tmp_path: Path) -> None:
    with SqliteLog(tmp_path / "log") as log, SqliteLog(tmp_path / "log", read_only=True) as reader:
        quiet = reader.version()
        assert reader.version() == quiet
        add(log, "a")
        assert reader.version() != quiet
        assert names(reader) == ["a"]
        with pytest.raises(LogError, match="read-only") as error:
            add(reader, "b")
        in_one_line(error, tmp_path / "log")
        assert names(reader) == ["a"]


def test_a_reader_makes_no_log(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="cannot be opened") as error:
        SqliteLog(tmp_path / "none", read_only=True)
    in_one_line(error, tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_a_path_with_marks_of_an_address_is_a_path(tmp_path: Path) -> None:
    path = tmp_path / "a?mode=rw#b%20c\n.sqlite"
    with SqliteLog(path) as log:
        add(log, "a")
        with SqliteLog(path, read_only=True) as reader:
            assert names(reader) == ["a"]


# ── files that are no log ───────────────────────────────────────────────────────────────────────


def newer(path: Path) -> None:
    SqliteLog(path).close()
    run_sql(path, f"PRAGMA user_version = {SCHEMA_VERSION + 1}")


def run_sql(path: Path, *statements: str) -> None:
    database = sqlite3.connect(path)
    for statement in statements:
        database.execute(statement)
    database.commit()
    database.close()


def text(path: Path) -> None:
    path.write_text("not a database " * 100)


def folder(path: Path) -> None:
    path.mkdir()


def another_programs(path: Path) -> None:
    run_sql(path, "CREATE TABLE bookmarks (url TEXT)")


def another_programs_with_a_version(path: Path) -> None:
    run_sql(path, "CREATE TABLE event (url TEXT)", "PRAGMA user_version = 1")


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (newer, f"was written by a newer Runebook (format {SCHEMA_VERSION + 1})"),
        (text, "not a log"),
        (folder, "the file cannot be "),
        (another_programs, "is not a log"),
        (another_programs_with_a_version, "is not a log"),
    ],
    ids=lambda each: getattr(each, "__name__", "words"),
)
def test_a_file_that_is_no_log_is_said_to_be_none_and_is_left_alone(
    tmp_path: Path, make: Callable[[Path], None], words: str, read_only: bool
) -> None:
    path = tmp_path / "log.sqlite"
    make(path)
    before = None if path.is_dir() else path.read_bytes()
    with pytest.raises(LogError) as error:
        SqliteLog(path, read_only=read_only)
    assert words in in_one_line(error, path)
    assert before is None or path.read_bytes() == before


def test_an_empty_file_becomes_a_log_for_a_writer_and_is_none_for_a_reader(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    path.touch()
    with pytest.raises(LogError, match="is not a log"):
        SqliteLog(path, read_only=True)
    with SqliteLog(path) as log:
        add(log, "a")


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="cannot be opened") as error:
        SqliteLog(tmp_path / "none" / "log.sqlite")
    in_one_line(error, tmp_path / "none" / "log.sqlite")


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    with SqliteLog(path) as log:
        for n in range(100):
            log.append([BIG], run=1, actor="x", expected=n, time=0.0)
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + os.urandom(len(whole) // 2))
    with pytest.raises(LogError) as error, SqliteLog(path) as log:
        log.read()
    assert "the file is damaged" in in_one_line(error, path)


def test_a_record_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    with SqliteLog(path) as log:
        add(log, "a")
        run_sql(path, "UPDATE event SET body = 'rubbish'")
        with pytest.raises(LogError, match="a record of the log cannot be read: 'rubbish'"):
            log.read()


# ── no room, no right ───────────────────────────────────────────────────────────────────────────


def fill(log: SqliteLog) -> LogError:
    """Append until it fails, and say how."""
    for _ in range(10_000):
        try:
            log.append([BIG, BIG], run=1, actor="x", expected=log.last_seq(), time=0.0)
        except LogError as error:
            return error
    raise AssertionError("it is never full")


def check_it_is_as_before(log: SqliteLog, kept: int) -> None:
    assert log.last_seq() == kept
    assert kept % 2 == 0, "both of an append or none"
    assert len(log.read()) == kept


def test_a_full_disk_stops_the_append_and_nothing_else(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small file system")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "none", tmp_path], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        with SqliteLog(tmp_path / "log.sqlite") as log:
            spare = tmp_path / "spare"
            spare.write_bytes(bytes(300_000))
            error = fill(log)
            assert str(error) == f"the log {tmp_path / 'log.sqlite'}: the disk is full"
            kept = log.last_seq()
            assert kept > 0
            assert str(fill(log)) == str(error), "and again, as long as it is full"
            check_it_is_as_before(log, kept)
            with SqliteLog(tmp_path / "log.sqlite", read_only=True) as reader:
                assert reader.last_seq() == kept
            spare.unlink()
            log.append([BIG, BIG], run=1, actor="x", expected=kept, time=0.0, durable=True)
            check_it_is_as_before(log, kept + 2)
    finally:
        subprocess.run(["umount", tmp_path], check=True)


def test_a_file_that_may_not_grow_stops_the_append_and_nothing_else(tmp_path: Path) -> None:
    """RLIMIT_FSIZE lets a write fail with EFBIG, in the write-ahead log or in the file itself."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with SqliteLog(tmp_path / "log.sqlite") as log:
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1]))
            error = fill(log)
            kept = log.last_seq()
            assert str(error) == f"the log {tmp_path / 'log.sqlite'}: the disk is full or failing"
            check_it_is_as_before(log, kept)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        log.append([BIG, BIG], run=1, actor="x", expected=kept, time=0.0)
        check_it_is_as_before(log, kept + 2)


def test_an_append_that_waits_too_long_for_the_lock_fails_and_works_later(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    with SqliteLog(path) as log:
        add(log, "a")
        log._db.execute("PRAGMA busy_timeout = 10")
        blocker = sqlite3.connect(path, isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        with pytest.raises(LogError, match="another process keeps it locked"):
            add(log, "b", durable=True)
        blocker.execute("ROLLBACK")
        blocker.close()
        add(log, "b")
        assert names(log) == ["a", "b"]


AS_NOBODY = """
import os, sys
from pathlib import Path
from runebook_tui.log.eventlog import LogError
from runebook_tui.log.sqlite import SqliteLog
os.setgroups([]); os.setgid(65534); os.setuid(65534)
path = Path(sys.argv[1])
for read_only in (False, True):
    try:
        with SqliteLog(path, read_only=read_only) as log:
            log.append([], run=1, actor="x", expected=log.last_seq(), time=0.0)
            print("wrote")
    except LogError as error:
        print(repr(str(error)))
"""


def test_a_folder_that_may_not_be_written_is_told(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may become another user")
    for above in (tmp_path, *tmp_path.parents):
        if above.stat().st_mode & 0o001 == 0 and str(above) != "/":
            above.chmod(above.stat().st_mode | 0o011)
    path = tmp_path / "log.sqlite"
    with SqliteLog(path) as log:
        add(log, "a")
    answer = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, path],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    said = answer.stdout.splitlines()
    assert len(said) == 2
    for words in said:
        assert "log.sqlite: the file" in words
        assert "read-only" in words or "cannot be opened" in words
    with SqliteLog(path) as log:
        assert names(log) == ["a"]


def test_closing_waits_for_a_reader_in_another_thread(tmp_path: Path) -> None:
    """A cancelled reader leaves its thread in a query; closing under it has ended the process."""
    program = (
        "import sys, threading\n"
        "from pathlib import Path\n"
        "from runebook_tui.core.events import AgentReady\n"
        "from runebook_tui.log.eventlog import LogError\n"
        "from runebook_tui.log.sqlite import SqliteLog\n"
        "path = Path(sys.argv[1])\n"
        "log = SqliteLog(path)\n"
        "events = [AgentReady(agent='alpha')] * 3000\n"
        "log.append(events, run=1, actor='engine', expected=0, time=1.0)\n"
        "def read(log, begun):\n"
        "    begun.set()\n"
        "    try:\n"
        "        while True:\n"
        "            log.read()\n"
        "    except LogError:\n"
        "        return\n"
        "for _ in range(40):\n"
        "    reader = SqliteLog(path, read_only=True)\n"
        "    begun = threading.Event()\n"
        "    thread = threading.Thread(target=read, args=(reader, begun))\n"
        "    thread.start()\n"
        "    begun.wait()\n"
        "    reader.close()\n"
        "    thread.join()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "log.sqlite")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
