"""`store init`, the role that it makes, and TLS: who gets at a log in PostgreSQL, and how far."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from postgres import Cluster
from psycopg import sql

from runebook_tui.cli import command
from runebook_tui.core.events import AgentReady, Touched
from runebook_tui.core.forgetting import Old
from runebook_tui.core.types import Author, Change, Version
from runebook_tui.log import schema
from runebook_tui.log.eventlog import LogError
from runebook_tui.log.lease import own_lease
from runebook_tui.log.postgres import PostgresLog
from runebook_tui.log.schema import FORMAT, make


@pytest.fixture
def role(postgres: Cluster, database: str) -> Iterator[str]:
    """The name of a role of this test's own; roles belong to the whole server."""
    name = f"role {database.rpartition('@')[2][:30]}"
    yield name
    with psycopg.connect(database, autocommit=True) as link:
        if link.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,)).fetchone():
            link.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(sql.Identifier(name)))


def as_role(url: str, role: str) -> str:
    return psycopg.conninfo.make_conninfo(url, user=role)


def append(log: PostgresLog) -> None:
    log.append([AgentReady(agent="a")], run=1, actor="engine", expected=log.last_seq(), time=1.0)


def test_done_twice_it_is_done_once(database: str, role: str) -> None:
    first = make(database, role=role)
    assert first == ("runebook", 0, FORMAT, role, True)
    with PostgresLog(database) as log:
        append(log)
    assert make(database, role=role) == ("runebook", FORMAT, FORMAT, role, False)
    with PostgresLog(database) as log:
        assert log.last_seq() == 1


