"""Buffers: where tmux pastes from."""

from __future__ import annotations

import subprocess

from runebook_tui.tmux.panes import DEADLINE, TmuxError

LARGEST = 1 << 20
"""Bytes of a text that is put into a buffer; the rest is left out."""


def set_buffer(socket_name: str, text: str) -> None:
    """Put `text` on top of the buffers of a running server. Raises TmuxError."""
    words = ["tmux", "-u", "-N", "-f", "/dev/null", "-L", socket_name, "load-buffer", "-"]
    data = text.encode("utf-8", "replace")[:LARGEST]
    try:
        done = subprocess.run(words, input=data, capture_output=True, timeout=DEADLINE, check=False)
    except subprocess.TimeoutExpired:
        raise TmuxError(f"tmux did not answer within {DEADLINE:g} seconds") from None
    except OSError as error:
        raise TmuxError(f"tmux cannot be run: {error.strerror}") from error
    if done.returncode:
        raise TmuxError(done.stderr.decode("utf-8", "replace").strip() or "tmux refused a text")
