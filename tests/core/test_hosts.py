"""Several hosts: each engine sees to its own, and an API opens a gate only where it has arrived."""

from __future__ import annotations

from core_play import Play, agent, plan

from runebook_tui.core import commands as c
from runebook_tui.core.gates import agent_unmet, stalled
from runebook_tui.core.hosts import (
    host_of_request,
    hosts,
    is_lane,
    leading,
    part,
    place_words,
    request_place,
    tree_of,
    without_engine,
)
from runebook_tui.core.refusal import Refusal
from runebook_tui.core.rules import DOWN, decide
from runebook_tui.core.types import (
    AgentSpec,
    Author,
    Change,
    ExecutionPlan,
    InterfaceStub,
    Needs,
    RequestKind,
    Version,
)


def two(*, away: str = "b") -> ExecutionPlan:
    """Alpha here publishes what beta on host b needs."""
    here = agent("alpha", tasks=["a1"])
    there = agent("beta", tasks=["b1"], needs=Needs(apis=("api",))).model_copy(update={"host": away})
    made = plan(here, there)
    return made.model_copy(
        update={"interfaces": (InterfaceStub(name="api", owner="alpha", path="alpha/api"),)}
    )


def test_a_host_is_named_once_and_the_plans_own_leads() -> None:
    assert (hosts(two()), leading(two())) == (("", "b"), "")
    named = two().model_copy(
        update={"agents": tuple(each.model_copy(update={"host": "z"}) for each in two().agents)}
    )
    assert (hosts(named), leading(named)) == (("z",), "z")


def test_an_engine_sees_to_its_own_agents_and_requests() -> None:
    play = Play(two())
    play.start("alpha")
    play.do(c.Ask("beta", ("alpha/x",), "a limit"))
    play.do(c.Ask("alpha", ("beta/x",), "a name"))
    b, own = part(play.state, "b"), part(play.state, "")
    assert (list(b.agents), list(b.requests)) == (["beta"], [1])
    assert (list(own.agents), list(own.requests)) == (["alpha"], [2])
    assert b.plan == play.state.plan


def test_a_crossing_in_a_hosts_checkout_is_a_request_of_that_host() -> None:
    play = Play(two())
    play.start("alpha")
    change = Change(path="alpha/x", before=Version(kind="absent"), after=Version(kind="file", digest="d"))
    author = Author(candidates=("beta", "operator"))
    play.do(c.Observe((c.Touch(change, author, tree_of("b")),)))
    (request,) = play.state.open_requests
    assert (request.kind, host_of_request(play.state, request)) == (RequestKind.CROSSED, "b")
    assert place_words(request.lane) == " on host b"
    assert not is_lane(request.lane)
    assert request_place(play.state, request, away=("b",)) == " on host b, where no engine runs"


def test_a_request_of_an_agent_elsewhere_says_where_its_files_are() -> None:
    play = Play(two())
    play.start("alpha")
    play.do(c.Ask("beta", ("alpha/x",), "a limit"))
    play.do(c.Ask("alpha", ("beta/x",), "a name"))
    assert [request_place(play.state, each) for each in play.state.open_requests] == [" on host b", ""]


def test_a_watch_that_is_blind_on_one_host_sees_on_the_other() -> None:
    play = Play(two())
    play.do(c.ReportNet("watch", None, False, "too many folders", host="b"))
    play.do(c.ReportNet("watch", None, True))
    assert play.state.watch_blind == "host b: too many folders"
    play.do(c.ReportNet("watch", None, True, host="b"))
    assert play.state.watch_blind == ""


def test_a_published_interface_opens_the_gate_of_another_host_once_it_is_there() -> None:
    play = Play(two())
    play.start("alpha")
    play.do(c.PublishApi("alpha", "api", "d1"))
    beta = play.state.agents["beta"]
    assert agent_unmet(play.state, beta) == ("API api (host b has not looked for it yet)",)
    play.do(c.CheckCopy("api", "b", 1, "lacks alpha/api as published"))
    assert play.state.agents["beta"].reason == "API api (host b lacks alpha/api as published)"
    play.exit("alpha")
    assert stalled(play.state) == ()
    play.do(c.CheckCopy("api", "b", 1))
    assert play.status("beta") == "starting"


def test_a_new_version_has_to_arrive_anew() -> None:
    play = Play(two())
    play.start("alpha")
    play.do(c.PublishApi("alpha", "api", "d1"))
    play.do(c.CheckCopy("api", "b", 1))
    play.do(c.PublishApi("alpha", "api", "d2"))
    assert play.status("beta") == "waiting"
    play.do(c.CheckCopy("api", "b", 1))
    assert play.status("beta") == "waiting"
    play.do(c.CheckCopy("api", "b", 2))
    assert play.status("beta") == "starting"


def test_an_agent_beside_the_publisher_waits_for_no_copy() -> None:
    play = Play(two(away=""))
    play.start("alpha")
    play.do(c.PublishApi("alpha", "api", "d1"))
    assert play.status("beta") == "starting"


def test_engines_come_and_go_by_host() -> None:
    play = Play(two())
    play.do(c.TakeEngine(1, "laptop"))
    assert without_engine(play.state) == ("b",)
    play.do(c.TakeEngine(2, "server", (), "b"))
    assert without_engine(play.state) == ()
    play.start("alpha")
    play.do(c.StopAgent("alpha", DOWN))
    play.exit("alpha", code=None, signal=15)
    play.do(c.LeaveEngine(DOWN, "b"))
    play.do(c.TakeEngine(3, "server", (), "b"))
    assert play.status("alpha") == "stopped"
    play.do(c.LeaveEngine(DOWN))
    assert list(play.state.engines) == ["b"]
    play.do(c.TakeEngine(4, "laptop"))
    assert play.status("alpha") == "starting"


def test_an_engine_that_leaves_ends_the_waits_of_its_own_requests_only() -> None:
    play = Play(two())
    play.start("alpha")
    for name, path in (("alpha", "beta/x"), ("beta", "alpha/x")):
        play.do(c.Hold(name, path, 7, "sed", "sed would write", play.now + 60))
    play.do(c.LeaveEngine(DOWN, "b"))
    first, second = play.state.open_requests
    assert first.held_until is not None
    assert second.held_until is None


def test_an_agent_at_work_does_not_move_to_another_host() -> None:
    play = Play(two())
    play.start("alpha")
    moved = tuple(_on(each, "b") for each in play.state.plan.agents)
    outcome = decide(play.state, c.ChangePlan(play.state.plan.model_copy(update={"agents": moved})), play.now)
    assert outcome == Refusal("alpha is at work on the plan's own host: stop it before it moves")


def _on(spec: AgentSpec, host: str) -> AgentSpec:
    return spec.model_copy(update={"host": host})
