"""A person at a real terminal: `runebook-tui` in a pane of a tmux server of its own, real keys."""

from __future__ import annotations

import os
import shlex
import subprocess
import uuid

from session_play import PROGRAM, Session


class Terminal:
    """A terminal of a person, on a tmux server of its own."""

    def __init__(self, session: Session, width: int, height: int) -> None:
        self.session = session
        self._name = f"person-{uuid.uuid4().hex}"
        kept = ("XDG_RUNTIME_DIR", "GIT_CONFIG_GLOBAL")
        environment = [word for name in kept for word in ("-e", f"{name}={session.environment[name]}")]
        self.tmux(
            "-f", "/dev/null", "new-session", "-d", "-x", str(width), "-y", str(height), *environment,
            "-c", str(session.root), f"{shlex.join(PROGRAM)}; echo status $?; exec cat",
        )  # fmt: skip

    def tmux(self, *words: str) -> str:
        # Without `env` it would inherit what readline, which pytest loads, says of the size: 80x24 always.
        return subprocess.run(
            ["tmux", "-L", self._name, *words],
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
            env=dict(os.environ),
        ).stdout

    def screen(self) -> str:
        return self.tmux("capture-pane", "-p")

    def keys(self, *keys: str) -> None:
        self.tmux("send-keys", *keys)

    def shows(self, *texts: str) -> str:
        wanted = " and ".join(repr(text) for text in texts)

        def shown() -> str:
            screen = self.screen()
            return screen if all(text in screen for text in texts) else ""

        try:
            return self.session.until(wanted, shown)
        except AssertionError as error:
            raise AssertionError(f"{error}\nthe screen:\n{self.screen()}") from error

    def close(self) -> None:
        subprocess.run(["tmux", "-L", self._name, "kill-server"], capture_output=True, check=False)
