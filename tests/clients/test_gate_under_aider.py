"""aider, which has neither tools nor a hook: the kernel gate is all there is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from drivers import Aider
from live_play import Live

from benchmarks.model.turns import Asked

pytestmark = pytest.mark.xdist_group("aider")


class Conversation:
    """What the model says to each line that is typed."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def answer(self, asked: Asked) -> str:
        return self.words.pop(0) if self.words else "Nothing to change."


@pytest.fixture(scope="module")
def conversation() -> Conversation:
    return Conversation()


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, conversation: Conversation) -> Iterator[Live[Aider]]:
    here = Live(tmp_path_factory.mktemp("live"), Aider, conversation.answer)
    try:
        here.begin()
        here.until("aider's prompt", lambda: here.shown().endswith(">"))
        yield here
    finally:
        here.close()


@pytest.fixture(autouse=True)
def rested(live: Live[Aider]) -> None:
    live.rest()


def turn(live: Live[Aider], conversation: Conversation, path: str, text: str) -> None:
    """A person asks, and the model says what `path` is to hold."""
    conversation.words.append(Aider.whole(path, text))
    live.types("go on")


def prompted(live: Live[Aider]) -> str:
    """What aider said since the last line that was typed, once it has its prompt again."""

    def said() -> str:
        words = live.shown().rpartition("go on")[2]
        return words if words.rstrip().endswith(">") else ""

    return str(live.until("aider's prompt", said))


def test_an_owned_file_is_written_without_a_question(live: Live[Aider], conversation: Conversation) -> None:
    turn(live, conversation, "alpha/edited", "owned\n")
    prompted(live)
    assert live.read("alpha/edited") == "owned\n"
    assert live.requests() == []


def test_a_foreign_file_is_written_after_the_approval_and_not_before(
    live: Live[Aider], conversation: Conversation
) -> None:
    turn(live, conversation, "beta/edited", "approved\n")
    live.decide("approve", live.waiting("beta/edited"))
    prompted(live)
    assert live.read("beta/edited") == "approved\n"


def test_a_rejected_file_is_not_written(live: Live[Aider], conversation: Conversation) -> None:
    turn(live, conversation, "beta/again", "rejected\n")
    live.decide("reject", live.waiting("beta/again"), "--reason", "not now")
    assert "Permission denied" in prompted(live)
    assert live.read("beta/again") == "first\nsecond\n"


def test_nothing_foreign_is_written_when_the_engine_is_killed(
    live: Live[Aider], conversation: Conversation
) -> None:
    turn(live, conversation, "beta/kept", "unasked\n")
    live.waiting("beta/kept")
    live.kill_engine()
    assert "Permission denied" in prompted(live)
    assert live.read("beta/kept") == "first\nsecond\n"
