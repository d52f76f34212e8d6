"""What is not different is not painted: an event paints its own lines, a key the lines that it changes."""

from __future__ import annotations

from collections import Counter

import pytest
from textual.app import App
from textual.content import Content
from textual.strip import Strip
from textual.widgets import Static
from tui_scenes import NOW, YOU_OR_STORAGE, by, stage, touch

from runebook_tui.core import commands as c
from runebook_tui.core.snoozing import Snooze
from runebook_tui.core.types import OPERATOR
from runebook_tui.tui.theme import RUNEBOOK, variables
from runebook_tui.tui.view import BEHIND, View, same_but
from runebook_tui.tui.widgets.header import HeaderBar
from runebook_tui.tui.widgets.plan import PlanPanel
from runebook_tui.tui.widgets.requests import RequestsPanel
from runebook_tui.tui.widgets.rows import Entry, Lines, Rows
from runebook_tui.tui.widgets.strip import EventStrip, KeyBar
from runebook_tui.tui.widgets.words import Words, entitle


@pytest.fixture
def painted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many lines of each panel were painted."""
    lines: Counter[str] = Counter()
    for panel in (HeaderBar, PlanPanel, RequestsPanel, EventStrip, KeyBar):
        real = panel.render_line

        def counted(self: PlanPanel, y: int, real=real, name: str = panel.__name__) -> Strip:
            lines[name] += 1
            return real(self, y)

        monkeypatch.setattr(panel, "render_line", counted)
    return lines


async def test_a_write_paints_the_last_events_and_nothing_else(painted: Counter[str]) -> None:
    async with stage() as played:
        painted.clear()
        played.backend.do(c.Observe((touch("src/storage/new.py", by("storage")),)), at=NOW)
        await played.shows("wrote src/storage/new.py")
        assert painted["EventStrip"] == 3
        assert painted["PlanPanel"] == painted["RequestsPanel"] == painted["KeyBar"] == 0
        # The clock of the run may have ticked meanwhile.
        assert painted["HeaderBar"] <= 1


async def test_what_an_agent_does_paints_its_own_line(painted: Counter[str]) -> None:
    async with stage() as played:
        await played.shows("Publish the API")
        painted.clear()
        played.backend.do(c.StartTask("storage", "storage-3"), at=NOW)
        await played.shows("Retention")
        assert painted["PlanPanel"] == 1


async def test_a_key_paints_the_entry_that_was_left_and_the_one_that_was_reached(
    painted: Counter[str],
) -> None:
    async with stage() as played:
        before = played.cockpit.plan.agent
        painted.clear()
        await played.press("j")
        assert played.cockpit.plan.agent != before
        assert 1 <= painted["PlanPanel"] <= 4


async def test_a_request_that_changes_without_looking_different_is_seen_anew() -> None:
    async with stage() as played:
        await played.look()
        before = played.text().partition("Requests")[2].partition("╰")[0]
        known = played.app.view
        other = touch("src/core/types.py", YOU_OR_STORAGE, 12, 0, after="something else")
        played.backend.do(c.Observe((other,)), at=NOW)
        await played.until(lambda: played.app.view is not known)
        await played.look()
        assert played.text().partition("Requests")[2].partition("╰")[0] == before
        await played.press("a")
        await played.until(lambda: not played.backend.state.requests[1].open)


async def test_a_second_that_passes_paints_the_times_alone(painted: Counter[str]) -> None:
    async with stage() as played:
        painted.clear()
        played.now += 1
        played.cockpit._tick()
        await played.shows("0:41:08")
        # Three agents work, and two requests wait.
        assert painted["PlanPanel"] == 3
        assert painted["RequestsPanel"] == 2
        assert painted["EventStrip"] == 0


async def test_a_snooze_that_ends_takes_its_line_with_it() -> None:
    async with stage() as played:
        played.backend.do(Snooze("surfaces"), actor=OPERATOR, at=NOW)
        await played.shows("snoozed for 15:00 more")
        played.now += 901
        played.cockpit.plan.tick()
        await played.until(lambda: "snoozed for" not in played.text())
        rows = played.text().splitlines()
        at = next(number for number, row in enumerate(rows) if "surfaces" in row)
        assert "failed" in rows[at + 1]
        assert rows[at + 2].split("│")[1].strip()


async def test_views_are_the_same_but_for_what_an_event_is_about() -> None:
    async with stage() as played:
        before = played.app.view
        played.backend.do(c.Observe((touch("src/storage/new.py", by("storage")),)), at=NOW)
        await played.until(lambda: played.app.view is not before)
        touched = played.app.view
        assert same_but(before, touched, *BEHIND)
        assert not same_but(before, touched, "seq", "time")
        assert not same_but(before, before, *BEHIND)
        assert not same_but(before, View(before.state, before.recent, False, True), *BEHIND)
        played.backend.do(c.CompleteTask("storage", "storage-2"), at=NOW)
        await played.until(lambda: played.app.view is not touched)
        assert not same_but(touched, played.app.view, *BEHIND)


class _Column(Rows):
    """Rows that say which lines they painted."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: set[int] = set()

    def render_line(self, y: int) -> Strip:
        self.lines.add(y)
        return super().render_line(y)


