"""The plan as a mode: the graph, the selected one whole, findings, and changes with a preview."""

from __future__ import annotations

import os
import stat
from contextlib import nullcontext
from pathlib import Path

import pytest
from tui_scenes import NOW, Stage, scene, stage

from runebook_tui.core import commands as c
from runebook_tui.core.types import ExecutionPlan
from runebook_tui.tui.editor import EditorError, editor_command, text_edited
from runebook_tui.tui.memory import MemoryBackend
from runebook_tui.tui.screens.edit import EditPrompt
from runebook_tui.tui.screens.patch import PatchScreen
from runebook_tui.tui.screens.plan import PlanScreen

TEXT = """[plan]
name = "checkout-rewrite"

[[phases]]
id = "build"

[[agents]]
id = "storage"
phase = "build"
command = ["true"]
claims = ["src/storage/**"]
tasks = [{ id = "storage-1" }]
"""


async def enter(played: Stage, kind: str, name: str) -> PlanScreen:
    """Go to the plan, and select a phase or an agent."""
    await played.press("6")
    await played.until(lambda: played.app.current_mode == "plan")
    screen = played.app.screen
    assert isinstance(screen, PlanScreen)
    await played.until(lambda: screen.phases.entries)
    screen.phases.select((kind, name), by_hand=True)
    await played.pilot.pause()
    return screen


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (210, 50)], ids=str)
async def test_phases_with_their_gates_and_the_critical_path(size: tuple[int, int]) -> None:
    async with stage(size=size) as played:
        screen = await enter(played, "phase", "wire")
        await played.shows("wire", "needs phase build", "needs API storage", "critical path")
        assert screen.query_one("#graph").region.height > 0 or size[1] < 28
        if size[1] > 28:
            await played.shows("┏━", "──┐", "✓ orchestration  1/1", "‖ wire  0/1")


async def test_a_graph_that_does_not_fit_leaves_the_list() -> None:
    phases = [{"id": f"p{n}", "after": [f"p{n - 1}"] if n else []} for n in range(9)]
    backend = MemoryBackend(now=lambda: NOW)
    backend.do(c.StartRun(ExecutionPlan.model_validate({"plan": {"name": "long"}, "phases": phases})), at=NOW)
    async with stage(backend) as played:
        screen = await enter(played, "phase", "p8")
        await played.shows("p8")
        assert not screen.query_one("#graph").region.height


async def test_an_agent_with_tasks_claims_needs_and_interfaces() -> None:
    async with stage() as played:
        await enter(played, "agent", "storage")
        await played.shows(
            "✓ storage-1  Implement  completed", "● storage-2", "○ storage-3", "src/storage/**"
        )
        await played.shows("interface storage  not published")
        await enter(played, "agent", "analysis")
        await played.shows("waits for phase build, API storage", "‖ needs API storage")


async def test_the_interfaces_with_their_contract() -> None:
    async with stage() as played:
        await enter(played, "agent", "core")
        await played.press("i")
        await played.shows("Interfaces", "interface storage  not published  src/storage/api.py  storage")
        await played.press("i")
        await played.shows("owns: src/core/**")


async def test_the_file_is_checked_as_it_is_now() -> None:
    backend = scene()
    backend.plan_text = TEXT.replace('phase = "build"', 'phase = "bild"')
    async with stage(backend) as played:
        await enter(played, "agent", "core")
        await played.shows("1 error", "runebook.toml:9:", "bild")
        backend.plan_text = TEXT
        await played.press("c")
        await played.until(lambda: "bild" not in played.text())


async def test_a_change_is_chosen_shown_and_accepted() -> None:
    async with stage() as played:
        await enter(played, "agent", "capture")
        await played.press("e")
        await played.until(lambda: isinstance(played.app.screen, EditPrompt))
        await played.shows("capture owns more", "capture no longer claims src/capture/**")
        await played.press("down", "down", "enter", *"src/x/**", "enter")
        await played.until(lambda: isinstance(played.app.screen, PatchScreen))
        await played.shows("capture may write src/x/** without asking")
        await played.press("y")
        await played.until(lambda: played.backend.sent[-1][0] == "amend")
        await played.until(lambda: played.app.current_mode == "plan")
        agent = played.backend.state.plan.agent("capture")
        assert agent is not None
        assert agent.may_write == ("src/x/**",)
        await played.shows("may write: src/x/**")


