"""The configuration file of the private tmux server; the user's own is never read."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from runebook_tui.tmux.attaching import BACK, BINDING
from runebook_tui.tmux.panes import HEIGHT, WIDTH

# `-q` keeps an option that only newer servers know from being an error (allow-passthrough and
# remain-on-exit-format came with tmux 3.3).
_TEXT = """\
# Written by Runebook at every start; changes are lost.
set -s escape-time 0
set -s focus-events on
set -s set-clipboard off
set -s exit-empty on
set -s default-terminal "{terminal}"
set-environment -gr COLUMNS
set-environment -gr LINES
set -g default-size {width}x{rows}
set -g history-limit {history}
set -g base-index 0
set -g renumber-windows off
set -g destroy-unattached off
set -g detach-on-destroy on
set -g mouse on
set -g bell-action none
set -g set-titles off
set -g status on
set -g status-left " runebook · {back} goes back "
set -g status-left-length 40
set -g status-right-length 160
set -g status-right "#{{@runebook_status}} "
set -gw window-size latest
set -gw remain-on-exit on
set -gwq remain-on-exit-format ""
set -gw allow-rename off
set -gw automatic-rename off
set -gwq allow-passthrough off
set -gw pane-border-status top
set -gw pane-border-style "fg=#{{?@runebook_colour,#{{@runebook_colour}},default}}"
set -gw pane-active-border-style "fg=#{{?@runebook_colour,#{{@runebook_colour}},default}}"
set -gw pane-border-format "#{{?@runebook_pane, #{{@runebook_pane}} ,}}"
set -gw window-status-format " #W#{{?pane_dead, (ended),}} "
set -gw window-status-current-format " [#W#{{?pane_dead, (ended),}}] "
{binding}
"""


_MOST_ROWS, _LEAST_ROWS, _ROWS_IN_ALL = 20_000, 2_000, 400_000
"""Rows above its screen that a pane keeps, and all panes together as far as that goes: some 0.6 kB each."""


def rows_kept(panes: int) -> int:
    """How many rows above its screen each of so many panes keeps."""
    return max(_LEAST_ROWS, min(_MOST_ROWS, _ROWS_IN_ALL // max(1, panes)))


def text(panes: int = 1) -> str:
    """The configuration's text for this machine, for a server of about so many panes.

    What the surfaces show is in options of their own, `@runebook_…`, that `dress.py` sets. A pane's border
    takes a row of its window.
    """
    values = {"terminal": _terminal(), "width": WIDTH, "rows": HEIGHT + 1, "back": BACK, "binding": BINDING}
    return _TEXT.format(history=rows_kept(panes), **values)


def write(folder: Path, panes: int = 1) -> Path:
    """Write `tmux.conf` for about so many panes into `folder`, making the folder, and return its path.

    Raises OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tmux.conf"
    handle, temporary = tempfile.mkstemp(dir=folder, prefix="tmux.conf.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text(panes))
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    return path


def _terminal() -> str:
    """The best terminal description that this machine's terminfo holds."""
    try:
        known = subprocess.run(["infocmp", "tmux-256color"], capture_output=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "screen-256color"
    return "tmux-256color" if known.returncode == 0 else "screen-256color"
