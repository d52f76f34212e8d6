"""The repository's state folder, `.runebook/`."""

from __future__ import annotations

from pathlib import Path

from runebook_tui.log.eventlog import LogError
from runebook_tui.place import state_folder


def make_agents_folder(root: Path, agent: str) -> None:
    """The one folder below `.runebook/` that the agent's own programs may write."""
    folder = state_folder(root) / "agents" / agent
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def make_state_folder(root: Path) -> Path:
    """The repository's `.runebook/`, made when absent, private, and ignored by git.

    Raises LogError when it cannot be made.
    """
    folder = state_folder(root)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        (folder / "tmux").mkdir(exist_ok=True)
        ignore = folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
    except OSError as error:
        raise LogError(f"cannot write in {folder}: {error.strerror}") from error
    return folder
