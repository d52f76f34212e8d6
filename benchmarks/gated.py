"""Commands under the gate, and the engine's end of its wire."""

from __future__ import annotations

import json
import os
import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from benchmarks.processes import start
from benchmarks.session import DEADLINE, BenchmarkError
from runebook_tui.execution.pauses import PAUSE_SECONDS
from runebook_tui.execution.wire import pack
from runebook_tui.gate import pane

AGENT = "alpha"
OWNED, UNOWNED, FOREIGN = "own", "free", "foreign"
CLAIMS = [(f"{OWNED}/**", AGENT, False), (f"{FOREIGN}/**", "beta", False)]
CLAIMS += [(f"src/part{number}/**", f"agent-{number % 8}", False) for number in range(50)]
_DOER = Path(__file__).with_name("doer.py")
_HERE = Path(__file__).parent.parent


class _Wire(socketserver.BaseRequestHandler):
    server: _Server
    request: socket.socket

    def handle(self) -> None:
        rest = b""
        while chunk := self.request.recv(1 << 18):
            *lines, rest = (rest + chunk).split(b"\n")
            messages = [json.loads(line) for line in lines]
            self.request.sendall(b"".join(pack(self.server.answer(message)) for message in messages))
            if any(message["do"] == "writes" for message in messages):
                time.sleep(PAUSE_SECONDS)  # as the engine does


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def __init__(self, path: str, root: Path) -> None:
        super().__init__(path, _Wire)
        self.root = root
        self.records = 0
        self.wake = -1
        self.gates: list[tuple[str, str]] = []

    def answer(self, message: dict[str, Any]) -> dict[str, Any]:
        match message["do"]:
            case "exec":
                where = {"cwd": str(self.root), "root": str(self.root)}
                what = {"agent": AGENT, "command": message["command"], "gate": "enforce"}
                return {"ok": True, "rules": self.rules(), **what, **where}
            case "attach":
                self.gates.append((message["gate"], message["reason"]))
                return {"ok": True, "rules": self.rules()}
            case "held":
                os.write(self.wake, b"h")
                return {"ok": True, "request": 1, "verdict": "hold", "words": ""}
            case "writes":
                self.records += len(message["records"])
        return {"ok": True}

    def rules(self) -> dict[str, Any]:
        """What the engine gives the gate."""
        return {
            "agent": AGENT, "claims": CLAIMS, "unowned": "allow", "away": "hold", "hold_seconds": 600.0,
            "grants": [], "git": [str(self.root / ".git")], "tmux": [],
        }  # fmt: skip


class Gated:
    """An engine's end for the repository at `root`: it hears what the gate records, and stores nothing."""

    def __init__(self, root: Path, path: Path) -> None:
        self.root = root
        self.path = path
        self._server = _Server(str(path), root)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Gated:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def records(self) -> int:
        """How many records have come."""
        return self._server.records

    @property
    def pane(self) -> list[str]:
        """The program before a command that runs it as an agent's pane does."""
        return [sys.executable, "-m", "benchmarks.gated", str(self.root), str(self.path)]

    def hold(self, wake: int) -> None:
        """Write a byte to `wake` whenever a call is held."""
        self._server.wake = wake

    def do(self, *words: str, under: Sequence[str] = (), descriptors: Sequence[int] = ()) -> list[float]:
        """What the doer measures when it is run by the program `under`. Raises BenchmarkError."""
        answer = self.path.with_name("answer.json")
        answer.unlink(missing_ok=True)
        command = [*under, sys.executable, "-I", str(_DOER), str(answer), *words]
        run(command, self.root, pass_fds=descriptors)
        if wrong := [reason for gate, reason in self._server.gates if gate != "enforce"]:
            raise BenchmarkError(f"the gate does not enforce here: {wrong[0]}")
        found: list[float] = json.loads(answer.read_text())
        return found


def run(command: list[str], folder: Path, **options: Any) -> None:
    """Run to its end. Raises BenchmarkError with what it said when it failed."""
    report = folder.with_name("report.txt")
    path = os.pathsep.join([str(_HERE), *filter(None, [os.environ.get("PYTHONPATH")])])
    with report.open("wb") as said:
        process = start(
            command, cwd=folder, env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.DEVNULL, stdout=said, stderr=said, **options,
        )  # fmt: skip
        status = process.wait(DEADLINE)
    if status:
        raise BenchmarkError(f"{command} failed: {report.read_text(errors='replace').strip()[-2000:]}")


def main(root: str, path: str, *command: str) -> int:
    """Run the command as the pane of an agent does."""
    return pane.run(AGENT, list(command), Path(root), Path(path))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
