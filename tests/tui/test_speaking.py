"""Speaking to agents from the cockpit: to one, to several, and yes or no to what a client asks."""

from __future__ import annotations

from tui_scenes import NOW, Stage, scene, stage

from runebook_tui.core import commands as c
from runebook_tui.core.activity import Activity
from runebook_tui.core.types import AgentStatus
from runebook_tui.tui.memory import MemoryBackend
from runebook_tui.tui.screens.say import SayScreen

QUESTION = "may Bash run? make [test]"


def asking(backend: MemoryBackend, words: str = QUESTION, at: float = NOW - 30) -> None:
    backend.do(c.ReportActivity("storage", "Claude Code", Activity.WAITING, words), at=at)


async def say(played: Stage, *keys: str) -> SayScreen:
    """Open the prompt by a key, and write."""
    await played.press(keys[0])
    await played.until(lambda: isinstance(played.app.screen, SayScreen))
    await played.press(*keys[1:])
    return played.app.screen


def said(played: Stage) -> list[tuple[list[str], str]]:
    return [(fields["agents"], fields["text"]) for do, fields in played.backend.sent if do == "say"]


async def test_s_says_something_to_the_selected_agent() -> None:
    async with stage() as played:
        played.cockpit.plan.select(("agent", "storage"), by_hand=True)
        await played.pilot.pause()
        assert "say to storage" in played.bar()
        await say(played, "s", *"go on")
        await played.shows("Say to storage", "go on")
        await played.press("ctrl+j", *"now", "enter")
        await played.until(lambda: played.app.screen is played.cockpit)
        assert said(played) == [(["storage"], "go on\nnow")]
        await played.shows("storage has it")


async def test_nobody_is_spoken_to_who_does_not_run() -> None:
    async with stage() as played:
        played.cockpit.plan.select(("agent", "surfaces"), by_hand=True)
        await played.press("s")
        await played.shows("surfaces is not running")
        assert played.app.screen is played.cockpit


async def test_what_was_held_is_said_again_by_the_same_key() -> None:
    async with stage() as played:
        played.backend.holding["storage"] = "a question is open in its pane"
        played.cockpit.plan.select(("agent", "storage"), by_hand=True)
        await say(played, "s", *"hello", "enter")
        await played.shows("held back: a question is open in its pane", "says it again")
        played.backend.holding.clear()
        await played.press("enter")
        await played.until(lambda: played.app.screen is played.cockpit)
        assert said(played) == [(["storage"], "hello")] * 2


async def test_several_are_chosen_from_a_list() -> None:
    async with stage() as played:
        played.backend.holding["nix-ci"] = "make has its terminal, not its own program"
        await say(played, "S", *"stop")
        await played.shows("Say to storage, capture, nix-ci")
        await played.press("tab", "a")
        await played.shows("Say to nobody yet")
        await played.press("j", "p")  # capture's phase: storage is in it, too
        await played.shows("Say to storage, capture")
        await played.press("home", "space")
        await played.shows("Say to capture")
        await played.press("a", "tab", "enter")
        await played.shows("Say to nix-ci", "has it", "held back: make has its terminal")
        assert said(played) == [(["storage", "capture", "nix-ci"], "stop")]
        await played.press("enter")
        assert said(played)[-1] == (["nix-ci"], "stop")


async def test_words_that_were_not_said_are_kept_and_old_ones_come_back() -> None:
    backend = scene()
    for at, text in enumerate(("first", "second", "first")):
        backend.do(c.ReportSaid("storage", text, "submitted", ""), at=NOW - 9 + at)
    async with stage(backend) as played:
        played.cockpit.plan.select(("agent", "storage"), by_hand=True)
        screen = await say(played, "s", *"half")
        await played.until(lambda: screen.draft.earlier)
        await played.press("up")
        assert screen.draft.text == "first"
        await played.press("up", "up")
        assert screen.draft.text == "second"
        await played.press("down", "down")
        assert screen.draft.text == "half"
        await played.press("escape")
        screen = await say(played, "s")
        assert screen.draft.text == "half"


async def test_nothing_is_not_said() -> None:
    async with stage() as played:
        played.cockpit.plan.select(("agent", "storage"), by_hand=True)
        await say(played, "s", "space", "enter")
        await played.shows("there is nothing to say")
        assert said(played) == []


async def test_a_question_is_answered_by_one_key() -> None:
    async with stage() as played:
        asking(played.backend)
        await played.shows("storage asks", QUESTION)
        played.cockpit.requests.select(("question", "storage"), by_hand=True)
        await played.until(lambda: "yes to storage" in played.bar())
        assert played.cockpit.plan.agent == "storage"  # its pane is looked at
        await played.decide("a")
        await played.until(lambda: "storage asks" not in played.text())
        assert played.backend.sent[-1] == (
            "answer",
            {"agent": "storage", "question": QUESTION, "answer": "yes"},
        )
        assert played.backend.state.agents["storage"].status is AgentStatus.RUNNING


async def test_n_goes_to_the_question() -> None:
    async with stage() as played:
        asking(played.backend)
        await played.shows("storage asks")
        await played.press("n")
        await played.until(lambda: "yes to storage" in played.bar())


async def test_a_key_never_answers_another_question_than_was_read() -> None:
    async with stage() as played:
        asking(played.backend)
        await played.shows("storage asks")
        played.cockpit.requests.select(("question", "storage"), by_hand=True)
        await played.look()
        asking(played.backend, "may Bash run? rm -rf /")
        await played.pilot.pause()
        await played.press("a")
        await played.shows("has just come up")
        assert not [each for each in played.backend.sent if each[0] == "answer"]
        await played.decide("r")
        await played.until(lambda: played.backend.sent)
        assert played.backend.sent[-1][1]["answer"] == "no"


async def test_an_answer_that_is_refused_is_shown_and_may_be_given_again() -> None:
    async with stage() as played:
        asking(played.backend)
        await played.shows("storage asks")
        played.cockpit.requests.select(("question", "storage"), by_hand=True)
        played.backend.engine_alive = False
        await played.decide("a")
        await played.shows("the engine is not running")
        played.backend.engine_alive = True
        await played.decide("a")
        await played.until(lambda: "storage asks" not in played.text())


async def test_a_question_stands_after_the_writes_that_wait() -> None:
    backend = scene()
    asking(backend)
    stopped = c.Hold("capture", "src/storage/x.py", 4121, "sed", "sed would open it for writing", NOW + 60)
    backend.do(stopped, at=NOW - 3)
    async with stage(backend) as played:
        keys = [entry.key for entry in played.cockpit.requests.entries]
        held = next(each.id for each in backend.state.open_requests if each.held_until)
        assert keys.index(("question", "storage")) == keys.index(held) + 1 == 1
