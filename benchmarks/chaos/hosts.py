"""Two hosts: the stage of one, and another in a network of its own, with checkout, engine and panes."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from benchmarks.chaos.audit import lay
from benchmarks.chaos.play import Play
from benchmarks.chaos.server import PostgresServer
from benchmarks.chaos.stage import Broken, Ground, Stage, idle, player
from benchmarks.engine import Engine
from runebook_tui.core.state import AgentState
from runebook_tui.execution.client import EngineClient
from runebook_tui.log.opening import STORE_VARIABLE
from runebook_tui.place import runtime_folder

FAR = "b"
"""The other host."""
PLAYER, LATE = "gamma", "late"
"""Its agents: the one that plays, and the one that waits for an interface of the plan's own host."""
DOOR, DOOR_PATH, DOOR_TEXT = "door", "idle1/door.py", "def knock(): ...\n"
"""That interface."""


class FarGround(Ground):
    """The ground, and a checkout of it for the other host."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.far_root = folder / FAR / "repo"
        self.far_notes = folder / "far-notes"

    def plan(self) -> str:
        """The text of the plan."""
        far = f'host = "{FAR}"\n'
        late = idle(LATE) + far + f'needs = {{ apis = ["{DOOR}"] }}\n'
        interface = f'[[interfaces]]\nname = "{DOOR}"\nowner = "idle1"\npath = "{DOOR_PATH}"\n'
        return super().plan() + player(PLAYER, PLAYER, self.far_notes) + far + late + interface

    def lay(self) -> None:
        """Make and commit what is there at the beginning, in both checkouts."""
        super().lay()
        subprocess.run(["git", "clone", "-q", str(self.root), str(self.far_root)], check=True)
        for each in (PLAYER, "beta"):
            (self.far_root / each).mkdir()
        lay(self.far_root)


class TwoHosts(Stage):
    """`store` is in a network with a host."""

    def __init__(self, ground: FarGround, seed: int, store: PostgresServer) -> None:
        super().__init__(ground, seed, store)
        assert store.network is not None
        environment = {**os.environ, STORE_VARIABLE: store.far_url}
        self.network = store.network
        self.far = Engine(
            ground.far_root, ground.folder / "far-engine.out", environment,
            prefix=store.network.host.prefix, host=FAR,
        )  # fmt: skip
        self.play = Play(PLAYER, ground.far_root, ground.far_notes)
        self.plays.append(self.play)
        self.published = False
        """Whether the other host's late agent has what it waited for."""

    def engines(self) -> list[Engine]:
        """The engine of each host, the plan's own first."""
        return [self.engine, self.far]

    def publish(self) -> None:
        """Publish what the late agent waits for. Raises EngineError."""
        door = self.root / DOOR_PATH
        door.parent.mkdir(exist_ok=True)
        door.write_text(DOOR_TEXT)
        with EngineClient(self.root) as engine:
            engine.ask("publish", api=DOOR)
        self.until("the published interface", lambda: DOOR in self.state.apis.published)

    def bring(self) -> None:
        """Bring that to the other host: its agent begins, and did not before. Raises Broken."""
        if self.state.agents[LATE].attempt:
            raise Broken(f"{LATE} began on host {FAR}, which had not got {DOOR_PATH} yet")
        door = self.far.root / DOOR_PATH
        door.parent.mkdir(exist_ok=True)
        door.write_text(DOOR_TEXT)
        self.until(f"{LATE} under its gate", lambda: self._is_gated(self.state.agents[LATE]))
        self.published = True
        self.remember()

    def _expected(self) -> list[AgentState]:
        return [agent for agent in super()._expected() if agent.id != LATE]

    def _kill_left(self) -> None:
        super()._kill_left()
        shutil.rmtree(runtime_folder(self.far.root), ignore_errors=True)