async def test_a_change_that_is_not_accepted_changes_nothing() -> None:
    async with stage() as played:
        await enter(played, "agent", "capture")
        await played.press("e", "down", "enter")
        await played.until(lambda: isinstance(played.app.screen, PatchScreen))
        await played.press("escape")
        await played.until(lambda: isinstance(played.app.screen, PlanScreen))
        assert [do for do, _ in played.backend.sent] == ["amend-preview"]


async def test_a_change_that_makes_no_sense_is_said_in_the_prompt() -> None:
    async with stage() as played:
        await enter(played, "agent", "capture")
        await played.press("e", "end", "enter", *"nonsense", "enter")
        await played.shows("say a pattern, a blank, and hold, refuse or flag")
        await played.press("escape", "up", "enter", *"src/capture/a.py", "enter")
        await played.shows("capture owns src/capture/a.py already")
        await played.press("escape", "escape")
        await played.until(lambda: isinstance(played.app.screen, PlanScreen))
        assert played.backend.sent == []


def editor(tmp_path: Path, *steps: str) -> str:
    """An editor: each time it is opened it does the next step, a line of shell on "$1"."""
    path = tmp_path / "editor"
    count = tmp_path / "count"
    lines = [f'case "$(cat {count} 2>/dev/null)" in']
    for n, step in enumerate(steps):
        lines.append(f"{'x' * n or chr(39) * 2}) {step} ;;")
    path.write_text("#!/bin/sh\n" + "\n".join(lines) + f"\nesac\nprintf x >> {count}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return os.fspath(path)


async def test_the_file_in_the_operators_editor_is_checked_shown_and_put_in_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = scene()
    backend.plan_text = TEXT
    steps = (
        "sed -i s/build/bild/2 $1; sed -i '9s/build/bild/' $1",
        "sed -i 's/bild/build/; s/true/false/' $1",
    )
    monkeypatch.setenv("VISUAL", editor(tmp_path, *steps))
    async with stage(backend) as played:
        monkeypatch.setattr(played.app, "suspend", nullcontext)
        await enter(played, "agent", "core")
        await played.press("E")
        await played.shows("This cannot be in force", "runebook.toml:9:", "edit again")
        await played.press("y")
        await played.shows("What you changed", '+command = ["false"]', "put it in force")
        assert backend.sent == []
        await played.press("y")
        await played.until(lambda: backend.sent and backend.sent[-1][0] == "amend")
        await played.until(lambda: set(backend.state.plan.agents[0].command) == {"false"})


async def test_where_the_program_cannot_be_set_aside_that_is_said() -> None:
    backend = scene()
    backend.plan_text = TEXT
    async with stage(backend) as played:
        await enter(played, "agent", "core")
        await played.press("E")
        await played.shows("no editor can be opened here")


def test_an_editor_that_fails_changes_nothing(tmp_path: Path) -> None:
    with pytest.raises(EditorError, match="ended with 3"):
        text_edited("a", "x.toml", {"EDITOR": editor(tmp_path, "exit 3"), "PATH": os.environ["PATH"]})
    with pytest.raises(EditorError, match="no-such-editor"):
        text_edited("a", "x.toml", {"EDITOR": "no-such-editor --wait"})
    with pytest.raises(EditorError, match="cannot be read"):
        editor_command({"EDITOR": "'"})


async def test_the_filter_leaves_what_holds_it() -> None:
    async with stage() as played:
        screen = await enter(played, "agent", "core")
        await played.press("slash", *"capture")
        await played.until(lambda: [each.key for each in screen.phases.entries][1:] == [("agent", "capture")])


async def test_hostile_titles_stay_words() -> None:
    plan = ExecutionPlan.model_validate(
        {
            "plan": {"name": "[/x] \x1b[31m"},
            "phases": [{"id": "one", "title": "[red]\x1b]0;x\x07"}, {"id": "two", "after": ["one"]}],
            "agents": [{"id": "a", "phase": "one", "command": ["x"], "claims": ["[/b]*"]}],
        }
    )
    backend = MemoryBackend(now=lambda: NOW)
    backend.do(c.StartRun(plan), at=NOW)
    async with stage(backend) as played:
        await enter(played, "agent", "a")
        await played.shows("[red]", "owns: [/b]*")
        assert "\x1b" not in played.text()