def test_the_role_can_do_an_engines_work_and_nothing_else(database: str, role: str) -> None:
    make(database, role=role)
    theirs = as_role(database, role)
    with PostgresLog(theirs) as log:
        log.take_lease(own_lease(1.0))
        append(log)
        log.release_lease(own_lease(1.0).pid)
        assert (log.last_seq(), log.leases()) == (1, [])
    with psycopg.connect(theirs, autocommit=True) as link:
        for statement in (
            "UPDATE runebook.event SET actor = 'x'",
            "DELETE FROM runebook.event",
            "TRUNCATE runebook.event",
            "UPDATE runebook.store SET format = 9",
            "DROP TABLE runebook.lease",
            "CREATE TABLE runebook.mine ()",
            "CREATE ROLE other",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                link.execute(statement)


def test_only_the_owner_lets_the_log_forget(database: str, role: str) -> None:
    make(database, role=role)
    change = Change(path="x", before=Version(kind="absent"), after=Version(kind="file", digest="d"))
    touched = Touched(change=change, author=Author(name="alpha"))

    def forget(log: PostgresLog) -> int:
        return len(log.forget(Old(3), touches=2, run=1, actor="operator", expected=2, time=2.0))

    with PostgresLog(as_role(database, role)) as theirs, PostgresLog(database) as owners:
        theirs.append([touched, touched], run=1, actor="engine", expected=0, time=1.0)
        with pytest.raises(
            LogError, match="this user may only add to it; `log trim` needs the address"
        ) as error:
            forget(theirs)
        assert "\n" not in str(error.value)
        assert [record.seq for record in theirs.read()] == [1, 2]
        assert forget(owners) == 1
        assert [record.seq for record in theirs.read()] == [2, 3]


def test_what_the_role_may_not_do_is_said_in_one_line(database: str, role: str) -> None:
    make(database, role=role)
    with pytest.raises(LogError, match="the database user may not do that") as error:
        make(as_role(database, role), role=f"{role} other")
    assert "\n" not in str(error.value)


def test_two_may_make_it_at_the_same_instant(database: str) -> None:
    start = threading.Barrier(3)
    made: list[int] = []

    def begin() -> None:
        start.wait()
        made.append(make(database).before)

    threads = [threading.Thread(target=begin) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(made) == [0, FORMAT, FORMAT]


def test_a_schema_of_ones_own_is_a_log_of_ones_own(database: str) -> None:
    other = f"{database}&options=-csearch_path%3Dcheckout"
    assert make(other).schema == "checkout"
    with pytest.raises(LogError, match=r"no log in .* \(schema runebook\)"):
        PostgresLog(database)
    make(database)
    with PostgresLog(other) as log, PostgresLog(database) as ours:
        append(log)
        assert (log.last_seq(), ours.last_seq()) == (1, 0)
        assert log.about().place.endswith("schema checkout")
        assert log.id != ours.id


def test_older_tables_are_brought_up_to_date(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make(database)
    newer = (*schema.MIGRATIONS, "CREATE TABLE added (x integer)")
    with monkeypatch.context() as later:
        later.setattr(schema, "MIGRATIONS", newer)
        later.setattr(schema, "FORMAT", FORMAT + 1)
        with pytest.raises(LogError, match=f"`runebook-tui store init` brings it to format {FORMAT + 1}"):
            PostgresLog(database)
        assert make(database)[1:3] == (FORMAT, FORMAT + 1)
        PostgresLog(database).close()
    for use in (make, PostgresLog):
        with pytest.raises(LogError, match=f"written by a newer Runebook .format {FORMAT + 1}"):
            use(database)


def test_a_log_that_was_replaced_is_not_gone_on_with(database: str) -> None:
    make(database)
    with PostgresLog(database) as log:
        append(log)
        with psycopg.connect(database, autocommit=True) as link:
            link.execute("DROP SCHEMA runebook CASCADE")
            make(database)
            link.execute(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        with pytest.raises(LogError, match="another one than before"):
            log.last_seq()


def test_a_database_that_cannot_hold_every_text_is_refused(postgres: Cluster) -> None:
    name = postgres.database(encoding="LATIN1")
    try:
        with pytest.raises(LogError, match="encoding is LATIN1"):
            make(postgres.url(name))
    finally:
        postgres.drop(name)


def test_other_tables_are_left_alone(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as link:
        link.execute("CREATE SCHEMA runebook; CREATE TABLE runebook.event (what text)")
    for use in (make, PostgresLog):
        with pytest.raises(LogError, match="tables that are not a log"):
            use(database)


def test_what_is_acknowledged_is_on_the_disk_whatever_the_servers_habit(database: str) -> None:
    make(database)
    with psycopg.connect(database, autocommit=True) as link:
        name = sql.Identifier(link.info.dbname)
        link.execute(sql.SQL("ALTER DATABASE {} SET synchronous_commit = off").format(name))
    with PostgresLog(database) as log:
        assert log._session.linked().execute("SHOW synchronous_commit").fetchone() == ("on",)


def test_the_command_says_what_it_did_and_where_the_log_is(
    database: str,
    role: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / "runebook.toml").write_text('[plan]\nname = "x"\n')
    monkeypatch.chdir(tmp_path)

    def said(*words: str, status: int = 0) -> str:
        assert command.run(words) == status
        return "".join(capsys.readouterr())

    monkeypatch.delenv("RUNEBOOK_STORE", raising=False)
    assert "SQLite, which needs nothing" in said("store", "init", status=2)
    assert "nothing has run here yet" in said("store", "status", status=1)
    monkeypatch.setenv("RUNEBOOK_STORE", database)
    assert "`runebook-tui store init` makes it" in said("store", "status", status=1)
    first = said("store", "init", "--role", role)
    assert f"the log is made (format {FORMAT})" in first
    assert f"the role {role} is made, without a password, and may read the log and add to it" in first
    assert f"the log is there already (format {FORMAT})" in said("store", "init", "--role", role)
    with PostgresLog(database) as log:
        log.take_lease(own_lease(1.0, "b"))
        append(log)
        assert f"b: an engine runs (pid {own_lease(1.0).pid})" in said("store", "status")
    told = said("store", "status")
    assert "schema runebook: 1 records" in told
    assert "b: no engine runs" in told


# ── TLS ─────────────────────────────────────────────────────────────────────────────────────────


def certificate(folder: Path, name: str, host: str) -> tuple[Path, Path]:
    """A self-signed certificate for `host`, and its key."""
    key, signed = folder / f"{name}.key", folder / f"{name}.crt"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-days", "30", "-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}",
         "-keyout", str(key), "-out", str(signed)],
        check=True, capture_output=True,
    )  # fmt: skip
    return signed, key


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path, Path]]:
    """The address of a log by TLS only, the certificate to trust, and another one."""
    folder = tmp_path_factory.mktemp("tls")
    signed, key = certificate(folder, "server", "localhost")
    wrong, _ = certificate(folder, "other", "localhost")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    cluster = Cluster(addresses="127.0.0.1", port=port)
    cluster.configure(
        {
            "ssl": "on",
            "ssl_cert_file": str(cluster.put("server.crt", signed.read_bytes())),
            "ssl_key_file": str(cluster.put("server.key", key.read_bytes())),
        }
    )
    cluster.access("local all all trust\nhostssl all all 127.0.0.1/32 trust\n")
    with cluster:
        make(cluster.url())
        yield f"postgresql://postgres@localhost:{port}/postgres?hostaddr=127.0.0.1", signed, wrong


def test_a_server_that_shows_the_right_certificate_is_trusted(encrypted: tuple[str, Path, Path]) -> None:
    url, signed, _ = encrypted
    with PostgresLog(f"{url}&sslmode=verify-full&sslrootcert={signed}") as log:
        assert log._session.linked().pgconn.ssl_in_use
        append(log)


@pytest.mark.parametrize("what", ["another certificate", "another name", "no TLS"])
def test_any_other_is_refused_in_one_line(encrypted: tuple[str, Path, Path], what: str) -> None:
    url, signed, wrong = encrypted
    elsewhere = url.replace("localhost", "db.example.org")
    asked = {
        "another certificate": f"{url}&sslmode=verify-full&sslrootcert={wrong}",
        "another name": f"{elsewhere}&sslmode=verify-full&sslrootcert={signed}",
        "no TLS": f"{url}&sslmode=disable",
    }
    with pytest.raises(LogError) as error:
        PostgresLog(asked[what])
    said = str(error.value)
    assert "\n" not in said
    assert ("no encryption" if what == "no TLS" else "certificate") in said
