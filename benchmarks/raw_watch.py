"""Raw watchfiles as a process of its own: each batch as a line of JSON, with the time when it came."""

from __future__ import annotations

import json
import sys
import time

from watchfiles import watch


def main(root: str, debounce: str, step: str) -> None:
    """Watch until killed; paths as watchfiles gives them."""
    for changes in watch(root, debounce=int(debounce), step=int(step), raise_interrupt=False):
        now = time.time()
        print(json.dumps([now, [path for _, path in changes]]), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
