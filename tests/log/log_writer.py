"""A process that appends to a log. `python log_writer.py STORE NAME COUNT`

It appends COUNT events by NAME (for ever with 0), decides again when somebody else was first, and
prints the number of each event after the log has acknowledged it.
"""

from __future__ import annotations

import itertools
import os
import sys
from pathlib import Path

from runebook_tui.core.events import AgentReady
from runebook_tui.log.eventlog import Conflict
from runebook_tui.log.opening import Store


def write(store: str, name: str, count: int) -> None:
    """`store` is SQLite's file or the address of a PostgreSQL database."""
    url = store if "://" in store else ""
    with Store(Path(store), url).open() as log:
        for n in range(count) if count else itertools.count():
            while True:
                try:
                    event = AgentReady(agent=f"{name}-{n}")
                    (record,) = log.append([event], run=1, actor=name, expected=log.last_seq(), time=0.0)
                except Conflict:
                    continue
                os.write(1, f"{record.seq} {name}-{n}\n".encode())
                break


if __name__ == "__main__":
    write(sys.argv[1], sys.argv[2], int(sys.argv[3]))
