"""Every key of the cockpit does what the key bar says."""

from __future__ import annotations

import pytest
from textual.command import CommandPalette
from textual.widgets import Input
from tui_scenes import NOW, Stage, by, scene, stage, touch

from runebook_tui.core import commands as c
from runebook_tui.core.types import AgentStatus
from runebook_tui.tui.screens.card import CardScreen
from runebook_tui.tui.screens.confirm import ConfirmScreen
from runebook_tui.tui.screens.help import HelpScreen
from runebook_tui.tui.screens.log import LogScreen
from runebook_tui.tui.screens.reason import ReasonPrompt
from runebook_tui.tui.widgets.pane import PaneView


def top(played: Stage) -> type:
    return type(played.app.screen)


async def test_approve_decides_the_request_that_the_key_bar_names() -> None:
    async with stage() as played:
        assert "approve 1" in played.bar()
        await played.decide("a")
        await played.until(lambda: not played.backend.state.requests[1].open)
        assert played.backend.sent == [("approve", {"request": 1, "scope": "once", "reason": ""})]
        await played.until(lambda: "approve 2" in played.bar())


async def test_reject_takes_a_reason() -> None:
    async with stage() as played:
        await played.decide("r")
        assert top(played) is ReasonPrompt
        await played.press(*"not now", "enter")
        await played.until(lambda: played.backend.state.requests[1].status == "rejected")
        assert played.backend.state.requests[1].answer == "not now"


async def test_reject_without_a_reason() -> None:
    async with stage() as played:
        await played.decide("r")
        await played.press("enter")
        await played.until(lambda: played.backend.state.requests[1].status == "rejected")
        assert played.backend.sent == [("reject", {"request": 1, "scope": "once", "reason": ""})]


async def test_escape_in_the_prompt_decides_nothing() -> None:
    async with stage() as played:
        await played.decide("r")
        await played.press("x", "escape")
        assert played.app.screen is played.cockpit
        assert played.backend.sent == []


async def test_keys_typed_into_the_reason_decide_nothing() -> None:
    async with stage() as played:
        await played.decide("r")
        await played.press(*["a", "r", "m", "x", "R", "q", "n", "l", "?"])
        assert played.app.screen.query_one(Input).value == "armxRqnl?"
        assert played.backend.sent == []


async def test_that_was_me_withdraws_an_uncertain_crossing() -> None:
    async with stage() as played:
        assert "1 was me" in played.bar()
        await played.decide("m")
        await played.until(lambda: played.backend.state.requests[1].status == "withdrawn")


async def test_that_was_me_is_refused_for_what_an_agent_did_for_certain() -> None:
    async with stage() as played:
        await played.press("n", "n")
        assert "was me" not in played.bar()
        await played.press("m")
        await played.shows("not you")
        assert played.backend.sent == []


async def test_n_goes_round_everything_that_needs_you() -> None:
    async with stage() as played:
        selected = []
        for _ in range(4):
            await played.press("n")
            selected.append((played.cockpit.requests.selected, played.cockpit.plan.agent))
        assert selected == [(1, "surfaces"), (2, "surfaces"), (1, "surfaces"), (1, "surfaces")]


async def test_enter_opens_the_card_of_the_selected_request() -> None:
    async with stage() as played:
        await played.press("n", "n", "enter")
        assert top(played) is CardScreen
        await played.shows("Request 2", "append_event needs a limit argument to page")


async def test_tab_moves_through_the_panels_and_the_keys_go_on_deciding_what_the_bar_names() -> None:
    async with stage() as played:
        panels = []
        for _ in range(3):
            panels.append(type(played.app.focused).__name__)
            await played.press("tab")
        assert panels == ["PlanPanel", "PaneView", "RequestsPanel"]
        await played.press("shift+tab")
        assert played.app.focused is played.cockpit.requests
        await played.press("k")
        assert "approve 2" in played.bar()
        await played.press("tab")
        await played.decide("a")
        await played.until(lambda: not played.backend.state.requests[2].open)


@pytest.mark.parametrize(("down", "up"), [("j", "k"), ("down", "up")])
async def test_agents_are_selected_by_keys(down: str, up: str) -> None:
    async with stage() as played:
        assert played.cockpit.plan.agent == "surfaces", "what failed is looked at first"
        await played.press(down)
        assert played.cockpit.plan.agent == "analysis"
        await played.press(up, up)
        assert played.cockpit.plan.agent == "capture"
        await played.go("pane")
        await played.press(up)
        assert isinstance(played.app.focused, PaneView)
        assert played.cockpit.plan.agent == "storage"


async def test_the_selection_survives_updates() -> None:
    async with stage() as played:
        await played.press("n", "n", "k", "k")
        played.backend.do(c.CompleteTask("storage", "storage-2"), at=NOW)
        played.backend.do(c.Observe((touch("src/surfaces/a.py", by("nix-ci")),)), at=NOW)
        await played.shows("◆ 3 requests")
        assert played.cockpit.plan.agent == "storage"
        assert played.cockpit.requests.selected == 2


