"""The chaos: a few kills of each kind on one stage, and what its audit calls broken."""

from __future__ import annotations

import errno
import random
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.chaos.audit import Auditor
from benchmarks.chaos.ledger import Ledger, Vote
from benchmarks.chaos.rounds import Round
from benchmarks.chaos.terminal import alike
from runebook_tui.core.events import CoordinationRequest, CoordinationResponse, Event
from runebook_tui.core.messages import MessageSent
from runebook_tui.core.types import Crossing, RequestKind
from runebook_tui.log.memory import MemoryLog


def message(text: str, number: int = 1) -> MessageSent:
    return MessageSent(message=number, sender="operator", to=("beta",), text=text)


def request(number: int = 1, path: str = "beta/old0") -> CoordinationRequest:
    crossing = Crossing(path=path, owner="beta")
    return CoordinationRequest(
        request=number, kind=RequestKind.HELD, requester="alpha", crossings=(crossing,), cause=""
    )


def read(ledger: Ledger, *events: Event) -> Auditor:
    log = MemoryLog()
    log.append(events, run=1, actor="engine", expected=0, time=1.0)
    auditor = Auditor(ledger)
    assert list(auditor.read(log)) == []
    assert list(auditor.whole(log)) == []
    return auditor


def test_a_message_that_was_taken_and_is_not_there_is_a_loss() -> None:
    auditor = read(Ledger(), message("one"))
    assert not list(auditor.said({"one": "taken", "two": "unknown", "three": "refused"}, []))
    assert len(list(auditor.said({"two": "taken"}, []))) == 1
    assert len(list(auditor.said({"one": "refused"}, []))) == 1
    assert len(list(auditor.said({}, [{"do": "told", "text": "four"}]))) == 1


def test_a_message_that_is_there_twice_is_told() -> None:
    auditor = read(Ledger(), message("one"), message("one", 2))
    assert list(auditor.said({}, [])) == ["'one' is 2 times in the log"]


@pytest.mark.parametrize(
    ("vote", "wrong"),
    [
        (Vote(1, "one", "approved", "taken", ""), False),
        (Vote(1, "one", "rejected", "taken", ""), True),
        (Vote(1, "one", "rejected", "unknown", ""), False),
        (Vote(1, "one", "rejected", "refused", "request 1 is approved already"), False),
        (Vote(1, "one", "rejected", "refused", "request 1 is rejected already"), True),
        (Vote(2, "one", "approved", "taken", ""), True),
    ],
)
def test_a_decision_is_what_the_operator_was_told(vote: Vote, wrong: bool) -> None:
    decided = CoordinationResponse(request=1, decision="approved")
    auditor = read(Ledger(), request(1), request(2, "beta/old1"), decided)
    assert len(list(auditor.decided([vote]))) == wrong


def test_a_decision_that_two_were_told_to_have_taken_is_told() -> None:
    auditor = read(Ledger(), request(), CoordinationResponse(request=1, decision="approved"))
    votes = [Vote(1, name, "approved", "taken", "") for name in ("one", "other")]
    assert list(auditor.decided(votes)) == ["2 operators were told that they had decided request 1"]


@pytest.mark.parametrize(
    ("decision", "meant", "landed", "code", "wrong"),
    [
        ("approved", True, True, 0, False),
        ("approved", True, False, 0, True),
        ("approved", True, False, errno.EACCES, True),
        ("approved", False, True, 0, True),
        ("rejected", False, False, errno.EACCES, False),
        ("rejected", False, True, 0, True),
        ("rejected", False, True, errno.EACCES, True),
        ("rejected", False, False, 0, True),
    ],
)
def test_a_foreign_byte_needs_an_approval(
    decision: str, meant: bool, landed: bool, code: int, wrong: bool
) -> None:
    ledger = Ledger(meant={1} if meant else set())
    auditor = read(ledger, request(), CoordinationResponse(request=1, decision=decision))
    notes = [{"do": "end", "number": 0, "errno": code, "time": 2.0}]
    votes = [Vote(1, "one", "approved", "taken", "", 1.0)] if meant else []
    assert bool(list(auditor.landed("alpha", {0} if landed else set(), notes, votes))) is wrong


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ("Files · 20\n│▌ one.py   12 s\n  two.py 1:03\nkeys", True),
        ("Files · 20\n  one.py   12 s\n│▌ two.py 1:03\nkeys", False),
        ("Plan\n│▌ one.py\n  three.py\nother keys", False),
        ("Files · 20\n│▌ one.py   12 s      ▌ request 3 has come\n  two.py 1:03\nkeys", True),
        ("", False),
    ],
)
def test_a_screen_is_the_same_but_for_its_ages(other: str, same: bool) -> None:
    assert alike("Files · 20\n│▌ one.py    9 s\n  two.py 0:59\nkeys", other) is same


def test_a_log_that_was_written_anew_is_told() -> None:
    auditor = read(Ledger(), message("one"))
    other = MemoryLog()
    other.append([message("another")], run=1, actor="engine", expected=0, time=1.0)
    assert "records that were read before have changed" in list(auditor.whole(other))


@pytest.mark.timeout(240)
def test_nothing_is_lost_under_a_few_kills_of_each_kind(tmp_path: Path) -> None:
    count = Counter[str]()
    chance = random.Random(8)
    course = ["engine", "screen", "server", "front", "tmux", "engine"]
    chance.shuffle(course)
    assert Round(8, course, "sqlite", count).play(float("inf"), tmp_path / "kept")
    assert all(count[kind] for kind in course)
    assert count["messages taken"]
    assert count["decisions taken"]
