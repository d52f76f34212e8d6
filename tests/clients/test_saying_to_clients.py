"""What the operator says reaches a client at its own screen, and its questions are answered from outside."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from live_play import Live
from test_terminals_of_clients import ClaudeScreen

from runebook_tui.core.questions import question


class Asking(ClaudeScreen):
    """Claude Code that asks before it runs or writes anything."""

    arguments = ("--permission-mode", "default")


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live[Asking]]:
    here = Live(tmp_path_factory.mktemp("live"), Asking)
    try:
        here.begin(by_name=True)
        yield here
    finally:
        here.close()


pytestmark = pytest.mark.xdist_group("claude says")


def asks(live: Live[Asking], about: str) -> None:
    """Wait until the client asks about it, beside its own dialog."""

    def asked() -> bool:
        state = live.state()
        found = question(state, state.agents["alpha"])
        return found is not None and about in found.words

    live.until(f"the question about {about}", asked)
    live.until("the client's own dialog", lambda: "Do you want" in live.shown())


def test_its_questions_are_answered_with_yes_and_no(live: Live[Asking]) -> None:
    touched = live.script.say(*live.client.shell("touch alpha/asked"))
    asks(live, "touch alpha/asked")
    held = live.json("say", "alpha", "hello")
    assert [each["outcome"] for each in held] == ["held"]
    assert live.json("answer", "alpha", "yes")["by"] == "hook"
    live.answer(touched)
    assert (live.root / "alpha" / "asked").exists()
    refused = live.script.say(*live.client.shell("touch alpha/refused"))
    asks(live, "touch alpha/refused")
    assert live.command("answer", "alpha", "no").returncode == 0
    assert "the operator said no" in live.answer(refused)
    assert not (live.root / "alpha" / "refused").exists()


def test_who_sits_at_the_pane_answers_as_before(live: Live[Asking]) -> None:
    written = live.script.say(*live.client.create("alpha/written", "text\n"))
    asks(live, "alpha/written")
    live.presses("1", until=lambda: live.script.result(written) is not None)
    live.until("no question", lambda: question(live.state(), live.state().agents["alpha"]) is None)
    assert live.read("alpha/written") == "text\n"


@pytest.mark.parametrize("text", ["go on", "two\nlines", "a line of many\n" * 300])
def test_what_is_said_is_submitted(live: Live[Asking], text: str) -> None:
    live.script.end()
    live.until("its prompt", lambda: live.state().agents["alpha"].doing.activity == "idle")
    (said,) = live.json("say", "alpha", text)
    assert said == {"id": "alpha", "outcome": "submitted", "why": "its client says so"}
    live.until("a request with it", lambda: text.split("\n")[0] in live.script.heard)
