"""Edits that a client's hook asks about: their requests, and what an approval covers."""

from __future__ import annotations

import pytest
from core_play import Play, agent, plan, version

from runebook_tui.core import commands as c
from runebook_tui.core.activity import Activity
from runebook_tui.core.grants import LATE_SECONDS, Scope, covering
from runebook_tui.core.proposals import allowing
from runebook_tui.core.secrets import without_secrets
from runebook_tui.core.types import OPERATOR, Crossing


@pytest.fixture
def play() -> Play:
    run = Play(plan(agent("alpha", tasks=["a1"]), agent("beta")))
    run.start("alpha", "beta")
    return run


def crossing(path: str, content: str | None = "new") -> Crossing:
    return Crossing(path=path, owner="beta", proposed=None if content is None else version(content))


def propose(*crossings: Crossing, until: float | None = 1_000_060.0) -> c.Propose:
    return c.Propose("alpha", "Claude Code", "Write", crossings, until)


def test_a_proposed_edit_is_a_held_request_that_names_its_client(play: Play) -> None:
    happened = play.do(propose(crossing("beta/x")))
    assert [event.type for event in happened] == ["CoordinationRequest", "HoldStarted"]
    (request,) = play.state.open_requests
    assert (request.hook, request.evidence, request.pid) == (
        "Claude Code",
        "Claude Code's Write tool asked",
        None,
    )
    assert request.held_until == 1_000_060.0


def test_its_approval_covers_the_write_of_whatever_process_once(play: Play) -> None:
    play.do(propose(crossing("beta/x")))
    play.do(c.Decide(1, "approved"))
    grants = play.state.grants.values()
    assert covering(grants, "alpha", "beta/x", "beta", 4711, play.now) is not None
    assert covering(grants, "alpha", "beta/y", "beta", 4711, play.now) is None
    play.do(c.SpendGrant("alpha", 1, "beta/x"))
    play.now += 60
    assert covering(play.state.grants.values(), "alpha", "beta/x", "beta", 4712, play.now) is None


def test_approved_once_means_the_content_that_was_shown(play: Play) -> None:
    play.do(propose(crossing("beta/x")))
    play.do(c.Decide(1, "approved"))
    assert allowing(play.state, "alpha", crossing("beta/x")) is not None
    assert allowing(play.state, "alpha", crossing("beta/x", None)) is not None
    other = crossing("beta/x", "other")
    assert allowing(play.state, "alpha", other) is None
    assert [event.type for event in play.do(propose(other))] == [
        "GrantUsed",
        "CoordinationRequest",
        "HoldStarted",
    ]


def test_a_wider_approval_covers_any_content(play: Play) -> None:
    play.do(propose(crossing("beta/x")))
    play.do(c.Decide(1, "approved", Scope.PLAN))
    assert allowing(play.state, "alpha", crossing("beta/x", "other")) is not None


def test_an_approval_of_a_stopped_call_is_that_calls(play: Play) -> None:
    play.do(c.Hold("alpha", "beta/x", 7, "sed", "sed", 1_000_060.0))
    play.do(c.Decide(1, "approved"))
    assert allowing(play.state, "alpha", crossing("beta/x")) is None


def test_a_further_hook_joins_and_what_it_shows_is_the_newest(play: Play) -> None:
    play.do(propose(crossing("beta/x")))
    assert [event.type for event in play.do(propose(crossing("beta/x")))] == ["HoldStarted"]
    assert [e.type for e in play.do(propose(crossing("beta/x", "newer")))] == ["RequestGrew", "HoldStarted"]
    (request,) = play.state.open_requests
    assert request.crossings["beta/x"].proposed == version("newer")


def test_a_hook_joins_what_the_gate_has_stopped_and_the_other_way_round(play: Play) -> None:
    play.do(c.Hold("alpha", "beta/x", 7, "sed", "sed", 1_000_060.0))
    play.do(propose(crossing("beta/x")))
    play.do(c.Hold("alpha", "beta/x", 8, "sed", "sed", 1_000_060.0))
    assert len(play.state.requests) == 1
    play.do(c.Decide(1, "approved"))
    assert allowing(play.state, "alpha", crossing("beta/x")) is not None


def test_one_that_does_not_wait_stays_open(play: Play) -> None:
    play.do(propose(crossing("beta/x"), until=None))
    (request,) = play.state.open_requests
    assert (request.held_until, request.hold_over) == (None, "it was refused at once")


def test_each_change_of_what_a_client_does_is_one_event(play: Play) -> None:
    def report(activity: Activity, **more: object) -> list[str]:
        return [e.type for e in play.do(c.ReportActivity("alpha", "Codex", activity, **more))]  # type: ignore[arg-type]

    assert report(Activity.IDLE, session="s", model="m") == ["ActivityChanged"]
    assert report(Activity.WORKING) == ["ActivityChanged"]
    assert report(Activity.WORKING, tokens=100) == []
    assert report(Activity.IDLE, tokens=120, cost=0.5) == ["ActivityChanged"]
    doing = play.state.agents["alpha"].doing
    assert doing is not None
    assert (doing.session, doing.model, doing.tokens, doing.cost) == ("s", "m", 120, 0.5)


def test_a_hook_is_seen_anew_in_each_attempt(play: Play) -> None:
    seen = c.ReportNet("hook", "alpha", True, "Codex")
    assert [event.type for event in play.do(seen)] == ["NetReported"]
    assert play.do(seen) == []
    assert play.state.agents["alpha"].hook == "Codex"
    play.exit("alpha", 1)
    play.do(c.RestartAgent("alpha"))
    assert play.state.agents["alpha"].hook == ""


@pytest.mark.parametrize(
    ("command", "kept"),
    [
        ("ls -la", "ls -la"),
        ("export API_KEY=abc123 && run", "export API_KEY=[hidden] && run"),
        ("DB_PASSWORD='a b' psql", "DB_PASSWORD=[hidden] psql"),
        ("tool --token abc --verbose", "tool --token [hidden] --verbose"),
        ("tool --password=abc x", "tool --password=[hidden] x"),
        ("curl -H 'Authorization: Bearer abc.def' u", "curl -H 'Authorization: Bearer [hidden]' u"),
        ("git clone https://me:pw@host/x", "git clone https://me:[hidden]@host/x"),
        ("curl -u me:pw http://host", "curl -u me:[hidden] http://host"),
        ("echo ghp_" + "a" * 36, "echo [hidden]"),
        ("echo sk-" + "a" * 30, "echo [hidden]"),
        ("grep -r token src", "grep -r token src"),
    ],
)
def test_what_looks_like_a_secret_is_not_kept(command: str, kept: str) -> None:
    assert without_secrets(command) == kept


def test_a_long_command_is_cut() -> None:
    assert without_secrets("x" * 100_000, 10) == "x" * 10 + "…"


def test_without_a_gate_the_approved_write_is_no_crossing_though_it_is_noticed_late(play: Play) -> None:
    play.do(propose(crossing("beta/x")))
    play.do(c.Decide(1, "approved"))
    play.do(c.SpendGrant("alpha", 1, "beta/x"))
    play.now += LATE_SECONDS - 1
    assert [event.type for event in play.maybe("beta/x", "alpha", OPERATOR)] == ["Touched"]
    play.now += 2
    happened = [event.type for event in play.maybe("beta/x", "alpha", OPERATOR)]
    assert happened == ["Touched", "CoordinationRequest"]
