"""The gate's entry: what `runebook-tui exec AGENT [-- COMMAND...]` runs."""

from __future__ import annotations

import sys
from pathlib import Path

from runebook_tui.gate.front import Front
from runebook_tui.gate.order import Order, OrderError
from runebook_tui.gate.wire import LinkError, Question

REFUSED = 126
_START_SECONDS = 10.0
_ANSWER_SECONDS = 30.0


def run(agent: str, command: list[str] | None, root: Path, socket: Path) -> int:
    """Run the agent's command under the gate; returns its exit status, or dies by its signal.

    Without `command` the engine at `socket` says what to run, and may take ten seconds to appear. With one
    and no engine the command runs all the same, and its records wait for an engine. 126: nothing was run.
    """
    request: dict[str, object] = {"do": "exec", "agent": agent, "command": command}
    try:
        try:
            question = Question(str(socket), patience=0 if command else _START_SECONDS)
        except LinkError:
            if not command:
                raise
            return Front(Order(agent, command, str(root), str(socket)), None).run()
        reply = question.ask(request, seconds=_ANSWER_SECONDS)
        order = Order.from_reply(agent, reply, str(root), str(socket))
    except (LinkError, OrderError, OSError) as error:
        words = str(error).encode("utf-8", "backslashreplace").decode()
        sys.stderr.write(f"runebook-tui: {words}\n")
        return REFUSED
    except KeyboardInterrupt:
        return 130
    return Front(order, question).run()
