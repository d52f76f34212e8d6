"""Phases and agents: what starts when, what completes, who is told to finalize, and plans that change."""

from __future__ import annotations

import signal

import pytest
from core_play import Play, agent, plan

from runebook_tui.core import commands as c
from runebook_tui.core import events as e
from runebook_tui.core.gates import settle, stalled
from runebook_tui.core.rules import DOWN
from runebook_tui.core.types import ExecutionPlan, InterfaceStub, Needs, Phase


def two_phases(*more: Phase) -> tuple[Phase, ...]:
    return (Phase(id="build"), Phase(id="wire", after=("build",)), *more)


def of_type(events: list[e.Event], kind: type[e.StatusUpdate] | type[e.FinalizeStarted]) -> list[str]:
    """Whom events of a kind are about."""
    return [event.agent for event in events if isinstance(event, kind)]


# ── starting ────────────────────────────────────────────────────────────────────────────────────


def test_the_next_phase_starts_when_every_agent_of_the_one_before_is_complete() -> None:
    play = Play(plan(agent("alpha"), agent("beta"), agent("last", "wire"), phases=two_phases()))
    assert (play.status("alpha"), play.status("last")) == ("starting", "pending")
    play.start("alpha", "beta")
    play.exit("alpha")
    assert (play.phase("build"), play.phase("wire")) == ("active", "pending")
    play.exit("beta")
    assert (play.phase("build"), play.phase("wire")) == ("completed", "active")
    assert play.status("last") == "starting"


def test_an_agent_waits_for_what_it_needs_and_says_for_what() -> None:
    store = InterfaceStub(name="store", owner="alpha", path="alpha/api")
    needy = agent("beta", needs=Needs(tasks=("a1",), apis=("store",)))
    play = Play(plan(agent("alpha", tasks=["a1", "a2"]), needy, interfaces=(store,)))
    assert (play.status("beta"), play.state.agents["beta"].reason) == ("waiting", "task a1, API store")
    play.start("alpha")
    play.do(c.CompleteTask("alpha", "a1"))
    assert play.state.agents["beta"].reason == "API store"
    play.do(c.PublishApi("alpha", "store", "digest"))
    assert play.status("beta") == "starting"


def test_a_phase_has_needs_of_its_own() -> None:
    phases = (Phase(id="build"), Phase(id="side", needs=Needs(tasks=("a1",), phases=())))
    play = Play(plan(agent("alpha", tasks=["a1", "a2"]), agent("beta", "side"), phases=phases))
    play.start("alpha")
    assert play.status("beta") == "pending"
    play.do(c.CompleteTask("alpha", "a1"))
    assert (play.phase("side"), play.status("beta")) == ("active", "starting")


def test_a_phase_without_agents_is_complete_at_once() -> None:
    play = Play(plan(agent("last", "wire"), phases=two_phases()))
    assert (play.phase("build"), play.status("last")) == ("completed", "starting")


def test_a_plan_without_agents_is_complete_at_once() -> None:
    assert Play(plan()).state.outcome == "completed"


# ── completing ──────────────────────────────────────────────────────────────────────────────────


def test_an_agent_is_complete_with_its_last_task_and_goes_on_serving() -> None:
    play = Play(plan(agent("alpha", tasks=["a1", "a2"]), agent("beta")))
    play.start("alpha", "beta")
    play.do(c.StartTask("alpha", "a1"))
    play.do(c.CompleteTask("alpha", "a1"))
    assert (play.status("alpha"), play.state.agents["alpha"].task) == ("running", None)
    play.do(c.CompleteTask("alpha", "a2"))
    assert (play.status("alpha"), play.state.agents["alpha"].alive) == ("completed", True)
    play.exit("alpha", code=3)
    assert play.status("alpha") == "completed", "what it did stays done, however it ends"


def test_exit_0_completes_the_remaining_tasks_any_other_exit_fails() -> None:
    play = Play(plan(agent("alpha", tasks=["a1"]), agent("beta", tasks=["b1"])))
    play.start("alpha", "beta")
    play.exit("alpha", code=0)
    play.exit("beta", code=2)
    assert play.state.tasks["a1"].status == "completed"
    assert (play.status("beta"), play.state.agents["beta"].reason) == ("failed", "exit 2")
    assert play.state.tasks["b1"].status == "not started"
    assert play.phase("build") == "active"
    assert stalled(play.state) == ("beta failed (exit 2)",)


