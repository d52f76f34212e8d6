"""What another host published comes into this one's checkout only where nothing of anybody's is lost."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from runebook_tui.core import commands as c
from runebook_tui.core.state import State
from runebook_tui.core.types import (
    AgentSpec,
    AgentStatus,
    Author,
    ExecutionPlan,
    InterfaceStub,
    Needs,
    Phase,
    PlanInfo,
)
from runebook_tui.execution.copies import Copies
from runebook_tui.log.memory import MemoryLog
from runebook_tui.orchestrator.coordinator import Coordinator

pytestmark = pytest.mark.usefixtures("plain_git")
CONTENT = "def append(): ...\n"
DIGEST = hashlib.sha256(CONTENT.encode()).hexdigest()


class Wrote:
    """What the observer is told."""

    def __init__(self) -> None:
        self.told: list[tuple[Sequence[str], Author]] = []

    @asynccontextmanager
    async def still(self, paths: Sequence[str]) -> AsyncIterator[None]:
        yield

    async def wrote(self, paths: Sequence[str], author: Author) -> None:
        self.told.append((paths, author))


class Host:
    """The engine of host b, whose checkout is at `root`, once alpha on another host has published."""

    host = "b"

    def __init__(self, root: Path, remote: str) -> None:
        self.root = root
        self.observer = Wrote()
        self._coordinator = Coordinator(MemoryLog())
        agents = (
            AgentSpec(id="alpha", phase="p", command=("x",)),
            AgentSpec(id="beta", phase="p", command=("x",), host="b", needs=Needs(apis=("api",))),
        )
        plan = ExecutionPlan(
            plan=PlanInfo(name="two", remote=remote),
            phases=(Phase(id="p"),),
            agents=agents,
            interfaces=(InterfaceStub(name="api", owner="alpha", path="src/api.py"),),
        )
        self._coordinator.handle(c.StartRun(plan))
        self._coordinator.handle(c.PublishApi("alpha", "api", DIGEST))

    @property
    def state(self) -> State:
        return self._coordinator.state

    async def handle_surely(self, command: c.Command) -> None:
        self._coordinator.handle(command)

    async def lacks(self) -> str | None:
        """Look, fetch where that is due, and say what host b lacks then."""
        copies = Copies(self)
        assert copies.concerns(self.state.apis.published["api"])
        await copies.look(self.state.apis.published["api"])
        copies.settle()
        await copies.fetched()
        return self.state.apis.published["api"].lacking["b"]


def git(root: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=root, check=True, capture_output=True)


@pytest.fixture
def clones(tmp_path: Path) -> tuple[Path, Path]:
    """The checkout of the publisher, who has not committed yet, and that of host b."""
    there, here = tmp_path / "there", tmp_path / "here"
    there.mkdir()
    git(there, "init", "-q", "-b", "main")
    git(there, "commit", "-q", "--allow-empty", "-m", "First")
    git(tmp_path, "clone", "-q", str(there), str(here))
    (there / "src").mkdir()
    (there / "src" / "api.py").write_text(CONTENT)
    return there, here


def commit(there: Path) -> None:
    git(there, "add", "-A")
    git(there, "commit", "-q", "-m", "Publish")


async def test_it_is_taken_from_the_remote_in_the_publishers_name(clones: tuple[Path, Path]) -> None:
    there, here = clones
    commit(there)
    host = Host(here, "origin")
    assert await host.lacks() == ""
    assert (here / "src/api.py").read_text() == CONTENT
    ((paths, author),) = host.observer.told
    assert (paths, author.name) == (["src/api.py"], "alpha")
    assert author.evidence == "taken from origin/main as published (v1)"
    assert host.state.agents["beta"].status is AgentStatus.STARTING


async def test_what_the_remote_does_not_have_is_said(clones: tuple[Path, Path]) -> None:
    host = Host(clones[1], "origin")
    assert await host.lacks() == "lacks src/api.py as published; origin does not have it yet"
    assert host.state.agents["beta"].reason == (
        "API api (host b lacks src/api.py as published; origin does not have it yet)"
    )
    assert not (clones[1] / "src").exists()


async def test_work_of_somebody_is_never_replaced(clones: tuple[Path, Path]) -> None:
    there, here = clones
    commit(there)
    (here / "src").mkdir()
    (here / "src" / "api.py").write_text("mine\n")
    host = Host(here, "origin")
    lacks = await host.lacks()
    assert lacks == (
        "lacks src/api.py as published; its own copy differs from HEAD: take it from origin/main"
    )
    assert (here / "src/api.py").read_text() == "mine\n"
    assert host.observer.told == []


async def test_without_a_remote_nothing_is_fetched_and_a_copy_brought_by_hand_counts(
    clones: tuple[Path, Path],
) -> None:
    there, here = clones
    commit(there)
    host = Host(here, "")
    assert await host.lacks() == "lacks src/api.py as published"
    git(here, "pull", "-q", "origin", "main")
    assert await host.lacks() == ""
