"""PaneView, mounted in a small app and asked for its lines."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.segment import Segment
from textual.app import App, ComposeResult
from textual.containers import Container
from textual.strip import Strip

from runebook_tui.tui.widgets.pane import PaneView


class Watched(PaneView):
    """A pane view that remembers which rows it was asked for."""

    drawn: list[int]

    def on_mount(self) -> None:
        self.drawn = []

    def render_line(self, y: int) -> Strip:
        if hasattr(self, "drawn"):
            self.drawn.append(y)
        return super().render_line(y)


class PaneApp(App[None]):
    """Shows one pane view."""

    def compose(self) -> ComposeResult:
        with Container():
            yield Watched()

    @property
    def view(self) -> Watched:
        return self.query_one(Watched)


def lines(view: PaneView) -> list[str]:
    return [view.render_line(y).text.rstrip() for y in range(view.size.height)]


def rows(start: int, stop: int) -> list[bytes]:
    return [f"row {number}".encode() for number in range(start, stop)]


def segment_with(strip: Strip, text: str) -> Segment:
    return next(segment for segment in strip if text in segment.text)


async def test_a_pane_is_shown_with_its_styles() -> None:
    app = PaneApp()
    async with app.run_test(size=(20, 4)) as pilot:
        app.view.show([b"plain \x1b[1;31mred", b"still red\x1b[0m", "漢字 [b]not markup[/b]".encode()], None)
        await pilot.pause()
        assert lines(app.view) == ["plain red", "still red", "漢字 [b]not markup[/", ""]
        for y in range(4):
            assert app.view.render_line(y).cell_length == 20
        for y, text in ((0, "red"), (1, "still red")):
            style = segment_with(app.view.render_line(y), text).style
            assert style is not None
            assert style.bold
            assert style.color is not None
            assert style.color.number == 1
        plain = segment_with(app.view.render_line(0), "plain").style
        assert plain is not None
        assert not plain.bold
        assert plain.bgcolor == app.view.rich_style.bgcolor


async def test_only_changed_rows_are_drawn_again() -> None:
    app = PaneApp()
    async with app.run_test(size=(20, 10)) as pilot:
        view = app.view
        view.show(rows(0, 10), None)
        await pilot.pause()
        view.drawn.clear()
        view.show([*rows(0, 4), b"changed", *rows(5, 10)], None)
        await pilot.pause()
        assert set(view.drawn) == {4}
        view.drawn.clear()
        view.show([*rows(0, 4), b"changed", *rows(5, 10)], None)
        await pilot.pause()
        assert view.drawn == []
        view.show([*rows(0, 4), b"changed", *rows(5, 10)], (2, 7))
        await pilot.pause()
        assert set(view.drawn) == {7}
        # A colour that is not closed changes every row below it.
        view.drawn.clear()
        view.show([*rows(0, 4), b"\x1b[31mchanged", *rows(5, 10)], (2, 7))
        await pilot.pause()
        assert set(view.drawn) == {4, 5, 6, 7, 8, 9}


async def test_several_changes_before_a_repaint_are_all_seen() -> None:
    app = PaneApp()
    async with app.run_test(size=(20, 10)) as pilot:
        app.view.show(rows(0, 10), None)
        app.view.show([b"new", *rows(1, 10)], None)
        app.view.show([b"newer", *rows(1, 9), b"last"], None)
        await pilot.pause()
        shown = [strip.text.rstrip() for strip in app.screen._compositor.render_strips()]
        assert shown == ["newer", *(f"row {number}" for number in range(1, 9)), "last"]


async def test_a_hidden_view_is_not_drawn_and_is_right_when_shown() -> None:
    app = PaneApp()
    async with app.run_test(size=(20, 10)) as pilot:
        view = app.view
        view.show(rows(0, 10), None)
        await pilot.pause()
        view.display = False
        await pilot.pause()
        view.drawn.clear()
        for number in range(5):
            view.show(rows(number, number + 10), None)
            await pilot.pause()
        assert view.drawn == []
        view.display = True
        await pilot.pause()
        shown = [strip.text.rstrip() for strip in app.screen._compositor.render_strips()]
        assert shown == [f"row {number}" for number in range(4, 14)]


async def test_content_higher_than_the_view() -> None:
    app = PaneApp()
    async with app.run_test(size=(20, 4)) as pilot:
        view = app.view
        for content, cursor, wanted in (
            (rows(0, 10), None, [6, 7, 8, 9]),
            (rows(0, 10), (0, 9), [6, 7, 8, 9]),
            (rows(0, 10), (0, 7), [6, 7, 8, 9]),
            (rows(0, 10), (0, 2), [2, 3, 4, 5]),
            (rows(0, 6) + [b""] * 4, None, [2, 3, 4, 5]),
            (rows(0, 6) + [b""] * 4, (0, 6), [3, 4, 5, None]),
            (rows(0, 2) + [b""] * 8, (0, 1), [0, 1, None, None]),
            (rows(0, 10), (0, 99), [6, 7, 8, 9]),
            (rows(0, 10), (0, -5), [0, 1, 2, 3]),
        ):
            view.show(content, cursor)
            await pilot.pause()
            assert lines(view) == [f"row {n}" if n is not None else "" for n in wanted], (content, cursor)


async def test_styles_carry_over_from_rows_above_the_view() -> None:
    app = PaneApp()
    async with app.run_test(size=(20, 4)) as pilot:
        app.view.show([b"\x1b[32mgreen", *rows(1, 10)], None)
        await pilot.pause()
        style = segment_with(app.view.render_line(0), "row 6").style
        assert style is not None
        assert style.color is not None
        assert style.color.number == 2


def reversed_text(strips: Sequence[Strip]) -> list[tuple[int, str]]:
    """The row and text of what is shown reversed."""
    return [
        (y, segment.text)
        for y, strip in enumerate(strips)
        for segment in strip
        if segment.style is not None and segment.style.reverse
    ]


async def test_the_cursor_is_one_reversed_character() -> None:
    app = PaneApp()
    async with app.run_test(size=(10, 3)) as pilot:
        view = app.view
        content = ["a漢b".encode(), b"\x1b[7mabc\x1b[0m", b""]
        for cursor, wanted in (
            ((0, 0), [(0, "a"), (1, "abc")]),
            ((1, 0), [(0, "漢"), (1, "abc")]),
            ((3, 0), [(0, "b"), (1, "abc")]),
            ((5, 2), [(1, "abc"), (2, " ")]),
            ((1, 1), [(1, "a"), (1, "c")]),
            ((10, 0), [(1, "abc")]),
            ((-1, 0), [(1, "abc")]),
            (None, [(1, "abc")]),
        ):
            view.show(content, cursor)
            await pilot.pause()
            strips = [view.render_line(y) for y in range(3)]
            assert reversed_text(strips) == wanted, cursor
            assert [strip.cell_length for strip in strips] == [10, 10, 10]
            assert strips[0].text.rstrip() == "a漢b"


async def test_a_message_is_plain_text() -> None:
    app = PaneApp()
    async with app.run_test(size=(40, 3)) as pilot:
        app.view.show(rows(0, 3), (0, 0))
        app.view.clear("[/x] app/[slug]/page.tsx \x1b[31m\udce9\nno")
        await pilot.pause()
        assert lines(app.view) == ["[/x] app/[slug]/page.tsx ␛[31m�␊no", "", ""]
        assert reversed_text([app.view.render_line(0)]) == []


async def test_a_new_size_and_theme_are_followed() -> None:
    app = PaneApp()
    async with app.run_test(size=(20, 4)) as pilot:
        app.view.show(rows(0, 10), None)
        await pilot.pause()
        await pilot.resize_terminal(30, 6)
        await pilot.pause()
        assert lines(app.view) == [f"row {number}" for number in range(4, 10)]
        assert app.view.render_line(0).cell_length == 30
        before = segment_with(app.view.render_line(0), "row").style
        app.theme = "textual-light"
        await pilot.pause()
        after = segment_with(app.view.render_line(0), "row").style
        assert before != after


async def test_the_view_takes_the_focus() -> None:
    app = PaneApp()
    async with app.run_test(size=(20, 4)) as pilot:
        await pilot.press("tab")
        assert app.focused is app.view


def test_a_view_that_is_not_mounted_takes_content() -> None:
    view = PaneView(id="pane")
    view.show(rows(0, 3), (0, 0))
    view.clear("gone")
    assert view.id == "pane"


async def test_no_bytes_raise_or_get_through() -> None:
    app = PaneApp()
    async with app.run_test(size=(16, 5)) as pilot:
        view = app.view

        @settings(deadline=None)
        @given(
            st.lists(
                st.one_of(st.binary(max_size=40), st.text().map(lambda t: t.encode("utf-8", "replace"))),
                max_size=9,
            ),
            st.none() | st.tuples(st.integers(-2, 40), st.integers(-2, 12)),
        )
        def harmless(content: list[bytes], cursor: tuple[int, int] | None) -> None:
            view.show(content, cursor)
            for y in range(5):
                strip = view.render_line(y)
                assert strip.cell_length == 16
                for segment in strip:
                    assert segment.control is None
                    assert not {unicodedata.category(c) for c in segment.text} & {"Cc", "Cs", "Zl", "Zp"}

        harmless()
        await pilot.pause()
