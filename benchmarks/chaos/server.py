"""The server of the log: PostgreSQL, which can be killed, in a network of its own where there may be one."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from benchmarks.chaos.network import Network, Way
from runebook_tui.log.opening import Store
from tests.postgres import Cluster, NoPostgres, programs

_PORT = 5432


class PostgresServer:
    """Runs from `with` to its end; `url` is where the log is, `far_url` where it is for the other host.

    With a `network` it listens in that one's server's namespace.
    """

    def __init__(self, network: Network | None = None) -> None:
        self.network = network
        self._stack = ExitStack()
        self.url = self.far_url = ""

    def __enter__(self) -> PostgresServer:
        try:
            ways = [] if self.network is None else self.network.ways
            self.cluster = Cluster(
                durable=True,
                addresses=",".join(way.address(2) for way in ways),
                port=_PORT,
                prefix=[] if self.network is None else self.network.server.prefix,
            )
            self._stack.callback(self.cluster.remove)
            if ways:
                lines = [f"host all all {way.address(1)}/32 trust\n" for way in ways]
                self.cluster.access("".join(["local all all trust\n", *lines]))
            self.cluster.start()
            name = self.cluster.database()
            self.url = self._by(ways[0], name) if ways else self.cluster.url(name)
            self.far_url = self._by(ways[-1], name) if ways else ""
            Store(Path(), self.url).make()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def kill(self) -> None:
        """End the server and every process of it by SIGKILL."""
        self.cluster.kill()

    def start(self) -> None:
        """Start it after it was killed."""
        self.cluster.start()

    def _by(self, way: Way, name: str) -> str:
        return f"postgresql://postgres@{way.address(2)}:{_PORT}/{name}"


def has_postgres() -> bool:
    """Whether PostgreSQL's server is installed."""
    try:
        programs()
    except NoPostgres:
        return False
    return True
