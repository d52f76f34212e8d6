"""The engine's protocol: one JSON object a line, each answered by one JSON object a line.

A question has a `do`; an answer has `ok`, and `error` (one line for people) when it is false.
"""

from __future__ import annotations

import json
from typing import Any

MAX_LINE = 4 * 1024 * 1024
"""Bytes of one message at the most."""


_MOST_NUMBER = 1 << 63


class WireError(Exception):
    """A message that is not of the protocol."""


def pack(message: dict[str, Any]) -> bytes:
    """One message as a line. ASCII only, so lone surrogates of file names pass."""
    return json.dumps(message, ensure_ascii=True, separators=(",", ":")).encode("ascii") + b"\n"


def unpack(line: bytes) -> dict[str, Any]:
    """The message of a line. Raises WireError."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise WireError("not a JSON object") from error
    if not isinstance(message, dict):
        raise WireError("not a JSON object")
    return message


def text_field(message: dict[str, Any], name: str, *, default: str | None = None, limit: int = 4096) -> str:
    """The text field `name`. Raises WireError when it is absent without default, no text, or too long."""
    value = message.get(name, default)
    if not isinstance(value, str):
        raise WireError(f"field {name!r} must be a text")
    if len(value) > limit:
        raise WireError(f"field {name!r} is longer than {limit} characters")
    return value


def number_field(message: dict[str, Any], name: str) -> int:
    """The whole-number field `name`, of 63 bits at the most. Raises WireError."""
    value = message.get(name)
    if type(value) is not int or not _is_number(value):
        raise WireError(f"field {name!r} must be a whole number")
    return value


def seconds_field(message: dict[str, Any], name: str, *, default: float | None = None) -> float:
    """The field `name`, a number of seconds from 0 to a million; absent or null, `default`.

    Raises WireError.
    """
    value = message.get(name)
    value = default if value is None else value
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1e6:
        raise WireError(f"field {name!r} must be a number of seconds")
    return float(value)


def texts_field(message: dict[str, Any], name: str, *, limit: int = 1000) -> tuple[str, ...]:
    """The field `name`, a list of texts. Raises WireError."""
    value = message.get(name, [])
    if not isinstance(value, list) or len(value) > limit or not all(isinstance(each, str) for each in value):
        raise WireError(f"field {name!r} must be a list of at most {limit} texts")
    return tuple(value)


def numbers_field(message: dict[str, Any], name: str, *, limit: int = 1000) -> tuple[int, ...]:
    """The field `name`, a list of whole numbers, () when it is absent. Raises WireError."""
    value = message.get(name, [])
    if not isinstance(value, list) or len(value) > limit or not all(map(_is_number, value)):
        raise WireError(f"field {name!r} must be a list of at most {limit} whole numbers")
    return tuple(value)


def _is_number(value: object) -> bool:
    return type(value) is int and abs(value) < _MOST_NUMBER
