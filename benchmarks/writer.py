"""The program in the agent's pane: writes files as it is told and notes when it did.

It imports nothing but the standard library. An order is the path of a JSON file, one a line in the first
FIFO; when it is carried out a line goes into the second.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from typing import Any

Note = tuple[str, float, float, str]
"""Path, time before opening it, time before writing to it (unix seconds), SHA-256 of what was written."""


def write(path: str) -> Note:
    """Write new content into the file at `path`, in place."""
    data = f"{path} was written at {time.time_ns()}\n".encode() * 3
    opened = time.time()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    begun = time.time()
    os.write(descriptor, data)
    os.close(descriptor)
    return path, opened, begun, hashlib.sha256(data).hexdigest()


def steady(order: dict[str, Any]) -> list[Note]:
    """One write every `gap` seconds."""
    notes = []
    due = time.monotonic()
    for path in order["paths"]:
        notes.append(write(path))
        due += order["gap"]
        time.sleep(max(0.0, due - time.monotonic()))
    return notes


def pairs(order: dict[str, Any]) -> list[Note]:
    """Folders, and at once a file in each."""
    notes = []
    for path in order["paths"]:
        os.makedirs(os.path.dirname(path))
        notes.append(write(path))
        if order["gap"]:
            time.sleep(order["gap"])
    return notes


def run(order: dict[str, Any]) -> list[Note]:
    """A command that writes."""
    subprocess.run(order["command"], check=True)
    return []


WAYS = {"steady": steady, "pairs": pairs, "run": run}


def main(orders: str, answers: str) -> None:
    """Carry out orders until told to end by a signal."""
    with open(orders) as told, open(answers, "w") as tell:
        print("ready", file=tell, flush=True)
        for line in told:
            with open(line.strip()) as file:
                order = json.load(file)
            notes = WAYS[order["do"]](order)
            with open(order["notes"], "w") as file:
                json.dump(notes, file)
            print("done", file=tell, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
