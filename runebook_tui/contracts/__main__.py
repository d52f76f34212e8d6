"""A process that reads one contract, and may fall over it: a question on stdin, the answer on stdout.

What a hostile file or pattern makes of it is bounded by the limits that it sets itself, and by the mark that
keeps it from being taken for the operator.
"""

from __future__ import annotations

import json
import resource
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from runebook_tui import mark
from runebook_tui.contracts.reader import read

CPU_SECONDS = 3
MEMORY_BYTES = 1 << 30


def main() -> None:
    """Answer one question: {"root", "path", "wanted"} → what `Reading` has."""
    mark.put_on()
    # Not every system has them; the one who asks waits for a while only.
    for limit, most in ((resource.RLIMIT_CPU, CPU_SECONDS), (resource.RLIMIT_AS, MEMORY_BYTES)):
        with suppress(OSError, ValueError):
            resource.setrlimit(limit, (most, most))
    question = json.load(sys.stdin)
    wanted = [(kind, what) for kind, what in question["wanted"]]
    json.dump(asdict(read(Path(question["root"]), question["path"], wanted)), sys.stdout)


if __name__ == "__main__":
    main()
