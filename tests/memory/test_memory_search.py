"""Searching, forgetting, wiping and exporting the memory."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from memory_play import BEGAN, Memory, ran, record, suggested

from runebook_tui.memory.query import match_of
from runebook_tui.memory.reader import Reader
from runebook_tui.memory.retention import retain, wipe
from runebook_tui.memory.store import Store, StoreError

DAY = 86_400.0


@pytest.fixture
def filled(memory: Memory) -> Memory:
    memory.outputs[2] = "error: could not compile `api`\nsee src/lib/api.rs:12\n"
    memory.take(
        record(1, "AgentStarted", agent="alpha", pane="%1", pid=7, attempt=1),
        ran(2, "cargo build --release", code=101),
        ran(3, "git rebase main", "beta"),
        ran(4, "git push --force", "beta-2", code=1),
        suggested(5, provenance={"command": 2, "agent": "alpha"}),
    )
    return memory


def test_words_are_found_wherever_they_stand(filled: Memory) -> None:
    assert filled.search("cargo release") == ["command/1", "error/1"]
    assert filled.search("git") == ["command/3", "error/2", "command/2"]
    assert filled.search("git", ["command"], limit=1) == ["command/3"]
    assert filled.search("could compile") == ["command/1", "error/1"]
    assert filled.search("src/lib/api.rs", ["output"]) == ["command/1"]
    assert filled.search('"push git"') == []
    assert filled.search("reb*") == ["command/2"]
    assert filled.search("reb") == []
    assert filled.search("requests") == ["suggestion/1"]
    assert filled.search("--force") == ["command/3", "error/2"]
    assert filled.search("git", ["command"], agent="beta") == ["command/2"]
    assert filled.search("git", ["command"], since=BEGAN + 4) == ["command/3"]
    assert filled.search("git", since=BEGAN + 99) == []


def test_the_words_around_a_hit_in_an_output_are_shown(filled: Memory) -> None:
    with Store(filled.path) as store:
        (hit,) = Reader(store).search("compile", ("output",))
    assert "could not compile" in hit.near
    assert (hit.words, hit.agent) == ("cargo build --release", "alpha")


@given(words=st.text(max_size=60), agent=st.text(max_size=10))
def test_no_words_upset_the_search(words: str, agent: str) -> None:
    db = sqlite3.connect(":memory:")
    db.execute("CREATE VIRTUAL TABLE t USING fts5 (command, agent)")
    match = match_of(words, "command", agent)
    clean = match.encode("utf-8", "replace").decode()
    if match:
        db.execute("SELECT 1 FROM t WHERE t MATCH ?", (clean,)).fetchall()
    db.close()


def test_one_thing_is_told_whole_and_nothing_else(filled: Memory) -> None:
    with Store(filled.path) as store:
        reader = Reader(store)
        assert reader.one("command/1")["output"].startswith("error: could")
        assert reader.one("suggestion/1")["provenance"][0]["command"] == "command/1"
        for name in (
            "command/99",
            "command",
            "command/",
            "sqlite_master/1",
            "command/1;",
            "command/" + "9" * 40,
        ):
            with pytest.raises(StoreError):
                reader.one(name)


def test_an_export_has_everything_once_in_order(filled: Memory) -> None:
    filled.take(*(ran(10 + at, f"echo {at}") for at in range(1200)))
    with Store(filled.path) as store:
        rows = list(Reader(store).everything())
        mine = list(Reader(store).everything(agent="beta"))
    assert [row["id"] for row in rows if row["type"] == "command"] == [f"command/{n}" for n in range(1, 1204)]
    assert {row["type"] for row in rows} == {"session", "command", "error", "insight", "suggestion"}
    assert all(json.loads(json.dumps(row)) == row for row in rows)
    assert [row["id"] for row in mine] == ["command/2"]


def test_what_is_old_is_forgotten_with_all_that_belongs_to_it(memory: Memory) -> None:
    memory.outputs[1] = "oldest words"
    memory.take(ran(1, "make old", code=1), suggested(2), ran(3, "make new") | {"time": BEGAN + 10 * DAY})
    now = BEGAN + 10 * DAY
    assert retain(memory.store, days=5, megabytes=100, now=now) == 4  # with the insight that it fails
    assert [each["command"] for each in memory.all("command")] == ["make new"]
    for kind in ("error", "suggestion", "insight"):
        assert memory.all(kind) == []
    assert memory.search("old*") == []
    assert memory.search("make") == ["command/2"]
    assert retain(memory.store, days=5, megabytes=100, now=now) == 0


def test_the_oldest_goes_until_the_size_is_right(memory: Memory) -> None:
    for at in range(1, 301):
        memory.outputs[at] = " ".join(f"{at * 7919 + word:x}" for word in range(1000))
    memory.take(*(ran(at, f"run {at}") for at in range(1, 301)))
    before = memory.path.stat().st_size
    most = before / 3
    assert retain(memory.store, days=1000, megabytes=most / 1e6, now=BEGAN + 400) > 100
    kept = [each["command"] for each in memory.all("command")]
    assert kept
    assert kept == [f"run {at}" for at in range(301 - len(kept), 301)]
    assert memory.path.stat().st_size <= most * 1.05
    assert memory.search("run 300") == [f"command/{300}"]
    assert memory.search("run 1") == []


def test_nothing_of_what_was_wiped_is_left_in_any_byte(filled: Memory, tmp_path: Path) -> None:
    filled.take(ran(20, "echo marzipan strudel", code=1))
    assert b"marzipan" in filled.path.read_bytes()
    assert wipe(filled.store) == 12
    for file in tmp_path.iterdir():
        assert not any(word in file.read_bytes() for word in (b"marzipan", b"strudel", b"rebase", b"compile"))
    assert [filled.all(kind) for kind in ("session", "command", "error", "insight", "suggestion")] == [[]] * 5
    # What the log had said before is not remembered again.
    assert filled.take(ran(20, "echo marzipan strudel", code=1)) == 0
    assert filled.take(ran(21, "echo again")) == 1


def test_one_agents_traces_are_wiped_and_others_stay(filled: Memory) -> None:
    wipe(filled.store, agent="alpha")
    assert [each["agent"] for each in filled.all("command")] == ["beta", "beta-2"]
    assert filled.all("suggestion") == []
    assert b"cargo" not in filled.path.read_bytes()
    wipe(filled.store, before=BEGAN + 4)
    assert [each["agent"] for each in filled.all("command")] == ["beta-2"]


def test_a_file_that_is_no_memory_is_refused_in_words(tmp_path: Path) -> None:
    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as db:
        db.execute("CREATE TABLE x (y)")
    db.close()
    junk = tmp_path / "junk.sqlite"
    junk.write_bytes(b"no database at all" * 100)
    for path in (other, junk, tmp_path / "none.sqlite"):
        with pytest.raises(StoreError, match=str(path)):
            Store(path)
    with pytest.raises(StoreError, match="is no memory"):
        Store(other, write=True)
    newer = tmp_path / "newer.sqlite"
    Store(newer, write=True).close()
    with sqlite3.connect(newer) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(StoreError, match="newer Runebook"):
        Store(newer)


def test_reading_makes_no_file_beside_the_memory(filled: Memory, tmp_path: Path) -> None:
    filled.store.close()
    tmp_path.chmod(0o500)
    filled.path.chmod(0o400)
    before = sorted(tmp_path.iterdir())
    try:
        assert filled.search("git")
        assert sorted(tmp_path.iterdir()) == before
    finally:
        tmp_path.chmod(0o700)
