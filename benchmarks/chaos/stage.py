"""The stage: a repository, its agents in their panes, an engine that can be killed, and a person's screen."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

from benchmarks.chaos.audit import Auditor, changed, lay, line
from benchmarks.chaos.disk import SmallDisk
from benchmarks.chaos.ledger import Ledger, Life
from benchmarks.chaos.player import FILES
from benchmarks.chaos.server import PostgresServer
from benchmarks.chaos.terminal import Terminal
from benchmarks.chaos.voices import Voices
from benchmarks.processes import start
from benchmarks.scratch import Scratch
from benchmarks.session import PROGRAM, BenchmarkError, Follower
from benchmarks.soak.gauges import speaking_of
from benchmarks.soak.notes import Note, NoteReader
from runebook_tui.core.state import AgentState, State
from runebook_tui.core.types import AgentStatus
from runebook_tui.execution.client import EngineClient, EngineDown, EngineError
from runebook_tui.execution.follow import open_log
from runebook_tui.execution.launch import engine_answers
from runebook_tui.log.eventlog import LogError
from runebook_tui.log.lease import process_start
from runebook_tui.place import runtime_folder, state_folder, tmux_socket_name

SECONDS = 60.0
IDLE = ("idle1", "idle2")
"""Agents that only are there, each under its gate."""
_STEP_SECONDS = 0.01
_HERE = Path(__file__).parents[2]


class Broken(AssertionError):
    """What must not happen did; the words say what."""


class Ground(Scratch):
    """A scratch repository in which alpha plays, beta owns what it tries, and the others are idle."""

    @property
    def notes(self) -> Path:
        """What the player notes, outside the repository."""
        return self.folder / "notes"

    def plan(self) -> str:
        """The text of the plan."""
        player = json.dumps([sys.executable, "-P", "-m", "benchmarks.chaos.player", str(self.notes)])
        path = json.dumps(str(_HERE))
        text = (
            '[plan]\nname = "chaos"\n[policy]\nhold_seconds = 3600\n[[phases]]\nid = "work"\n'
            f'[[agents]]\nid = "alpha"\nphase = "work"\ncommand = {player}\nclaims = ["own/**"]\n'
            f"env = {{ PYTHONPATH = {path} }}\n"
        )
        idle = json.dumps(["sh", "-c", "trap '' HUP; exec sleep 86400"])  # it outlives its terminal
        for name in ("beta", *IDLE):
            text += f'[[agents]]\nid = "{name}"\nphase = "work"\ncommand = {idle}\n'
            text += f'claims = ["{name}/**"]\n'
        return text


class Stage:
    """Everything lies in `folder`, which is the caller's to remove; `seed` is of the voices.

    The log is in SQLite, or where the environment says; then `store` is the server that it is in.
    """

    def __init__(
        self, folder: Path, seed: int, store: PostgresServer | None = None, *, small_disk: bool = False
    ) -> None:
        self.ground = Ground(folder)
        self.store = store
        self._small_disk = small_disk
        self.root = self.ground.root
        self.ledger = Ledger()
        self.auditor = Auditor(self.ledger)
        self.terminal = Terminal(self.root)
        self.said = folder / "engine.out"
        self.notes: list[Note] = []
        self.serverless: set[int] = set()
        """The fronts whose server was killed: they serve themselves."""
        self._seed = seed
        self._reader = NoteReader(self.ground.notes)
        self._stack = ExitStack()
        self._engine: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Stage:
        try:
            self._begin()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _begin(self) -> None:
        self._stack.callback(self._kill_left)
        if self._small_disk:
            self.disk = SmallDisk(state_folder(self.root))
            self._stack.callback(self.disk.close)
        for each in ("own", "beta"):
            (self.root / each).mkdir()
        lay(self.root)
        self.ground.commit({"main": {"own/README": "own\n"}})
        self._stack.callback(self._down)
        self.start_engine()
        self.log = Follower(self.root)
        self._stack.callback(self.log.close)
        self.until("every agent under its gate", self._gated)
        self.remember()
        self._stack.callback(self.terminal.close)
        self.terminal.open()
        self.terminal.shows("chaos", "alpha")
        self.voices = Voices(self.root, self.ledger, self.log, self._seed)
        self._stack.callback(self.voices.close)
        self.voices.begin()

    @property
    def state(self) -> State:
        """What a follower of the log has."""
        return self.log.state

    # ── the engine ──────────────────────────────────────────────────────────────────────────────

    def start_engine(self, *, wait: bool = True, environment: Mapping[str, str] | None = None) -> None:
        """Start an engine, with more variables if given, and wait until it answers."""
        with self.said.open("ab") as said:
            self._engine = start(
                [*PROGRAM, "run", "--keep"],
                cwd=self.root, stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                env={**os.environ, **(environment or {})},
            )  # fmt: skip
        if wait:
            self.until("an engine that answers", lambda: engine_answers(self.root))

    def engine(self) -> int | None:
        """The process that holds the engine's lease, whoever started it."""
        with suppress(LogError), open_log(self.root) as log:
            holder = log.holder(socket.gethostname())
            return None if holder is None else holder.pid
        return None

    def kill_engine(self) -> int:
        """End every engine by SIGKILL; how many there were."""
        doomed = {pid for pid in (self.engine(), self._engine and self._engine.pid) if pid}
        killed = 0
        for pid in doomed:
            if process_start(pid) is not None:
                os.kill(pid, signal.SIGKILL)
                killed += 1
        if self._engine is not None:
            self._engine.wait(SECONDS)
        self.until("the engine's end", lambda: all(process_start(pid) is None for pid in doomed))
        return killed

    # ── the agents ──────────────────────────────────────────────────────────────────────────────

    def remember(self) -> None:
        """The processes that the agents are now, as the log says; they must stay these."""
        with open_log(self.root) as log:
            wrong = list(self.auditor.read(log))
        if wrong:
            raise Broken("; ".join(wrong))
        for agent in self.auditor.state.agents.values():
            started = process_start(agent.pid or 0)
            if not agent.alive or agent.pid is None or started is None:
                raise Broken(f"{agent.id} is not alive: {agent.status.value}, {agent.reason}")
            self.ledger.lives[agent.id] = Life(agent.pid, started, agent.attempt)

    def back(self, attempts: Mapping[str, int]) -> None:
        """Wait until agents that were started again are under their gates, each the so manieth time."""
        for name, attempt in attempts.items():
            self.until(
                f"{name} under its gate again", lambda name=name: self._is_gated(self.state.agents[name])
            )
            found = self.state.agents[name].attempt
            if found != attempt:
                raise Broken(f"{name} must have been started {attempt} times, and was {found} times")
        self.remember()
        times = self.ledger.lives["alpha"].attempt
        self.until("the player's beginning", lambda: self._began() >= times)
        if self._began() > times:
            raise Broken(f"the player ran {self._began()} times; it was started {times} times")

    def _began(self) -> int:
        return sum(note["do"] == "begin" for note in self._all_notes())

    def tmux_server(self) -> int:
        """The process of the private tmux server."""
        command = ["tmux", "-L", tmux_socket_name(self.root), "display-message", "-p", "#{pid}"]
        return int(subprocess.run(command, capture_output=True, check=True).stdout)

    def _is_gated(self, agent: AgentState) -> bool:
        return agent.alive and agent.gate_mode is not None and agent.gate_holds is True

    def _gated(self) -> bool:
        agents = self.state.agents.values()
        for agent in agents:
            if agent.status is AgentStatus.FAILED or (agent.gate_mode and agent.gate_mode.value != "enforce"):
                raise BenchmarkError(f"{agent.id} is not under a gate here: {agent.reason} {agent.gate}")
        return bool(agents) and all(map(self._is_gated, agents))

    # ── what must hold ──────────────────────────────────────────────────────────────────────────

    def goes_on(self) -> None:
        """The engine takes messages, and the player's own and foreign writes are judged. Raises Broken."""
        tries, owns = self._progress()
        self.until("an engine that takes a message", lambda: self.voices.say() == "taken")
        self.until("more of the player's writes", lambda: self._more(tries, owns))

    def _more(self, tries: int, owns: int) -> bool:
        now = self._progress()
        return now[0] > tries and now[1] > owns

    def _progress(self) -> tuple[int, int]:
        """How many foreign tries have ended, and how often own writes were told."""
        notes = self._all_notes()
        return tuple(sum(note["do"] == kind for note in notes) for kind in ("end", "own"))  # type: ignore[return-value]

    def _all_notes(self) -> list[Note]:
        self.notes += self._reader.read()
        return self.notes

    def audit(self, *, whole: bool = False) -> None:
        """Compare log and tree with the ledger. Raises Broken."""
        # In this order: what was answered by now is in the log that is read then.
        notes = list(self._all_notes())
        tried = max((note["number"] for note in notes if note["do"] == "try"), default=0)
        landed = changed(self.root, FILES if whole else tried + 1)
        said, votes = self.ledger.copy()
        with open_log(self.root) as log:
            wrong = list(self.auditor.read(log))
            wrong += self.auditor.said(said, notes)
            wrong += self.auditor.decided(votes)
            wrong += self.auditor.alive()
            wrong += self.auditor.landed(landed, notes, votes)
            if whole:
                wrong += self.auditor.whole(log)
        wrong += [f"an own write failed: {os.strerror(n['errno'])}" for n in notes if n["do"] == "fault"]
        if wrong:
            raise Broken("; ".join(wrong[:10]))

    def until(self, what: str, holds: Callable[[], object]) -> None:
        """Wait until `holds`. Raises Broken."""
        deadline = time.monotonic() + SECONDS
        while not holds():
            if time.monotonic() > deadline:
                raise Broken(f"never came: {what}")
            time.sleep(_STEP_SECONDS)

    # ── the end ─────────────────────────────────────────────────────────────────────────────────

    def keep(self, folder: Path) -> None:
        """Copy what tells the course of it: the log, what the engine said, and the player's notes."""
        folder.mkdir(parents=True, exist_ok=True)
        for each in self.root.glob(".runebook/*.log"):
            shutil.copy2(each, folder)
        with suppress(LogError), open_log(self.root) as log, (folder / "log.jsonl").open("w") as file:
            file.writelines(line(record).decode() for record in log.read())
        for each in (self.said, self.ground.notes):
            if each.exists():
                shutil.copy2(each, folder)

    def close(self) -> None:
        """End everything, in the reverse order of its beginning; twice is once."""
        self._stack.close()

    def _down(self) -> None:
        try:
            with EngineClient(self.root) as engine:
                pid = int(engine.ask("down")["pid"])
            self.until("the engine's end", lambda: process_start(pid) is None)
        except (EngineError, EngineDown, TimeoutError, Broken):
            self.kill_engine()
        name = tmux_socket_name(self.root)
        subprocess.run(["tmux", "-L", name, "kill-server"], capture_output=True, check=False)
        Path(f"/tmp/tmux-{os.getuid()}", name).unlink(missing_ok=True)

    def _kill_left(self) -> None:
        """What still runs is killed: whoever started it, it names the folder."""
        for pid in speaking_of(self.ground.folder):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(runtime_folder(self.root), ignore_errors=True)