def test_a_blocked_task_is_taken_up_again() -> None:
    play = Play(plan(agent("alpha", tasks=["a1"])))
    play.start("alpha")
    play.do(c.StartTask("alpha", "a1"))
    play.do(c.BlockTask("alpha", "a1", "beta's file is in the way"))
    assert (play.state.tasks["a1"].status, play.state.tasks["a1"].reason) == (
        "blocked",
        "beta's file is in the way",
    )
    play.do(c.StartTask("alpha", "a1"))
    assert (play.state.tasks["a1"].status, play.state.tasks["a1"].reason) == ("in progress", "")


# ── finalizing ──────────────────────────────────────────────────────────────────────────────────


def test_continuous_agents_finalize_when_the_rest_is_complete_and_serving_ones_at_the_very_end() -> None:
    phases = (Phase(id="build"), Phase(id="always", continuous=True))
    play = Play(
        plan(
            agent("server", tasks=["s1"]), agent("alpha"), agent("ci", "always", tasks=["c1"]), phases=phases
        )
    )
    play.start("server", "alpha", "ci")
    play.do(c.CompleteTask("ci", "c1"))
    assert play.status("ci") == "running", "a continuous agent has its last work before it"
    assert of_type(play.do(c.CompleteTask("server", "s1")), e.FinalizeStarted) == []
    assert of_type(play.exit("alpha"), e.FinalizeStarted) == ["ci"]
    assert play.state.outcome is None
    assert of_type(play.exit("ci"), e.FinalizeStarted) == ["server"]
    assert play.state.outcome is None
    play.exit("server", code=None, signal=signal.SIGTERM)
    assert play.state.outcome == "completed"
    assert play.state.ended_at == play.now


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_continuous_agent_that_is_told_to_go_may_end_by_the_signal(by: int) -> None:
    phases = (Phase(id="build"), Phase(id="always", continuous=True))
    play = Play(plan(agent("alpha"), agent("ci", "always"), phases=phases))
    play.start("alpha", "ci")
    play.exit("alpha")
    play.exit("ci", code=None, signal=by)
    assert (play.status("ci"), play.state.outcome) == ("completed", "completed")


def test_a_continuous_agent_that_dies_before_it_is_told_has_failed() -> None:
    phases = (Phase(id="build"), Phase(id="always", continuous=True))
    play = Play(plan(agent("alpha"), agent("ci", "always"), phases=phases))
    play.start("alpha", "ci")
    play.exit("ci", code=None, signal=signal.SIGTERM)
    play.exit("alpha")
    assert play.status("ci") == "failed"
    assert stalled(play.state) == ("ci failed (ended by signal 15 (SIGTERM))",)


def test_an_agent_that_is_being_restarted_is_told_to_finalize_when_it_runs_again() -> None:
    phases = (Phase(id="build"), Phase(id="always", continuous=True))
    play = Play(plan(agent("alpha"), agent("ci", "always"), phases=phases))
    play.start("alpha", "ci")
    play.exit("ci", code=1)
    assert of_type(play.do(c.RestartAgent("ci")), e.FinalizeStarted) == []
    assert of_type(play.exit("alpha"), e.FinalizeStarted) == []
    assert of_type(play.do(c.ReportStarted("ci", "%9", 9)), e.FinalizeStarted) == ["ci"]


def test_an_agent_that_failed_at_finalizing_is_told_again_when_it_is_restarted() -> None:
    phases = (Phase(id="build"), Phase(id="always", continuous=True))
    play = Play(plan(agent("alpha"), agent("ci", "always"), phases=phases))
    play.start("alpha", "ci")
    assert of_type(play.exit("alpha"), e.FinalizeStarted) == ["ci"]
    play.exit("ci", code=1)
    assert play.status("ci") == "failed"
    play.do(c.RestartAgent("ci"))
    assert not play.state.agents["ci"].finalizing
    assert of_type(play.do(c.ReportStarted("ci", "%9", 9)), e.FinalizeStarted) == ["ci"]


# ── failing, restarting, stopping ───────────────────────────────────────────────────────────────


