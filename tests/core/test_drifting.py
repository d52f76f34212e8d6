"""Published interfaces in the rule: versions, drift, who builds on them, and what they are told."""

from __future__ import annotations

import pytest
from core_play import ABSENT, Play, agent, plan, version

from runebook_tui.core import commands as c
from runebook_tui.core import events as e
from runebook_tui.core.boundary import commit_refusal
from runebook_tui.core.contract import (
    ApiDrifted,
    Clause,
    Contract,
    InterfaceStub,
    agree,
    changed_words,
    contract_diff,
)
from runebook_tui.core.events import Record
from runebook_tui.core.gates import agent_unmet, stalled
from runebook_tui.core.grants import Scope
from runebook_tui.core.interfaces import consumers
from runebook_tui.core.messages import MessageSent, unread
from runebook_tui.core.sentences import sentence
from runebook_tui.core.state import PublishedApi, RequestState
from runebook_tui.core.types import OPERATOR, Author, Change, Needs, Phase, RequestKind

STORE = InterfaceStub(name="store", owner="alpha", path="alpha/store", must_contain=("def open",))
NEEDS = Needs(apis=("store",))


def held(*lines: str, wanted: str = "def open") -> Contract:
    return (Clause(kind="text", wanted=wanted, lines=lines),)


FIRST, SECOND = held("def open(a)"), held("def open(a, b)")


def begun() -> Play:
    """alpha has published "store"; beta works with it, late will."""
    play = Play(
        plan(
            agent("alpha"),
            agent("beta", needs=NEEDS),
            agent("late", phase="after"),
            agent("never"),
            phases=(Phase(id="build"), Phase(id="after", after=("build",), needs=NEEDS)),
            interfaces=(STORE,),
        )
    )
    play.start("alpha")
    play.do(c.PublishApi("alpha", "store", "d1", FIRST))
    play.start("beta")
    return play


def change(path: str = "alpha/store", author: str | Author = "alpha") -> tuple[Change, Author]:
    made = author if isinstance(author, Author) else Author(name=author, evidence="seen")
    return Change(path=path, before=ABSENT, after=version("x")), made


def api(play: Play) -> PublishedApi:
    found = play.state.apis.get("store")
    assert found is not None
    return found


def drifted(play: Play, contract: Contract = SECOND, author: str | Author = "alpha", **more: str) -> int:
    """The file has changed so; the request that asks about it."""
    play.do(c.CheckApi("store", "d2", contract, touches=(change(author=author),), **more))
    drift = api(play).drift
    assert drift is not None
    return drift.request


def request(play: Play, number: int) -> RequestState:
    return play.state.requests[number]


def test_a_contract_that_is_as_it_was_raises_nothing() -> None:
    play = begun()
    assert play.do(c.CheckApi("store", "d2", FIRST, touches=(change(),))) == []
    assert play.do(c.CheckApi("store", "d1", FIRST)) == []
    assert play.do(c.CheckApi("store", "d3", (*FIRST, *held("new", wanted="more")))) == [], "the plan asks"


def test_a_changed_contract_is_one_request_that_grows() -> None:
    play = begun()
    number = drifted(play)
    asked = request(play, number)
    assert (asked.kind, asked.requester, asked.owners) == (RequestKind.DRIFT, "alpha", ("alpha",))
    assert asked.contract == (
        "--- store v1\n+++ store now\n@@ -1,2 +1,2 @@\n [text def open]\n-def open(a)\n+def open(a, b)\n"
    )
    assert play.do(c.CheckApi("store", "d2b", SECOND, touches=(change(),))) == [], "it was asked already"
    assert drifted(play, held("def open(c)"), author="beta") == number
    assert request(play, number).who == "alpha or beta"
    assert len(play.state.open_requests) == 1
    told = [r.event for r in play.records if isinstance(r.event, MessageSent)]
    assert [(m.to, m.request) for m in told] == [(("beta",), number)], "once"
    assert unread(play.state, "beta")
    assert not unread(play.state, "alpha")


