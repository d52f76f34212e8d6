"""Programs that run several agents, each at work with the same scripted agents: Runebook, and two others.

The others are installed by pip and npm into `~/.cache/runebook-evidence`, at the versions below, and started
with a home, a tmux server and a port of their own. Nothing of anybody's is read or changed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from benchmarks.panes import PRINTER
from benchmarks.processes import start
from benchmarks.session import DEADLINE, PROGRAM, BenchmarkError, Follower
from benchmarks.terminal import Terminal
from runebook_tui.core.types import AgentStatus
from runebook_tui.execution.client import EngineClient, EngineDown, EngineRefused
from runebook_tui.log.eventlog import LogError
from runebook_tui.place import runtime_folder, tmux_socket_name

CAO = "2.5.4"
CCMANAGER = "4.4.3"
_CACHE = Path.home() / ".cache" / "runebook-evidence"
_INSTALL_SECONDS = 600.0


class Running(NamedTuple):
    """A program at work: the processes that it consists of, and what its agents have as their script."""

    roots: Sequence[int]
    agent: str


Start = Callable[[Path, int], AbstractContextManager[Running]]
"""Starts the program with so many agents in a fresh folder."""


def script(folder: Path, before: str = "") -> Path:
    """The scripted agent, for bash: ten lines a second."""
    path = folder / "agent.sh"
    path.write_text(f"#!/bin/bash\n{before}{PRINTER}\n")
    path.chmod(0o755)
    return path


def repository(folder: Path, files: dict[str, str]) -> Path:
    """A git repository in `folder/repo` with the files committed."""
    root = folder / "repo"
    root.mkdir(parents=True)
    for name, text in files.items():
        (root / name).write_text(text)
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "--allow-empty", "-m", "1"]):
        _run(["git", "-c", "user.name=B", "-c", "user.email=b@localhost", *words], root)
    return root


@contextmanager
def runebook(folder: Path, count: int, *, screen: bool) -> Iterator[Running]:
    """The engine with an enforcing gate around every agent, and with `screen` the cockpit, too."""
    folder.mkdir()
    agent = script(folder)
    plan = '[plan]\nname = "weighed-plan"\n[[phases]]\nid = "work"\n' + "".join(
        f'[[agents]]\nid = "agent-{at}"\nphase = "work"\ncommand = ["bash", "{agent}"]\n'
        f'claims = ["agent-{at}/**"]\n'
        for at in range(count)
    )
    root = repository(folder, {"runebook.toml": plan})
    with ExitStack() as stack:
        stack.callback(lambda: shutil.rmtree(runtime_folder(root), ignore_errors=True))
        stack.callback(_end_tmux, ["-L", tmux_socket_name(root)], None)
        report = stack.enter_context((folder / "engine.out").open("wb"))
        engine = start(
            [*PROGRAM, "run", "--keep"], cwd=root, stdin=subprocess.DEVNULL, stdout=report, stderr=report
        )
        stack.callback(_down, root, engine)
        follower = Follower(root)
        stack.callback(follower.close)

        def works() -> bool:
            agents = follower.state.agents.values()
            at_work = [each for each in agents if each.status is AgentStatus.RUNNING and each.gate_holds]
            return len(at_work) == count

        if not follower.until(works):
            raise BenchmarkError(f"not all of {count} agents came to work under the gate")
        follower.close()
        roots = [engine.pid, _tmux_pid(["-L", tmux_socket_name(root)], None)]
        if screen:
            terminal = Terminal(PROGRAM, root, os.environ)
            stack.callback(terminal.close)
            terminal.until(re.compile("weighed-plan"), DEADLINE)
            roots.append(terminal.pid)
        yield Running(roots, str(agent))


def _down(root: Path, engine: subprocess.Popen[bytes]) -> None:
    try:
        with EngineClient(root) as client:
            client.ask("down")
        engine.wait(30)
    except (EngineDown, EngineRefused, TimeoutError, LogError, subprocess.TimeoutExpired):
        engine.kill()
        engine.wait()


@contextmanager
def orchestrator(folder: Path, count: int) -> Iterator[Running]:
    """CLI Agent Orchestrator's server, with its provider for scripted agents. It shows no screen."""
    program = _python("cli-agent-orchestrator", CAO) / "cao-server"
    for name in ("home", "state", "tmux", "work", "bin"):
        (folder / name).mkdir(parents=True)
    go = folder / "go"
    # It waits for a prompt before it takes an agent for ready, then all of them begin together.
    wait = f"exec 4<> <(:)\nprintf '❯ '\nuntil [ -e '{go}' ]; do read -t 0.2 -u 4; done\n"
    agent = folder / "bin" / "mock_cli"
    script(folder, wait).rename(agent)
    (folder / "home" / ".bash_profile").write_text(f'PATH="{agent.parent}:$PATH"\n')
    (folder / "home" / ".bashrc").write_text(f'PATH="{agent.parent}:$PATH"\n')
    port = _free_port()
    environment = {
        **os.environ, "HOME": str(folder / "home"), "CAO_HOME_DIR": str(folder / "state"),
        "TMUX_TMPDIR": str(folder / "tmux"), "CAO_API_PORT": str(port), "SHELL": "/bin/bash",
    }  # fmt: skip
    environment.pop("TMUX", None)
    with ExitStack() as stack:
        stack.callback(_end_tmux, [], environment)
        report = stack.enter_context((folder / "server.out").open("wb"))
        server = start(
            [str(program), "--port", str(port)], cwd=folder / "work", env=environment,
            stdin=subprocess.DEVNULL, stdout=report, stderr=report,
        )  # fmt: skip
        stack.callback(_end, server)
        base = f"http://127.0.0.1:{port}/sessions"
        given = {
            "agent_profile": "developer",
            "provider": "mock_cli",
            "working_directory": str(folder / "work"),
        }
        first = urllib.parse.urlencode({**given, "session_name": "weighed"})
        name = _posted(f"{base}?{first}", server, patient=True)["session_name"]
        more = f"{base}/{name}/terminals?{urllib.parse.urlencode(given)}"
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: _posted(more, server), range(count - 1)))
        go.touch()
        yield Running([server.pid, _tmux_pid([], environment)], str(agent))


