"""A hook that crashes or never answers: whatever the client makes of that, nothing foreign lands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from drivers import DRIVERS, Driver
from live_play import Live

from benchmarks.model.turns import Call

TIMED = ("claude", "codex", "gemini", "copilot")
"""The clients whose own timer for the hook can be set. opencode has none; Qwen Code's is 60 s."""
SECONDS = 4
ENTRY = """
import os, signal, sys
folder = {folder!r}
said = sys.stdin.read() + " ".join(sys.argv)
if any(name in said for name in ("PreToolUse", "BeforeTool", "tool.execute.before", "preToolUse")):
    with open(os.path.join(folder, "faults"), "a") as faults:
        faults.write("one\\n")
    if open(os.path.join(folder, "fault")).read() == "hang":
        signal.pause()
    raise RuntimeError("broken")
"""


@pytest.fixture(scope="module")
def live(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live[Driver]]:
    here = Live(tmp_path_factory.mktemp("live"), DRIVERS[request.param])
    try:
        here.break_hook(ENTRY.format(folder=str(here.root.parent)), SECONDS)
        here.begin(by_name=True)
        yield here
    finally:
        here.close()


@pytest.fixture(autouse=True)
def rested(live: Live[Driver]) -> None:
    """What a test does is an act of its own, no part of what was decided before."""
    live.rest()


def each(names: Iterable[str]) -> pytest.MarkDecorator:
    params = [pytest.param(name, marks=pytest.mark.xdist_group(f"{name} broken")) for name in names]
    return pytest.mark.parametrize("live", params, indirect=True)


def faults(folder: Path) -> int:
    """How often the hook has failed."""
    file = folder / "faults"
    return len(file.read_text().splitlines()) if file.exists() else 0


def stays_out(live: Live[Driver], fault: str, path: str, calls: list[Call]) -> None:
    """The client does `calls` with a hook that has this `fault`, and `path` stays as it is."""
    folder = live.root.parent
    (folder / "fault").write_text(fault)
    before = faults(folder)
    number = live.script.say(*calls)

    def asked() -> bool:
        return any(path in each["paths"] for each in live.requests() if each["held_until"])

    live.until("an answer, or the gate's question", lambda: live.script.result(number) is not None or asked())
    assert faults(folder) > before
    assert live.read(path) == live.committed(path)
    if live.script.result(number) is None:
        live.decide("reject", live.waiting(path))
    live.answer(number)
    assert live.read(path) == live.committed(path)


@each(DRIVERS)
def test_no_foreign_edit_lands_when_the_hook_crashes(live: Live[Driver]) -> None:
    stays_out(live, "crash", "beta/edited", live.client.edit("beta/edited", "first", "unasked"))


@each(DRIVERS)
def test_no_foreign_write_of_the_shell_lands_when_the_hook_crashes(live: Live[Driver]) -> None:
    stays_out(live, "crash", "beta/shell", live.client.shell("echo unasked > beta/shell"))


@each(TIMED)
def test_no_foreign_edit_lands_when_the_hook_never_answers(live: Live[Driver]) -> None:
    stays_out(live, "hang", "beta/again", live.client.edit("beta/again", "first", "unasked"))


@each(TIMED)
def test_no_foreign_write_of_the_shell_lands_when_the_hook_never_answers(live: Live[Driver]) -> None:
    stays_out(live, "hang", "beta/kept", live.client.shell("echo unasked > beta/kept"))
