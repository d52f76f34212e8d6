"""A private PostgreSQL server for tests and benchmarks: on a unix socket, in a folder of its own.

PostgreSQL refuses to run as root, so where these tests do, it runs as another user.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

_UNPRIVILEGED = ("postgres", "nobody")
_SUPERUSER = "postgres"
_WAIT_SECONDS = 60
# What a test's server need not keep through a power cut; `durable` turns it back on.
_FAST = {"fsync": "off", "full_page_writes": "off"}
_SMALL = {
    "shared_buffers": "16MB",
    "max_connections": "60",
    "max_wal_senders": "0",
    "wal_level": "minimal",
    "autovacuum_naptime": "10min",
    "log_min_messages": "warning",
}


class NoPostgres(Exception):
    """PostgreSQL is not installed here."""


def programs() -> Path:
    """The folder of the newest installed server's programs. Raises NoPostgres."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    on_path = shutil.which("initdb")
    if found:
        return max(found, key=lambda folder: int(folder.parent.name))
    if on_path is None:
        raise NoPostgres("PostgreSQL's server is not installed (Debian: apt install postgresql)")
    return Path(on_path).resolve().parent


class Cluster:
    """A server with its data in a temporary folder. `with Cluster() as cluster:` starts and removes it.

    `port` is given where it is to listen on TCP `addresses`, too. `settings` are lines of its configuration;
    `prefix` is put before the server's command line (to run it in a network namespace, for instance).
    """

    def __init__(
        self,
        *,
        durable: bool = False,
        addresses: str = "",
        port: int = 5432,
        settings: Mapping[str, str] | None = None,
        prefix: Sequence[str] = (),
    ) -> None:
        self._bin = programs()
        self._prefix = tuple(prefix)
        self._user = next(each for each in _UNPRIVILEGED if _has_user(each)) if os.getuid() == 0 else ""
        self.folder = Path(tempfile.mkdtemp(prefix="rbpg-", dir="/tmp"))
        self.port = port
        self.log = self.folder / "server.log"
        self._data = self.folder / "data"
        self._server: subprocess.Popen[bytes] | None = None
        self._made = 0
        if self._user:
            account = pwd.getpwnam(self._user)
            os.chown(self.folder, account.pw_uid, account.pw_gid)
            self.folder.chmod(0o711)
        self._run(
            "initdb", "-D", str(self._data), "-U", _SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C", "-N"
        )
        lines = {
            "unix_socket_directories": str(self.folder),
            "unix_socket_permissions": "0777",
            "listen_addresses": addresses,
            "port": str(port),
            **_SMALL,
            **({} if durable else _FAST),
            **(settings or {}),
        }
        self.configure(lines)

    def configure(self, settings: Mapping[str, str]) -> None:
        """Add lines to the configuration; the next start goes by them."""
        with open(self._data / "postgresql.conf", "a") as file:
            file.writelines(f"{name} = '{text}'\n" for name, text in settings.items())

    def access(self, lines: str) -> None:
        """Replace who may connect from where (`pg_hba.conf`); the next start goes by it."""
        (self._data / "pg_hba.conf").write_text(lines)

    def put(self, name: str, content: bytes) -> Path:
        """A file of the server's own, which nobody else may read."""
        path = self.folder / name
        path.write_bytes(content)
        path.chmod(0o600)
        if self._user:
            account = pwd.getpwnam(self._user)
            os.chown(path, account.pw_uid, account.pw_gid)
        return path

    def _command(self, program: str, *arguments: str) -> list[str]:
        command = [str(self._bin / program), *arguments]
        if self._user:
            as_user = ["setpriv", f"--reuid={self._user}", f"--regid={pwd.getpwnam(self._user).pw_gid}"]
            command = [*as_user, "--clear-groups", "--", *command]
        return command

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            self._command(program, *arguments), capture_output=True, text=True, cwd=self.folder, check=False
        )
        if done.returncode:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise RuntimeError(f"{program}: {done.stdout}{done.stderr}")

    @property
    def pid(self) -> int:
        """The server's first process, as it says itself."""
        return int((self._data / "postmaster.pid").read_text().split()[0])

    def start(self) -> None:
        """Start the server and wait until it answers."""
        # The lock file of a killed server names a pid that may be somebody else's by now.
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        with open(self.log, "ab") as log:
            self._server = subprocess.Popen(
                [*self._prefix, *self._command("postgres", "-D", str(self._data))],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        ready = self._command(
            "pg_isready", "-q", "-t", "5", "-h", str(self.folder), "-p", str(self.port), "-U", _SUPERUSER
        )
        deadline = _WAIT_SECONDS * 20
        for _ in range(deadline):
            if subprocess.run(ready, check=False).returncode == 0:
                return
            try:
                self._server.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
            break
        raise RuntimeError(f"PostgreSQL did not start: {self.log.read_text()[-2000:]}")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End the server: SIGINT lets sessions go first, SIGQUIT is a crash. It can be started again."""
        if self._server is None or self._server.poll() is not None:
            return
        os.kill(self.pid, how)
        self._server.wait(_WAIT_SECONDS)

    def kill(self) -> None:
        """`kill -9` for the server and every process of it, as if the machine had stopped."""
        if self._server is None:
            return
        members = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.pid)], capture_output=True, text=True, check=False
        ).stdout.split()
        os.kill(self.pid, signal.SIGKILL)
        for member in members:
            try:
                os.kill(int(member), signal.SIGKILL)
            except ProcessLookupError:
                continue
        self._server.wait(_WAIT_SECONDS)

    def url(self, database: str = "postgres", *, user: str = _SUPERUSER, more: str = "") -> str:
        """The address of a database by the unix socket; `more` are further parameters, `a=b&c=d`."""
        query = f"host={quote(str(self.folder), safe='')}&port={self.port}" + (f"&{more}" if more else "")
        return f"postgresql://{quote(user)}@/{quote(database)}?{query}"

    def database(self, encoding: str = "UTF8") -> str:
        """A new empty database; its name."""
        self._made += 1
        name = f"test{os.getpid()}_{self._made}"
        with psycopg.connect(self.url(), autocommit=True) as link:
            link.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING {}").format(
                    sql.Identifier(name), sql.Literal(encoding)
                )
            )
        return name

    def drop(self, database: str) -> None:
        """Remove a database, whoever is still connected to it."""
        with psycopg.connect(self.url(), autocommit=True) as link:
            link.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database)))

    def __enter__(self) -> Cluster:
        try:
            self.start()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def remove(self) -> None:
        """End the server and remove everything of it."""
        try:
            self.stop(signal.SIGQUIT)
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)


def _has_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
