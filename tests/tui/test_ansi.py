"""Terminal text made harmless."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.color import Color
from rich.style import Style

from runebook_tui.tui.ansi import PLAIN, Pen, parse_line, symbols


def only(line: bytes) -> tuple[str, Style]:
    """The one run of a line."""
    (run,) = parse_line(line)[0]
    return run


def text_of(line: bytes) -> str:
    return "".join(text for text, _ in parse_line(line)[0])


@pytest.mark.parametrize(
    ("sequence", "style"),
    [
        (b"", Style()),
        (b"1", Style(bold=True)),
        (b"2", Style(dim=True)),
        (b"3", Style(italic=True)),
        (b"4", Style(underline=True)),
        (b"4:3", Style(underline=True)),
        (b"4:2", Style(underline2=True)),
        (b"4;4:0", Style()),
        (b"5", Style()),
        (b"7", Style(reverse=True)),
        (b"9", Style(strike=True)),
        (b"21", Style(underline2=True)),
        (b"53", Style(overline=True)),
        (b"31", Style(color="color(1)")),
        (b"97", Style(color="color(15)")),
        (b"42", Style(bgcolor="color(2)")),
        (b"100", Style(bgcolor="color(8)")),
        (b"38;5;208", Style(color="color(208)")),
        (b"48:5:208", Style(bgcolor="color(208)")),
        (b"38;2;1;2;3", Style(color="#010203")),
        (b"48:2:1:2:3", Style(bgcolor="#010203")),
        (b"38:2::1:2:3", Style(color="#010203")),
        (b"58;5;3;1", Style(bold=True)),
        (b"58:2::1:2:3", Style()),
        (b"1;3;31;44", Style(bold=True, italic=True, color="color(1)", bgcolor="color(4)")),
        (b"1;2;22", Style()),
        (b"3;4;7;9;53;23;24;27;29;55", Style()),
        (b"31;42;39;49", Style()),
        (b"31;1;0", Style()),
        (b"31;1;", Style()),
        (b"38;5", Style()),
        (b"38;5;999;1", Style(bold=True)),
        (b"38;2;1;2;300;1", Style(bold=True)),
        (b"38;9;1", Style(bold=True)),
        (b"99999999999999999999;1", Style(bold=True)),
        (b"?1;2", Style()),
        (b">4;2", Style()),
    ],
)
def test_sgr(sequence: bytes, style: Style) -> None:
    assert only(b"\x1b[" + sequence + b"mX") == ("X", style)


def test_a_style_runs_on_into_the_next_line() -> None:
    first, pen = parse_line(b"\x1b[1;31mred")
    assert first == (("red", Style(bold=True, color="color(1)")),)
    second, after = parse_line(b"still\x1b[0m plain", pen)
    assert second == (("still", Style(bold=True, color="color(1)")), (" plain", Style()))
    assert after == PLAIN
    assert pen == Pen(foreground=Color.from_ansi(1), attributes=frozenset({"bold"}))


@pytest.mark.parametrize(
    "swallowed",
    [
        b"\x1b]0;title\x07", b"\x1b]8;;http://x\x1b\\", b"\x1b]52;c;AAAA\x07", b"\x1bPq#0\x1b\\",
        b"\x1b_x\x1b\\", b"\x1b[>0q", b"\x1b^x\x1b\\", b"\x1bXx\x1b\\", b"\x1b[2J", b"\x1b[10;10H",
        b"\x1b[?1049h", b"\x1b[6n", b"\x1b[1 q", b"\x1bc", b"\x1b(0", b"\x1b#8", b"\x1b=",
    ],
)  # fmt: skip
def test_other_sequences_are_swallowed(swallowed: bytes) -> None:
    assert text_of(b"a" + swallowed + b"b") == "ab"


@pytest.mark.parametrize(
    ("cut_off", "text"),
    [(b"a\x1b", "a"), (b"a\x1b[", "a"), (b"a\x1b[1;2", "a"), (b"a\x1b]0;title", "a"), (b"a\x1b(", "a")],
)
def test_a_sequence_that_never_ends_is_swallowed(cut_off: bytes, text: str) -> None:
    assert text_of(cut_off) == text


def test_control_characters_become_symbols() -> None:
    assert text_of(b"a\x00\x07\x08\r\n\x7fb") == "a␀␇␈␍␊␡b"
    assert text_of("a\x9b31mb\x85".encode()) == "a\ufffd31mb\ufffd"
    assert text_of("a\u202eb\u2066c\u2028d".encode()) == "a\ufffdb\ufffdc\ufffdd"
    assert symbols("a\x1b[31m\udce9[/x]") == "a␛[31m\ufffd[/x]"


def test_bytes_that_are_not_utf8_are_replaced() -> None:
    assert text_of(b"caf\xe9 \xff") == "caf\ufffd \ufffd"


def test_tabs_reach_the_next_stop() -> None:
    assert text_of(b"a\tb") == "a       b"
    assert text_of("漢漢\t\x1b[1mb\t.".encode()) == "漢漢    b       ."


def test_line_drawing_characters() -> None:
    assert text_of(b"\x0elqk\x0f lqk \x0ex") == "┌─┐ lqk │"
    assert parse_line(b"\x0e")[1] == Pen(drawing=True)
    assert text_of(b"\x0e\x1b[0mq") == "─"


PIECES = st.one_of(
    st.binary(max_size=8),
    st.text(max_size=8).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.sampled_from(
        [b"\x1b", b"\x1b[", b"\x1b]", b"\x1bP", b"\x1b\\", b"\x9b", b"\x0e", b"\x0f", b"m", b";", b":", b"\t"]
    ),
    st.lists(st.integers(0, 300), max_size=6).map(lambda n: b"\x1b[" + ";".join(map(str, n)).encode() + b"m"),
    st.lists(st.integers(0, 300), max_size=6).map(lambda n: b"\x1b[" + ":".join(map(str, n)).encode() + b"m"),
)
LINES = st.lists(PIECES, max_size=12).map(b"".join)


@settings(deadline=None)
@given(LINES, LINES)
def test_nothing_raises_and_nothing_unsafe_is_left(first: bytes, second: bytes) -> None:
    runs, pen = parse_line(first)
    more, _ = parse_line(second, pen)
    for text, style in (*runs, *more):
        assert text
        assert isinstance(style, Style)
        assert style.link is None
        assert not {unicodedata.category(c) for c in text} & {"Cc", "Cs", "Zl", "Zp"}


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp"])))
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert text_of(text.encode()) == text
