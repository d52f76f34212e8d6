"""The files: whose each is, who changed it, what goes on with it, and every key."""

from __future__ import annotations

import asyncio
import sys
import threading
from pathlib import Path

import pytest
from test_hostile import HOSTILE, whole
from tui_scenes import NOW, YOU_OR_STORAGE, Stage, by, scene, stage, touch

from runebook_tui.core import commands as c
from runebook_tui.core.events import Record
from runebook_tui.core.ownership import OwnershipManager
from runebook_tui.core.story import Story, WrittenLine
from runebook_tui.core.tree import File
from runebook_tui.tui import growing
from runebook_tui.tui.memory import MemoryBackend
from runebook_tui.tui.screens.card import CardScreen
from runebook_tui.tui.screens.files import FilesScreen

PATHS = [
    "README.md",
    "runebook.toml",
    "src/analysis/pipeline.py",
    "src/capture/record.py",
    "src/core/types.py",
    "src/storage/api.py",
    "src/storage/store.py",
]
CHANGE = "--- a/src/storage/store.py\n+++ b/src/storage/store.py\n@@ -1 +1 @@\n-old line\n+new line\n"


def repository(paths: list[str] | None = None) -> MemoryBackend:
    """The scene with a few files."""
    backend = scene()
    backend.paths = PATHS if paths is None else paths
    backend.stories = {"src/storage/store.py": Story(diff=CHANGE, claim_line=23)}
    return backend


def row(played: Stage, name: str) -> str:
    """The row of the list with a name."""
    return next(line for line in played.text().splitlines() if name in line)


async def select(played: Stage, path: str) -> None:
    """Go down to a path."""
    screen = played.app.screen
    assert isinstance(screen, FilesScreen)
    await played.press("home")
    for _ in range(100):
        if screen.rows.selected == path:
            return
        await played.press("down")
    raise AssertionError(f"{path} cannot be reached: {played.text()}")


async def test_every_file_has_its_owner_by_name_and_its_last_author() -> None:
    async with stage(repository()) as played:
        await played.press("3")
        await played.shows("Files · 7", "README.md", "store.py")
        assert "storage" in row(played, "store.py")
        assert "nobody" in row(played, "README.md")
        assert "you" in row(played, "runebook.toml")
        assert "0:41:07" not in row(played, "store.py")
        assert "2:47" in row(played, "store.py"), "storage wrote it 167 seconds ago"
        assert "storage or" in row(played, "types.py")
        assert played.colours("api.py").isdisjoint(played.colours("types.py")), "owners have colours"


async def test_the_selected_file_tells_its_rule_its_changes_and_its_latest_diff() -> None:
    async with stage(repository(), size=(160, 40)) as played:
        await played.press("3")
        await played.shows("store.py")
        await select(played, "src/storage/store.py")
        await played.shows(
            "owned by storage by the claim src/storage/**",
            "(runebook.toml:23)",
            "2:47 ago  storage +12 −0",
            "the gate saw pid 4121",
            "+new line",
        )
        await select(played, "README.md")
        await played.shows("nobody owns it", "no change of it was seen")
        assert "+new line" not in played.text()


async def test_folders_fold_and_unfold_by_enter_and_arrows() -> None:
    async with stage(repository()) as played:
        await played.press("3")
        await played.shows("pipeline.py")
        await select(played, "src/analysis/")
        await played.press("enter")
        await played.until(lambda: "pipeline.py" not in played.text())
        await played.press("right")
        await played.shows("pipeline.py")
        await played.press("right")
        screen = played.app.screen
        assert isinstance(screen, FilesScreen)
        assert screen.rows.selected == "src/analysis/pipeline.py"
        await played.press("left")
        assert screen.rows.selected == "src/analysis/"
        await played.press("left")
        await played.until(lambda: "pipeline.py" not in played.text())
        await played.press("left", "left")
        await played.until(lambda: "storage/" not in played.text())
        assert "several" in row(played, "src/")
        await played.shows("5 files", "storage: 2")


