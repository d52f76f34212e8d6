"""A pane is scrolled, searched, marked and copied; its links are found, and what is hostile stays text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from textual.app import App, ComposeResult

from runebook_tui.tui.backend import Rows
from runebook_tui.tui.editor import at_line, file_of
from runebook_tui.tui.links import Link, links
from runebook_tui.tui.panetext import character_at, matches
from runebook_tui.tui.scrollback import CHUNK, Scrollback
from runebook_tui.tui.selection import Selection
from runebook_tui.tui.widgets.pane import PaneView
from runebook_tui.tui.widgets.panerows import Mark

PRINTED = [f"row {number}".encode() for number in range(1000)]
HEIGHT = 10


class ReadingApp(App[None]):
    """One pane whose program has printed `printed`; `screen_rows` of it are on its screen."""

    def __init__(self, printed: Sequence[bytes] = PRINTED, screen_rows: int = HEIGHT) -> None:
        super().__init__()
        self.printed = list(printed)
        self.screen_rows = screen_rows
        self.asked: list[tuple[int, int]] = []
        self.copied: list[str] = []
        self.followed: list[tuple[Link, ...]] = []

    def compose(self) -> ComposeResult:
        yield PaneView(self.rows)

    @property
    def pane(self) -> PaneView:
        return self.query_one(PaneView)

    @property
    def history(self) -> int:
        return len(self.printed) - self.screen_rows

    async def rows(self, start: int, count: int) -> Rows:
        self.asked.append((start, count))
        first = max(0, self.history + start)
        return Rows(
            tuple(self.printed[first : max(first, self.history + start + count)]), first, self.history
        )

    def feed(self, *more: bytes) -> None:
        self.printed += more
        self.pane.show(self.printed[self.history :], None, self.history, 80)

    def lines(self) -> list[str]:
        return [self.pane.render_line(y).text.rstrip() for y in range(self.pane.size.height)]

    def marked(self, mark: Mark) -> list[str]:
        """What stands out, row by row."""
        return [
            segment.text
            for y in range(self.pane.size.height)
            for segment in self.pane.render_line(y)
            if segment.style is not None
            and segment.style.bgcolor == mark.value.bgcolor
            and segment.style.bgcolor
        ]

    def on_pane_view_copied(self, event: PaneView.Copied) -> None:
        self.copied.append(event.text)

    def on_pane_view_link_followed(self, event: PaneView.LinkFollowed) -> None:
        self.followed.append(event.links)


async def test_what_was_printed_before_is_read_a_part_at_a_time_and_the_end_is_followed_again() -> None:
    app = ReadingApp()
    async with app.run_test(size=(30, HEIGHT)) as pilot:
        app.pane.focus()
        app.feed()
        await pilot.pause()
        assert app.lines() == [f"row {number}" for number in range(990, 1000)]
        assert app.asked == [], "nothing is read before anybody wants it"
        await pilot.press("pageup")
        await app.workers.wait_for_complete()
        assert app.lines() == [f"row {number}" for number in range(981, 991)]
        app.feed(b"new", b"newer")
        await pilot.pause()
        assert app.lines() == [f"row {number}" for number in range(981, 991)], (
            "it stays while more is printed"
        )
        await pilot.press("home")
        await app.workers.wait_for_complete()
        assert app.lines() == [f"row {number}" for number in range(10)]
        assert all(count == CHUNK for _, count in app.asked)
        before = len(app.asked)
        await pilot.press("pagedown", "pageup")
        await app.workers.wait_for_complete()
        assert len(app.asked) == before, "what was read is not read again"
        await pilot.press("end")
        assert app.lines()[-2:] == ["new", "newer"]
        assert app.pane.following
        app.feed(b"newest")
        await pilot.pause()
        assert app.lines()[-1] == "newest"


async def test_the_wheel_scrolls() -> None:
    app = ReadingApp()
    async with app.run_test(size=(30, HEIGHT)) as pilot:
        app.feed()
        await pilot.pause()
        app.pane.scroll_rows(-3)
        await app.workers.wait_for_complete()
        assert app.lines()[0] == "row 987"
        app.pane.scroll_rows(2)
        assert not app.pane.following
        app.pane.scroll_rows(1)
        assert app.pane.following


async def test_a_search_goes_through_the_past_and_marks_every_place() -> None:
    printed = list(PRINTED)
    for row in (3, 400, 995):
        printed[row] = f"{row} \x1b[31mNeed\x1b[32mle\x1b[0m and needle".encode()
    app = ReadingApp(printed)
    async with app.run_test(size=(30, HEIGHT)) as pilot:
        app.pane.focus()
        app.feed()
        await pilot.pause()
        app.pane.search("needle")
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert app.pane.found is not None
        assert app.pane.found.rows == [995, 400, 3]
        assert "".join(app.marked(Mark.HERE)) == "Needleneedle"
        seen = []
        for key in ("n", "n", "n", "N", "shift+enter", "enter"):
            await pilot.press(key)
            await app.workers.wait_for_complete()
            seen.append(app.pane.found.row)
            assert any("and needle" in line for line in app.lines())
        assert seen == [400, 3, 3, 400, 995, 400]
        await pilot.press("escape")
        assert app.pane.found is None
        assert app.lines() != [f"row {number}" for number in range(990, 1000)], "it stays where it is read"
        await pilot.press("escape")
        assert app.pane.following


async def test_text_is_marked_by_keys_and_copied() -> None:
    app = ReadingApp([*PRINTED[:-2], "漢字 end".encode(), b"last"])
    async with app.run_test(size=(30, HEIGHT)) as pilot:
        app.pane.focus()
        app.feed()
        await pilot.pause()
        await pilot.press("v", "y")
        await app.workers.wait_for_complete()
        await pilot.press("v", "k", "l", "l", "v", "j", "l", "enter")
        await app.workers.wait_for_complete()
        await pilot.press("v", "v", "dollar_sign", *"k" * 12, "0", "y")
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert app.copied[:2] == ["last", "字 end\nlast"]
        assert app.copied[2].split("\n") == [*(f"row {n}" for n in range(987, 998)), "漢字 end", "l"]
        assert app.pane.selection is None


async def test_text_is_marked_by_the_mouse_and_copied_when_it_is_let_go() -> None:
    app = ReadingApp()
    async with app.run_test(size=(30, HEIGHT)) as pilot:
        app.feed()
        await pilot.pause()
        await pilot.mouse_down(PaneView, offset=(4, 2))
        await pilot.hover(PaneView, offset=(5, 4))
        await pilot.mouse_up(PaneView, offset=(5, 4))
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert app.copied == ["992\nrow 993\nrow 99"]
        assert app.followed == []


async def test_links_are_followed_by_a_click_and_by_a_key() -> None:
    rows = [b"see https://example.org/a?b=1. or", "漢 \x1b[1msrc/a.py:12:3\x1b[0m: error".encode()]
    app = ReadingApp(rows, 2)
    async with app.run_test(size=(40, HEIGHT)) as pilot:
        app.pane.focus()
        app.feed()
        await pilot.pause()
        styles = {segment.text: segment.style for y in (0, 1) for segment in app.pane.render_line(y)}
        assert styles["https://example.org/a?b=1"].link == "https://example.org/a?b=1"
        assert styles["src/a.py:12:3"].underline
        assert styles["src/a.py:12:3"].link is None
        await pilot.click(PaneView, offset=(5, 1))
        await pilot.click(PaneView, offset=(0, 1))
        await pilot.press("U")
        await pilot.pause()
        assert [[link.words for link in each] for each in app.followed] == [
            ["src/a.py:12"],
            ["src/a.py:12", "https://example.org/a?b=1"],
        ]


async def test_a_link_over_several_rows_is_one() -> None:
    app = ReadingApp()
    address = "https://example.org/a/long/way/to/go?and=more#than-that"
    text = f"see {address} and"
    rows = [text[at : at + 20].encode() for at in range(0, len(text), 20)]
    async with app.run_test(size=(30, HEIGHT)) as pilot:
        app.pane.show([b"src/a.py:12", *rows, b"(https://e.org/)"], None, 0, 20)
        await pilot.pause()
        for place in ((6, 1), (3, 2), (15, 3)):
            await pilot.click(PaneView, offset=place)
        await pilot.click(PaneView, offset=(0, 1))
        await pilot.click(PaneView, offset=(1, 4))
        app.pane.focus()
        await pilot.press("U")
        await pilot.pause()
        assert [[link.words for link in each] for each in app.followed] == [
            [address],
            [address],
            [address],
            ["https://e.org/", address, "src/a.py:12"],
        ]
        linked = {
            s.style.link for y in range(HEIGHT) for s in app.pane.render_line(y) if s.style and s.style.link
        }
        assert linked == {"https://e.org/"}, "no half of an address is the terminal's to open"


async def test_a_history_that_was_cut_is_read_anew() -> None:
    app = ReadingApp()
    async with app.run_test(size=(30, HEIGHT)) as pilot:
        app.pane.focus()
        app.feed()
        await pilot.press("home")
        await app.workers.wait_for_complete()
        app.printed = [b"fresh %d" % number for number in range(100)]
        app.feed()
        await pilot.press("end", "home")
        await app.workers.wait_for_complete()
        assert app.lines()[0] == "fresh 0"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see https://example.org/x_(y), now", ["https://example.org/x_(y)"]),
        ("(http://localhost:8080/)", ["http://localhost:8080/"]),
        ("src/a.py:12: error, ./b/c.rs:7:3 and /abs/d.go:1", ["src/a.py:12", "./b/c.rs:7", "/abs/d.go:1"]),
        ("app/[slug]/page.tsx:3", ["app/[slug]/page.tsx:3"]),
        ("12:30:45 ratio 3.5:1 v1.2:3 a:b", []),
        ("javascript:alert(1) file:///etc/passwd ftp://x https://", []),
        ("https://e.org/\x1b]8;;evil\x07x", ["https://e.org/"]),
        ("https://e.org/‮x", ["https://e.org/"]),
        ("@" * 5000 + "a/" * 3000, []),
    ],
)
def test_links_of_a_row(text: str, found: list[str]) -> None:
    assert [link.words for link in links(text)] == found


def test_a_link_leads_only_to_files_of_the_tree(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "src").mkdir(parents=True)
    (tree / "src/a.py").touch()
    (tmp_path / "secret.py").touch()
    (tree / "out.py").symlink_to(tmp_path / "secret.py")
    assert file_of(tree, "./src/a.py") == (tree / "src/a.py").resolve()
    for name in ("../secret.py", "out.py", str(tmp_path / "secret.py"), "src", "none.py", "\0", "x" * 5000):
        assert file_of(tree, name) is None


@pytest.mark.parametrize(
    ("editor", "command"),
    [
        ("vim -u NONE", ["vim", "-u", "NONE", "+7", "/r/-x.py"]),
        ("/usr/bin/hx", ["/usr/bin/hx", "/r/-x.py:7"]),
        ("code --wait", ["code", "--wait", "-g", "/r/-x.py:7"]),
    ],
)
def test_an_editor_opens_at_the_line(editor: str, command: list[str]) -> None:
    assert at_line({"EDITOR": editor}, Path("/r/-x.py"), 7) == command


def test_places_are_counted_in_cells() -> None:
    assert matches("漢字 Ab ab", "AB") == ((5, 7), (8, 10))
    assert matches("anything", "") == ()
    assert matches("İstanbul ab", "ab") == ((9, 11),)
    assert [character_at("漢b", cell) for cell in range(4)] == [0, 0, 1, 2]


def test_what_is_marked_backwards_is_copied_forwards() -> None:
    rows = {5: "first row  ", 6: "second"}
    assert Selection((5, 6), anchor=(6, 2)).text(lambda row: rows[row]) == "row\nsec"
    assert Selection((6, 3)).text(lambda row: rows[row]) == "second"


def test_a_scrollback_keeps_only_so_much() -> None:
    scrollback = Scrollback()
    scrollback.resize(100 * CHUNK, 80)
    for number in range(100):
        scrollback.keep(number * CHUNK, [b"\x1b[31mx", *[b"y"] * (CHUNK - 1)], 100 * CHUNK)
    assert scrollback.row(0) is None
    last = scrollback.row(100 * CHUNK - 1)
    assert last is not None
    assert last[1].foreground is not None, "styles run on"
    assert list(scrollback.missing(99 * CHUNK, 200 * CHUNK)) == []
    assert list(scrollback.missing(-5, 10)) == [0]
    scrollback.resize(100 * CHUNK, 79)
    assert scrollback.row(100 * CHUNK - 1) is None
