"""ROOT SOCKET WAKE COMMAND...: an observer that asks the rule and holds what it forbids.

The descriptor WAKE gets a byte for every held call.
"""

from __future__ import annotations

import os
import socket
import sys

from benchmarks.gated import AGENT
from runebook_tui.core.ownership import FileOwnership, OwnershipManager
from runebook_tui.gate import command
from runebook_tui.gate.link import Link
from runebook_tui.gate.loop import Loop
from runebook_tui.gate.notify import Ledger, Listener
from runebook_tui.gate.observer import Observer
from runebook_tui.gate.record import Record
from runebook_tui.gate.verdict import CONTINUE, Hold, Verdict

OWNED, UNOWNED, FOREIGN = "own", "free", "foreign"
CLAIMS = [
    FileOwnership(f"{OWNED}/**", AGENT),
    FileOwnership(f"{FOREIGN}/**", "beta"),
    *(FileOwnership(f"src/part{number}/**", f"agent-{number % 8}") for number in range(50)),
]


class Judge:
    """Decides by the rule."""

    def __init__(self, wake: int) -> None:
        self._rule = OwnershipManager(CLAIMS)
        self._wake = wake

    def decide(self, record: Record) -> Verdict:
        """Hold what crosses a boundary, let all else pass."""
        for path in (record["path"], record["to"]):
            if path is not None and self._rule.may_modify(AGENT, str(path)).crosses:
                os.write(self._wake, b"h")
                return Hold()
        return CONTINUE


def main(root: str, path: str, wake: str, *words: str) -> int:
    """Run the command filtered, and supervise it until its last process has ended."""
    mine, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        try:
            command.install(theirs)
            os.execvp(words[0], words)
        finally:
            os._exit(126)
    theirs.close()
    fd, reason = command.receive(mine)
    if fd is None:
        print(reason, file=sys.stderr)
        return 1
    loop = Loop()
    link = Link(loop, path, AGENT, lambda: {"do": "attach", "gate": "observe", "reason": ""})
    link.attach()
    observer = Observer(loop, Listener(fd, Ledger()), os.fsencode(root), link, Judge(int(wake)).decide)
    while observer.alive:
        loop.turn()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
