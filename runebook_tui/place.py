"""Where a repository's Runebook lives: plan, state folder, engine socket and tmux server.

Standard library only: the pane's first process and the hook import it.
"""

from __future__ import annotations

import os
from pathlib import Path

PLAN_NAME = "runebook.toml"
STATE_NAME = ".runebook"
POINTER_NAME = "socket"
LOG_NAME = "log.sqlite"
SOCKET_NAME = "engine.sock"
HOST_NAME = "host"
LANES_SUFFIX = ".worktrees"


class PlaceError(Exception):
    """A folder that Runebook needs cannot be found or is not safe to use."""


def find_plan(start: Path) -> Path | None:
    """The plan in `start` or the nearest folder above it, or None; for a lane the repository's."""
    start = start.absolute()
    lane = lane_of(start)
    if lane is not None:
        start = lane[0]
    for folder in (start, *start.parents):
        candidate = folder / PLAN_NAME
        if candidate.is_file():
            return candidate
    return None


def find_repository(start: Path) -> Path | None:
    """The top of the git work tree that holds `start`, or None; for a lane the repository's."""
    start = start.absolute()
    lane = lane_of(start)
    if lane is not None:
        return lane[0]
    for folder in (start, *start.parents):
        if (folder / ".git").exists():
            return folder
    return None


def root_hash(root: Path) -> str:
    """Eight hexadecimal digits that name the repository at `root` on this machine."""
    import hashlib  # here and below: git's hooks import this module, and need none of it

    return hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:8]


def state_folder(root: Path) -> Path:
    """The folder of the log, history and generated files of the repository at `root`."""
    return root / STATE_NAME


def has_run(root: Path) -> bool:
    """Whether an engine has run in the repository at `root`, wherever its log is."""
    return any((state_folder(root) / name).exists() for name in (LOG_NAME, "history"))


def host_name(root: Path) -> str:
    """The host of the plan that this checkout is for: RUNEBOOK_HOST, else the last `run --host`; "" for none.

    It may be any text.
    """
    given = os.environ.get("RUNEBOOK_HOST")
    if given is not None:
        return given
    try:
        return (state_folder(root) / HOST_NAME).read_text("utf-8", "replace").strip()
    except OSError:
        return ""


def runtime_folder(root: Path, *, create: bool = False) -> Path:
    """The folder of the engine's sockets, short enough for a unix socket path (107 bytes).

    Raises PlaceError when the folder cannot be made or belongs to somebody else.
    """
    base = os.environ.get("XDG_RUNTIME_DIR", "")
    if base and os.path.isdir(base) and len(os.fsencode(base)) <= 60:
        parent = Path(base) / "runebook"
    else:
        import tempfile

        temporary = tempfile.gettempdir()
        if len(os.fsencode(temporary)) > 60:
            temporary = "/tmp"
        parent = Path(temporary) / f"runebook-{os.getuid()}"
    folder = parent / root_hash(root)
    if create:
        for each in (parent, folder):
            _make_private(each)
    return folder


def _make_private(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        info = folder.lstat()
    except OSError as error:
        raise PlaceError(f"cannot make the runtime folder {folder}: {error.strerror}") from error
    if info.st_uid != os.getuid() or not folder.is_dir() or folder.is_symlink():
        raise PlaceError(f"the runtime folder {folder} belongs to somebody else")
    if info.st_mode & 0o077:
        folder.chmod(0o700)


def socket_path(root: Path) -> Path:
    """The engine's unix socket for the repository at `root`.

    The engine leaves a pointer in `.runebook/`, for programs whose environment names another
    runtime folder than the engine's did; for one that cannot read it, an agent's pane has RUNEBOOK_SOCKET.
    """
    try:
        pointed = os.fsdecode((state_folder(root) / POINTER_NAME).read_bytes()).strip()
    except OSError:
        here = os.environ.get("RUNEBOOK_ROOT") == os.fspath(root)
        pointed = os.environ.get("RUNEBOOK_SOCKET", "") if here else ""
    return Path(pointed) if pointed.startswith("/") else runtime_folder(root) / SOCKET_NAME


def tmux_socket_name(root: Path) -> str:
    """The name (`tmux -L`) of the private tmux server of the repository at `root`."""
    import re

    slug = re.sub(r"[^A-Za-z0-9]+", "-", root.resolve().name).strip("-").lower()[:24] or "repository"
    return f"runebook-{slug}-{root_hash(root)}"


def lanes_folder(root: Path) -> Path:
    """The folder beside the repository at `root` that holds a worktree for each agent."""
    real = root.resolve()
    return real.with_name(real.name + LANES_SUFFIX)


def lane_of(path: Path) -> tuple[Path, str, Path] | None:
    """The repository, the agent and the worktree's top of the lane that holds `path`, or None."""
    for folder in (path, *path.parents):
        beside = folder.parent
        if not beside.name.endswith(LANES_SUFFIX) or len(beside.name) == len(LANES_SUFFIX):
            continue
        root = beside.with_name(beside.name.removesuffix(LANES_SUFFIX))
        if (folder / ".git").is_file() and (root / ".git").exists():
            return root, folder.name, folder
    return None
