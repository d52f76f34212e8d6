"""An engine with an agent that does as it is told: code is sent to it, and runs in its pane."""

from __future__ import annotations

import json
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from session_play import DEADLINE, Session

from runebook_tui.place import state_folder

PLAN = """
[plan]
name = "hostile"

[policy]
hold_seconds = 600

[[phases]]
id = "build"

[[agents]]
id = "alpha"
phase = "build"
command = ["python3", "doer.py"]
claims = ["alpha/**"]
gate = "{gate}"
tasks = [{{ id = "a-1" }}]

[[agents]]
id = "beta"
phase = "build"
command = ["sleep", "6000"]
claims = ["beta/**"]
gate = "{gate}"
tasks = [{{ id = "b-1" }}]
"""

DOER = """
import ctypes, errno, json, mmap, os, pathlib, resource, signal, socket, sqlite3
import struct, subprocess, sys, time

ENGINE, ROOT = os.environ["RUNEBOOK_SOCKET"], os.environ["RUNEBOOK_ROOT"]
PYTHON = os.environ["PYTHON"]
libc = ctypes.CDLL(None, use_errno=True)

def talk(*messages):
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(60)
        peer.connect(ENGINE)
        answers = peer.makefile("rb")
        found = []
        for message in messages:
            peer.sendall(json.dumps(message).encode() + b"\\n")
            found.append(json.loads(answers.readline()))
    return found[-1]

def shell(line):
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return [done.returncode, done.stderr[-500:]]

def called(name, *arguments):
    ctypes.set_errno(0)
    result = getattr(libc, name)(*arguments)
    return "done" if result >= 0 else errno.errorcode[ctypes.get_errno()]

link = socket.socket(socket.AF_UNIX)
link.connect(PLACE)
heard = link.makefile("rb")
for line in heard:
    given = json.loads(line)
    here = dict(globals(), **given["names"])
    try:
        exec(given["code"], here)
        said = {"said": here.get("said")}
    except BaseException as error:
        said = {"error": f"{type(error).__name__}: {error}"}
    link.sendall(json.dumps(said).encode() + b"\\n")
"""


class Inside:
    """What runs in the pane of `alpha`."""

    def __init__(self, session: Session, place: socket.socket) -> None:
        self.session = session
        place.settimeout(DEADLINE)
        self._link, _ = place.accept()
        self._link.settimeout(DEADLINE)
        self._heard = self._link.makefile("rb")

    def does(self, code: str, **names: Any) -> Any:
        """What `code`, run inside with these names, leaves in `said`; its error in words where it fails."""
        self._link.sendall(json.dumps({"code": code, "names": names}).encode() + b"\n")
        found = json.loads(self._heard.readline())
        return found.get("error", found.get("said"))

    def close(self) -> None:
        self._heard.close()
        self._link.close()


@contextmanager
def inside(gate: str) -> Iterator[Inside]:
    """An engine in a repository that other users could reach, and its agent."""
    with tempfile.TemporaryDirectory(prefix="rb-") as folder, socket.socket(socket.AF_UNIX) as place:
        os.chmod(folder, 0o755)
        root = Path(folder, "repo")
        root.mkdir()
        session = Session(root)
        place.bind(f"{folder}/doer")
        place.listen()
        for name in ("alpha", "beta"):
            (root / name).mkdir()
            (root / name / "kept").write_text("kept\n")
        (root / "doer.py").write_text(f"PLACE = {folder + '/doer'!r}\n{DOER}")
        session.plan(PLAN.format(gate=gate))
        session.start()
        try:
            session.until_gate("beta", holds=gate != "off")
            session.until_gate("alpha", holds=gate != "off")
            agent = Inside(session, place)
            try:
                yield agent
            finally:
                agent.close()
        finally:
            session.down()


def engine_socket(session: Session) -> str:
    """Where the engine listens."""
    return os.fsdecode((state_folder(session.root) / "socket").read_bytes()).strip()


def attempts(session: Session) -> list[tuple[str, str]]:
    """Who tried what, as the log says."""
    return [(r["speaker"], r["attempt"]) for r in session.json("log") if r["type"] == "AttemptRefused"]
