"""The live agent: opencode in its pane, with a home of its own and the scripted model for its provider."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

from benchmarks.session import BenchmarkError

PACKAGE = "opencode-ai"
ECHO_SECONDS = 30.0
_AGAIN_SECONDS = 3.0
_MARKS = "~+~=~-~"


def find(given: str | None, folder: Path) -> str:
    """The client's program: as given, or on the path, or put into `folder` by npm. Raises BenchmarkError."""
    program = given or shutil.which("opencode")
    if program:
        if not os.access(program, os.X_OK):
            raise BenchmarkError(f"{program} cannot be run")
        return program
    npm = shutil.which("npm")
    if npm is None:
        raise BenchmarkError(
            "neither opencode nor npm is installed; say `--agents builder,writer` to do without"
        )
    folder.mkdir()
    command = [npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), PACKAGE]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    found = sorted((folder / "node_modules").glob("opencode-*/bin/opencode"), key=lambda path: len(str(path)))
    if done.returncode or not found:
        raise BenchmarkError(f"npm could not install {PACKAGE}: {done.stderr.strip()[-500:]}")
    return str(found[0])


def configure(home: Path, address: str) -> dict[str, str]:
    """Write the client's configuration below `home`; the variables that it needs."""
    model = {"name": "Script", "limit": {"context": 1_000_000, "output": 10_000}}
    configuration = {
        "autoupdate": False,
        "share": "disabled",
        "model": "script/script",
        "small_model": "script/script",
        "enabled_providers": ["script"],
        "permission": {"*": "allow"},
        "provider": {
            "script": {
                "npm": "@ai-sdk/openai-compatible",
                "name": "Script",
                "options": {"baseURL": address, "apiKey": "none"},
                "models": {"script": model},
            }
        },
    }
    folder = home / ".config" / "opencode"
    folder.mkdir(parents=True)
    (folder / "opencode.json").write_text(json.dumps(configuration))
    places = {"CONFIG": ".config", "DATA": ".local/share", "STATE": ".local/state", "CACHE": ".cache"}
    return {
        "HOME": str(home),
        **{f"XDG_{name}_HOME": str(home / place) for name, place in places.items()},
        "OPENCODE_DISABLE_AUTOUPDATE": "1",
        "OPENCODE_DISABLE_MODELS_FETCH": "1",
        "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
    }


_BOX = "┃"


class Silent(Exception):
    """The pane did not show what was typed; the words say what it shows."""


class Screen:
    """The client's pane, typed into as a person would. What is not shown in 30 seconds raises Silent."""

    def __init__(self, socket: str, pane: str, environment: dict[str, str]) -> None:
        self._socket = socket
        self._environment = environment
        self._pane = pane
        self._turn = 0
        self.again = 0
        """How often Enter had to be pressed again."""

    def prompt(self) -> None:
        """Begin a new conversation."""
        self._keys("C-u")
        self._keys("-l", "/new")
        self._until("/new", shown=True)
        self._enter("/new")
        self._turn += 1
        word = f"go on {self._turn}"
        self._keys("-l", word)
        self._until(word, shown=True)
        self._keys("Enter")

    def _enter(self, word: str) -> None:
        """Press Enter until `word` is taken: the client swallows a key now and then."""
        for again in range(int(ECHO_SECONDS / _AGAIN_SECONDS)):
            self.again += bool(again)
            self._keys("Enter")
            try:
                self._until(word, shown=False, seconds=_AGAIN_SECONDS)
            except Silent:
                continue
            return
        self._until(word, shown=False)

    def echo(self) -> float:
        """Seconds from a typed character to its being shown; it is removed again."""
        begun = time.perf_counter()
        self._keys("-l", _MARKS)
        try:
            self._until(_MARKS, shown=True, seconds=_AGAIN_SECONDS)
        except Silent:
            # The client swallows a key now and then, and then the rest of them is all it shows.
            self.again += 1
            self._keys("C-u")
            self._keys("-l", _MARKS)
            self._until(_MARKS, shown=True)
        seconds = time.perf_counter() - begun
        self._keys(*["BSpace"] * len(_MARKS))
        self._until(_MARKS, shown=False)
        return seconds

    def shown(self) -> str:
        """What the pane shows."""
        return self._tmux("capture-pane", "-p", "-t", self._pane)

    def _typed(self) -> str:
        """The lines of the client's own boxes: what it advises below them may hold any word."""
        return "\n".join(line for line in self.shown().splitlines() if line.lstrip().startswith(_BOX))

    def _until(self, text: str, *, shown: bool, seconds: float = ECHO_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while (text in self._typed()) != shown:
            if time.monotonic() > deadline:
                wanted = f"{text!r} is {'not ' if shown else ''}shown after {seconds:g} s"
                lines = [line.strip() for line in self.shown().splitlines() if line.strip()]
                raise Silent(f"in the client's pane {wanted}: {' | '.join(lines)[-600:]}")

    def _keys(self, *keys: str) -> None:
        self._tmux("send-keys", "-t", self._pane, *keys)

    def _tmux(self, *words: str) -> str:
        command = ["tmux", "-L", self._socket, *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, env=self._environment)
        if done.returncode:
            raise BenchmarkError(f"tmux {words[0]}: {done.stderr.strip()}")
        return done.stdout
