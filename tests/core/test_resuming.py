"""Who is lost, who comes back, and in which session."""

from __future__ import annotations

from core_play import Play

from runebook_tui.core import commands as c
from runebook_tui.core.activity import Activity
from runebook_tui.core.rules import DOWN
from runebook_tui.core.types import AgentStatus, ExecutionPlan

PLAN = ExecutionPlan.model_validate(
    {
        "plan": {"name": "resuming"},
        "phases": [{"id": "build"}],
        "agents": [
            {"id": "alpha", "phase": "build", "client": "claude", "prompt": "work", "claims": ["a/**"]},
            {"id": "beta", "phase": "build", "command": ["work"], "claims": ["b/**"]},
        ],
    }
)
GONE = "its pane is gone"


def at_work() -> Play:
    """Both agents at work; alpha's client has said its session."""
    play = Play(PLAN)
    for number, agent in enumerate(("alpha", "beta")):
        play.do(c.ReportStarted(agent, f"%{number}", 100 + number))
    play.do(c.ReportActivity("alpha", "Claude Code", Activity.WORKING, session="s-1"))
    return play


def lose(play: Play, *agents: str) -> None:
    for agent in agents:
        play.do(c.ReportExited(agent, reason=GONE, lost=True))


def test_who_was_lost_comes_back_in_its_own_session_or_anew() -> None:
    play = at_work()
    lose(play, "alpha", "beta")
    assert {(each.status, each.reason) for each in play.state.agents.values()} == {(AgentStatus.FAILED, GONE)}
    play.do(c.ResumeAgents())
    alpha, beta = play.state.agents["alpha"], play.state.agents["beta"]
    assert (alpha.status, alpha.resumes, alpha.lost) == (AgentStatus.STARTING, "s-1", False)
    assert (beta.status, beta.resumes) == (AgentStatus.STARTING, "")
    assert play.refused(c.ResumeAgents()) == "no agent is lost"


def test_who_is_lost_again_before_it_said_anything_keeps_its_session() -> None:
    play = at_work()
    lose(play, "alpha")
    play.do(c.ResumeAgents())
    play.do(c.ReportStarted("alpha", "%2", 102))
    lose(play, "alpha")
    play.do(c.ResumeAgents(("alpha",)))
    assert play.state.agents["alpha"].resumes == "s-1"


def test_one_is_brought_back_and_the_other_started_anew() -> None:
    play = at_work()
    lose(play, "alpha", "beta")
    play.do(c.ResumeAgents(("beta",)))
    play.do(c.RestartAgent("alpha"))
    assert play.state.agents["alpha"].resumes == ""
    assert play.refused(c.ResumeAgents(("alpha",))) == "alpha is starting: only a lost agent is brought back"
    assert "no agent 'gamma'" in play.refused(c.ResumeAgents(("gamma",)))


def test_who_failed_by_itself_is_not_lost() -> None:
    play = at_work()
    play.do(c.ReportExited("beta", code=3))
    assert play.refused(c.ResumeAgents()) == "no agent is lost"


def test_what_went_down_goes_on_in_its_session() -> None:
    play = at_work()
    for agent in ("alpha", "beta"):
        play.do(c.StopAgent(agent, DOWN))
        play.do(c.ReportExited(agent, signal=15))
    play.do(c.LeaveEngine(DOWN))
    play.do(c.TakeEngine(2, "here"))
    alpha, beta = play.state.agents["alpha"], play.state.agents["beta"]
    assert (alpha.status, alpha.resumes) == (AgentStatus.STARTING, "s-1")
    assert (beta.status, beta.resumes) == (AgentStatus.STARTING, "")


def test_the_stopped_writes_of_a_lost_agent_are_withdrawn_and_its_questions_stay() -> None:
    play = at_work()
    play.do(c.Hold("alpha", "b/x", 7, "sed", "sed -i", play.now + 60))
    play.do(c.Ask("alpha", ("b/y",), "a limit"))
    lose(play, "alpha")
    assert [each.status for each in play.state.requests.values()] == ["withdrawn", "open"]
    assert not play.state.requests[1].held_until
