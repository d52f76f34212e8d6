"""The stage: a repository, its agents in their panes, an engine that can be killed, and a person's screen."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from benchmarks.chaos.audit import Auditor, lay, line
from benchmarks.chaos.disk import SmallDisk
from benchmarks.chaos.ledger import Ledger, Life
from benchmarks.chaos.play import Play
from benchmarks.chaos.server import PostgresServer
from benchmarks.chaos.terminal import Terminal
from benchmarks.chaos.voices import Voices
from benchmarks.engine import Engine
from benchmarks.frame import Frame
from benchmarks.scratch import Scratch
from runebook_tui.execution.follow import open_log
from runebook_tui.execution.launch import engine_answers
from runebook_tui.log.eventlog import LogError
from runebook_tui.log.lease import process_start
from runebook_tui.place import state_folder

IDLE = ("idle1", "idle2")
"""Agents that only are there, each under its gate."""
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
        begin = '[plan]\nname = "chaos"\n[policy]\nhold_seconds = 3600\n[[phases]]\nid = "work"\n'
        return begin + player("alpha", "own", self.notes) + "".join(map(idle, ("beta", *IDLE)))

    def lay(self) -> None:
        """Make and commit what is there at the beginning."""
        for each in ("own", "beta"):
            (self.root / each).mkdir()
        lay(self.root)
        self.commit({"main": {"own/README": "own\n"}})


def player(name: str, own: str, notes: Path) -> str:
    """The text of an agent of the plan that plays."""
    command = [sys.executable, "-P", "-m", "benchmarks.chaos.player", str(notes), own]
    return _agent(name, command, own) + f"env = {{ PYTHONPATH = {json.dumps(str(_HERE))} }}\n"


def idle(name: str) -> str:
    """The text of an agent of the plan that only is there; its program outlives its terminal."""
    return _agent(name, ["sh", "-c", "trap '' HUP; exec sleep 86400"], name)


def _agent(name: str, command: Sequence[str], own: str) -> str:
    return (
        f'[[agents]]\nid = "{name}"\nphase = "work"\ncommand = {json.dumps(command)}\nclaims = ["{own}/**"]\n'
    )


class Stage(Frame):
    """`seed` is of the voices.

    The log is in SQLite, or where the environment says; then `store` is the server that it is in.
    """

    END_PATIENCE = 0.0
    failure = Broken

    def __init__(
        self, ground: Ground, seed: int, store: PostgresServer | None = None, *, small_disk: bool = False
    ) -> None:
        super().__init__(ground.folder, Engine(ground.root, ground.folder / "engine.out"), "enforce")
        self.ground = ground
        self.store = store
        self.ledger = Ledger()
        self.auditor = Auditor(self.ledger)
        self.terminal = Terminal(self.root)
        self.plays = [Play("alpha", self.root, ground.notes)]
        self.serverless: set[int] = set()
        """The fronts whose server was killed: they serve themselves."""
        self._small_disk = small_disk
        self._seed = seed

    def _begin(self) -> None:
        if self._small_disk:
            self.disk = SmallDisk(state_folder(self.root))
            self._stack.callback(self.disk.close)
        self.ground.lay()
        self._work(*self.engines()[1:])
        self.remember()
        self._stack.callback(self.terminal.close)
        self.terminal.open()
        self.terminal.shows("chaos", "alpha")
        self.voices = Voices(self.root, self.ledger, self.log, self._seed)
        self._stack.callback(self.voices.close)
        self.voices.begin()

    def engines(self) -> list[Engine]:
        """The engine of each host, the plan's own first."""
        return [self.engine]

    def start(self, engine: Engine | None = None, environment: Mapping[str, str] | None = None) -> None:
        """Start an engine, with more variables if given, and wait until it answers."""
        started = engine or self.engine
        started.start(environment)
        self.until("an engine that answers", lambda: engine_answers(started.root))

    # ── the agents ──────────────────────────────────────────────────────────────────────────────

    def remember(self) -> None:
        """The processes that the agents are now, as the log says; they must stay these."""
        with open_log(self.root) as log:
            wrong = list(self.auditor.read(log))
        if wrong:
            raise Broken("; ".join(wrong))
        for agent in self.auditor.state.agents.values():
            if not agent.attempt:
                continue  # its gate is closed
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
        for play in self.plays:
            times = self.ledger.lives[play.agent].attempt
            self.until(
                f"the play of {play.agent}", lambda play=play, times=times: play.count("begin") >= times
            )
            if (ran := play.count("begin")) > times:
                raise Broken(f"{play.agent} played {ran} times; it was started {times} times")

    # ── what must hold ──────────────────────────────────────────────────────────────────────────

    def goes_on(self) -> None:
        """The engine takes messages, and each player's own and foreign writes are judged. Raises Broken."""
        before = [play.progress() for play in self.plays]
        self.until("an engine that takes a message", lambda: self.voices.say() == "taken")
        for play, (tries, owns) in zip(self.plays, before, strict=True):
            self.until(
                f"more of what {play.agent} writes",
                lambda play=play, tries=tries, owns=owns: (
                    play.count("end") > tries and play.count("own") > owns
                ),
            )

    def audit(self, *, whole: bool = False) -> None:
        """Compare log and trees with the ledger. Raises Broken."""
        # In this order: what was answered by now is in the log that is read then.
        found = [(play, *play.landed(whole=whole)) for play in self.plays]
        said, votes = self.ledger.copy()
        with open_log(self.root) as log:
            wrong = list(self.auditor.read(log))
            wrong += self.auditor.said(said, [note for _, notes, _ in found for note in notes])
            wrong += self.auditor.decided(votes)
            wrong += self.auditor.alive()
            for play, notes, landed in found:
                wrong += self.auditor.landed(play.agent, landed, notes, votes)
                wrong += play.faults()
            if whole:
                wrong += self.auditor.whole(log)
        if wrong:
            raise Broken("; ".join(wrong[:10]))

    # ── the end ─────────────────────────────────────────────────────────────────────────────────

    def keep(self, folder: Path) -> None:
        """Copy what tells the course of it: the log, what the engine said, and the player's notes."""
        folder.mkdir(parents=True, exist_ok=True)
        for engine in self.engines():
            for each in (*engine.root.glob(".runebook/*.log"), engine.said):
                if each.exists():
                    shutil.copy2(each, folder / f"{engine.host or 'own'}-{each.name}")
        with suppress(LogError), open_log(self.root) as log, (folder / "log.jsonl").open("w") as file:
            file.writelines(line(record).decode() for record in log.read())
        for play in self.plays:
            if play.file.exists():
                shutil.copy2(play.file, folder)