def test_a_failed_agent_starts_anew_and_the_plan_goes_on() -> None:
    play = Play(plan(agent("alpha", tasks=["a1"]), agent("last", "wire"), phases=two_phases()))
    play.start("alpha")
    play.do(c.StartTask("alpha", "a1"))
    play.exit("alpha", code=1)
    play.do(c.RestartAgent("alpha"))
    again = play.state.agents["alpha"]
    assert (again.status, again.attempt, again.code, again.task) == ("starting", 2, None, None)
    play.start("alpha")
    assert play.do(c.StartTask("alpha", "a1")), "the new program takes the task up itself"
    play.exit("alpha")
    assert play.status("last") == "starting"


def test_a_program_that_could_not_be_started_fails_its_agent() -> None:
    play = Play(plan(agent("alpha")))
    play.do(c.ReportExited("alpha", reason="could not be started: no such file"))
    assert (play.status("alpha"), play.state.agents["alpha"].reason) == (
        "failed",
        "could not be started: no such file",
    )


def test_a_stopped_agent_stays_stopped_until_it_is_restarted() -> None:
    play = Play(plan(agent("alpha")))
    play.start("alpha")
    play.do(c.StopAgent("alpha", "stopped by the operator"))
    play.exit("alpha", code=0)
    assert play.status("alpha") == "stopped"
    play.do(c.TakeEngine(1, "here"))
    assert stalled(play.state) == ("alpha stopped (stopped by the operator)",)
    play.do(c.RestartAgent("alpha"))
    play.start("alpha")
    assert play.status("alpha") == "running"


def test_a_stop_stands_when_the_restarted_program_comes_up_after_it() -> None:
    play = Play(plan(agent("alpha")))
    play.start("alpha")
    play.exit("alpha", code=1)
    play.do(c.RestartAgent("alpha"))
    play.do(c.StopAgent("alpha", "changed my mind"))
    play.start("alpha")
    alpha = play.state.agents["alpha"]
    assert (alpha.status, alpha.reason, alpha.alive) == ("stopped", "changed my mind", True)


def test_a_complete_agent_that_is_stopped_only_ceases_to_serve() -> None:
    play = Play(plan(agent("alpha", tasks=["a1"]), agent("beta")))
    play.start("alpha", "beta")
    play.do(c.CompleteTask("alpha", "a1"))
    assert of_type(play.do(c.StopAgent("alpha", "enough")), e.FinalizeStarted) == ["alpha"]
    assert play.do(c.StopAgent("alpha", "enough")) == []
    play.exit("alpha", code=None, signal=signal.SIGTERM)
    assert play.status("alpha") == "completed"
    play.exit("beta")
    assert play.state.outcome == "completed"


def test_a_complete_agent_that_was_killed_while_it_served_serves_again() -> None:
    play = Play(plan(agent("alpha", tasks=["a1"]), agent("beta"), agent("last", "wire"), phases=two_phases()))
    play.start("alpha", "beta")
    play.do(c.CompleteTask("alpha", "a1"))
    why = "alpha is completed: only a failed or stopped agent restarts"
    assert play.refused(c.RestartAgent("alpha")) == why
    play.exit("beta")
    play.start("last")
    play.exit("alpha", code=None, signal=signal.SIGKILL)
    play.do(c.RestartAgent("alpha"))
    play.start("alpha")
    alpha = play.state.agents["alpha"]
    assert (alpha.status, alpha.alive, alpha.attempt) == ("completed", True, 2)
    assert play.state.tasks["a1"].status == "completed"
    assert (play.status("last"), play.state.phases["build"].status) == ("running", "completed")
    play.exit("alpha", code=0)
    assert play.refused(c.RestartAgent("alpha")) == why, "it left by itself"
    play.exit("last")
    assert play.state.outcome == "completed"


def test_down_stops_everything_and_the_next_engine_starts_it_again() -> None:
    waiting = agent("gamma", needs=Needs(tasks=("a1",)))
    play = Play(plan(agent("alpha", tasks=["a1"]), agent("beta"), waiting))
    play.start("alpha", "beta")
    play.do(c.StopAgent("beta", "stopped by the operator"))
    play.exit("beta")
    play.do(c.StopAgent("alpha", DOWN))
    play.exit("alpha", code=None, signal=signal.SIGTERM)
    play.do(c.LeaveEngine(DOWN))
    assert not play.state.engines
    assert (play.status("alpha"), play.status("gamma")) == ("stopped", "waiting")

    play.do(c.TakeEngine(2, "here"))
    assert (play.status("alpha"), play.status("beta"), play.status("gamma")) == (
        "starting",
        "stopped",
        "waiting",
    )
    assert play.state.engines[""].pid == 2


