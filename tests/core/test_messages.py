"""Messages: who may send how much, what is kept, and who has read it."""

from __future__ import annotations

import pytest
from core_play import Play, agent, plan

from runebook_tui.core.events import RunStarted
from runebook_tui.core.messages import (
    KEPT,
    MOST_A_MINUTE,
    MOST_CHARACTERS,
    MessageDelivered,
    MessageSent,
    ReportDelivered,
    SendMessage,
    cleaned,
    unread,
)


@pytest.fixture
def play() -> Play:
    return Play(plan(agent("alpha"), agent("beta"), agent("gamma")))


def texts(play: Play, reader: str) -> list[str]:
    return [each.text for each in unread(play.state, reader)]


def test_a_message_is_unread_until_its_reader_has_it(play: Play) -> None:
    play.do(SendMessage("alpha", ("beta", "operator"), "here"))
    play.do(SendMessage("operator", ("all",), "everybody"))
    assert texts(play, "beta") == ["here", "everybody"]
    assert texts(play, "operator") == ["here"]
    assert texts(play, "alpha") == ["everybody"]
    (told,) = play.do(ReportDelivered("beta", (1, 2, 7), "hook"))
    assert told == MessageDelivered(reader="beta", messages=(1, 2), by="hook")
    assert play.do(ReportDelivered("beta", (1, 2), "mcp")) == []
    assert texts(play, "beta") == []
    assert texts(play, "gamma") == ["everybody"]


def test_a_message_needs_known_readers_and_some_words(play: Play) -> None:
    assert "did you mean 'beta'" in play.refused(SendMessage("alpha", ("betta",), "x"))
    assert play.refused(SendMessage("alpha", (), "x")) == "say to whom, and what"
    assert play.refused(SendMessage("alpha", ("beta",), " \n")) == "say to whom, and what"
    long = SendMessage("operator", ("beta",), "x" * (MOST_CHARACTERS + 1))
    assert play.refused(long) == "a message has at most 4000 characters, not 4001"


def test_an_agent_in_a_loop_is_stopped_and_others_are_not(play: Play) -> None:
    for n in range(MOST_A_MINUTE):
        play.now += 1
        play.do(SendMessage("alpha", ("beta",), f"again {n}"))
    assert play.refused(SendMessage("alpha", ("beta",), "more")) == (
        "alpha has sent 20 messages within a minute: wait before the next"
    )
    play.do(SendMessage("gamma", ("beta",), "mine"))
    play.do(SendMessage("operator", ("alpha",), "stop"))
    play.now += 60
    play.do(SendMessage("alpha", ("beta",), "later"))


def test_who_sends_much_does_not_make_others_messages_forgotten(play: Play) -> None:
    play.do(SendMessage("operator", ("gamma",), "not read yet"))
    for n in range(2 * KEPT):
        play.now += 10
        play.do(SendMessage("alpha", ("beta",), str(n)))
        if n < 5:
            play.do(ReportDelivered("beta", (n + 2,), "hook"))
    assert len(play.state.messages) == KEPT
    assert texts(play, "gamma") == ["not read yet"]
    assert texts(play, "beta")[-1] == str(2 * KEPT - 1)


def test_the_numbers_and_the_unread_go_on_in_a_new_run(play: Play) -> None:
    play.do(SendMessage("operator", ("beta",), "first"))
    again = plan(agent("alpha"), agent("beta"))
    play.append(RunStarted(plan=again))
    assert texts(play, "beta") == ["first"]
    sent = play.do(SendMessage("operator", ("beta",), "second"))[0]
    assert isinstance(sent, MessageSent)
    assert sent.message == 2


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("two\r\nlines\n", "two\nlines\n"),
        ("\x1b[31mred\x07", "␛[31mred␇"),
        ("a\tb", "a   b"),
        ("left\u202eright", "left\\u202eright"),
        ("export TOKEN=abc123", "export TOKEN=[hidden]"),
    ],
)
def test_what_is_no_text_is_shown_and_secrets_are_hidden(text: str, shown: str) -> None:
    assert cleaned(text) == shown
