"""The memory outlives kill -9 at any moment, and every earlier version of its tables."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from memory_play import BEGAN, Memory, ran

from runebook_tui.memory.reader import Reader
from runebook_tui.memory.schema import MIGRATIONS, SCHEMA_VERSION, migrate, version_of
from runebook_tui.memory.store import Store, StoreError

SCHEMAS = Path(__file__).parent / "schemas"

WRITER = """
import sys
from pathlib import Path
from memory_play import BEGAN, Memory, ran
memory = Memory(Path(sys.argv[1]))
last = int(sys.argv[2])
after = memory.writer.position(BEGAN)
print("begins", flush=True)
for first in range(after + 1, last + 1, 7):
    upto = min(first + 6, last)
    memory.writer.take(BEGAN, [ran(at, f"echo {at}", code=at % 3) for at in range(first, upto + 1)], upto)
"""


def test_a_writer_that_is_killed_again_and_again_doubles_and_loses_nothing(tmp_path: Path) -> None:
    path, last = tmp_path / "memory.sqlite", 3000
    chance = random.Random(7)
    kills = 0
    while True:
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(last)],
            cwd=Path(__file__).parent,
            env={"PYTHONPATH": f"{Path(__file__).parents[2]}:{Path(__file__).parent}"},
            stdout=subprocess.PIPE,
        )
        assert writer.stdout is not None
        writer.stdout.readline()
        try:
            writer.wait(chance.uniform(0.0, 0.4) if kills < 8 else 60)
        except subprocess.TimeoutExpired:
            writer.send_signal(signal.SIGKILL)
            kills += 1
        writer.stdout.close()
        if writer.wait() == 0:
            break
    assert kills > 0
    memory = Memory(path)
    assert [each["command"] for each in memory.all("command")] == [f"echo {at}" for at in range(1, last + 1)]
    assert len(memory.all("error")) == last - last // 3
    assert memory.writer.position(BEGAN) == last
    assert memory.store.db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    memory.store.db.execute("INSERT INTO command_text (command_text, rank) VALUES ('integrity-check', 1)")
    memory.store.close()


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION + 1))
def test_a_file_of_every_version_is_kept_and_opens(tmp_path: Path, version: int) -> None:
    path = tmp_path / "memory.sqlite"
    db = sqlite3.connect(path)
    db.executescript((SCHEMAS / f"{version}.sql").read_text())
    assert version_of(db) == version
    db.close()
    Store(path, write=True).close()
    with Store(path) as store:
        assert version_of(store.db) == SCHEMA_VERSION
        reader = Reader(store)
        (command,) = reader.everything(("command",))
        assert (command["command"], command["output"]) == ("make kept", "kept words")
        assert [each.id for each in reader.search("kept")] == ["command/1", "command/1", "error/1"]
        assert reader.one("suggestion/1")["provenance"][0]["rule"] == "kept-rule"


def test_the_newest_schema_is_the_one_that_is_kept() -> None:
    """A migration that was changed, not added, would leave files of two kinds with one number."""
    kept, made = sqlite3.connect(":memory:"), sqlite3.connect(":memory:", isolation_level=None)
    kept.executescript((SCHEMAS / f"{SCHEMA_VERSION}.sql").read_text())
    migrate(made)
    query = "SELECT type, name, sql FROM sqlite_master ORDER BY type, name"
    assert kept.execute(query).fetchall() == made.execute(query).fetchall()


def test_a_migration_that_fails_leaves_the_version_before(tmp_path: Path) -> None:
    path = tmp_path / "memory.sqlite"
    memory = Memory(path)
    memory.take(ran(1, "echo 1"))
    broken = (*MIGRATIONS, "ALTER TABLE command ADD COLUMN more TEXT;\nCREATE TABLE command (id INTEGER);\n")
    with pytest.raises(sqlite3.OperationalError):
        migrate(memory.store.db, broken)
    assert version_of(memory.store.db) == SCHEMA_VERSION
    migrate(memory.store.db, (*MIGRATIONS, "ALTER TABLE command ADD COLUMN more TEXT DEFAULT 'new';\n"))
    assert version_of(memory.store.db) == SCHEMA_VERSION + 1
    memory.store.close()
    with pytest.raises(StoreError, match="newer Runebook"):
        Store(path)