def _posted(url: str, server: subprocess.Popen[bytes], *, patient: bool = False) -> dict[str, str]:
    """What it answers to a POST; `patient` waits until it listens. Raises BenchmarkError."""
    deadline = time.monotonic() + DEADLINE
    while True:
        try:
            with urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=DEADLINE) as said:
                answer: dict[str, str] = json.load(said)
                return answer
        except urllib.error.HTTPError as error:
            raise BenchmarkError(
                f"it refused an agent: {error.read(500).decode(errors='replace')}"
            ) from error
        except (urllib.error.URLError, ConnectionError) as error:
            if not patient or time.monotonic() > deadline or server.poll() is not None:
                raise BenchmarkError(f"its server does not answer: {error}") from error
            time.sleep(0.2)


@contextmanager
def ccmanager(folder: Path, count: int) -> Iterator[Running]:
    """ccmanager in a pseudo-terminal: a worktree and a session for each agent, one of them in view."""
    program = _node("@kodaikabasawa/ccmanager-linux-x64", CCMANAGER) / "bin" / "ccmanager"
    if count > 10:
        raise BenchmarkError("its list has keys for ten worktrees")
    folder.mkdir()
    agent = script(folder)
    root = repository(folder, {})
    for at in range(1, count):
        _run(["git", "worktree", "add", "-q", str(folder / f"tree{at}"), "-b", f"tree{at}"], root)
    home = folder / "home"
    (home / ".config" / "ccmanager").mkdir(parents=True)
    command = {"command": "bash", "args": [str(agent)]}
    presets = {"presets": [{"id": "1", "name": "Main", **command}], "defaultPresetId": "1"}
    settings = {"command": command, "commandPresets": presets}
    (home / ".config" / "ccmanager" / "config.json").write_text(json.dumps(settings))
    environment = {**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config")}
    terminal = Terminal([str(program)], root, environment)
    try:
        listed, printing = re.compile(r"Select a worktree[\s\S]*Exit"), re.compile("some words as an agent")
        terminal.until(listed, DEADLINE)
        for at in range(count):
            _press(terminal, str(at), printing)
            if at + 1 < count:
                _press(terminal, "\x05", listed)
        yield Running([terminal.pid], str(agent))
    finally:
        terminal.close()


def _press(terminal: Terminal, key: str, shows: re.Pattern[str]) -> None:
    """Press the key until it shows what it should: one that comes while the screen is changed is lost."""
    for _ in range(10):
        terminal.press(key)
        with suppress(BenchmarkError):
            terminal.until(shows, 5.0)
            return
    raise BenchmarkError(f"{shows.pattern!r} does not come by the key {key!r}")


def _python(package: str, version: str) -> Path:
    """The programs of a Python package, installed once into a virtual environment of its own."""
    place = _CACHE / f"{package}-{version}"
    if not (place / "ready").exists():
        _run([sys.executable, "-m", "venv", "--clear", str(place)], Path.cwd())
        _run([str(place / "bin" / "pip"), "install", "-q", f"{package}=={version}"], Path.cwd())
        (place / "ready").touch()
    return place / "bin"


def _node(package: str, version: str) -> Path:
    """The folder of a package of npm, installed once; none of its scripts runs."""
    place = _CACHE / f"{package.rpartition('/')[2]}-{version}"
    if shutil.which("npm") is None:
        raise BenchmarkError("npm is not installed")
    if not (place / "ready").exists():
        place.mkdir(parents=True, exist_ok=True)
        options = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
        _run(["npm", "install", "--prefix", str(place), *options, f"{package}@{version}"], place)
        (place / "ready").touch()
    return place / "node_modules" / package


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=_INSTALL_SECONDS
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise BenchmarkError(f"{' '.join(command[:4])} failed: {said[-1] if said else 'it said nothing'}")


def _free_port() -> int:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        port: int = tried.getsockname()[1]
        return port


def _tmux_pid(server: list[str], environment: dict[str, str] | None) -> int:
    done = subprocess.run(
        ["tmux", *server, "display-message", "-p", "#{pid}"],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return int(done.stdout)


def _end_tmux(server: list[str], environment: dict[str, str] | None) -> None:
    subprocess.run(["tmux", *server, "kill-server"], env=environment, capture_output=True, check=False)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
