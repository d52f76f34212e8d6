"""The server of the log: PostgreSQL, which can be killed, in a network of its own, which can be cut."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks.session import BenchmarkError
from runebook_tui.log.opening import Store
from tests.postgres import Cluster, NoPostgres, programs

_PORT = 5432


class PostgresServer:
    """Runs from `with` to its end; `url` is where the log is.

    With `network` it listens in a network namespace at the other end of a pair of virtual devices.
    """

    def __init__(self, *, network: bool) -> None:
        self._number = os.getpid() % 60_000
        self._name = f"rbchaos{self._number}"
        self._network = network
        self._stack = ExitStack()
        self.url = ""

    def __enter__(self) -> PostgresServer:
        try:
            prefix = self._connect() if self._network else []
            addresses = self._address(2) if self._network else ""
            self.cluster = Cluster(durable=True, addresses=addresses, port=_PORT, prefix=prefix)
            self._stack.callback(self.cluster.remove)
            if self._network:
                self.cluster.access(f"local all all trust\nhost all all {self._address(1)}/32 trust\n")
            self.cluster.start()
            name = self.cluster.database()
            away = f"postgresql://postgres@{self._address(2)}:{_PORT}/{name}"
            self.url = away if self._network else self.cluster.url(name)
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

    def cut(self, seconds: float, chance: random.Random) -> None:
        """Take the network away for a while, at the near end or at the far one."""
        near = chance.random() < 0.5
        command = ["ip", "link"] if near else ["ip", "-n", self._name, "link"]
        device = self._name if near else "far"
        _run(*command, "set", device, "down")
        time.sleep(seconds)
        _run(*command, "set", device, "up")

    def _address(self, end: int) -> str:
        return f"10.{200 + self._number % 50}.{self._number // 50 % 250}.{end}"

    def _connect(self) -> list[str]:
        """Make the namespace and the pair; what a command is run by to be in it."""
        _run("ip", "netns", "add", self._name)
        self._stack.callback(_run, "ip", "netns", "delete", self._name)
        _run("ip", "link", "add", self._name, "type", "veth", "peer", "far", "netns", self._name)
        _run("ip", "address", "add", f"{self._address(1)}/30", "dev", self._name)
        _run("ip", "-n", self._name, "address", "add", f"{self._address(2)}/30", "dev", "far")
        for command in (["-n", self._name, "link", "set", "lo"], ["-n", self._name, "link", "set", "far"]):
            _run("ip", *command, "up")
        _run("ip", "link", "set", self._name, "up")
        return ["ip", "netns", "exec", self._name]


def has_postgres() -> bool:
    """Whether PostgreSQL's server is installed."""
    try:
        programs()
    except NoPostgres:
        return False
    return True


def can_cut() -> bool:
    """Whether this process may make network namespaces."""
    return os.getuid() == 0 and shutil.which("ip") is not None and Path("/proc/self/ns/net").exists()


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchmarkError(f"{' '.join(command)}: {done.stderr.strip()}")
