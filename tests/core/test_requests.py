"""Writes that cross a boundary, the requests they make, and what the operator's answers give."""

from __future__ import annotations

from typing import Literal

import pytest
from core_play import Play, agent, plan, touch, version

from runebook_tui.core import commands as c
from runebook_tui.core import events as e
from runebook_tui.core.boundary import BURST, JOIN_SECONDS, commit_refusal, may_write
from runebook_tui.core.grants import SPENT, Scope
from runebook_tui.core.ownership import Verdict
from runebook_tui.core.requests import KEPT
from runebook_tui.core.types import (
    OPERATOR,
    Author,
    Change,
    Crossing,
    ExecutionPlan,
    Policy,
    RequestKind,
    SharedPath,
)


def three(unowned: Literal["allow", "ask"] = "allow") -> ExecutionPlan:
    """alpha, beta and gamma own their folders; core/ is shared and gamma's."""
    return plan(
        agent("alpha", tasks=["a1", "a2"]),
        agent("beta", tasks=["b1"]),
        agent("gamma", claims=["gamma/**", "runebook.toml"], tasks=["g1"]),
        shared=(SharedPath(path="core/**", owner="gamma"),),
        policy=Policy(unowned=unowned),
    )


@pytest.fixture
def play() -> Play:
    run = Play(three())
    run.start("alpha", "beta", "gamma")
    return run


def verdict(play: Play, name: str, path: str, pid: int | None = None) -> Verdict:
    return may_write(play.state, name, path, play.now, pid=pid)


def approve(play: Play, request: int, scope: Scope = Scope.ONCE) -> None:
    play.do(c.Decide(request, "approved", scope))


# ── crossings ───────────────────────────────────────────────────────────────────────────────────


def test_a_foreign_write_is_a_request_that_names_whose_path_it_is(play: Play) -> None:
    play.write("beta/x", "alpha", pid=7)
    (request,) = play.state.open_requests
    assert (request.id, request.kind, request.requester) == (1, RequestKind.CROSSED, "alpha")
    assert request.owners == ("beta",)
    assert request.paths == ("beta/x",)
    assert (request.pid, request.evidence, request.who) == (7, "seen", "alpha")
    change = request.crossings["beta/x"].change
    assert change is not None
    assert change.after == version("x")


@pytest.mark.parametrize(
    ("path", "who"),
    [
        ("alpha/x", "alpha"),
        ("free", "alpha"),
        ("beta/x.pyc", "alpha"),
        ("beta/x", OPERATOR),
        ("runebook.toml", OPERATOR),
        ("core/x", "gamma"),
        ("beta/x", None),
    ],
)
def test_no_request_is_raised(play: Play, path: str, who: str | None) -> None:
    happened = play.write(path, who)
    assert [event.type for event in happened] == ["Touched"]
    assert play.state.touches == 1
    assert play.state.recent_touches[-1].path == path


@pytest.mark.parametrize("path", ["core/x", "runebook.toml", ".git/hooks/pre-commit", ".runebook/log.sqlite"])
def test_shared_and_operators_paths_are_crossed_by_others(play: Play, path: str) -> None:
    play.write(path, "alpha")
    (request,) = play.state.open_requests
    assert request.owners == (("gamma",) if path == "core/x" else ("operator",))


def test_the_plan_stays_the_operators_even_where_an_agent_claims_it(play: Play) -> None:
    play.write("runebook.toml", "gamma")
    assert play.state.requests[1].crossings["runebook.toml"].owner is None


def test_a_path_that_nobody_claims_asks_where_the_policy_says_so() -> None:
    play = Play(three("ask"))
    play.write("free", "alpha")
    assert play.state.requests[1].paths == ("free",)
    approve(play, 1, Scope.PLAN)
    assert verdict(play, "alpha", "free") is Verdict.GRANTED
    assert verdict(play, "beta", "free") is Verdict.FOREIGN


def test_a_once_grant_for_a_path_that_nobody_claims_is_used_up_too() -> None:
    play = Play(three("ask"))
    play.do(c.Ask("alpha", ("free",), "please"))
    approve(play, 1)
    used = play.write("free", "alpha", pid=7)
    assert [event.type for event in used] == ["Touched", "GrantUsed", "RequestGrew"]
    assert verdict(play, "alpha", "free", pid=8) is Verdict.FOREIGN


