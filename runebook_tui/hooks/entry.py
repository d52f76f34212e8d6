"""The program that a client runs as its hook: `PYTHON -I -S entry.py CLIENT [EVENT]`.

A program is compiled at every start, so it is short: outside a Runebook pane (no RUNEBOOK_AGENT) it has no
opinion, and inside one `question` answers.
"""

import os
import sys


def main(words: list[str]) -> int:
    """Answer one run of the hook; the exit status."""
    if not os.environ.get("RUNEBOOK_AGENT"):
        while os.read(0, 1 << 16):  # the client may write to its end
            continue
        return 0
    try:
        # `-I -S` leaves out where the rest of the program is installed.
        sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
        from runebook_tui.hooks.question import answer

        return answer(words)
    except BaseException as error:  # noqa: BLE001  top-level guard: every client takes status 2 as a no
        os.write(2, f"Runebook: not done, its hook failed ({type(error).__name__}: {error})\n".encode())
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
