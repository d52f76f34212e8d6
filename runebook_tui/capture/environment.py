"""The environment by which the shells of a pane load Runebook's files beside the user's own."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

_HERE = Path(__file__).parent
_LOADER = """eval "${__runebook_prompt-. \\"\\$RUNEBOOK_CAPTURE/shells/bash.bash\\"}\""""
_DATA_FOLDERS = "/usr/local/share:/usr/share"
"""What XDG_DATA_DIRS stands for when it is not set (XDG Base Directory Specification 0.8)."""


def shell_environment(given: Mapping[str, str]) -> dict[str, str]:
    """What a pane's environment needs beyond what is `given`.

    bash runs PROMPT_COMMAND before its first prompt, zsh reads .zshenv in ZDOTDIR, and fish what is in the
    folders of XDG_DATA_DIRS. Of those that are not interactive only zsh notices, and gives ZDOTDIR back.
    """
    prompt = given.get("PROMPT_COMMAND", "")
    loads = prompt if "__runebook_prompt" in prompt else "; ".join(filter(None, (_LOADER, prompt)))
    folders = given.get("XDG_DATA_DIRS") or _DATA_FOLDERS
    own = os.fspath(_HERE / "shells" / "share")
    return {
        "RUNEBOOK_CAPTURE": os.fspath(_HERE),
        "RUNEBOOK_CAPTURE_PYTHON": sys.executable,
        "PROMPT_COMMAND": loads,
        "RUNEBOOK_ZDOTDIR": given.get("RUNEBOOK_ZDOTDIR", given.get("ZDOTDIR", "")),
        "ZDOTDIR": os.fspath(_HERE / "shells" / "zsh"),
        "XDG_DATA_DIRS": folders if own in folders.split(":") else f"{own}:{folders}",
    }