async def test_enter_on_a_file_with_a_request_opens_its_card() -> None:
    async with stage(repository()) as played:
        await played.press("3")
        await played.shows("api.py")
        assert "◆" in row(played, "api.py")
        await select(played, "src/storage/api.py")
        await played.shows("request 2: capture asks to write it", "open request 2")
        await played.press("enter")
        await played.until(lambda: isinstance(played.app.screen, CardScreen))
        await played.shows("append_event needs a limit argument")
        await played.press("escape")
        await select(played, "README.md")
        await played.press("enter")
        await played.shows("no open request is about this file")


async def test_who_edits_now_and_what_is_hot_is_marked_and_told() -> None:
    backend = repository()
    async with stage(backend, size=(160, 40)) as played:
        await played.press("3")
        await played.shows("store.py")
        await select(played, "src/storage/store.py")
        for number in range(6):
            backend.do(c.Observe((touch("src/storage/store.py", by("storage"), after=f"a{number}"),)), at=NOW)
        backend.do(c.Observe((touch("src/storage/store.py", YOU_OR_STORAGE, after="z"),)), at=NOW)
        await played.shows("being edited now: storage", "hot: 8 changes, lately by")
        assert "✎" in row(played, "store.py")
        assert "≋" in row(played, "store.py")
        await played.shows("8 changes, lately by", "storage or you?")
        played.now += 11
        await played.until(lambda: "being edited now" not in played.text())
        assert "✎" not in row(played, "store.py")


async def test_files_come_and_go_as_they_are_written() -> None:
    backend = repository()
    async with stage(backend) as played:
        await played.press("3")
        await played.shows("Files · 7")
        backend.do(c.Observe((touch("src/storage/fresh.py", by("storage")),)), at=NOW)
        await played.shows("Files · 8", "fresh.py")
        change = touch("src/storage/fresh.py", by("storage")).change
        gone = change.model_copy(update={"after": change.after.model_copy(update={"kind": "absent"})})
        backend.do(c.Observe((c.Touch(gone, by("storage")),)), at=NOW)
        await played.shows("Files · 7")
        assert "fresh.py" not in played.text()


async def test_more_changes_than_the_view_keeps_are_read_from_the_log() -> None:
    backend = repository()
    async with stage(backend) as played:
        await played.press("3")
        await played.shows("Files · 7")
        screen = played.app.screen
        assert isinstance(screen, FilesScreen)
        await played.press("1")
        for number in range(120):
            backend.do(c.Observe((touch(f"src/core/{number}.py", by("core")),)), at=NOW)
        await played.press("3")
        await played.shows("Files · 127")


async def test_the_filter_finds_by_path_owner_and_author() -> None:
    backend = repository()
    backend.do(c.Observe((touch("README.md", by("nix-ci")),)), at=NOW - 60)
    async with stage(backend) as played:
        await played.press("3", "slash", *"pipeline")
        await played.until(lambda: "store.py" not in played.text())
        assert "pipeline.py" in played.text()
        await played.press("escape", "slash", *"STORAGE", "enter")
        await played.until(lambda: "pipeline.py" not in played.text())
        assert "store.py" in played.text()
        assert "types.py" in played.text(), "storage may have written it"
        await played.press("escape", "slash", *"nix", "enter")
        await played.shows("README.md", "Files · 1")
        await played.press("escape")
        await played.shows("Files · 7", "pipeline.py")


async def test_the_order_goes_from_names_to_changes_to_heat() -> None:
    backend = repository()
    for number in range(5):
        backend.do(c.Observe((touch("src/storage/api.py", by("storage"), after=f"{number}"),)), at=NOW - 300)
    async with stage(backend) as played:
        await played.press("3")
        await played.shows("by name")
        await played.press("t")
        await played.shows("latest change first", "Files · 3")
        text = played.text()
        assert text.index("src/core/types.py") < text.index("src/storage/api.py")
        assert text.index("src/storage/store.py") < text.index("src/storage/api.py")
        await played.press("t")
        await played.shows("hottest first")
        text = played.text()
        assert text.index("src/storage/api.py") < text.index("src/core/types.py")
        await played.press("t")
        await played.shows("by name", "README.md")