def test_approving_a_drift_publishes_what_was_shown() -> None:
    play = begun()
    number = drifted(play)
    for scope in (Scope.TASK, Scope.PLAN):
        assert "once only" in play.refused(c.Decide(number, "approved", scope))
    events = play.do(c.Decide(number, "approved"))
    assert [type(event).__name__ for event in events] == [
        "CoordinationResponse",
        "ApiPublished",
        "MessageSent",  # to those who build on it
        "MessageSent",  # to whom the decision concerns
    ]
    assert [event.to for event in events if isinstance(event, MessageSent)] == [("beta",), ("alpha",)]
    assert (api(play).version, api(play).digest, api(play).contract, api(play).drift) == (
        2,
        "d2",
        SECOND,
        None,
    )
    assert not play.state.grants, "it lets nobody write"
    assert play.do(c.CheckApi("store", "d2", SECOND)) == []
    assert drifted(play, FIRST) > number, "the next one is another question"


def test_an_approved_drift_is_no_leave_to_commit() -> None:
    play = begun()
    play.do(c.Decide(drifted(play, author="beta"), "approved"))
    assert commit_refusal(play.state, "beta", "alpha/store") == commit_refusal(
        begun().state, "beta", "alpha/store"
    )


def test_a_broken_contract_says_so_and_cannot_be_approved() -> None:
    play = begun()
    number = drifted(play, held())
    assert "does not contain 'def open'" in request(play, number).reason
    assert "does not contain 'def open'" in play.refused(c.Decide(number, "approved"))
    assert play.do(c.CheckApi("store", None, fault="alpha/store is larger than 2 MiB"))
    assert "alpha/store is larger" in play.refused(c.Decide(number, "approved"))
    play.do(c.CheckApi("store", None))
    assert "is gone" in play.refused(c.Decide(number, "approved"))
    play.do(c.CheckApi("store", "d1", FIRST))
    assert (request(play, number).status, api(play).drift) == ("withdrawn", None)


def test_a_drift_opens_no_gate_until_it_is_over() -> None:
    play = begun()
    number = drifted(play)
    play.exit("alpha")
    play.exit("beta")
    assert play.status("never") == "starting"
    play.start("never")
    play.exit("never")
    assert play.status("late") == "pending"
    shut = f"API store (changed since v1; request {number} %s)"
    late = play.state.agents["late"]
    assert agent_unmet(play.state, late) == (shut % "waits for a decision",)
    play.do(c.Decide(number, "rejected"))
    assert agent_unmet(play.state, late) == (shut % "was rejected",)
    assert stalled(play.state)
    play.do(c.CheckApi("store", "d1", FIRST))
    assert play.status("late") == "starting"


def test_an_agent_that_was_about_to_start_goes_back_to_waiting() -> None:
    play = begun()
    play.exit("alpha")
    play.exit("beta")
    play.start("never")
    play.exit("never")
    assert play.status("late") == "starting"
    number = drifted(play)
    assert play.status("late") == "waiting"
    waits = f"API store (changed since v1; request {number} waits for a decision)"
    assert agent_unmet(play.state, play.state.agents["late"]) == (waits,)
    play.do(c.Decide(number, "approved"))
    assert (play.status("late"), play.state.agents["late"].attempt) == ("starting", 1)
    play.start("late")
    drifted(play, FIRST)
    assert play.status("late") == "running", "who runs goes on"


def test_after_a_rejection_only_another_change_is_asked_about() -> None:
    play = begun()
    first = drifted(play)
    play.do(c.Decide(first, "rejected"))
    assert play.do(c.CheckApi("store", "d2b", SECOND)) == []
    assert drifted(play, held("def open(c)")) == first + 1


