"""Moments as people write them (`2h`, `10:30`, `2026-11-23T10:00`, or `last`), and as they read them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from runebook_tui.cli.place import CommandError

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
LAST = "last"
"""Since the operator last looked."""


def moment_of(text: str, now: float, away_since: float | None) -> float:
    """The moment that `text` names, unix seconds; 0 for `last` when the operator has never looked.

    A time of day is the last one that has passed, by the local clock. Raises CommandError.
    """
    if text == LAST:
        return 0.0 if away_since is None else away_since
    if span := re.fullmatch(r"([0-9]{1,6})([smhd])", text):
        return now - int(span[1]) * _UNITS[span[2]]
    try:
        if re.fullmatch(r"[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?", text):
            return _time_of_day(text, now)
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError) as error:
        words = "2h, 30m, 10:30, 2026-11-23T10:00 or last"
        raise CommandError(f"{text!r} is no moment: write it as {words}", 2) from error


def _time_of_day(text: str, now: float) -> float:
    parts = [int(part) for part in text.split(":")]
    today = datetime.fromtimestamp(now)
    hour, minute, second = (*parts, 0)[:3]
    then = today.replace(hour=hour, minute=minute, second=second, microsecond=0)
    return (then if then <= today else then - timedelta(days=1)).timestamp()


def clock(time: float) -> str:
    """A moment as local time of day."""
    return datetime.fromtimestamp(time).strftime("%H:%M:%S")


def elapsed(seconds: float) -> str:
    """A span as h:mm:ss; one that a jumping clock made negative counts as none."""
    whole = max(0, int(seconds))
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
