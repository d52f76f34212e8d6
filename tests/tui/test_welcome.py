"""The welcome in a repository without a plan: what it offers, and what it leaves behind."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from runebook_tui.orchestrator.planner import load_plan
from runebook_tui.tui.welcome import WelcomeApp

PLAN = """\
# Plan

## Execution Order

### Phase 1: Cart
**Agent**: Cart
**Tasks**:
- Write the cart
- Owns: `src/cart/`

### Phase 2: Stock
**Agent**: Stock
**Tasks**:
- Write the stock
- Owns: `src/stock/`
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person with no settings, a shell, and one client."""
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "claude").write_text("#!/bin/sh\n")
    (programs / "claude").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setenv("SHELL", "/bin/bash")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Two parts with their tests, changed together; owners; and a file at the top."""
    root = tmp_path / "shop"
    root.mkdir()
    _git(root, "init", "-q")
    for part in ("cart", "stock"):
        for folder in (f"src/{part}", f"tests/{part}"):
            (root / folder).mkdir(parents=True)
    (root / "README.md").write_text("shop\n")
    for turn in range(3):
        for part in ("cart", "stock"):
            for folder in ("src", "tests"):
                for name in ("a", "b"):
                    (root / folder / part / f"{name}.py").write_text(f"{turn}\n")
            _git(root, "add", "-A")
            _git(root, "commit", "-qm", f"{part} {turn}")
    return root


def _git(root: Path, *words: str) -> None:
    named = ("-c", "user.name=a", "-c", "user.email=a@b")
    subprocess.run(["git", *named, *words], cwd=root, check=True, capture_output=True)


class Played:
    """The welcome, and its text."""

    def __init__(self, app: WelcomeApp, pilot: Pilot[bool]) -> None:
        self.app, self.pilot = app, pilot

    def text(self) -> str:
        """What stands on the screen."""
        return "\n".join(strip.text for strip in self.app.screen._compositor.render_strips())

    async def shows(self, *texts: str) -> None:
        """Wait until all texts stand on the screen."""
        for _ in range(2_000):
            if all(text in self.text() for text in texts):
                return
            await self.pilot.pause(0.01)
        raise AssertionError(self.text())

    async def choose(self, title: str) -> None:
        """Wait for a way to begin, and select it."""
        await self.shows(title)
        one = next(each for each in self.app._beginnings.values() if each.title == title)
        self.app.rows.select(one.id, by_hand=True)


@asynccontextmanager
async def welcome(root: Path | None, here: Path, size: tuple[int, int] = (120, 36)) -> AsyncIterator[Played]:
    """The welcome on a repository."""
    app = WelcomeApp(root, here)
    async with app.run_test(size=size, notifications=True) as pilot:
        yield Played(app, pilot)


async def test_what_changes_together_belongs_to_one_agent(repository: Path) -> None:
    async with welcome(repository, repository) as played:
        await played.choose("from the folders and their history")
        await played.shows("3 agents in 1 phase", "nobody", "1 file ", "they run: claude")
        await played.pilot.press("minus")
        await played.shows(
            "2 agents in 1 phase", "src/cart/**, tests/cart/**", "src/stock/**, tests/stock/**", "4 files"
        )
        await played.pilot.press("t")
        await played.shows('client = "claude"', "[[agents]]")
        await played.pilot.press("c", "t")
        await played.shows("they run: shell", "/bin/bash")
        await played.pilot.press("enter")
        await played.pilot.pause()
    assert played.app.return_value is True
    plan = load_plan(repository / "runebook.toml")
    assert {agent.claims for agent in plan.agents} == {
        ("src/cart/**", "tests/cart/**"),
        ("src/stock/**", "tests/stock/**"),
    }
    assert [agent.command for agent in plan.agents] == [("/bin/bash",)] * 2


async def test_owners_and_documents_come_first(repository: Path) -> None:
    (repository / "CODEOWNERS").write_text("/src/cart/ @ann\n/src/stock/ @ben\n")
    (repository / "docs").mkdir()
    (repository / "docs" / "plan.md").write_text(PLAN)
    async with welcome(repository, repository) as played:
        await played.shows(
            "from CODEOWNERS", "from docs/plan.md", "a few coding agents", "orchestrator and six"
        )
        titles = [each.title for each in played.app._beginnings.values()]
        assert titles[:2] == ["from CODEOWNERS", "from docs/plan.md"]
        await played.shows("ann", "ben", "src/cart/**", "2 files")


async def test_leaving_leaves_nothing_and_an_existing_plan_is_not_overwritten(repository: Path) -> None:
    async with welcome(repository, repository) as played:
        await played.choose("a few coding agents")
        await played.shows("agents in")
        (repository / "runebook.toml").write_text("mine\n")
        await played.pilot.press("enter")
        await played.shows("is there already")
        await played.pilot.press("escape")
        await played.pilot.pause()
    assert played.app.return_value is False
    assert (repository / "runebook.toml").read_text() == "mine\n"
    assert not (repository / ".runebook").exists()


async def test_outside_of_git_a_key_makes_a_repository_and_only_a_key(tmp_path: Path) -> None:
    here = tmp_path / "new [b]"
    (here / "src").mkdir(parents=True)
    (here / "src" / "a.py").write_text("")
    async with welcome(None, here, (80, 24)) as played:
        await played.shows("g make a git repository here")
        await played.pilot.press("enter")
        await played.shows("this is not a git repository")
        assert not (here / ".git").exists()
        await played.pilot.press("g")
        await played.shows("a few coding agents")
        assert (here / ".git").is_dir()


async def test_a_repository_without_folders_says_what_cannot_be(tmp_path: Path) -> None:
    _git(tmp_path, "init", "-q")
    async with welcome(tmp_path, tmp_path) as played:
        await played.choose("from the folders and their history")
        await played.shows("there is no folder with files that an agent could own")
        await played.pilot.press("enter")
        await played.shows("nothing to write yet")
