"""Moments as people write them on the command line."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runebook_tui.cli.moments import moment_of
from runebook_tui.cli.place import CommandError

NOW = datetime(2026, 11, 23, 10, 15, 30).timestamp()


@pytest.mark.parametrize(
    ("text", "then"),
    [
        ("90s", NOW - 90),
        ("30m", NOW - 1800),
        ("2h", NOW - 7200),
        ("1d", NOW - 86_400),
        ("10:15", datetime(2026, 11, 23, 10, 15).timestamp()),
        ("10:16", datetime(2026, 11, 22, 10, 16).timestamp()),
        ("9:05:07", datetime(2026, 11, 23, 9, 5, 7).timestamp()),
        ("2026-11-23T10:00", datetime(2026, 11, 23, 10, 0).timestamp()),
        ("2026-11-23T10:00:00+00:00", datetime.fromisoformat("2026-11-23T10:00:00+00:00").timestamp()),
        ("last", 77.0),
    ],
)
def test_a_moment_is_read(text: str, then: float) -> None:
    assert moment_of(text, NOW, 77.0) == then


def test_last_is_the_beginning_for_who_has_never_looked() -> None:
    assert moment_of("last", NOW, None) == 0.0


@given(st.text(max_size=20) | st.from_regex(r"[0-9:T-]{1,16}", fullmatch=True))
def test_whatever_is_written_is_a_moment_or_one_line(text: str) -> None:
    try:
        found: float | CommandError = moment_of(text, NOW, 1.0)
    except CommandError as error:
        found = error
    assert isinstance(found, float) or (found.status, str(found).count("\n")) == (2, 0)
