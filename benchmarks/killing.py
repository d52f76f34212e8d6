"""One killing: a gated writer, a supervisor that dies at some instant, and what that did to whom."""

from __future__ import annotations

import contextlib
import errno
import os
import random
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from benchmarks.desk import Desk, rules
from benchmarks.kill_writer import OLD_FILES
from benchmarks.soak.gauges import children

Whom = Literal["server", "front", "both"]
WHOM: tuple[Whom, ...] = ("server", "front", "both")
SECONDS = 30.0
HOLD_SECONDS = 300.0
_GOES_ON = 300
_CLOSED = 20


class Broken(AssertionError):
    """What must not happen did; the words say what and tell the course of it."""


class Killing:
    """One writer under one gate. It works in `home/repo`, and its gate asks the desk at `socket`.

    The folder `home` is there, empty, and removed at the end.
    """

    def __init__(self, home: Path, seed: int) -> None:
        self.home = home
        self.root = home / "repo"
        self.socket = str(home / "desk.sock")
        self.random = random.Random(seed)
        self.owns = 0
        self.faults: list[int] = []
        """The errno of each own write that failed."""
        self.tries: dict[int, int | None] = {}
        """Of each foreign write: its errno, 0 when it landed, None while it waits."""
        self.ended = False
        """Whether every process of the writer's has ended."""
        self._rest = b""
        self._process: subprocess.Popen[bytes] | None = None
        self._known: set[int] = set()

    def lay(self, uid: int) -> None:
        """Make the repository, the files, and the desk."""
        for each in (self.root, self.root / "own", self.root / "beta"):
            each.mkdir()
        for number in range(OLD_FILES):
            (self.root / f"beta/old{number}").write_bytes(b"as it was\n")
        if uid != os.getuid():
            for each in (self.home, self.root, *self.root.rglob("*")):
                os.chown(each, uid, uid)
        claims = [("own/**", "alpha"), ("beta/**", "beta")]
        order = {"gate": "enforce", "cwd": str(self.root), "rules": rules("alpha", claims, HOLD_SECONDS)}
        self.desk = Desk(self.socket, order)

    def start(self, argv: Sequence[str], **options: object) -> None:
        """Start the gated writer."""
        self._process = subprocess.Popen(
            argv,
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **options,
        )  # type: ignore[call-overload]
        assert self._process.stdout is not None
        os.set_blocking(self._process.stdout.fileno(), False)

    @property
    def front(self) -> int:
        """The process that was started."""
        assert self._process is not None
        return self._process.pid

    def attached(self) -> None:
        """Wait until own writes land and a foreign one is held."""
        self.until("a held call", lambda: self.desk.waiting and self.owns)
        said = self.desk.said("attach")[0]
        if said["gate"] != "enforce":
            raise Broken(f"the gate does not enforce: {said}")

    def play(self, seconds: float) -> None:
        """Decide whatever waits, at random, for a while."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for number in self.desk.waiting:
                self.desk.decide(number, approved=self.random.random() < 0.5)
            self.read()
            time.sleep(self.random.uniform(0, 0.004))

    def server(self) -> int | None:
        """The front's child that serves; None when it has none (any more)."""
        return next(iter(children(self.front)), None)

    def kill(self, whom: Whom) -> None:
        """Kill front, server, or both: in either order, at once or one a while after the other."""
        front, server = self.front, self.server()
        doomed = [front] if whom != "server" else []
        if server is not None and whom != "front":
            doomed.append(server)
        self.random.shuffle(doomed)
        for pid in doomed:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            time.sleep(self.random.choice((0.0, self.random.uniform(0, 0.003), self.random.uniform(0, 0.5))))

    def goes_on(self) -> None:
        """Own writes land, many more of them."""
        before = self.owns
        self.until("more own writes", lambda: self.owns > before + _GOES_ON)

    def held(self) -> int:
        """Wait until a call is held; its number."""
        self.until("a held call", lambda: self.desk.waiting)
        return self.desk.waiting[0]

    def decide(self, number: int, *, approved: bool) -> None:
        """Answer a held call, and wait until its writer has gone on."""
        self.desk.decide(number, approved=approved)
        self.until(f"the end of {number}", lambda: self.tries.get(number) is not None)
        expected = 0 if approved else errno.EACCES
        if self.tries[number] != expected:
            raise Broken(f"{number} was {'approved' if approved else 'rejected'}: {self.told()}")

    def no_foreign_byte(self) -> None:
        """Every file of beta's is as it was, but those whose change was approved."""
        for number in range(OLD_FILES):
            old, new = self.root / f"beta/old{number}", self.root / f"beta/new{number}"
            with contextlib.suppress(FileNotFoundError):
                if old.read_bytes() == b"as it was\n" and not os.path.lexists(new):
                    continue
            if self.desk.decisions.get(number) is not True:
                raise Broken(f"the foreign write {number} landed without an approval: {self.told()}")

    def until(self, what: str, holds: Callable[[], object], seconds: float = SECONDS) -> None:
        """Wait until `holds`, reading what the writer tells. Raises Broken."""
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline:
                raise Broken(f"never came: {what}; {self.told()}")
            self.read()
            self.desk.until(holds, 0.01)

    def read(self) -> None:
        """Take in what the writer told."""
        assert self._process is not None
        assert self._process.stdout is not None
        try:
            told = os.read(self._process.stdout.fileno(), 1 << 16)
        except BlockingIOError:
            return
        self.ended = not told
        *lines, self._rest = (self._rest + told).split(b"\n")
        for line in lines:
            what, number, *more = line.decode().split()
            if what == "own":
                self.owns = int(number)
            elif what == "fault":
                self.faults.append(int(number))
            elif what == "try":
                self.tries[int(number)] = None
            else:
                self.tries[int(number)] = int(more[0])

    def closed(self) -> None:
        """No own write lands any more, and all fail for want of a supervisor."""
        known = len(self.faults)
        self.until("failures of own writes", lambda: len(self.faults) > known + _CLOSED)
        before, known = self.owns, len(self.faults)
        self.until("more failures of own writes", lambda: len(self.faults) > known + _CLOSED)
        if self.owns != before or set(self.faults[known:]) != {errno.ENOSYS}:
            raise Broken(f"own writes do not fail as they should: {self.told()}")

    def stop(self) -> int:
        """Let the writer end and reject everything that waits; the status of the front."""
        assert self._process is not None
        (self.root / "stop").touch()

        def ended() -> bool:
            self.reject_all()
            return self.ended

        self.until("the writer's end", ended)
        return self._process.wait(SECONDS)

    def reject_all(self) -> None:
        """Answer everything that waits with no."""
        for number in self.desk.waiting:
            self.desk.decide(number, approved=False)

    def figures(self) -> Counter[str]:
        """Own and foreign writes by how they ended."""
        count: Counter[str] = Counter({"own landed": self.owns})
        for number in self.faults:
            count[f"own failed {errno.errorcode.get(number, number)}"] += 1
        for code in self.tries.values():
            name = (
                "unfinished" if code is None else errno.errorcode.get(code, str(code)) if code else "landed"
            )
            count[f"foreign {name}"] += 1
        return count

    def told(self) -> str:
        """The course so far, for a failure's words."""
        newest = dict(list(self.tries.items())[-4:])
        faults = [errno.errorcode.get(each, str(each)) for each in self.faults[-5:]]
        decided = dict(list(self.desk.decisions.items())[-4:])
        words = [f"own {self.owns}", f"{len(self.faults)} faults, last {faults}", f"tries {newest}"]
        gates = [{key: each.get(key) for key in ("gate", "reason")} for each in self.desk.said("attach")]
        return "; ".join([*words, f"decided {decided}", f"attached {gates}"])

    def close(self) -> None:
        """End everything that was started."""
        self._look()
        if self._process is not None:
            for pid in (self._process.pid, *self._known):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._process.wait()
            for stream in (self._process.stdout, self._process.stderr):
                if stream is not None:
                    stream.close()
        self.desk.close()
        shutil.rmtree(self.home, ignore_errors=True)

    def _look(self) -> None:
        """Remember the processes that work in the repository: whoever adopts them, they are ours."""
        mine = os.fsencode(os.path.realpath(self.root))
        for each in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if os.fsencode(os.readlink(each / "cwd")) == mine and int(each.name) != os.getpid():
                    self._known.add(int(each.name))
