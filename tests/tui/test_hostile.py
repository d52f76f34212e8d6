"""Nothing that an agent prints or names breaks or restyles the screen."""

from __future__ import annotations

import unicodedata

import pytest
from rich.cells import cell_len
from tui_scenes import NOW, Stage, by, scene, stage, touch

from runebook_tui.core import commands as c
from runebook_tui.core.types import Author, ExecutionPlan
from runebook_tui.tui.backend import Frame
from runebook_tui.tui.memory import MemoryBackend

HOSTILE = {
    "closing tag": ("src/core/[/x].py", "[/x].py"),
    "tag": ("src/core/app/[slug]/page.tsx", "[slug]/page.tsx"),
    "link": ("src/core/[@click=app.bell]x[/]", "[@click=app.bell]x[/]"),
    "escape": ("src/core/\x1b[2J\x1b[31mred", "␛[2J␛[31mred"),
    "title": ("src/core/\x1b]0;owned\x07x", "␛]0;owned␇x"),
    "c1": ("src/core/\x9b31mx", "\\u009b31mx"),
    "override": ("src/core/\u202egnp.exe", "\\u202egnp.exe"),
    "isolate": ("src/core/\u2066x\u2069", "\\u2066x\\u2069"),
    "not utf-8": ("src/core/\udcff\udc80x", "\\xff\\x80x"),
    "lone surrogate": ("src/core/\ud800x", "\\ud800x"),
    "newline": ("src/core/a\nb\rc\td", "a␊b␍c␉d"),
    "nul": ("src/core/a\x00b", "a␀b"),
    "zero width": ("src/core/a\u200bb\ufeffc", "a\\u200bb\\ufeffc"),
    "line separator": ("src/core/a\u2028b", "a\\u2028b"),
    "long": ("src/core/" + "x" * 3980 + "/the-end.py", "the-end.py"),
    "wide": ("src/core/" + "漢" * 1300 + ".py", "漢.py"),
    "zalgo": ("src/core/z" + "\u0301" * 300 + "end", "\\u0301end"),
    "blank": ("src/core/ ", "src/core/"),
    "emoji": ("src/core/👩‍👩‍👧.py", "👩\\u200d👩\\u200d👧.py"),
}


def whole(played: Stage) -> str:
    """The screen's text; every row is exactly as wide as the screen and holds no control character."""
    text = played.text()
    rows = text.split("\n")
    assert len(rows) == played.app.size.height
    assert all(cell_len(row) == played.app.size.width for row in rows)
    assert not any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in "".join(rows))
    assert not any(character in text for character in "\u202e\u2066\u2069")
    return text


GROUPS = [list(HOSTILE)[start::4] for start in range(4)]


@pytest.mark.parametrize("names", GROUPS, ids=lambda names: ", ".join(names))
async def test_hostile_paths_are_shown_everywhere_and_break_nothing(names: list[str]) -> None:
    backend = scene()
    for number, name in enumerate(names):
        path = HOSTILE[name][0]
        # The agent's own words, the evidence, the program, the diff and the cause say it too.
        author = Author(name="storage", evidence=f"saw {path}", program=path, pid=number)
        backend.do(c.Observe((touch(path, author),), cause=path), at=NOW)
        request = backend.state.last_request
        backend.diffs[request] = f"--- a/{path}\n+++ b/{path}\n@@ -0,0 +1 @@\n+{path}\n"
        backend.do(c.Ask("capture", (path,), f"please: {path}"), at=NOW)
    async with stage(backend, size=(120, 40)) as played:
        for request in list(backend.state.requests.values())[2:]:
            shown = next(HOSTILE[name][1] for name in names if HOSTILE[name][0] in request.crossings)
            played.cockpit.requests.select(request.id, by_hand=True)
            await played.shows(f"approve {request.id}", shown)
            whole(played)
            await played.press("o")
            await played.shows(f"Request {request.id} ", "close")
            assert shown.rsplit("/", 1)[-1] in whole(played)
            await played.press("r")
            whole(played)
            await played.press("escape", "escape")


@pytest.mark.parametrize("names", GROUPS, ids=lambda names: ", ".join(names))
async def test_hostile_words_in_the_plan_the_pane_and_the_log(names: list[str]) -> None:
    backend = scene()
    async with stage(backend, size=(120, 40)) as played:
        for name in names:
            path = HOSTILE[name][0]
            backend.do(c.BlockTask("storage", "storage-2", path), at=NOW)
            backend.do(c.ReportNet("gate", "capture", False, path), at=NOW)
            backend.do(c.ReportExited("nix-ci", code=2, reason=path, last_lines=(path, path)), at=NOW)
            backend.frames["storage"] = Frame((path.encode("utf-8", "surrogatepass"),), None)
            await played.until(lambda: played.app.view.state.seq == backend.state.seq)
            await played.press("home", "j", "end")
            await played.shows("nix-ci failed:")
            whole(played)
            await played.press("l")
            await played.shows("cannot go on with task")
            whole(played)
            await played.press("escape")
            backend.do(c.RestartAgent("nix-ci"), at=NOW)
            backend.do(c.ReportStarted("nix-ci", "%9", 9), at=NOW)
        await played.pilot.resize_terminal(80, 24)
        await played.pilot.pause()
        whole(played)


async def test_a_hostile_plan_name_and_titles() -> None:
    plan = ExecutionPlan.model_validate(
        {
            "plan": {"name": "[/x]\x1b[31m\u202eplan"},
            "phases": [{"id": "p", "title": "[bold]t\x1b]0;x\x07"}],
            "agents": [
                {
                    "id": "a",
                    "phase": "p",
                    "command": ["[/x]", "\x1b[2J"],
                    "tasks": [{"id": "t", "title": "[/]"}],
                }
            ],
        }
    )
    backend = MemoryBackend(now=lambda: NOW)
    backend.do(c.StartRun(plan), at=NOW)
    backend.do(c.ReportStarted("a", "%1", 1), at=NOW)
    backend.do(c.StartTask("a", "t"), at=NOW)
    async with stage(backend) as played:
        await played.shows("[/x]␛[31m\\u202eplan", "[bold]t␛]0;x␇", "[/x] ␛[2J", "[/]")
        whole(played)


async def test_a_hostile_refusal_is_shown_as_it_is() -> None:
    async with stage() as played:
        played.cockpit.post_message(played.cockpit.RestartWanted("[/x]\x1b"))
        await played.shows("the plan has no agent '[/x]\\x1b'")


async def test_what_a_pane_prints_stays_in_its_panel() -> None:
    backend = scene()
    backend.frames["storage"] = Frame(
        (b"\x1b[41mred\x1b[999;1Hout", b"\xff\xfe[/x]", b"x" * 4000, b"\x1b]52;c;AAAA\x07clip"), (1, 1)
    )
    async with stage(backend) as played:
        before = [row[:36] + row[-40:] for row in played.text().splitlines()[4:30]]
        await played.press("k", "k")
        await played.shows("redout", "[/x]", "clip")
        after = [row[:36] + row[-40:] for row in whole(played).splitlines()[4:30]]
        moved = {number for number, (a, b) in enumerate(zip(before, after, strict=True)) if a != b}
        assert len(moved) <= 4, "only the plan's selection moved"


async def test_the_screen_survives_a_burst(monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage() as played:
        for number in range(300):
            played.backend.do(c.Observe((touch(f"src/core/{number}", by("storage")),)), at=NOW + number * 3)
        await played.until(lambda: played.app.view.state.seq == played.backend.state.seq)
        await played.shows(f"◆ {len(played.backend.state.open_requests)} requests")
        whole(played)