async def test_a_changed_plan_gives_files_other_owners() -> None:
    backend = repository()
    async with stage(backend) as played:
        await played.press("3")
        await played.shows("README.md")
        agents = [each.model_dump() for each in backend.state.plan.agents]
        agents[0]["claims"] = ["src/core/**", "README.md"]
        plan = backend.state.plan.model_validate({**backend.state.plan.model_dump(), "agents": agents})
        backend.do(c.ChangePlan(plan), at=NOW)
        await played.until(lambda: "core" in row(played, "README.md"))


async def test_who_wrote_each_line() -> None:
    backend = repository()
    backend.written["src/storage/store.py"] = (
        WrittenLine("import os", "3f2a91bc Ada"),
        WrittenLine("class [/x] Store:\x1b[31m", "storage", NOW - 60, "the gate saw it"),
    )
    async with stage(backend) as played:
        await played.press("3")
        await played.shows("store.py")
        await select(played, "src/storage/store.py")
        await played.press("i")
        await played.shows(
            "Who wrote src/storage/store.py", "3f2a91bc Ada", "storage", "1:00", "[/x] Store:␛[31m"
        )
        await played.press("escape")
        await played.shows("Files · 7")
        await select(played, "README.md")
        await played.press("i")
        await played.shows("its lines are not told: there is no such file")


async def test_the_editor_of_the_operator_gets_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = tmp_path / "said"
    program = "import sys; open(sys.argv[1], 'w').write(sys.argv[2])"
    monkeypatch.setenv("VISUAL", "")
    monkeypatch.setenv("EDITOR", f'{sys.executable} -c "{program}" {said}')
    async with stage(repository()) as played:
        await played.press("3")
        await played.shows("README.md")
        await select(played, "README.md")
        await played.press("e")
        # A terminal that cannot be given away says so; one that can has the editor in it.
        await played.until(lambda: said.exists() or "this terminal cannot be handed over" in played.text())


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (210, 50)], ids=str)
async def test_hostile_names_break_nothing_at_any_size(size: tuple[int, int]) -> None:
    backend = repository([*(path for path, _ in HOSTILE.values()), "a/" * 1_500 + "deep"])
    for path, _ in HOSTILE.values():
        backend.do(c.Observe((touch(path, by("core")),), cause=path), at=NOW)
    async with stage(backend, size=size) as played:
        await played.press("3")
        await played.shows("Files · ")
        for _ in range(len(HOSTILE) + 4):
            whole(played)
            await played.press("down")
        await played.press("t")
        await played.shows("latest change first")
        for _ in range(len(HOSTILE)):
            whole(played)
            await played.press("down")


class Slow(MemoryBackend):
    """Tells of the files when it is let."""

    def __init__(self) -> None:
        super().__init__(now=lambda: NOW)
        self.let = asyncio.Event()

    async def touches(self, after: int) -> tuple[Record, ...]:
        await self.let.wait()
        return await super().touches(after)


async def test_a_large_tree_is_shown_before_what_happened_to_it_is_known() -> None:
    backend = Slow()
    backend.state, backend.records = scene().state, scene().records
    backend.paths = [f"src/storage/part{number % 9}/file{number}.py" for number in range(5_000)]
    async with stage(backend) as played:
        await played.press("3")
        await played.shows("Files · 5,000", "src")
        created = touch("src/storage/part0/new.py", by("storage"))
        backend.do(c.Observe((created,)), at=NOW)
        backend.let.set()
        await played.shows("Files · 5,001")


async def test_escape_ends_a_reading_and_the_next_visit_begins_it_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    backend = repository([f"src/storage/file{number}.py" for number in range(9_000)])
    step, seen, let = growing.owned, asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def held(owners: OwnershipManager, path: str) -> File:
        if path.endswith("file5000.py"):
            loop.call_soon_threadsafe(seen.set)
            let.wait(30)
        return step(owners, path)

    async with stage(backend) as played:
        monkeypatch.setattr(growing, "owned", held)
        await played.press("3")
        await seen.wait()
        await played.shows("reading 4,000 of 9,000 · esc stops")
        await played.press("escape")
        await played.until(lambda: played.app.screen is played.cockpit)
        let.set()
        monkeypatch.setattr(growing, "owned", step)
        await played.press("3")
        await played.shows("Files · 9,000")