async def test_home_and_end_and_a_click_select_agents() -> None:
    async with stage() as played:
        await played.press("end")
        assert played.cockpit.plan.agent == "nix-ci"
        await played.press("home")
        assert played.cockpit.plan.agent == "core"
        await played.pilot.click("#plan", offset=(10, 5))
        assert played.cockpit.plan.agent == "storage"


async def test_restart_starts_the_failed_agent() -> None:
    async with stage() as played:
        assert "restart surfaces" in played.bar()
        await played.press("R")
        await played.until(lambda: played.backend.state.agents["surfaces"].status is AgentStatus.STARTING)


async def test_restart_of_a_working_agent_says_why_not() -> None:
    async with stage() as played:
        await played.press("k", "R")
        await played.shows("neither failed nor been stopped")
        assert played.backend.sent == []


async def test_stop_asks_first() -> None:
    async with stage() as played:
        await played.press("k", "k")
        assert "stop storage" in played.bar()
        await played.press("x")
        assert top(played) is ConfirmScreen
        await played.press("escape")
        assert played.backend.sent == []
        await played.press("x", "y")
        await played.until(lambda: played.backend.state.agents["storage"].status is AgentStatus.STOPPED)


async def test_stop_of_an_agent_that_does_not_run_says_so() -> None:
    async with stage() as played:
        await played.press("x")
        await played.shows("surfaces is not running")
        assert played.app.screen is played.cockpit


async def test_log_and_help_and_palette_open_and_close() -> None:
    async with stage() as played:
        await played.press("l")
        assert top(played) is LogScreen
        await played.press("escape", "question_mark")
        assert top(played) is HelpScreen
        await played.press("question_mark", "ctrl+p")
        assert isinstance(played.app.screen, CommandPalette)
        await played.press("escape")
        assert played.app.screen is played.cockpit


async def test_a_command_of_the_palette_runs() -> None:
    async with stage() as played:
        await played.press("ctrl+p", *"restart surfaces")
        await played.shows("surfaces is failed")
        await played.press("enter")
        await played.until(lambda: ("restart", {"agent": "surfaces"}) in played.backend.sent)


async def test_the_palette_selects_agents_and_opens_requests() -> None:
    async with stage() as played:
        await played.press("ctrl+p", *"select nix-ci")
        await played.shows("look at nix-ci")
        await played.press("enter")
        await played.until(lambda: played.cockpit.plan.agent == "nix-ci")
        await played.press("ctrl+p", *"open request 2")
        await played.shows("see it with its diff")
        await played.press("enter")
        await played.until(lambda: top(played) is CardScreen)


async def test_down_is_in_the_palette_and_asks_first() -> None:
    async with stage() as played:
        await played.press("ctrl+p", *"down")
        await played.shows("stop every agent and the engine")
        await played.press("enter")
        await played.until(lambda: top(played) is ConfirmScreen)
        await played.press("y")
        await played.until(lambda: ("down", {}) in played.backend.sent)


@pytest.mark.parametrize("key", ["q", "ctrl+c", "ctrl+q"])
async def test_quit_asks_nothing_stops_nothing_and_says_what_goes_on(key: str) -> None:
    async with stage() as played:
        live = len(played.backend.state.live_agents())
        await played.press(key)
        await played.until(lambda: not played.app.is_running)
        assert str(played.app._exit_renderables[0]) == f"{live} agents go on; `runebook-tui down` ends them"
    assert played.backend.sent == []
    assert played.backend.closed


async def test_the_next_start_shows_everything_as_it_was() -> None:
    backend = scene()
    async with stage(backend) as played:
        before = played.text()
        await played.press("q")
    async with stage(backend) as played:
        await played.until(lambda: played.text() == before)


async def test_keys_can_be_remapped_and_the_bar_follows() -> None:
    async with stage() as played:
        played.app.set_keymap({"request.approve": "A"})
        played.backend.do(c.CompleteTask("storage", "storage-2"), at=NOW)
        await played.until(lambda: "A approve 1" in played.bar())
        await played.decide("a")
        assert played.backend.sent == []
        await played.decide("A")
        await played.until(lambda: not played.backend.state.requests[1].open)


async def test_no_key_reaches_through_a_modal_screen() -> None:
    async with stage() as played:
        await played.look()
        await played.press("question_mark", "a", "r", "m", "x", "R")
        assert top(played) is HelpScreen
        assert played.backend.sent == []
        assert not any(b.priority for b in played.cockpit._bindings.key_to_bindings.get("a", []))


async def test_a_refusal_of_the_engine_is_shown_and_the_request_can_be_decided_again() -> None:
    async with stage() as played:
        played.backend._engine_alive = False
        await played.decide("a")
        await played.shows("the engine is not running")
        played.backend._engine_alive = True
        await played.decide("a")
        await played.until(lambda: not played.backend.state.requests[1].open)
