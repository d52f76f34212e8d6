"""Other people's text never moves the cursor, hides, or reorders what stands beside it."""

from __future__ import annotations

import os
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runebook_tui.core.printable import LIMIT, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain [b]text[/b]", "plain [b]text[/b]"),
        ("línea 日本 🙂", "línea 日本 🙂"),
        ("a\nb\tc", "a␊b␉c"),
        ("\x1b[31mred\x7f\0", "␛[31mred␡␀"),
        (os.fsdecode(b"caf\xe9"), "caf\\xe9"),
        ("\x85\x9b", "\\u0085\\u009b"),
        ("soft\u00adhyphen", "soft\\u00adhyphen"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff"),
        ("\u2028\u2029", "\\u2028\\u2029"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("e\u0301", "e\u0301"),
        ("z" + "\u0335" * 5, "z" + "\u0335" * 3 + "\\u0335" * 2),
    ],
)
def test_what_does_not_print_itself_becomes_a_symbol(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_a_long_text_ends_in_an_ellipsis() -> None:
    assert visible("x" * (LIMIT + 1)) == "x" * LIMIT + "…"
    assert visible("x" * LIMIT) == "x" * LIMIT
    assert visible("\n\n\n", limit=2) == "␊␊…"


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(codec=None), max_size=40))
def test_every_text_is_printable_on_one_line(text: str) -> None:
    shown = visible(text)
    assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"}
    assert len(shown.splitlines()) <= 1
    shown.encode()
