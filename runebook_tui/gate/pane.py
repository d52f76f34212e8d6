"""The gate's entry: what `runebook-tui exec AGENT [-- COMMAND...]` runs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from runebook_tui.gate.front import Front
from runebook_tui.gate.order import Order, OrderError
from runebook_tui.gate.wire import LinkError, Question

REFUSED = 126
RULES = Path(".runebook", "rules.json")
_MOST_BYTES = 16 << 20
_UNKNOWN = {"gate": "observe", "reason": "no engine runs, and no rules are known"}
_START_SECONDS = 10.0
_ANSWER_SECONDS = 30.0


Fallback = Callable[[str], Mapping[str, object] | None]


def run(
    agent: str, command: list[str] | None, root: Path, socket: Path, fallback: Fallback | None = None
) -> int:
    """Run the agent's command under the gate; returns its exit status, or dies by its signal.

    Without `command` the engine at `socket` says what to run, and may take ten seconds to appear. With one
    and no engine the command runs all the same, and its records wait for an engine; its rules are those that
    the last engine left in `.runebook/rules.json`, else what `fallback` says of the agent: `gate`, `reason`
    and `rules` as in the engine's answer, or None when it knows none. 126: nothing was run.
    """
    request: dict[str, object] = {"do": "exec", "agent": agent, "command": command}
    try:
        try:
            question = Question(str(socket), patience=0 if command else _START_SECONDS)
        except LinkError:
            if not command:
                raise
            order = Order(agent, command, str(root), str(socket))
            order.restrain(_left(agent, root) or (fallback(agent) if fallback else None) or _UNKNOWN)
            return Front(order, None).run()
        reply = question.ask(request, seconds=_ANSWER_SECONDS)
        order = Order.from_reply(agent, reply, str(root), str(socket))
    except (LinkError, OrderError, OSError) as error:
        words = str(error).encode("utf-8", "backslashreplace").decode()
        sys.stderr.write(f"runebook-tui: {words}\n")
        return REFUSED
    except KeyboardInterrupt:
        return 130
    return Front(order, question).run()


def _left(agent: str, root: Path) -> Mapping[str, object] | None:
    """What the last engine left about the agent; None where that is missing or cannot be read."""
    try:
        with open(root / RULES, "rb") as file:
            whole = json.loads(file.read(_MOST_BYTES))
    except (OSError, ValueError):
        return None
    found = whole.get(agent) if isinstance(whole, dict) else None
    return found if isinstance(found, dict) else None
