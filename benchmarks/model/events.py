"""Server-sent events (WHATWG HTML, section 9.2), as far as model servers use them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

Event = Mapping[str, Any]


def named(events: Iterable[Event]) -> bytes:
    """Events that each carry their `type` as the event's name, too."""
    return "".join(f"event: {each['type']}\ndata: {json.dumps(each)}\n\n" for each in events).encode()


def unnamed(events: Iterable[Event], last: str = "") -> bytes:
    """Events without names; `last` is the data of one more."""
    lines = [f"data: {json.dumps(each)}\n\n" for each in events]
    return "".join([*lines, f"data: {last}\n\n" if last else ""]).encode()