def test_a_rejection_that_is_taken_back_asks_again() -> None:
    play = begun()
    number = drifted(play)
    play.do(c.Decide(number, "rejected"))
    play.do(c.CheckApi("store", "d1", FIRST))
    play.do(c.TakeBack())
    assert request(play, number).open
    assert drifted(play) == number, "no second request"
    play.do(c.Decide(number, "rejected"))
    play.do(c.CheckApi("store", "d1", FIRST))
    play.do(c.TakeBack())
    play.do(c.CheckApi("store", "d1", FIRST))
    assert request(play, number).status == "withdrawn"


def test_publishing_again_settles_a_drift() -> None:
    play = begun()
    number = drifted(play)
    play.do(c.PublishApi("alpha", "store", "d2", SECOND))
    assert (request(play, number).status, api(play).version, api(play).drift) == ("withdrawn", 2, None)
    text = play.state.messages[-1].text
    assert "store v2 is published" in text
    assert "gone: def open(a) / new: def open(a, b)" in text
    play.do(c.PublishApi("alpha", "store", "d9", SECOND))
    assert "its contract is as it was" in play.state.messages[-1].text


@pytest.mark.parametrize(
    ("author", "requester", "who"),
    [
        ("beta", "beta", "beta"),
        (OPERATOR, None, "you"),
        (Author(candidates=("beta", OPERATOR)), None, "beta or you"),
        (Author(), None, "somebody"),
    ],
)
def test_whoever_changed_it_is_named(author: str | Author, requester: str | None, who: str) -> None:
    play = begun()
    asked = request(play, drifted(play, author=author))
    assert (asked.requester, asked.who) == (requester, who)
    assert "about an interface" in play.refused(c.Disown(asked.id))


def test_who_builds_on_it() -> None:
    play = begun()
    assert consumers(play.state, "store") == ("beta",)
    for name in ("alpha", "beta"):
        play.exit(name)
    play.start("never")
    play.exit("never")
    play.start("late")
    assert consumers(play.state, "store") == ("beta", "late"), "its phase needs it"
    assert consumers(play.state, "nothing") == ()


def test_an_api_from_before_contracts_were_kept_goes_by_its_file() -> None:
    play = begun()
    play.append(e.ApiPublished(agent="alpha", api="store", path="alpha/store", digest="old", version=3))
    assert play.do(c.CheckApi("store", "old", SECOND)) == []
    drifted(play)
    assert play.do(c.CheckApi("store", "d2", SECOND)) == []
    assert play.do(c.CheckApi("store", "d4", SECOND)) != []
    play.do(c.CheckApi("store", "old", SECOND))
    assert api(play).drift is None


def test_a_plan_that_asks_for_more_or_less_is_no_drift() -> None:
    more = Clause(kind="symbol", wanted="shut", lines=("def shut()",))
    assert agree(FIRST, (*FIRST, more))
    assert agree((*FIRST, more), FIRST)
    assert not agree(FIRST, (*FIRST, more.model_copy(update={"lines": ()})))
    assert not agree(FIRST, SECOND)


def test_a_new_run_leaves_no_drift_behind() -> None:
    play = begun()
    number = drifted(play)
    play.do(c.EndRun("stopped", "done"))
    play.do(c.StartRun(play.state.plan))
    assert request_status(play, number) == "withdrawn or gone"


def request_status(play: Play, number: int) -> str:
    known = play.state.requests.get(number)
    return "withdrawn or gone" if known is None or known.status == "withdrawn" else known.status


def test_words_of_a_diff_are_one_bounded_line() -> None:
    hostile = held("--- a\x1b[31m", "@@ b")
    diff = contract_diff("store", 1, FIRST, hostile)
    assert changed_words(diff, 100) == "gone: def open(a) / new: --- a\x1b[31m; @@ b"
    assert len(changed_words(diff, 10)) == 11
    event = ApiDrifted(api="store", request=4, digest="d", diff=diff)
    record = Record(seq=1, time=0.0, run=1, actor="engine", event=event)
    assert sentence(record).startswith("request 4: store is not as it was published: gone: def open(a)")
