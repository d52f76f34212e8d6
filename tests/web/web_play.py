"""A served cockpit for tests: the real `runebook-tui serve` on a real engine, and a plain client."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from session_play import DEADLINE, PROGRAM, WAITING, Session

PLAN = """
[plan]
name = "served"

[policy]
hold_seconds = 600

[[phases]]
id = "build"

[[agents]]
id = "alpha"
phase = "build"
command = ["bash", "alpha.sh"]
claims = ["src/alpha/**"]
gate = "observe"

[[agents]]
id = "beta"
phase = "build"
command = ["sleep", "600"]
claims = ["src/beta/**"]
gate = "observe"
"""


def prepare(session: Session) -> None:
    """A repository whose agent alpha writes beta's file once `go` is there."""
    for owner in ("alpha", "beta"):
        (session.root / "src" / owner).mkdir(parents=True)
    (session.root / "src/beta/x.txt").write_text("one\n")
    (session.root / "alpha.sh").write_text(
        WAITING.format("go") + "echo two >> src/beta/x.txt\n" + WAITING.format("stop")
    )
    session.plan(PLAN)


class Served:
    """A running server: its address with the token, and what a client without a browser gets from it."""

    def __init__(self, session: Session, process: subprocess.Popen[str], url: str) -> None:
        self.session = session
        self.process = process
        self.url = url
        self.port = urlsplit(url).port or 0
        self.host = f"127.0.0.1:{self.port}"

    def get(self, path: str, **headers: str) -> tuple[int, dict[str, str], str]:
        """Status, headers and text of one request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        try:
            connection.putrequest("GET", path, skip_host="Host" in headers)
            for name, value in headers.items():
                connection.putheader(name.replace("_", "-"), value)
            connection.endheaders()
            answer = connection.getresponse()
            text = "" if answer.status == 101 else answer.read().decode()
            return answer.status, dict(answer.getheaders()), text
        finally:
            connection.close()

    def live(self, **headers: str) -> int:
        """The status of asking for the websocket."""
        upgrade = {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec_WebSocket_Version": "13",
            "Sec_WebSocket_Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        }
        return self.get("/ws", **upgrade, **headers)[0]

    def cookie(self) -> str:
        """What a browser is given for the token."""
        _, headers, _ = self.get(self.url.partition(self.host)[2])
        return headers["Set-Cookie"].partition(";")[0]

    def tabs(self) -> list[int]:
        """The processes of the tabs that are open, or have not ended yet."""
        said = subprocess.run(
            ["ps", "-o", "pid=,stat=,args=", "--ppid", str(self.process.pid)], capture_output=True, text=True
        ).stdout
        rows = [line.split(None, 2) for line in said.splitlines()]
        return [int(pid) for pid, state, words in rows if "--tab" in words and not state.startswith("Z")]


@contextmanager
def served(session: Session, *words: str) -> Iterator[Served]:
    """`runebook-tui serve` in the session's repository, ended afterwards as by Ctrl-C."""
    complaints = session.root.parent / "serve.err"
    with complaints.open("ab") as complained:
        process = subprocess.Popen(
            [*PROGRAM, "serve", "--json", *(words or ("--port", "0"))],
            cwd=session.root,
            env=session.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complained,
            text=True,
        )
    try:
        assert process.stdout is not None
        text = ""
        while not text.endswith("}\n"):
            line = process.stdout.readline()
            assert line, complaints.read_text()
            text += line
        yield Served(session, process, json.loads(text)["url"])
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(DEADLINE)
        finally:
            process.kill()
            process.communicate()
