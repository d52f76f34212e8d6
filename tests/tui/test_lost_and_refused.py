"""What the operator has to see although nobody asked: lost agents, and attempts that were refused."""

from __future__ import annotations

from tui_scenes import stage

from runebook_tui.core import commands as c
from runebook_tui.core.types import AgentStatus
from runebook_tui.tui.screens.confirm import ConfirmScreen
from runebook_tui.tui.screens.help import HelpScreen


async def test_lost_agents_are_one_question_and_one_key_brings_them_back() -> None:
    async with stage() as played:
        for agent in ("storage", "nix-ci"):
            played.backend.do(c.ReportExited(agent, reason="its pane is gone", lost=True))
        await played.shows("Bring 2 agents back?", "storage starts anew; nix-ci")
        await played.press("y")
        await played.until(lambda: played.backend.sent)
        assert played.backend.sent == [("resume", {"agents": ["storage", "nix-ci"]})]
        assert played.backend.state.agents["storage"].status is AgentStatus.STARTING


async def test_a_question_goes_when_another_has_brought_them_back() -> None:
    async with stage() as played:
        played.backend.do(c.ReportExited("storage", reason="its pane is gone", lost=True))
        await played.until(lambda: isinstance(played.app.screen, ConfirmScreen))
        played.backend.do(c.ResumeAgents())
        await played.until(lambda: played.app.screen is played.cockpit)


async def test_who_says_no_is_not_asked_again_and_has_the_key() -> None:
    async with stage() as played:
        played.backend.do(c.ReportExited("storage", reason="its pane is gone", lost=True))
        await played.until(lambda: isinstance(played.app.screen, ConfirmScreen))
        await played.press("escape")
        assert played.app.screen is played.cockpit
        await played.shows("its pane is gone")
        assert "B bring back 1" in played.text()
        played.backend.do(c.StartTask("capture", "capture-1"))
        await played.press("B")
        await played.until(lambda: played.backend.sent)
        assert played.backend.sent == [("resume", {})]


async def test_a_question_never_opens_over_another_screen() -> None:
    async with stage() as played:
        await played.press("question_mark")
        assert isinstance(played.app.screen, HelpScreen)
        played.backend.do(c.ReportExited("storage", reason="its pane is gone", lost=True))
        await played.shows("1 agent lost: B on the first screen brings it back")
        assert isinstance(played.app.screen, HelpScreen)


async def test_without_a_loss_the_key_says_so() -> None:
    async with stage() as played:
        await played.press("B")
        await played.shows("no agent was lost")
        assert played.backend.sent == []


async def test_a_refused_attempt_is_a_notice_and_stays_in_the_header() -> None:
    async with stage() as played:
        assert "refused" not in played.text().splitlines()[0]
        played.backend.do(c.RecordAttempt("surfaces", "approve [1]\x1b[2J", "only the operator may"))
        await played.shows("surfaces was refused: approve [1]␛[2J: only the operator may")
        assert "▲ 1" in played.text().splitlines()[0]
        for number in range(2):
            played.backend.do(c.RecordAttempt("surfaces", f"down {number}", "only the operator may"))
        await played.until(lambda: "▲ 3" in played.text().splitlines()[0])


async def test_what_was_refused_before_the_screen_opened_is_in_the_header_only() -> None:
    async with stage() as played:
        played.backend.do(c.RecordAttempt("surfaces", "approve 1", "only the operator may"))
        await played.shows("▲ 1")
    async with stage(backend=played.backend) as again:
        await again.shows("▲ 1")
        assert not again.app._notifications