class _Few(App[None]):
    """A column of ten, a title and some words."""

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return dict(variables(RUNEBOOK))

    def compose(self):
        self.column = _Column()
        self.words = Words("as they are")
        yield self.column
        yield self.words


def _entries(*words: str) -> list[Entry]:
    return [Entry(number, 1, lambda width, each=each: [Content(each)]) for number, each in enumerate(words)]


async def test_rows_paint_the_lines_that_look_different() -> None:
    app = _Few()
    async with app.run_test(size=(40, 20)) as pilot:
        app.column.show(_entries(*"abcdefghij"))
        await pilot.pause()
        app.column.lines.clear()
        app.column.show(_entries(*"abcdXfghij"))
        await pilot.pause()
        assert app.column.lines == {4}
        assert "X" in app.column.render_line(4).text
        app.column.lines.clear()
        app.column.redraw()
        await pilot.pause()
        assert app.column.lines == set()


async def test_the_same_words_and_titles_again_are_no_change(monkeypatch: pytest.MonkeyPatch) -> None:
    app = _Few()
    async with app.run_test(size=(40, 20)) as pilot:
        shown: list[object] = []
        real = Static.update
        monkeypatch.setattr(
            Static, "update", lambda self, words="", **how: (shown.append(words), real(self, words, **how))
        )
        app.words.update(Content.styled("as they are", "bold"))
        app.words.update(Content.styled("as they are", "bold"))
        app.words.update(Content.styled("as they are", "italic"))
        await pilot.pause()
        assert len(shown) == 2
        entitle(app.column, Content("Ten"))
        await pilot.pause()
        app.column.lines.clear()
        entitle(app.column, Content("Ten"))
        await pilot.pause()
        assert app.column.lines == set()
        assert app.column.border_title == "Ten"


async def test_a_long_list_makes_its_entries_when_they_are_looked_at() -> None:
    app = _Few()
    made: list[int] = []

    def entry(number: int) -> Entry:
        made.append(number)
        return Entry(number, 1, lambda width: [Content(f"row {number}")])

    async with app.run_test(size=(40, 20)) as pilot:
        app.column.show(Lines(range(100_000), entry))
        app.column.focus()
        await pilot.press("end")
        assert app.column.selected == 99_999
        assert "row 99999" in "".join(app.column.render_line(y).text for y in range(app.column.size.height))
        made.clear()
        app.column.show(Lines(range(5, 100_000), entry))
        await pilot.press("up")
        assert app.column.selected == 99_998, "the selection stays on its entry, wherever that is now"
        assert len(made) < 1_000
        app.column.show(Lines(range(10), entry))
        assert app.column.selected == 9
