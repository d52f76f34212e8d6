"""Borrowed options: set for a while, remembered in the tmux server itself, and put back as they were.

What an option was stands beside it, in a user option of the same session or window. So whoever comes
after a process that was killed can still put it back. An option that somebody has changed meanwhile is
left as they made it.
"""

from __future__ import annotations

import json

from runebook_tui.tmux.command import PrivateServer

_WAS = "@runebook_was_"

Place = tuple[str, ...]
"""The words of tmux that name a session or window: `("-t", "$1")`, `("-w", "-t", "@3")`."""


def borrow(server: PrivateServer, place: Place, option: str, value: str) -> bool:
    """Set an option to `value`, remembering what it was; whether that was done.

    A second call changes the value, and keeps what it was at first.
    """
    known = _record(server, place, option)
    if known is not None and local(server, place, option) == known["now"]:
        was = known["was"]
    else:
        was = local(server, place, option)
    record = json.dumps({"was": was, "now": value}, ensure_ascii=True)
    done = server.run(
        ["set-option", *place, _WAS + option, record],
        ["set-option", *place, option, value],
    )
    return not done.error


def put_back(server: PrivateServer, place: Place, option: str) -> bool:
    """Make an option what it was before it was borrowed; whether it had been."""
    known = _record(server, place, option)
    if known is None:
        return False
    if local(server, place, option) == known["now"]:
        was = known["was"]
        back = ["-u", *place, option] if was is None else [*place, option, was]
        server.run(["set-option", *back])
    server.run(["set-option", "-u", *place, _WAS + option])
    return True


def local(server: PrivateServer, place: Place, option: str) -> str | None:
    """What an option is set to at this very place; None where it only inherits."""
    if not server.run(["show-options", *place, option]).stdout:
        return None
    return "\n".join(server.run(["show-options", "-v", *place, option]).stdout)


def effective(server: PrivateServer, place: Place, option: str) -> str:
    """What an option is at a place, inherited or not; "" where it cannot be told."""
    return "\n".join(server.run(["show-options", "-A", "-v", *place, option]).stdout)


def _record(server: PrivateServer, place: Place, option: str) -> dict[str, str | None] | None:
    text = local(server, place, _WAS + option)
    try:
        found = json.loads(text) if text else None
    except ValueError:
        return None
    whole = isinstance(found, dict) and {"was", "now"} <= found.keys()
    return found if whole else None
