"""What the operator may answer, what follows, and how the last decision is taken back."""

from __future__ import annotations

import pytest
from core_play import Play, agent, plan, touch, version
from hypothesis import given
from hypothesis import strategies as st

from runebook_tui.core import commands as c
from runebook_tui.core.boundary import may_write
from runebook_tui.core.decisions import TAKE_BACK_SECONDS, task_id
from runebook_tui.core.grants import ABSENT, Grant, Scope, covering
from runebook_tui.core.messages import unread
from runebook_tui.core.sentences import sentence
from runebook_tui.core.types import OPERATOR, Author, Crossing, RequestKind, Version


@pytest.fixture
def play() -> Play:
    run = Play(plan(agent("alpha", tasks=["a1"]), agent("beta", tasks=["b1"]), agent("gamma", tasks=["g1"])))
    run.start("alpha", "beta", "gamma")
    return run


def ask(play: Play, path: str = "beta/x", who: str = "alpha") -> int:
    play.do(c.Ask(who, (path,), "I need it"))
    return play.state.last_request


def stopped(play: Play, path: str = "beta/x") -> int:
    play.do(c.Hold("alpha", path, 7, "sed", "sed (pid 7)", play.now + 100))
    return play.state.last_request


def proposed(play: Play, path: str, content: str) -> int:
    crossing = Crossing(path=path, owner="beta", proposed=version(content))
    play.do(c.Propose("alpha", "Claude Code", "Edit", (crossing,), play.now + 100))
    return play.state.last_request


def now_writes(play: Play, path: str, there: str, pid: int | None = 7) -> bool:
    return not may_write(play.state, "alpha", path, play.now, pid=pid, there=lambda _: there).crosses


# ── once ────────────────────────────────────────────────────────────────────────────────────────


def test_an_approval_for_once_holds_for_what_the_operator_saw_there(play: Play) -> None:
    number = ask(play)
    play.do(c.Decide(number, "approved", base={"beta/x": "seen"}))
    assert now_writes(play, "beta/x", "seen")
    assert not now_writes(play, "beta/x", "changed by beta meanwhile")
    assert not now_writes(play, "beta/x", ABSENT)


def test_what_was_approved_and_what_landed_must_be_the_same_content(play: Play) -> None:
    number = proposed(play, "beta/x", "good")
    play.do(c.Decide(number, "approved"))
    play.do(c.Observe((touch("beta/x", "alpha", pid=9, after=version("good")),)))
    assert not play.state.open_requests
    play.do(c.Observe((touch("beta/x", "alpha", pid=9, before=version("good"), after=version("other")),)))
    (request,) = play.state.open_requests
    assert request.kind is RequestKind.CROSSED
    assert request.evidence.endswith(f"request {number} approved another content")


def test_another_content_under_an_approval_is_a_request_even_when_the_gate_let_it_pass(play: Play) -> None:
    number = proposed(play, "beta/x", "good")
    play.do(c.Decide(number, "approved"))
    author = Author(name="alpha", evidence="the gate saw it", pid=9, under=number)
    play.do(c.Observe((touch("beta/x", author, after=version("evil")),)))
    assert [each.kind for each in play.state.open_requests] == [RequestKind.CROSSED]


PATHS, AGENTS, PIDS, DIGESTS = ("a", "b"), ("alpha", "beta"), (1, 2), (ABSENT, "d1", "d2")


@given(
    st.sampled_from(AGENTS),
    st.sampled_from(PATHS),
    st.none() | st.sampled_from(PIDS),
    st.sampled_from(DIGESTS),
    st.lists(
        st.tuples(
            st.sampled_from(AGENTS),
            st.sampled_from(PATHS),
            st.sampled_from(PIDS),
            st.sampled_from(DIGESTS),
            st.floats(0, 100),
        ),
        max_size=12,
    ),
)
def test_a_grant_for_once_serves_one_path_agent_process_and_content_and_one_act(
    who: str, path: str, pid: int | None, base: str, tries: list[tuple[str, str, int, str, float]]
) -> None:
    grant = Grant(1, who, frozenset((path,)), Scope.ONCE, pid=pid, used_at=0.0, base={path: base})
    now, first = 0.0, None
    for agent_id, target, process, there, wait in tries:
        now += wait
        found = covering([grant], agent_id, target, "owner", process, now, there=lambda _, at=there: at)
        if found is None:
            continue
        assert (agent_id, target) == (who, path)
        assert pid in (None, process)
        if first is None:
            assert there == base
            first = process
        assert process == first, "another process used it"
        grant = grant.use(target, process, now)


# ── together ────────────────────────────────────────────────────────────────────────────────────


def test_the_first_of_two_decisions_stands(play: Play) -> None:
    number = ask(play)
    play.do(c.Decide(number, "approved"))
    assert play.refused(c.Decide(number, "rejected")) == f"request {number} is approved already"


@pytest.mark.parametrize(
    ("host", "words"), [(None, ""), ("", " from the plan's own host"), ("gpu", " from host gpu")]
)
def test_a_decision_says_from_which_host_it_came_where_there_are_several(
    play: Play, host: str | None, words: str
) -> None:
    number = ask(play)
    play.do(c.Decide(number, "approved", from_host=host))
    decided = next(each for each in play.records if each.event.type == "CoordinationResponse")
    assert (
        sentence(decided.model_copy(update={"actor": OPERATOR}))
        == f"you approved request {number} once{words}"
    )
    assert play.state.requests[number].decided_from == host
    play.do(c.TakeBack())
    assert play.state.requests[number].decided_from is None


