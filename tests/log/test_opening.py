"""Which store a repository has, and what nobody is ever shown of it."""

from __future__ import annotations

import builtins
from pathlib import Path

import pytest

from runebook_tui.core.storeaddress import store_address
from runebook_tui.log.eventlog import LogError
from runebook_tui.log.link import place_of
from runebook_tui.log.opening import store_of
from runebook_tui.log.postgres import PostgresLog
from runebook_tui.log.schema import make
from runebook_tui.log.sqlite import SqliteLog

URL = "postgresql://runebook@db.example.org:5433/log?sslmode=verify-full"


def plan(root: Path, text: str) -> Path:
    (root / "runebook.toml").write_text(text)
    return root


def test_without_a_word_it_is_sqlite(tmp_path: Path) -> None:
    for text in ("", '[plan]\nname = "x"\n', '[plan]\nstore = ""\n', "[plan\n", "store = 3\n"):
        store = store_of(plan(tmp_path, text), {})
        assert (store.url, store.exists()) == ("", False)
    assert store_of(tmp_path / "none", {}).url == ""
    (tmp_path / ".runebook").mkdir()
    with store.open() as log:
        assert isinstance(log, SqliteLog)
    assert store.exists()


def test_nothing_is_made_by_looking(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="nothing has run here yet"):
        store_of(tmp_path, {}).open(read_only=True)
    assert list(tmp_path.iterdir()) == []


def test_the_environment_comes_before_the_plan(tmp_path: Path) -> None:
    plan(tmp_path, f'[plan]\nstore = "{URL}"\n')
    assert store_of(tmp_path, {}).url == URL
    other = "postgres://elsewhere/log"
    assert store_of(tmp_path, {"RUNEBOOK_STORE": other}).url == other
    assert store_of(tmp_path, {"RUNEBOOK_STORE": " "}).url == URL


@pytest.mark.parametrize(
    "text",
    [
        f'[plan]\nname = "x"\nstore = "{URL}"\n[[agents]]\nid = \n',
        f'[plan]  # the plan\nname = \n  store = "{URL}" # where\n\n[policy]\naway = "never"\n',
        f"[[phases]\n[plan]\nstore = '{URL}'\n",
    ],
)
def test_a_plan_that_is_broken_elsewhere_keeps_its_store(tmp_path: Path, text: str) -> None:
    assert store_of(plan(tmp_path, text), {}).url == URL


@pytest.mark.parametrize("text", ["[plan]\nstore = 3\n", '[plan]\nstore = "postgresql://x\nname = "y"\n'])
def test_a_store_that_cannot_be_read_is_no_reason_to_begin_another_log(tmp_path: Path, text: str) -> None:
    with pytest.raises(LogError, match=r"the store in \[plan\]"):
        store_of(plan(tmp_path, text), {})


SECRET = "s3cr3t"


@pytest.mark.parametrize(
    "address",
    [
        f"postgresql://user:{SECRET}@host/db",
        f"postgresql://user:pa/{SECRET}@host/db",
        f"postgresql://user:@{SECRET}@host/db",
        f"postgresql://user:pa?{SECRET}@host/db",
        f"postgres://host/db?password={SECRET}",
        f"postgres://host/db?sslmode=require&pass%77ord={SECRET}",
        f"postgres://host/db?sslpassword={SECRET}",
        f"host=x password={SECRET}",
        f"mysql://user:{SECRET}@host/db",
        f"postgresql://host/\n{SECRET}",
    ],
)
def test_an_address_with_a_password_is_refused_without_showing_it(tmp_path: Path, address: str) -> None:
    with pytest.raises(ValueError, match="password|must be") as refused:
        store_address(address)
    assert SECRET not in str(refused.value)
    with pytest.raises(LogError) as error:
        store_of(tmp_path, {"RUNEBOOK_STORE": address})
    assert SECRET not in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (URL, "PostgreSQL db.example.org:5433/log"),
        ("postgresql:///?service=runebook", "PostgreSQL service runebook"),
        ("postgresql://u@[::1]:5432/a", "PostgreSQL ::1:5432/a"),
        ("postgresql://h1:1,h2:2/a?target_session_attrs=read-write", "PostgreSQL h1,h2:1,2/a"),
        ("postgresql://u@/a?host=%2Frun%2Fpg&port=7", "PostgreSQL /run/pg/a"),
        ("postgresql://h/a%1b[31m", "PostgreSQL h/a␛[31m"),
    ],
)
def test_people_are_told_where_it_is(address: str, shown: str) -> None:
    assert store_address(address) == address
    assert place_of(address) == shown


def test_without_the_extra_one_line_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def lacking(name: str, *rest: object, **more: object) -> object:
        if name.startswith(("psycopg", "runebook_tui.log.link", "runebook_tui.log.postgres")):
            raise ModuleNotFoundError(f"No module named {name!r}")
        return real(name, *rest, **more)  # type: ignore[arg-type]

    store = store_of(tmp_path, {"RUNEBOOK_STORE": URL})
    monkeypatch.setattr(builtins, "__import__", lacking)
    with pytest.raises(LogError, match=r"pip install 'runebook-tui\[postgres\]'"):
        store.open()
    assert store.place == "PostgreSQL"


def test_the_address_leads_to_the_log(tmp_path: Path, database: str) -> None:
    store = store_of(tmp_path, {"RUNEBOOK_STORE": database})
    with pytest.raises(LogError, match="`runebook-tui store init` makes it"):
        store.open()
    make(database)
    with store.open() as log:
        assert isinstance(log, PostgresLog)
        assert log.last_seq() == 0
