"""Plain mode: what is said unasked, what the orders do, and that nothing is drawn over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tui_scenes import NOW, by, scene, touch

from runebook_tui.core import commands as c
from runebook_tui.core.types import OPERATOR
from runebook_tui.settings import Notify
from runebook_tui.tui.backend import BackendError, Update
from runebook_tui.tui.memory import MemoryBackend
from runebook_tui.tui.plain.session import PlainSession

DEADLINE = 30.0


class Person:
    """Who types lines and reads what was printed. Each look at the clock takes `pace` seconds."""

    def __init__(self, backend: MemoryBackend, *, prompt: bool = False) -> None:
        self.backend = backend
        self.printed = ""
        self.pace = 0.0
        self._time = NOW
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._more = asyncio.Event()
        self.session = PlainSession(
            backend, self._write, keys={}, notify=Notify(), prompt=prompt, now=self._now
        )

    def _now(self) -> float:
        self._time += self.pace
        return self._time

    def _write(self, text: str) -> None:
        self.printed += text
        self._more.set()

    async def lines(self) -> AsyncIterator[str]:
        while (line := await self._lines.get()) is not None:
            yield line

    def leave(self) -> None:
        self._lines.put_nowait(None)

    async def types(self, line: str, *answers: str) -> str:
        """Type a line, and wait for all that it should say; what was printed since."""
        before = len(self.printed)
        self._lines.put_nowait(line)
        return await self.reads(*answers, since=before)

    async def reads(self, *texts: str, since: int = 0) -> str:
        """Wait until all texts were printed; what was."""
        try:
            async with asyncio.timeout(DEADLINE):
                while not all(text in self.printed[since:] for text in texts):
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            raise AssertionError(self.printed) from None
        return self.printed[since:]


@asynccontextmanager
async def talking(backend: MemoryBackend | None = None, *, prompt: bool = False) -> AsyncIterator[Person]:
    """A session that has said how things stand; at its end nothing was drawn over, and all is given back."""
    person = Person(backend or scene(), prompt=prompt)
    running = asyncio.ensure_future(person.session.run(person.lines()))
    try:
        await person.reads("surfaces: failed, exit 3, 0 of 1 tasks done; 6 minutes\n")
        yield person
    finally:
        person.leave()
        await running
    assert "\x1b" not in person.printed
    assert person.backend.closed


async def test_it_begins_with_how_things_stand_and_ends_with_what_goes_on() -> None:
    async with talking() as person:
        await person.reads(
            "plan checkout-rewrite, run 1; the engine runs\n",
            "need you: next goes to the first\n",
            "request 2: capture asks to write src/storage/api.py, which storage owns, saying: append_event",
            "request 1: storage or you wrote src/core/types.py, which core owns; open for 2 minutes\n",
        )
    assert person.printed.endswith("3 agents go on; runebook-tui down ends them\n")
    assert "> " not in person.printed, "nobody is prompted through a pipe"


async def test_next_goes_from_one_to_the_next_and_a_letter_decides_it() -> None:
    async with talking(prompt=True) as person:
        await person.types("a", "not done: which request? say its number after the command, or next")
        await person.types("n", "request 2: capture asks", "request 2> ")
        await person.types("a 2 for paging", "request 2 approved once; take back undoes that")
        assert person.backend.state.requests[2].answer == "for paging"
        await person.types("next", "request 1: storage or you wrote", "request 1> ")
        await person.types("u", "request 1 rejected", "undone as u1: src/core/types.py")
        assert person.backend.sent[-1][1]["undo"] is True
        await person.types("z", "taken back: request 1 is open again")


async def test_what_was_not_told_or_has_changed_is_told_before_it_is_decided() -> None:
    backend = scene()
    async with talking(backend) as person:
        backend.do(c.Observe((touch("src/core/state.py", by("capture"), 1, 0),)), at=NOW)
        await person.types("log 1", "request 3: capture wrote")
        await person.types("a 3", "nothing was decided: request 3", "capture wrote src/core/state.py")
        assert backend.state.requests[3].open
        backend.do(c.Observe((touch("src/core/rules.py", by("capture"), 1, 0),)), at=NOW)
        await person.types("log 1", "request 3 grew")
        await person.types("a 3", "nothing was decided: request 3 has changed since it was told. It is:")
        assert backend.state.requests[3].open
        await person.types("a 3", "request 3 approved once")


async def test_a_difference_is_shown_between_words_and_nothing_in_it_is_obeyed() -> None:
    backend = scene()
    backend.diffs[1] += "+\x1b]0;evil\x07" + "".join(f"\n+line {n}" for n in range(500))
    async with talking(backend) as person:
        shown = await person.types("diff 1", "more lines are not shown", "end of the difference\n")
        assert "the difference: 504 lines added, 1 removed\n" in shown
        assert "+␛]0;evil␇" in shown
        assert "evidence: only storage was active" in shown


async def test_what_comes_up_is_said_and_does_not_take_the_place_of_what_is_decided() -> None:
    backend = scene()
    async with talking(backend, prompt=True) as person:
        await person.types("next", "request 2> ")
        backend.do(c.Ask("nix-ci", ("src/core/[slug].py",), "a page", pid=1), at=NOW)
        person.pace = 1.0
        await person.reads(
            "\nrequest 3: nix-ci asks to write src/core/[slug].py, which core owns, saying: a page"
        )
        await person.types("a", "request 2 approved once")
        assert backend.state.requests[3].open


async def test_agents_are_answered_spoken_to_and_stopped_after_a_question() -> None:
    async with talking() as person:
        told = await person.types("agents", "nix-ci: ")
        assert "surfaces: failed" in told
        assert "analysis: not started, waits for" in told
        await person.types("why surfaces", "its process says so (exit status)")
        await person.types("say nix-ci,storage go on", "nix-ci has it", "storage has it")
        assert person.backend.sent[-1] == ("say", {"agents": ["nix-ci", "storage"], "text": "go on"})
        await person.types("x storage", "stop storage?", "yes or no?")
        await person.types("what", "not done")
        await person.types("stop storage", "yes or no?")
        await person.types("yes", "storage is stopped")
        assert not person.backend.state.agents["storage"].alive
        await person.types("say storge x", "not done: the plan has no agent storge; did you mean 'storage'?")
        await person.types("panes capture", "the last 6 rows of capture:\n$ pytest -q", "end of the pane")


async def test_the_log_the_plan_and_the_files_are_read_line_by_line() -> None:
    backend = scene()
    backend.paths = ["src/core/types.py", "src/core/\x1b[31mred.py"]
    async with talking(backend) as person:
        await person.types("log 3", "capture asks to write src/storage/api.py", "ago\n")
        await person.types(
            "phases", "phase wire: pending, waits for", "interface storage of storage: not published"
        )
        await person.types(
            "files CORE", "src/core/types.py: core owns it", "src/core/␛[31mred.py: core owns it"
        )
        await person.types("away", "2 requests wait for you")
        await person.types("hear all", "every change is told")
        backend.do(c.Observe((touch("src/storage/store.py", by("storage"), 2, 2),)), at=NOW)
        await person.reads("storage wrote src/storage/store.py")


async def test_without_an_engine_it_says_so_and_what_starts_it() -> None:
    backend = scene()
    async with talking(backend) as person:
        backend.engine_alive = False
        await person.reads("the engine does not run; start the engine brings it back")
        await person.types("a 2", "not done: no engine runs")
        await person.types("E", "the engine runs")


class _Lost(MemoryBackend):
    """A backend whose log cannot be followed any more."""

    async def follow(self) -> AsyncIterator[Update]:
        yield Update(self.state, (), True)
        raise BackendError("the log is gone")


async def test_a_log_that_cannot_be_followed_any_more_ends_the_session_with_its_words() -> None:
    person = Person(_Lost(scene().records))
    with pytest.raises(BackendError, match="the log is gone"):
        await person.session.run(person.lines())
    assert person.backend.closed


async def test_a_decision_made_elsewhere_is_said() -> None:
    backend = scene()
    async with talking(backend) as person:
        backend.do(c.Decide(2, "rejected", reason="no"), actor=OPERATOR, at=NOW)
        await person.reads("you rejected request 2: no\n")
        await person.types("a 2", "not done: request 2 is rejected already")