def test_a_run_that_is_over_moves_no_more_until_a_new_one_begins() -> None:
    play = Play(plan(agent("alpha")))
    play.do(c.EndRun("stopped", "enough"))
    assert (play.state.outcome, play.state.outcome_reason) == ("stopped", "enough")
    play.start("alpha")
    play.exit("alpha")
    assert (play.status("alpha"), play.phase("build")) == ("completed", "active")
    play.do(c.StartRun(plan(agent("alpha"))))
    assert (play.state.run, play.status("alpha"), play.state.outcome) == (2, "starting", None)


# ── stalling ────────────────────────────────────────────────────────────────────────────────────


def test_a_run_stalls_when_nobody_is_left_who_could_go_on() -> None:
    needy = agent("beta", needs=Needs(apis=("store",)))
    play = Play(plan(agent("alpha"), needy))
    assert stalled(play.state) == ()
    play.start("alpha")
    assert stalled(play.state) == ()
    play.exit("alpha")
    assert stalled(play.state) == ("beta waits for API store",)
    assert stalled(Play().state) == ()


def test_a_run_stalls_at_a_phase_without_agents_that_can_never_start() -> None:
    phases = (Phase(id="build"), Phase(id="gate", after=("build",), needs=Needs(apis=("store",))))
    play = Play(plan(agent("alpha"), phases=phases))
    play.start("alpha")
    play.exit("alpha")
    assert play.state.outcome is None
    assert stalled(play.state) == ("phase gate waits for API store",)


# ── a plan that changes while it runs ───────────────────────────────────────────────────────────


def built() -> Play:
    """The phase "build" with alpha (a1) is complete, "wire" with last runs."""
    play = Play(plan(agent("alpha", tasks=["a1"]), agent("last", "wire"), phases=two_phases()))
    play.start("alpha")
    play.exit("alpha")
    play.start("last")
    return play


def changed(play: Play, to: ExecutionPlan) -> list[e.Event]:
    return play.do(c.ChangePlan(to))


def test_a_complete_phase_opens_again_for_an_agent_that_is_added() -> None:
    play = built()
    began = play.state.phases["build"].started_at
    play.now += 60
    changed(
        play,
        plan(agent("alpha", tasks=["a1"]), agent("new"), agent("last", "wire"), phases=two_phases()),
    )
    build = play.state.phases["build"]
    assert (build.status, build.started_at, build.completed_at) == ("active", began, None)
    assert (play.status("new"), play.status("alpha"), play.status("last")) == (
        "starting",
        "completed",
        "running",
    )
    play.exit("last")
    assert play.state.outcome is None
    play.start("new")
    play.exit("new")
    assert play.state.outcome == "completed"


def test_a_complete_agent_that_is_given_a_task_starts_again() -> None:
    play = built()
    changed(play, plan(agent("alpha", tasks=["a1", "a2"]), agent("last", "wire"), phases=two_phases()))
    assert (play.status("alpha"), play.phase("build")) == ("starting", "active")
    assert [task.status for task in play.state.tasks_of("alpha")] == ["completed", "not started"]


def test_a_serving_agent_that_is_given_a_task_is_at_work_again() -> None:
    play = Play(plan(agent("alpha", tasks=["a1"]), agent("beta")))
    play.start("alpha", "beta")
    play.do(c.CompleteTask("alpha", "a1"))
    changed(play, plan(agent("alpha", tasks=["a1", "a2"]), agent("beta")))
    alpha = play.state.agents["alpha"]
    assert (alpha.status, alpha.reason) == ("running", "the plan gave it more to do: a2")
    play.do(c.CompleteTask("alpha", "a2"))
    assert play.status("alpha") == "completed"


def test_a_running_agent_keeps_its_place_when_its_tasks_change() -> None:
    play = Play(plan(agent("alpha", tasks=["a1", "a2"])))
    play.start("alpha")
    play.do(c.CompleteTask("alpha", "a1"))
    changed(play, plan(agent("alpha", tasks=["a1"])))
    assert (play.status("alpha"), play.phase("build")) == ("completed", "completed")


