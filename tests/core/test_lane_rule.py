"""What of a lane may come into the repository, and what waits for it."""

from __future__ import annotations

import core_play
from core_play import agent, plan, version

from runebook_tui.core import commands as c
from runebook_tui.core import events as e
from runebook_tui.core.grants import Scope
from runebook_tui.core.lanes import may_integrate, providers
from runebook_tui.core.types import Author, Change, Crossing, Needs, Phase, PlanInfo


def lanes_plan(*agents, **more):
    made = plan(*agents, **more)
    return made.model_copy(update={"plan": PlanInfo(name="lanes", isolation="worktree")})


def begin(*agents, **more) -> core_play.Play:
    play = core_play.Play(lanes_plan(*(agents or (agent("alpha"), agent("beta"))), **more))
    for each in play.state.agents.values():
        if each.status.value == "starting":
            play.do(c.ReportLane(each.id, f"runebook/{each.id}", True))
            play.start(each.id)
    return play


def write(play, path: str, lane: str = "alpha", *, free: bool = False) -> list[e.Event]:
    change = Change(path=path, before=version("old"), after=version("new"))
    return play.do(c.Observe((c.Touch(change, Author(name="alpha", evidence="seen"), lane, free),)))


def report(play, name: str = "alpha", *, conflicts: str = "", whole: bool = True) -> list[e.Event]:
    crossings = tuple(
        Crossing(path=path, owner=None, change=Change(path=path, before=version("a"), after=version("b")))
        for path in conflicts.split()
    )
    return play.do(c.ReportIntegrated(name, "", (), {}, crossings, "why", whole))


def test_owned_and_unowned_come_in_and_foreign_and_the_operators_do_not():
    state = begin().state
    assert may_integrate(state, "alpha", "alpha/x") == may_integrate(state, "alpha", "nobody") == ""
    assert may_integrate(state, "alpha", "beta/x") == "it is beta's"
    assert may_integrate(state, "alpha", "runebook.toml") == "it is the operator's"


def test_a_crossing_comes_in_once_it_is_approved_and_not_when_rejected():
    play = begin()
    write(play, "beta/x")
    assert may_integrate(play.state, "alpha", "beta/x") == "request 1 is open"
    play.do(c.Decide(1, "rejected"))
    assert may_integrate(play.state, "alpha", "beta/x") == "request 1 is rejected"
    write(play, "beta/x")
    play.do(c.Decide(2, "approved"))
    assert may_integrate(play.state, "alpha", "beta/x") == ""
    assert may_integrate(play.state, "beta", "beta/x") == ""


def test_what_was_granted_beforehand_comes_in_even_when_the_grant_is_used():
    play = begin()
    play.do(c.Ask("alpha", ("beta/x",), "please"))
    play.do(c.Decide(1, "approved"))
    write(play, "beta/x")
    play.now += 60
    assert may_integrate(play.state, "alpha", "beta/x") == ""
    assert len(play.state.requests) == 1


def test_the_same_path_in_two_trees_is_two_requests_and_what_is_brought_is_none():
    play = begin()
    write(play, "beta/x")
    write(play, "beta/x", "")
    assert [(r.lane, r.paths) for r in play.state.open_requests] == [
        ("alpha", ("beta/x",)),
        ("", ("beta/x",)),
    ]
    assert [type(event) for event in write(play, "beta/y", free=True)] == [e.Touched]


def test_a_phase_is_complete_only_when_its_lanes_are_integrated():
    later = agent("later", phase="wire")
    play = begin(agent("alpha"), later, phases=(Phase(id="build"), Phase(id="wire", after=("build",))))
    play.exit("alpha")
    assert play.status("alpha") == "completed"
    assert (play.phase("build"), play.status("later")) == ("active", "pending")
    report(play, whole=False)
    assert play.phase("build") == "active"
    report(play, conflicts="alpha/x")
    assert play.phase("build") == "active"
    report(play)
    assert (play.phase("build"), play.status("later")) == ("completed", "starting")


def test_a_conflict_is_one_request_until_what_it_is_about_changes():
    play = begin()
    report(play, conflicts="alpha/x alpha/y")
    assert report(play, conflicts="alpha/x alpha/y") == []
    assert [r.paths for r in play.state.open_requests] == [("alpha/x", "alpha/y")]
    refused = play.refused(c.Decide(1, "approved", Scope.PLAN))
    assert "approved once only" in refused
    report(play, conflicts="alpha/x")
    assert [r.paths for r in play.state.open_requests] == [("alpha/x",)]
    report(play)
    assert play.state.open_requests == ()


def test_a_late_approval_has_the_lane_integrated_again_before_the_run_ends():
    play = begin(agent("alpha"), agent("beta"))
    write(play, "beta/x")
    play.exit("alpha")
    report(play)
    play.do(c.Decide(1, "approved"))
    play.exit("beta")
    report(play, "beta")
    assert play.state.outcome is None
    report(play)
    assert play.state.outcome == "completed"


def test_an_agent_is_provided_for_by_those_whose_tasks_and_apis_it_needs():
    needy = agent("beta", needs=Needs(tasks=("alpha-1",)))
    state = begin(agent("alpha", tasks=("alpha-1",)), needy).state
    assert providers(state, state.agents["beta"]) == ("alpha",)
    assert providers(state, state.agents["alpha"]) == ()
