"""A rehearsal asks the rules that ran: the same plan raises what was raised, a better one less."""

from __future__ import annotations

from core_play import Play, agent, plan
from hypothesis import given, settings
from hypothesis import strategies as st

from runebook_tui.core import commands as c
from runebook_tui.core import events as e
from runebook_tui.core.grants import Scope
from runebook_tui.core.planedits import AddMayWrite, edited
from runebook_tui.core.rehearsal import Commit, rehearse_history, rehearse_run
from runebook_tui.core.types import Author, ExecutionPlan

PLAN = plan(agent("alpha", tasks=["a-1"]), agent("beta"), agent("gamma"))


def begin(first: ExecutionPlan = PLAN) -> Play:
    here = Play(first)
    here.start("alpha", "beta", "gamma")
    return here


def raised(here: Play) -> int:
    return sum(isinstance(record.event, e.CoordinationRequest) for record in here.records)


def approve(here: Play, scope: Scope = Scope.ONCE) -> None:
    here.do(c.Decide(here.state.last_request, "approved", scope))


def test_crossings_that_were_approved_one_by_one() -> None:
    here = begin()
    for number in range(3):
        here.now += 100
        here.write(f"beta/{number}", "alpha")
        approve(here)
    then = rehearse_run(here.records)
    assert len(then.requests) == raised(here) == 3
    assert then.pairs == [(("alpha", "beta"), 3)]
    better = edited(here.state.plan, [AddMayWrite("alpha", "beta/**")])
    assert rehearse_run(here.records, better).requests == ()
    worse = plan(agent("alpha", claims=["nothing"], tasks=["a-1"]), agent("beta"), agent("gamma"))
    assert len(rehearse_run(here.records, worse).requests) == 3


def test_an_approval_for_longer_covers_in_the_rehearsal_what_it_covered() -> None:
    here = begin()
    here.do(c.StartTask("alpha", "a-1"))
    here.do(c.Ask("alpha", ("beta/x",), "please"))
    approve(here, Scope.TASK)
    for _ in range(3):
        here.now += 100
        here.write("beta/x", "alpha")
    here.do(c.CompleteTask("alpha", "a-1"))
    here.now += 100
    here.write("beta/x", "alpha")
    assert raised(here) == 2
    assert len(rehearse_run(here.records).requests) == 2


def test_a_stopped_write_asks_again_only_where_it_crosses() -> None:
    here = begin()
    here.do(c.Hold("alpha", "beta/x", 7, "sed", "open it", until=here.now + 60))
    approve(here)
    here.now += 1
    here.write("beta/x", Author(name="alpha", evidence="gate", pid=7, under=1))
    then = rehearse_run(here.records)
    assert [(each.agent, each.owner, each.paths) for each in then.requests] == [
        ("alpha", "beta", ("beta/x",))
    ]
    better = edited(here.state.plan, [AddMayWrite("alpha", "beta/**")])
    assert rehearse_run(here.records, better).requests == ()


def test_a_narrower_plan_raises_what_nobody_was_asked_about() -> None:
    here = begin()
    here.write("alpha/mine", "alpha")
    narrower = plan(agent("alpha", claims=["else/**"], tasks=["a-1"]), agent("beta", claims=["alpha/**"]))
    assert rehearse_run(here.records).requests == ()
    (request,) = rehearse_run(here.records, narrower).requests
    assert (request.agent, request.owner, request.paths) == ("alpha", "beta", ("alpha/mine",))


def test_only_the_last_of_the_runs_that_are_given_counts_and_the_plan_changes_as_it_did() -> None:
    here = begin()
    here.write("beta/x", "alpha")
    here.do(c.ChangePlan(edited(PLAN, [AddMayWrite("alpha", "beta/**")])))
    here.now += 100
    here.write("beta/y", "alpha")
    assert raised(here) == 1
    assert len(rehearse_run(here.records).requests) == 1
    assert len(rehearse_run(here.records, PLAN).requests) == 2


def test_the_history_counts_a_commit_as_its_agents() -> None:
    commits = [
        Commit(100.0, "", ("alpha/a", "alpha/b", "beta/x", "runebook.toml")),
        Commit(200.0, "gamma", ("alpha/a",)),
        Commit(300.0, "", ("nobodys",)),
        Commit(400.0, "", ("alpha/c", "beta/x")),
    ]
    found = rehearse_history(commits, PLAN)
    assert [(each.agent, each.owner) for each in found.requests] == [
        ("alpha", "beta"),
        ("gamma", "alpha"),
        ("alpha", "beta"),
    ]
    assert found.paths[0] == ("beta/x", 2)
    better = edited(PLAN, [AddMayWrite("alpha", "beta/**")])
    assert len(rehearse_history(commits, better).requests) == 1


STEPS = st.tuples(
    st.sampled_from(["alpha", "beta", "gamma"]),
    st.sampled_from(["alpha/x", "beta/x", "beta/y", "gamma/x", "free"]),
    st.sampled_from(["write", "ask", "approve", "approve for the plan", "reject"]),
    st.sampled_from([0.5, 5.0, 100.0]),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(STEPS, max_size=25))
def test_the_same_plan_raises_the_same_requests(steps: list[tuple[str, str, str, float]]) -> None:
    here = begin()
    for who, path, what, later in steps:
        here.now += later
        if what == "write":
            here.write(path, who)
        elif what == "ask":
            here.attempt(c.Ask(who, (path,), "please"))
        else:
            scope = Scope.PLAN if "plan" in what else Scope.ONCE
            decision = "rejected" if what == "reject" else "approved"
            here.attempt(c.Decide(here.state.last_request, decision, scope))
    found = rehearse_run(here.records)
    there = {(request.who, tuple(sorted(request.paths))) for request in here.state.requests.values()}
    assert {(each.agent, tuple(sorted(each.paths))) for each in found.requests} == there
    assert len(found.requests) == raised(here)


def test_a_question_that_is_rejected_leaves_what_was_written_before_open() -> None:
    here = begin()
    here.write("beta/x", "alpha")
    here.attempt(c.Ask("alpha", ("beta/x",), "please"))
    here.attempt(c.Decide(here.state.last_request, "rejected", Scope.ONCE))
    here.write("beta/x", "alpha")
    assert len(rehearse_run(here.records).requests) == raised(here) == 2