def test_an_agent_taken_out_while_it_runs_is_seen_until_it_ends_and_holds_nothing_up() -> None:
    play = Play(plan(agent("alpha", tasks=["a1"]), agent("beta"), agent("last", "wire"), phases=two_phases()))
    play.start("alpha", "beta")
    changed(play, plan(agent("beta"), agent("last", "wire"), phases=two_phases()))
    assert play.state.agents["alpha"].alive
    play.write("alpha/x", "alpha")
    assert not play.state.requests, "nobody owns that now"
    play.exit("beta")
    assert play.status("last") == "starting"
    play.start("last")
    assert of_type(play.exit("last"), e.FinalizeStarted) == ["alpha"]
    play.exit("alpha", code=None, signal=signal.SIGTERM)
    assert play.state.outcome == "completed"


def test_an_agent_taken_out_before_it_ran_is_gone() -> None:
    waiting = agent("beta", needs=Needs(tasks=("a1",)))
    play = Play(plan(agent("alpha", tasks=["a1"]), waiting))
    changed(play, plan(agent("alpha", tasks=["a1"])))
    assert list(play.state.agents) == ["alpha"]


def test_an_agent_taken_out_while_its_program_comes_up_is_not_lost_sight_of() -> None:
    play = Play(plan(agent("alpha"), agent("beta")))
    changed(play, plan(agent("alpha")))
    play.start("beta")
    assert play.state.agents["beta"].alive
    play.do(c.StopAgent("beta", "not in the plan"))


def test_a_task_that_is_given_to_another_agent_is_the_others() -> None:
    play = Play(plan(agent("alpha", tasks=["t1"]), agent("beta", tasks=["b1"])))
    play.start("alpha", "beta")
    changed(play, plan(agent("beta", tasks=["b1", "t1"])))
    assert play.state.tasks["t1"].agent == "beta"
    assert "is a task of beta" in play.refused(c.CompleteTask("alpha", "t1"))
    play.exit("alpha")
    assert play.state.tasks["t1"].status == "not started"
    play.do(c.CompleteTask("beta", "t1"))


def test_a_renamed_phase_is_entered_by_the_agents_that_run() -> None:
    play = Play(plan(agent("alpha"), agent("beta")))
    play.start("alpha", "beta")
    play.exit("alpha")
    changed(play, plan(agent("alpha", "make"), agent("beta", "make"), phases=(Phase(id="make"),)))
    assert list(play.state.phases) == ["make"]
    assert (play.phase("make"), play.status("beta"), play.status("alpha")) == (
        "active",
        "running",
        "completed",
    )
    play.exit("beta")
    assert play.state.outcome == "completed"


def test_a_changed_claim_decides_at_once() -> None:
    play = Play(plan(agent("alpha"), agent("beta")))
    play.write("beta/x", "alpha")
    assert len(play.state.requests) == 1
    changed(play, plan(agent("alpha", claims=["alpha/**", "beta/x"]), agent("beta")))
    play.write("beta/x", "alpha")
    assert play.state.requests[1].paths == ("beta/x",)
    assert play.state.owners.owner_of("beta/x") is not None
    play.now += 60
    assert [event.type for event in play.write("beta/x", "alpha")] == ["Touched"]


def test_owners_are_worked_out_once_for_a_plan() -> None:
    play = Play(plan(agent("alpha"), agent("beta")))
    owners = play.state.owners
    play.write("beta/x", "alpha")
    play.start("alpha")
    assert play.state.owners is owners
    changed(play, plan(agent("alpha")))
    assert play.state.owners is not owners
    assert settle(play.state) == ()


@pytest.mark.parametrize("jump", [-1e9, -60.0, 1e9])
def test_a_clock_that_jumps_changes_no_outcome(jump: float) -> None:
    play = Play(plan(agent("alpha", tasks=["a1"]), agent("last", "wire"), phases=two_phases()))
    play.start("alpha")
    play.now += jump
    play.do(c.StartTask("alpha", "a1"))
    play.exit("alpha")
    play.now -= jump / 2
    play.start("last")
    play.exit("last")
    assert play.state.outcome == "completed"
    assert [record.seq for record in play.records] == list(range(1, len(play.records) + 1))