def test_a_certain_author_is_not_asked_whether_it_was_the_operator(play: Play) -> None:
    play.write("beta/x", "alpha")
    assert "for certain" in play.refused(c.Disown(1))


def test_one_key_says_that_was_me_where_the_operator_is_a_candidate(play: Play) -> None:
    play.maybe("beta/x", "alpha", OPERATOR)
    assert play.state.requests[1].who == "alpha or you"
    play.do(c.Disown(1))
    assert play.state.requests[1].status == "withdrawn"
    assert "is withdrawn already" in play.refused(c.Decide(1, "approved"))


def test_the_owner_among_the_candidates_raises_no_request(play: Play) -> None:
    play.maybe("beta/x", "alpha", "beta")
    assert not play.state.requests


def test_a_candidate_with_a_grant_raises_no_request(play: Play) -> None:
    play.do(c.Ask("alpha", ("beta/x",), "please"))
    approve(play, 1, Scope.PLAN)
    play.maybe("beta/x", "alpha", OPERATOR)
    assert len(play.state.requests) == 1


def test_an_uncertain_author_is_approved_once_only(play: Play) -> None:
    play.maybe("beta/x", "alpha", OPERATOR)
    assert "no certain author" in play.refused(c.Decide(1, "approved", Scope.PLAN))
    approve(play, 1)
    assert not play.state.grants


# ── one request for what belongs together ───────────────────────────────────────────────────────


def test_the_same_path_again_joins_the_open_request_however_late(play: Play) -> None:
    play.do(c.Observe((touch("beta/x", "alpha", after=version("one")),)))
    play.now += 3600
    second = touch("beta/x", "alpha", before=version("one"), after=version("two"))
    assert [event.type for event in play.do(c.Observe((second,)))] == ["Touched", "RequestGrew"]
    change = play.state.requests[1].crossings["beta/x"].change
    assert change is not None
    assert (change.before.kind, change.after) == ("absent", version("two"))


def test_one_process_is_one_request_whoever_owns_the_paths(play: Play) -> None:
    play.write("beta/x", "alpha", pid=7)
    play.now += 3600
    play.write("gamma/x", "alpha", pid=7)
    assert play.state.requests[1].owners == ("beta", "gamma")
    assert len(play.state.requests) == 1


def test_soon_and_of_one_owner_is_one_request(play: Play) -> None:
    play.write("beta/x", "alpha", pid=7)
    play.now += JOIN_SECONDS
    play.write("beta/y", "alpha", pid=8)
    play.now += JOIN_SECONDS
    play.write("beta/z", "alpha")
    assert play.state.requests[1].paths == ("beta/x", "beta/y", "beta/z")


def test_later_or_of_another_owner_or_by_another_agent_is_another_request(play: Play) -> None:
    play.write("beta/x", "alpha")
    play.write("gamma/x", "alpha")
    play.write("beta/x", "gamma")
    play.maybe("beta/x", "alpha", OPERATOR)
    play.now += JOIN_SECONDS + 0.1
    play.write("beta/y", "alpha")
    assert [(r.who, r.paths) for r in play.state.requests.values()] == [
        ("alpha", ("beta/x",)),
        ("alpha", ("gamma/x",)),
        ("gamma", ("beta/x",)),
        ("alpha or you", ("beta/x",)),
        ("alpha", ("beta/y",)),
    ]


def test_nothing_joins_a_request_that_is_decided_or_was_asked(play: Play) -> None:
    play.do(c.Ask("alpha", ("beta/asked",), "please"))
    play.write("beta/x", "alpha", pid=7)
    play.do(c.Decide(2, "rejected"))
    play.write("beta/x", "alpha", pid=7)
    assert list(play.state.requests) == [1, 2, 3]


def test_a_burst_with_a_cause_is_one_request_for_all_owners(play: Play) -> None:
    paths = ["beta/1", "gamma/1", "beta/2", "core/1"]
    play.do(c.Observe(tuple(touch(path, "alpha") for path in paths), cause="git checkout topic"))
    (request,) = play.state.open_requests
    assert sorted(request.paths) == sorted(paths)
    assert request.reason == "git checkout topic"


