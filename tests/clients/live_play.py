"""A real client as an agent of a real plan, in a real engine and a real tmux, on a scripted model."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Generic, TypeVar

import versions
from drivers import PROMPT, Client
from script import Script
from session_play import Session

import runebook_tui
from benchmarks.model.server import Model
from benchmarks.model.turns import Answer, Call
from runebook_tui.core.grants import JOIN_SECONDS
from runebook_tui.place import tmux_socket_name

_KEPT = ("LANG", "LC_ALL", "TMPDIR", "USER", "LOGNAME")
SECONDS_OF_A_HOLD = 60

PLAN = """
[plan]
name = "clients"

[policy]
away = "hold"
hold_seconds = {seconds}

[[phases]]
id = "work"

[[agents]]
id = "alpha"
phase = "work"
{program}
env = {{ {variables} }}
claims = ["alpha/**"]

[[agents]]
id = "beta"
phase = "work"
command = ["sleep", "infinity"]
claims = ["beta/**"]
"""


AClient = TypeVar("AClient", bound=Client)


class Live(Session, Generic[AClient]):
    """A repository in which `alpha` is the client and `beta` owns what it must not write."""

    def __init__(self, folder: Path, kind: type[AClient], answer: Answer | None = None) -> None:
        root, home = folder / "repo", folder / "home"
        root.mkdir()
        home.mkdir()
        self.script = Script()
        self.model = Model(answer or self.script.answer)
        super().__init__(root)
        self.environment = {
            **{name: os.environ[name] for name in _KEPT if name in os.environ},
            "PATH": f"{versions.programs()}:{os.environ['PATH']}",
            "HOME": str(home),
            "XDG_RUNTIME_DIR": self.environment["XDG_RUNTIME_DIR"],
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        self.git("config", "user.name", "Tester")  # aider would set them itself, and must not
        self.git("config", "user.email", "tester@localhost")
        self.client = kind(root, home, self.model.address)

    def break_hook(self, entry: str, seconds: int) -> None:
        """From now on Runebook is a copy whose hook is `entry`, and clients give that `seconds` to answer."""
        copy = self.root.parent / "copy"
        shutil.copytree(Path(runebook_tui.__file__).parent, copy / "runebook_tui")
        (copy / "runebook_tui" / "hooks" / "entry.py").write_text(entry)
        adapter = copy / "runebook_tui" / "clients" / "adapter.py"
        text, found = re.subn(r"(?m)^HOOK_SECONDS = \d+$", f"HOOK_SECONDS = {seconds}", adapter.read_text())
        assert found == 1
        adapter.write_text(text)
        self.environment["PYTHONPATH"] = str(copy)

    def begin(self, *, by_name: bool = False, seconds: float = SECONDS_OF_A_HOLD) -> None:
        """Start the plan, and wait until the client is under the gate.

        `by_name` says that the plan names the client, so that Runebook fits it out; else it has its command.
        """
        for owner in ("alpha", "beta"):
            (self.root / owner).mkdir()
            for name in ("edited", "shell", "again", "kept"):
                (self.root / owner / name).write_text("first\nsecond\n")
        proxies = dict.fromkeys(
            ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), self.model.address
        )
        local = dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost")
        variables = {**self.client.configure(), **proxies, **local}
        program = self._by_name() if by_name else f"command = {_listed(self.client.command)}"
        pairs = ", ".join(f"{name} = {_quoted(text)}" for name, text in variables.items())
        self.plan(PLAN.format(seconds=seconds, program=program, variables=pairs))
        self.start()
        self.until_gate("alpha")

    def _by_name(self) -> str:
        lines = [f"client = {_quoted(self.client.name)}", f"prompt = {_quoted(PROMPT)}"]
        if self.client.model is not None:
            lines.append(f"model = {_quoted(self.client.model)}")
        return "\n".join([*lines, f"args = {_listed(self.client.arguments)}"])

    def rest(self) -> None:
        """Wait until what comes next belongs to nothing that was decided: calls join for two seconds."""
        self.until("the end of the last act", lambda: time.time() - self._last_act() > JOIN_SECONDS + 0.1)

    def _last_act(self) -> float:
        state = self.state()
        decided = [each.decided_at or each.updated_at for each in state.requests.values()]
        return max([*decided, *(grant.used_at for grant in state.grants.values())], default=0.0)

    def does(self, calls: Iterable[Call]) -> str:
        """The model says `calls`; what the last one's tool answered."""
        return self.answer(self.script.say(*calls))

    def answer(self, number: int) -> str:
        """What the tool answered to the call of that number."""
        found = self.until(
            f"the result of call {number}", lambda: self.script.result(number) is not None or self.gone()
        )
        result = self.script.result(number)
        assert found, result
        assert result is not None, f"the client has ended: {self.shown()}"
        return result

    def gone(self) -> bool:
        """Whether the client has ended."""
        return self.engine is not None and self.engine.poll() is None and not self.agent("alpha").get("alive")

    def waiting(self, path: str) -> dict[str, Any]:
        """The request in which `path` waits, once there is one; it is as it was committed."""
        request: dict[str, Any] = self.until(f"a request for {path}", lambda: self._waiting(path))
        assert self.read(path) == self.committed(path), f"{path} has changed before the answer"
        return request

    def _waiting(self, path: str) -> dict[str, Any] | None:
        found = [each for each in self.requests() if each["held_until"] and path in each["paths"]]
        return found[0] if found else None

    def decide(self, verdict: str, request: dict[str, Any], *words: str) -> None:
        """What the operator says to `request` on the command line."""
        done = self.command(verdict, str(request["id"]), *words)
        assert done.returncode == 0, done.stderr

    def read(self, path: str) -> str | None:
        """What the file holds now; None where there is none."""
        try:
            return (self.root / path).read_text()
        except FileNotFoundError:
            return None

    def committed(self, path: str) -> str | None:
        """What the file held at the beginning; None where there was none."""
        shown = subprocess.run(
            ["git", "show", f"HEAD:{path}"],
            cwd=self.root,
            env=self.environment,
            capture_output=True,
            text=True,
        )
        return None if shown.returncode else shown.stdout

    def until(self, what: str, condition: Callable[[], Any]) -> Any:
        try:
            return super().until(what, condition)
        except AssertionError as error:
            error.add_note(f"the client's pane:\n{self.shown()[-4000:]}")
            raise

    def shown(self) -> str:
        """What the client's pane shows."""
        return self._of_pane("capture-pane", "-p", "-S", "-", "-t").strip()

    def types(self, text: str) -> None:
        """A person types a line into the client's pane."""
        self._of_pane("send-keys", "-l", "-t", after=(text,))
        self._of_pane("send-keys", "-t", after=("Enter",))

    def presses(self, key: str, *, until: Callable[[], bool]) -> None:
        """A person presses a key in the client's pane, again after a while if nothing comes of it."""

        def done() -> bool:
            self._of_pane("send-keys", "-t", after=(key,))
            return until()

        self.until(f"what {key} brings about", done)

    def _of_pane(self, *words: str, after: tuple[str, ...] = ()) -> str:
        pane = str(self.agent("alpha").get("pane"))
        command = ["tmux", "-L", tmux_socket_name(self.root), *words, pane, *after]
        return subprocess.run(command, capture_output=True, text=True).stdout

    def close(self) -> None:
        """End everything."""
        self.script.end()
        try:
            self.down()
        finally:
            self.model.close()


def _quoted(text: str) -> str:
    """`text` as a string of TOML."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _listed(words: Iterable[str]) -> str:
    """`words` as an array of TOML."""
    return "[" + ", ".join(_quoted(word) for word in words) + "]"
