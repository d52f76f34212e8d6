"""A repository with a plan, a real engine in it, and the command line that a person would use."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from runebook_tui.cli import shapes
from runebook_tui.core.fold import fold
from runebook_tui.core.state import State
from runebook_tui.core.types import Author
from runebook_tui.execution.client import EngineClient, EngineDown
from runebook_tui.execution.follow import open_log
from runebook_tui.history.diffs import request_diff
from runebook_tui.log.eventlog import LogError
from runebook_tui.log.lease import process_start
from runebook_tui.place import tmux_socket_name

DEADLINE = float(os.environ.get("RUNEBOOK_TEST_SECONDS", "60"))
PROGRAM = [sys.executable, "-P", "-m", "runebook_tui"]


WAITING = "while [ ! -e {0} ]; do sleep 0.05; done\n"
"""A line of shell that waits until the operator makes a file."""


def rb(*words: str) -> str:
    """A line of shell that runs the command line from an agent's pane."""
    return f'"$PYTHON" -P -m runebook_tui {" ".join(words)}\n'


class Session:
    """One scratch repository, and what a person does in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.engine: subprocess.Popen[bytes] | None = None
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("RUNEBOOK_")},
            "PYTHON": sys.executable,
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "XDG_RUNTIME_DIR": str(root.parent / "run"),
        }
        (root.parent / "run").mkdir(mode=0o700)
        self.git("init", "-q", "-b", "main")

    def git(self, *words: str) -> str:
        identity = ["-c", "user.name=Tester", "-c", "user.email=tester@localhost"]
        return subprocess.run(
            ["git", *identity, *words],
            cwd=self.root,
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    def plan(self, text: str) -> None:
        (self.root / "runebook.toml").write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "Begin")

    def command(self, *words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*PROGRAM, *words],
            cwd=self.root,
            env={**self.environment, **(env or {})},
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            stdin=subprocess.DEVNULL,
        )

    def json(self, *words: str) -> Any:
        done = self.command(*words, "--json")
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    def start(self, *words: str) -> None:
        with (self.root.parent / "engine.out").open("ab") as said:
            self.engine = subprocess.Popen(
                [*PROGRAM, "run", *(words or ("--keep",))],
                cwd=self.root,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )

    def kill_engine(self) -> None:
        assert self.engine is not None
        self.engine.send_signal(signal.SIGKILL)
        self.engine.wait(DEADLINE)

    def state(self) -> State:
        """What the log says now, read in this process: conditions are asked often."""
        try:
            with open_log(self.root) as log:
                return fold(log.read())
        except LogError:
            return State()

    def status(self) -> dict[str, Any]:
        return shapes.state_shape(self.state(), engine=True, tmux=tmux_socket_name(self.root))

    def agent(self, name: str) -> dict[str, Any]:
        return next((agent for agent in self.status()["agents"] if agent["id"] == name), {})

    def phase(self, name: str) -> dict[str, Any]:
        return next((phase for phase in self.status()["phases"] if phase["id"] == name), {})

    def until(self, what: str, condition: Callable[[], Any]) -> Any:
        deadline, pause = time.monotonic() + DEADLINE, 0.005
        while time.monotonic() < deadline:
            found = condition()
            if found:
                return found
            time.sleep(pause)
            pause = min(1.5 * pause, 0.05)
        said = (self.root.parent / "engine.out").read_text() if self.engine else ""
        log = self.command("log").stdout
        raise AssertionError(f"never came: {what}\nengine said: {said}\nlog:\n{log[-4000:]}")

    def until_gate(self, agent: str, *, holds: bool = True) -> None:
        """Wait until the supervisor of `agent` has said whether its gate holds."""
        self.until(f"{agent} at work", lambda: self.agent(agent).get("gate", {}).get("holds") is holds)

    def requests(self) -> list[dict[str, Any]]:
        requests = self.state().requests.values()
        return [shapes.request_shape(each, request_diff(self.root, each.crossings)) for each in requests]

    def last(self, path: str) -> Author | None:
        """Who wrote `path` last, as the log says."""
        with open_log(self.root) as log:
            found = log.read(types=["Touched"], path=path, limit=1, newest_first=True)
        return found[0].event.author if found else None

    def down(self) -> None:
        """End everything: by the engine that runs, else by one that is started where a pane outlived it."""
        if self.engine is None:
            return
        try:
            with EngineClient(self.root) as client:
                pid = client.ask("down")["pid"]
                started = process_start(pid)
            self.until("the engine's end", lambda: started is None or process_start(pid) != started)
        except EngineDown:
            if self._tmux("has-session").returncode == 0:
                self.command("down")
        finally:
            if self.engine.poll() is None:
                self.engine.kill()
            self.engine.wait(DEADLINE)
            self._tmux("kill-server")

    def _tmux(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        """A command to the private tmux server."""
        server = ["tmux", "-L", tmux_socket_name(self.root)]
        return subprocess.run([*server, *words], env=self.environment, capture_output=True)