def test_many_changes_at_once_are_one_request_an_author(play: Play) -> None:
    seen = [touch(f"{owner}/{n}", "alpha") for owner in ("beta", "gamma") for n in range(BURST // 2)]
    play.do(c.Observe((*seen, touch("beta/y", "gamma"))))
    assert [(r.requester, len(r.paths)) for r in play.state.requests.values()] == [
        ("alpha", 20),
        ("gamma", 1),
    ]


def test_few_changes_at_once_are_a_request_an_owner(play: Play) -> None:
    play.do(c.Observe(tuple(touch(path, "alpha") for path in ("beta/1", "gamma/1", "beta/2"))))
    assert [request.paths for request in play.state.requests.values()] == [("beta/1", "beta/2"), ("gamma/1",)]


def test_a_burst_grows_an_open_request_and_opens_one_for_the_rest(play: Play) -> None:
    play.write("beta/x", "alpha")
    play.now += 3600
    play.do(c.Observe((touch("beta/x", "alpha"), touch("gamma/x", "alpha")), cause="formatter"))
    assert [request.paths for request in play.state.requests.values()] == [("beta/x",), ("gamma/x",)]


# ── asking and grants ───────────────────────────────────────────────────────────────────────────


def test_an_agent_asks_for_what_is_not_its_own_and_nothing_else(play: Play) -> None:
    (event,) = play.do(c.Ask("alpha", ("alpha/x", "beta/x", "free", "beta/x"), "to fix the import", pid=7))
    assert isinstance(event, e.CoordinationRequest)
    assert event.crossings == (Crossing(path="beta/x", owner="beta"),)
    (request,) = play.state.open_requests
    assert (request.kind, request.paths) == (RequestKind.ASKED, ("beta/x",))
    assert request.reason == "to fix the import"
    assert request.evidence == "alpha asked (pid 7)"
    assert play.do(c.Ask("alpha", ("alpha/x", "free"), "")) == []


def test_asking_again_is_the_same_request_until_it_is_decided(play: Play) -> None:
    play.do(c.Ask("alpha", ("beta/x", "beta/y"), "please"))
    assert play.do(c.Ask("alpha", ("beta/y",), "please")) == []
    assert play.do(c.Ask("gamma", ("beta/y",), "me too"))
    assert play.do(c.Ask("alpha", ("beta/y", "beta/z"), "more"))
    play.do(c.Decide(1, "rejected"))
    play.do(c.Decide(3, "rejected"))
    assert play.do(c.Ask("alpha", ("beta/y",), "once more"))
    assert list(play.state.requests) == [1, 2, 3, 4]


def test_a_once_grant_covers_the_write_that_uses_it_and_no_other(play: Play) -> None:
    play.do(c.Ask("alpha", ("beta/x", "beta/y"), "please"))
    assert verdict(play, "alpha", "beta/x") is Verdict.FOREIGN
    approve(play, 1)
    assert verdict(play, "alpha", "beta/x", pid=7) is Verdict.GRANTED
    assert verdict(play, "gamma", "beta/x", pid=7) is Verdict.FOREIGN
    assert verdict(play, "alpha", "beta/z", pid=7) is Verdict.FOREIGN

    used = play.write("beta/x", "alpha", pid=7)
    assert [event.type for event in used] == ["Touched", "GrantUsed", "RequestGrew"]
    assert play.state.requests[1].crossings["beta/x"].change is not None, "there it can be undone"
    play.now += 3600
    assert [event.type for event in play.write("beta/x", "alpha", pid=7)] == ["Touched", "RequestGrew"]
    assert verdict(play, "alpha", "beta/x", pid=7) is Verdict.FOREIGN, "begun an hour later it is another act"
    assert verdict(play, "alpha", "beta/x", pid=8) is Verdict.FOREIGN, "another process does not"
    assert verdict(play, "alpha", "beta/y", pid=8) is Verdict.GRANTED, "the other path is not used yet"
    play.write("beta/x", "alpha", pid=8)
    assert play.state.requests[2].kind is RequestKind.CROSSED


def test_two_processes_at_once_cannot_share_a_once_grant(play: Play) -> None:
    play.do(c.Ask("alpha", ("beta/x",), "please"))
    approve(play, 1)
    happened = play.do(c.Observe((touch("beta/x", "alpha", pid=7), touch("beta/x", "alpha", pid=8))))
    assert [event.type for event in happened] == [
        "Touched",
        "GrantUsed",
        "Touched",
        "RequestGrew",
        "CoordinationRequest",
    ]


@pytest.mark.parametrize(("first", "then"), [(None, None), (None, 7), (7, None)])
def test_where_the_process_is_not_known_a_once_grant_covers_what_comes_soon(
    play: Play, first: int | None, then: int | None
) -> None:
    play.do(c.Ask("alpha", ("beta/x",), "please"))
    approve(play, 1)
    play.write("beta/x", "alpha", pid=first)
    play.now += JOIN_SECONDS
    assert verdict(play, "alpha", "beta/x", pid=then) is Verdict.GRANTED
    play.now += 0.1
    assert verdict(play, "alpha", "beta/x", pid=then) is Verdict.FOREIGN


def test_a_crossing_approved_once_stands_and_gives_nothing_further(play: Play) -> None:
    play.write("beta/x", "alpha", pid=7)
    approve(play, 1)
    assert play.state.requests[1].status == "approved"
    assert verdict(play, "alpha", "beta/x", pid=7) is Verdict.FOREIGN


def test_a_rejection_gives_nothing_and_keeps_the_reason(play: Play) -> None:
    play.do(c.Ask("alpha", ("beta/x",), "please"))
    play.do(c.Decide(1, "rejected", reason="ask beta"))
    assert play.state.requests[1].answer == "ask beta"
    assert verdict(play, "alpha", "beta/x") is Verdict.FOREIGN


def test_a_task_grant_ends_with_the_task(play: Play) -> None:
    play.do(c.StartTask("alpha", "a1"))
    play.write("beta/x", "alpha")
    approve(play, 1, Scope.TASK)
    play.write("beta/x", "alpha", pid=1)
    play.write("beta/x", "alpha", pid=2)
    assert len(play.state.requests) == 1
    assert play.state.grants[1].task == "a1"
    play.do(c.CompleteTask("beta", "b1"))
    assert verdict(play, "alpha", "beta/x") is Verdict.GRANTED, "another agent's task is not it"
    play.do(c.CompleteTask("alpha", "a1"))
    assert verdict(play, "alpha", "beta/x") is Verdict.FOREIGN


def test_a_task_grant_ends_when_the_plan_drops_the_task(play: Play) -> None:
    play.do(c.StartTask("alpha", "a1"))
    play.write("beta/x", "alpha")
    approve(play, 1, Scope.TASK)
    play.do(c.ChangePlan(plan(agent("alpha", tasks=["a2"]), agent("beta"), agent("gamma"))))
    assert verdict(play, "alpha", "beta/x") is Verdict.FOREIGN
    assert play.state.agents["alpha"].task is None


def test_a_task_grant_needs_a_task_in_progress(play: Play) -> None:
    play.write("beta/x", "alpha")
    assert play.refused(c.Decide(1, "approved", Scope.TASK)) == (
        "alpha has no task in progress: approve once or until the plan ends"
    )


def test_a_plan_grant_stays_until_the_plan_ends(play: Play) -> None:
    play.write("beta/x", "alpha")
    approve(play, 1, Scope.PLAN)
    play.do(c.CompleteTask("alpha", "a1"))
    play.exit("alpha", code=1)
    play.do(c.RestartAgent("alpha"))
    play.do(c.ChangePlan(three("ask")))
    assert verdict(play, "alpha", "beta/x", pid=99) is Verdict.GRANTED
    play.do(c.EndRun("stopped", "enough"))
    play.do(c.StartRun(three()))
    assert verdict(play, "alpha", "beta/x") is Verdict.FOREIGN


def test_no_grant_reaches_the_operators_paths(play: Play) -> None:
    play.write("runebook.toml", "alpha")
    approve(play, 1, Scope.PLAN)
    assert verdict(play, "alpha", "runebook.toml") is Verdict.OPERATOR


def test_what_was_written_stays_to_be_decided_over_runs_and_what_was_asked_does_not(play: Play) -> None:
    play.write("beta/x", "alpha")
    play.do(c.Ask("alpha", ("gamma/x",), "please"))
    play.do(c.EndRun("stopped", "enough"))
    play.do(c.StartRun(three()))
    assert list(play.state.requests) == [1]
    play.now += 10
    play.write("gamma/x", "alpha")
    assert list(play.state.requests) == [1, 3]
    approve(play, 1)
    assert play.refused(c.Decide(2, "approved")) == "there is no request 2"


@pytest.mark.parametrize("jump", [-86_400.0, 86_400.0])
def test_a_jump_of_the_clock_costs_a_request_at_most_and_grants_nothing_further(
    play: Play, jump: float
) -> None:
    play.do(c.Ask("alpha", ("beta/x",), "please"))
    approve(play, 1)
    play.write("beta/x", "alpha")
    play.write("gamma/x", "alpha")
    play.now += jump
    assert verdict(play, "alpha", "beta/x") is Verdict.FOREIGN
    play.write("gamma/y", "alpha")
    assert [request.paths for request in play.state.open_requests] == [("gamma/x",), ("gamma/y",)]
    play.write("gamma/x", "alpha")
    assert len(play.state.open_requests) == 2


def test_hostile_paths_go_through_requests_and_grants_unharmed(play: Play) -> None:
    path = "beta/\udcff\n[/b]" + "é" * 2000
    play.do(c.Ask("alpha", (path,), "\udc80"))
    approve(play, 1, Scope.PLAN)
    assert verdict(play, "alpha", path) is Verdict.GRANTED


def test_without_a_change_the_later_crossing_is_shown() -> None:
    play = Play()
    play.append(
        e.CoordinationRequest(
            request=1, kind=RequestKind.HELD, requester="alpha", crossings=(Crossing(path="x", owner="beta"),)
        )
    )
    change = Change(path="x", before=version("1"), after=version("2"))
    play.append(e.RequestGrew(request=1, crossings=(Crossing(path="x", owner="beta", change=change),)))
    assert play.state.requests[1].crossings["x"].change == change


def test_an_author_is_certain_when_there_is_one_name() -> None:
    assert Author(name="alpha").certain
    assert not Author(candidates=("alpha",)).certain


def test_used_approvals_do_not_gather_for_ever_and_unused_ones_stay(play: Play) -> None:
    play.do(c.Ask("alpha", ("beta/waits",), "later"))
    approve(play, 1)
    play.do(c.Ask("alpha", ("gamma/plan",), "always"))
    approve(play, 2, Scope.PLAN)
    for number in range(3, 3 + 2 * SPENT):
        play.now += 60
        path = f"beta/f{number}"
        play.do(c.Ask("alpha", (path,), "now"))
        approve(play, number)
        play.write(path, "alpha", pid=number)
    assert len(play.state.grants) <= SPENT + 3
    assert not verdict(play, "alpha", "beta/waits").crosses
    assert not verdict(play, "alpha", "gamma/plan").crosses
    assert not play.state.open_requests


def test_decided_requests_do_not_gather_for_ever_and_what_still_means_something_stays(play: Play) -> None:
    play.do(c.Ask("alpha", ("beta/waits",), "please"))
    play.do(c.Ask("alpha", ("beta/given",), "please"))
    approve(play, 2)
    play.write("beta/crossed", "alpha", pid=7)
    play.do(c.Decide(3, "rejected"))
    for _ in range(2 * KEPT):
        play.now += 60
        play.do(c.Ask("alpha", ("beta/again",), "please"))
        play.do(c.Decide(play.state.last_request, "rejected"))
    assert len(play.state.requests) < KEPT + 100
    assert {1, 2, 3} <= play.state.requests.keys()
    assert commit_refusal(play.state, "alpha", "beta/given") is None
    last = [request.id for request in play.state.requests.values()]
    assert last == sorted(last)
    assert last[-1] == play.state.last_request == 3 + 2 * KEPT
