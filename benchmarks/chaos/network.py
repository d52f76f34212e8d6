"""The network: namespaces in which hosts can be, and ways between them that can be cut."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.session import BenchmarkError


class Namespace:
    """A network namespace of that `name`, from `with` to its end. Raises BenchmarkError."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> Namespace:
        _run("ip", "netns", "add", self.name)
        _run("ip", "-n", self.name, "link", "set", "lo", "up")
        return self

    def __exit__(self, *_: object) -> None:
        _run("ip", "netns", "delete", self.name)

    @property
    def prefix(self) -> list[str]:
        """What a command is run by to be in it; its file systems stay those of this process."""
        return ["nsenter", f"--net=/run/netns/{self.name}", "--"]


class Way:
    """A pair of virtual devices from `near`, or this process's namespace, to `far`; gone with either.

    It has a device of that `name` (14 letters at most) at each end, and the `number`th of this process's
    small networks. Raises BenchmarkError.
    """

    def __init__(self, name: str, number: int, far: Namespace, near: Namespace | None = None) -> None:
        self._near = ["ip"] if near is None else ["ip", "-n", near.name]
        self._far = ["ip", "-n", far.name]
        self._device = name
        self._base = number * 4
        here = [] if near is None else ["netns", near.name]
        peer = ["type", "veth", "peer", f"{name}-", "netns", far.name]
        _run("ip", "link", "add", name, *here, *peer)
        for command, device, end in self._ends():
            _run(*command, "address", "add", f"{self.address(end)}/30", "dev", device)
            _run(*command, "link", "set", device, "up")

    def address(self, end: int) -> str:
        """That of the near `end`, 1, or of the far one, 2."""
        process = os.getpid() % 60_000
        return f"10.{200 + process % 50}.{process // 50 % 250}.{self._base + end}"

    @contextmanager
    def cut(self, chance: random.Random) -> Iterator[None]:
        """Nothing goes by it meanwhile; it is cut at the one end or at the other."""
        command, device, _ = chance.choice(self._ends())
        _run(*command, "link", "set", device, "down")
        try:
            yield
        finally:
            _run(*command, "link", "set", device, "up")

    def _ends(self) -> list[tuple[list[str], str, int]]:
        return [(self._near, self._device, 1), (self._far, f"{self._device}-", 2)]


class Network:
    """The namespace of a server, with a way to it from here and, with `hosts`, one from another host's."""

    def __init__(self, *, hosts: bool) -> None:
        self._name = f"rbchaos{os.getpid() % 60_000}"
        self._hosts = hosts
        self._stack = ExitStack()

    def __enter__(self) -> Network:
        try:
            self.server = self._stack.enter_context(Namespace(self._name))
            self.way = Way(self._name, 0, self.server)
            self.ways = [self.way]
            if self._hosts:
                self.host = self._stack.enter_context(Namespace(f"{self._name}b"))
                self.far_way = Way(f"{self._name}b", 1, self.server, self.host)
                self.ways.append(self.far_way)
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


def can_cut() -> bool:
    """Whether this process may make network namespaces."""
    return (
        os.getuid() == 0 and all(map(shutil.which, ("ip", "nsenter"))) and Path("/proc/self/ns/net").exists()
    )


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchmarkError(f"{' '.join(command)}: {done.stderr.strip()}")
