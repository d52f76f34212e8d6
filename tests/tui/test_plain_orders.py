"""What can be typed in plain mode is what the keys, the palette and the help declare."""

from __future__ import annotations

import pytest

from runebook_tui.settings import Notify
from runebook_tui.tui.memory import MemoryBackend
from runebook_tui.tui.plain import orders
from runebook_tui.tui.plain.orders import NotUnderstoodError, Order, understood
from runebook_tui.tui.plain.session import PlainSession
from runebook_tui.tui.plain.words import listed, span


@pytest.mark.parametrize(
    ("line", "order"),
    [
        ("a", Order("request.approve")),
        ("approve 12 as agreed", Order("request.approve", "12 as agreed")),
        ("APPROVE 12", Order("request.approve", "12")),
        ("R alpha", Order("agent.restart", "alpha")),
        ("r 12 not  yours", Order("request.reject", "12 not  yours")),
        ("reject and undo 3", Order("request.undo", "3")),
        ("reject 3 and undo it", Order("request.reject", "3 and undo it")),
        ("diff 12", Order("request.open", "12")),
        ("take back", Order("request.take_back")),
        ("take 4", Order("suggestion.take", "4")),
        ("say alpha go on, with [/x]", Order("agent.say", "alpha go on, with [/x]")),
        ("agents", Order("plain.agents")),
        ("2", Order("mode.requests")),
        ("phases", Order("mode.plan")),
        ("?", Order("help")),
        ("  q  ", Order("quit")),
    ],
)
def test_words_and_letters_name_the_same_commands_as_keys_do(line: str, order: Order) -> None:
    assert understood(line, {}) == order


def test_an_empty_line_asks_for_nothing() -> None:
    assert understood("", {}) is None
    assert understood(" \t ", {}) is None


def test_a_key_that_the_person_chose_is_the_letter_here_too() -> None:
    keys = {"request.next": "N", "request.open": "n"}
    assert understood("N", keys) == Order("request.next")
    assert understood("n 3", keys) == Order("request.open", "3")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("aprove 12", "aprove is no command here; did you mean approve?"),
        ("\x1b[2J", "␛[2J is no command here; help lists what there is"),
        ("12", "12 is no command here; help lists what there is"),
    ],
)
def test_what_is_not_understood_is_one_line(line: str, words: str) -> None:
    with pytest.raises(NotUnderstoodError) as error:
        understood(line, {})
    assert str(error.value) == words


def test_every_command_has_one_meaning_and_somebody_who_carries_it_out() -> None:
    known = orders.declared()
    letters = [sign for each in known.values() if (sign := orders.letter(each, {}))]
    assert len(letters) == len(set(letters))
    names = [name for form in orders.FORMS for name in (*form.names, known[form.id].word.casefold())]
    assert len(names) == len(set(names))
    session = PlainSession(MemoryBackend(), print, keys={}, notify=Notify(), prompt=False)
    assert set(session.handlers) == {form.id for form in orders.FORMS} - {"quit"}


def test_the_help_tells_every_command_with_its_letter() -> None:
    told = list(orders.help_lines({"request.approve": "A"}))
    assert len(told) == len(orders.FORMS)
    assert any(
        each.startswith("approve [REQUEST or AGENT] [REASON], or A, or yes: approve ") for each in told
    )


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3, "no time"),
        (0.2, "no time"),
        (1, "1 second"),
        (59.6, "1 minute"),
        (75, "1 minute"),
        (3_900, "1 hour 5 minutes"),
        (3_601, "1 hour"),
        (200_000, "2 days"),
    ],
)
def test_a_span_is_said_in_words(seconds: float, words: str) -> None:
    assert span(seconds) == words


def test_several_are_listed_as_people_say_them() -> None:
    assert [listed(each) for each in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