def test_decisions_of_one_group_are_taken_back_together(play: Play) -> None:
    numbers = [ask(play, f"beta/{name}") for name in "xyz"]
    for number in numbers:
        play.do(c.Decide(number, "rejected", group="g"))
    play.do(c.TakeBack())
    assert [request.id for request in play.state.open_requests] == numbers


# ── taking back ─────────────────────────────────────────────────────────────────────────────────


def test_a_decision_that_was_taken_back_gives_nothing_and_can_be_taken_anew(play: Play) -> None:
    number = ask(play)
    play.do(c.Decide(number, "approved", Scope.PLAN))
    assert now_writes(play, "beta/x", "x")
    play.do(c.TakeBack())
    assert not now_writes(play, "beta/x", "x")
    assert play.state.requests[number].open
    assert play.refused(c.TakeBack()) == "nothing was decided that could be taken back"
    play.do(c.Decide(number, "rejected"))
    assert play.state.requests[number].status == "rejected"


def test_a_decision_can_be_taken_back_for_a_while_only(play: Play) -> None:
    number = stopped(play)
    play.do(c.Decide(number, "rejected"))
    play.now += TAKE_BACK_SECONDS + 1
    assert "within 30 s" in play.refused(c.TakeBack())


def test_after_a_rejection_is_taken_back_nobody_waits_and_the_card_says_so(play: Play) -> None:
    number = stopped(play)
    play.do(c.Decide(number, "rejected"))
    play.do(c.TakeBack())
    request = play.state.requests[number]
    assert (request.open, request.held_until) == (True, None)
    assert request.hold_over == "it was rejected, and you took that back"


# ── handing over ────────────────────────────────────────────────────────────────────────────────


def test_what_is_handed_over_is_a_task_of_the_owner_which_is_told(play: Play) -> None:
    number = ask(play)
    play.do(c.Decide(number, "rejected", reason="do it yourself", means="handed over", patch=".runebook/x"))
    (message,) = unread(play.state, "beta")
    assert message.request == number
    assert ".runebook/x" in message.text
    assert "do it yourself" in message.text
    task = play.state.tasks[task_id(number)]
    assert (task.agent, task.title) == ("beta", "alpha wants a change in beta/x: I need it")
    play.do(c.CompleteTask("beta", "b1"))
    assert play.status("beta") == "running"
    play.do(c.CompleteTask("beta", task.id))
    assert play.status("beta") == "completed"


def test_an_owner_that_was_done_has_more_to_do(play: Play) -> None:
    play.exit("beta")
    assert play.status("beta") == "completed"
    play.do(c.Decide(ask(play), "rejected", means="handed over"))
    assert play.status("beta") in ("pending", "starting")


def test_a_task_that_was_begun_keeps_its_decision(play: Play) -> None:
    number = ask(play)
    play.do(c.Decide(number, "rejected", means="handed over"))
    play.do(c.StartTask("beta", task_id(number)))
    assert "beta has begun" in play.refused(c.TakeBack())


def test_a_hand_over_that_is_taken_back_leaves_no_task(play: Play) -> None:
    number = ask(play)
    play.do(c.Decide(number, "rejected", means="handed over"))
    play.do(c.TakeBack())
    assert task_id(number) not in play.state.tasks
    assert play.state.agents["beta"].handed == ()


def test_a_handed_task_outlives_an_edit_of_the_plan(play: Play) -> None:
    number = ask(play)
    play.do(c.Decide(number, "rejected", means="handed over"))
    play.do(c.ChangePlan(plan(agent("alpha"), agent("beta"), agent("gamma", tasks=["g1", "g2"]))))
    assert play.state.tasks[task_id(number)].agent == "beta"


def test_there_is_nobody_to_hand_over_to_what_nobody_owns() -> None:
    from runebook_tui.core.types import Policy

    play = Play(plan(agent("alpha"), policy=Policy(unowned="ask")))
    play.start("alpha")
    number = ask(play, "loose")
    why = play.refused(c.Decide(number, "rejected", means="handed over"))
    assert why == "no agent of the plan owns it: there is nobody to hand it to"


def test_a_write_without_a_certain_author_is_nobodys_to_widen(play: Play) -> None:
    play.maybe("beta/x", "alpha", "gamma")
    number = play.state.last_request
    assert "no certain author" in play.refused(c.Decide(number, "approved", means="widened"))


# ── what others own and an agent may write ──────────────────────────────────────────────────────


def test_may_write_lets_an_agent_write_what_stays_anothers() -> None:
    play = Play(plan(agent("alpha", may_write=("beta/api/**",)), agent("beta")))
    play.start("alpha", "beta")
    assert not may_write(play.state, "alpha", "beta/api/x", play.now).crosses
    assert may_write(play.state, "alpha", "beta/y", play.now).crosses
    assert not may_write(play.state, "beta", "beta/api/x", play.now).crosses
    assert may_write(play.state, "alpha", "runebook.toml", play.now).crosses
    claim = play.state.owners.owner_of("beta/api/x")
    assert claim is not None
    assert claim.owner == "beta"


def test_a_version_that_is_absent_is_a_content_too(play: Play) -> None:
    crossing = Crossing(path="beta/x", owner="beta", proposed=Version(kind="absent"))
    play.do(c.Propose("alpha", "Codex", "patch", (crossing,), play.now + 100))
    play.do(c.Decide(play.state.last_request, "approved"))
    gone = touch("beta/x", "alpha", before=version("x"), after=Version(kind="absent"))
    play.do(c.Observe((gone,)))
    assert not play.state.open_requests
