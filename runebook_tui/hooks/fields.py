"""Fields of a payload, whatever may stand there: bounded texts and numbers."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from runebook_tui.hooks.event import HookError

MOST_TEXT = 4096
Fields = Mapping[str, Any]


def payload_of(text: str) -> Fields:
    """The object that a payload is. Raises HookError."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise HookError("what the client said is not JSON") from error
    if not isinstance(found, dict):
        raise HookError("what the client said is no JSON object")
    return found


def text_in(fields: Fields, *names: str, limit: int = MOST_TEXT) -> str:
    """The first of these fields that is a text, at most `limit` characters of it; "" for none."""
    for name in names:
        value = fields.get(name)
        if isinstance(value, str):
            return value[:limit]
    return ""


def whole_in(fields: Fields, *names: str) -> str | None:
    """The first of these fields that is a text, all of it; None for none."""
    return next((value for name in names if isinstance(value := fields.get(name), str)), None)


def number_in(fields: Fields, *names: str) -> float | None:
    """The first of these fields that is a number, finite and not negative; None for none."""
    for name in names:
        value = fields.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15:
            return float(value) if math.isfinite(value) and value >= 0 else None
    return None


def object_in(fields: Fields, *names: str) -> Fields:
    """The first of these fields that is an object (or JSON text of one); an empty one for none."""
    for name in names:
        value = fields.get(name)
        if isinstance(value, str) and value.startswith("{"):
            try:
                value = json.loads(value)
            except (ValueError, RecursionError):
                continue
        if isinstance(value, dict):
            return value
    return {}
