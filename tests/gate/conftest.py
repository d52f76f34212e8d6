"""The other end of the gate's wire (an engine that listens and answers), and a runner of gated commands."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

NOBODY = 65534
PATIENCE = 40.0
DRIVER = Path(__file__).with_name("gate_driver.py")
Message = dict[str, object]
Write = tuple[object, object, object]
FILES = {"src/billing/pay.py": "pay = 1\n", "src/billing/tax.py": "tax = 1\n", "mine/a.py": "a = 1\n"}


def refuse(held: Message) -> Message:
    record = held["record"]
    assert isinstance(record, dict)
    words = f"{record['path']} is billing's; request 12 is open"
    return {"request": 12, "verdict": "refuse", "words": words}


def hold(held: Message) -> Message:
    return {"request": 12, "verdict": "hold", "words": ""} if held["waits"] else refuse(held)


class Engine:
    """Accepts connections on a unix socket and answers every line; keeps what was said."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.messages: list[Message] = []
        self.reply: Message = {}
        self.rules: Message | None = None
        self.verdict: Callable[[Message], Message] = refuse
        self._attached: list[socket.socket] = []
        self._sending = threading.Lock()
        self.changed = threading.Condition()
        self._connections: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._socket: socket.socket | None = None

    def start(self) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(self.path)
        os.chmod(self.path, 0o777)
        self._socket.listen(64)
        self._thread(self._accept, self._socket)

    def stop(self) -> None:
        assert self._socket is not None
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        os.unlink(self.path)
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE)
        self._threads.clear()
        self._connections.clear()
        self._attached.clear()

    def _thread(self, target: Callable[[socket.socket], None], end: socket.socket) -> None:
        thread = threading.Thread(target=target, args=(end,), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            self._connections.append(connection)
            self._thread(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError), connection.makefile("rb") as lines:
            for line in lines:
                message = json.loads(line)
                answer: Message = {"ok": True}
                if message["do"] == "exec":
                    answer |= {"agent": message["agent"], "command": message["command"], "gate": "observe"}
                    answer |= {"rules": self.rules} | self.reply
                elif message["do"] == "attach":
                    self._attached.append(connection)
                    answer |= {} if self.rules is None else {"rules": self.rules}
                elif message["do"] == "held":
                    answer |= self.verdict(message)
                with self.changed:
                    self.messages.append(message)
                    self.changed.notify_all()
                self._send(connection, answer)

    def _send(self, connection: socket.socket, message: Message) -> None:
        with self._sending:
            connection.sendall(json.dumps(message).encode() + b"\n")

    def push(self, message: Message) -> None:
        """Say something unasked to every supervisor that is there."""
        for connection in self._attached:
            with contextlib.suppress(OSError):
                self._send(connection, message)

    def settle(self, held: Message, verdict: str, words: str = "") -> None:
        """Decide a held call."""
        self.push({"push": "settle", "id": held["id"], "request": 12, "verdict": verdict, "words": words})

    def held(self, count: int = 1) -> Message:
        """Wait for the count-th question; it."""
        self.wait(lambda: len(self.said("held")) >= count)
        return self.said("held")[count - 1]

    def said(self, what: str) -> list[Message]:
        with self.changed:
            return [message for message in self.messages if message["do"] == what]

    def records(self) -> list[Message]:
        by_number = {r["n"]: r for message in self.said("writes") for r in message["records"]}
        return [by_number[number] for number in sorted(by_number)]

    def writes(self) -> list[Write]:
        return [(record["op"], record["path"], record["to"]) for record in self.records()]

    def wait(self, true: Callable[[], object]) -> None:
        """Wait until the condition holds; fails with all that was said."""
        until(true, lambda: self.messages)


def until(true: Callable[[], object], told: Callable[[], object] = lambda: "") -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, told()
        time.sleep(0.01)


class Gate:
    """A repository, its engine, and commands that run under the gate as one user."""

    def __init__(self, home: Path, uid: int) -> None:
        self.home = home
        self.root = home / "repo"
        self.uid = uid
        self.root.mkdir()
        (home / "outside").mkdir()
        for folder in (home, self.root, home / "outside"):
            os.chmod(folder, 0o755)
            os.chown(folder, uid, uid)
        self.engine = Engine(str(home / "e.sock"))
        self.engine.reply = {"cwd": str(self.root)}
        self.started: list[subprocess.Popen[bytes]] = []

    def enforce(self, **rules: object) -> None:
        """From now on the gate enforces: alpha owns mine/ and src/alpha/, billing src/billing/."""
        claims = [["/mine/**", "alpha", False], ["/src/alpha/**", "alpha", False]]
        claims += [["/src/billing/**", "billing", False]]
        given: Message = {"agent": "alpha", "claims": claims, "unowned": "allow", "away": "hold"}
        given |= {"hold_seconds": 60.0, "grants": [], "git": [str(self.root / ".git")], "tmux": []} | rules
        self.engine.rules = given
        self.engine.reply |= {"gate": "enforce"}
        for name, text in {**FILES, "runebook.toml": "# the plan\n", ".gitignore": "*.log\n"}.items():
            file = self.root / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        (self.root / ".runebook" / "agents" / "alpha").mkdir(parents=True)
        who = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "safe.directory=*"]
        for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-qm", "1"]):
            subprocess.run(["git", *who, *words], cwd=self.root, check=True)
        self.own()

    def own(self) -> None:
        """Make everything in the repository the user's."""
        for place, folders, files in os.walk(self.root):
            for each in (place, *(os.path.join(place, name) for name in (*folders, *files))):
                os.lchown(each, self.uid, self.uid)

    def argv(self, *command: str) -> list[str]:
        return [sys.executable, str(DRIVER), str(self.uid), str(self.root), self.engine.path, *command]

    def start(self, *command: str, **options: object) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(self.argv(*command), cwd=self.root, **options)  # type: ignore[call-overload]
        self.started.append(process)
        return process

    def run(self, *command: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            self.argv(*command), cwd=self.root, capture_output=True, timeout=PATIENCE, check=False
        )

    def shell(self, script: str) -> list[Write]:
        """Run a shell script that must succeed; what the engine heard about it."""
        done = self.run("bash", "-ec", script + "\n: > last")
        assert done.returncode == 0, done.stderr
        return self.heard()

    def python(self, script: str) -> list[Write]:
        """The same for a Python script."""
        done = self.run(self.interpreter(), "-I", "-c", script + "\nopen('last', 'x').close()")
        assert done.returncode == 0, done.stderr
        return self.heard()

    def heard(self) -> list[Write]:
        """All up to the file `last`, which ends every script."""
        end = ("create", "last", None)
        self.engine.wait(lambda: end in self.engine.writes())
        return [write for write in self.engine.writes() if write != end]

    def interpreter(self) -> str:
        """A Python that this user may run."""
        own = Path(sys.executable)
        if self.uid == os.getuid() or all(each.stat().st_mode & 1 for each in own.resolve().parents):
            return str(own)
        system = shutil.which("python3", path="/usr/bin:/usr/local/bin")
        if system is None:
            pytest.skip("this user can run no Python here")
        return system


def parent(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_bytes().rpartition(b") ")[2].split()[1])


def users() -> list[int]:
    return [0, NOBODY] if os.getuid() == 0 else [os.getuid()]


@pytest.fixture(params=users(), ids=lambda uid: f"uid{uid}")
def gate(request: pytest.FixtureRequest) -> Iterator[Gate]:
    """A gate for every user that the tests can be."""
    with new_gate(request.param) as gate:
        yield gate


@contextlib.contextmanager
def new_gate(uid: int) -> Iterator[Gate]:
    """A gate of one user; what it started ends with it."""
    home = Path(tempfile.mkdtemp(prefix="rbg"))
    gate = Gate(home.resolve(), uid)
    gate.engine.start()
    try:
        yield gate
    finally:
        for process in gate.started:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    stream.close()
        for message in gate.engine.said("attach"):
            with contextlib.suppress(ProcessLookupError, FileNotFoundError):
                if parent(int(str(message["child"]))) == message["front"]:
                    os.kill(int(str(message["child"])), signal.SIGKILL)
        gate.engine.stop()
        shutil.rmtree(home)
