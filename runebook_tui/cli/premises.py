"""What the repository has of what Runebook needs: plan, state folder, log, engine, tmux server, hooks."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from runebook_tui.agent import installed_agents
from runebook_tui.cli.checkup import Finding, number_in, said
from runebook_tui.cli.guarding import interpreter
from runebook_tui.cli.hosting import lacking_store
from runebook_tui.execution.follow import open_log
from runebook_tui.execution.launch import engine_answers
from runebook_tui.git.hooks import GuardHooks, HooksError
from runebook_tui.git.process import GitError
from runebook_tui.log.eventlog import LogError
from runebook_tui.log.lease import is_alive
from runebook_tui.log.loading import forgotten_count
from runebook_tui.log.opening import store_of
from runebook_tui.orchestrator.planner import PlanError, read_plan, read_text
from runebook_tui.place import PLAN_NAME, host_name, socket_path, state_folder, tmux_socket_name
from runebook_tui.tmux.server import TmuxError, TmuxServer

_MOST_FOLDERS = 2_000_000
_FULL = 0.75
"""From this part of the allowed watches on, they are about to run out."""


def repository_findings(root: Path) -> Iterator[Finding]:
    """What holds for the repository at `root`. Changes nothing in it, and starts nothing."""
    yield Finding("repository", "ok", str(root))
    yield _plan(root)
    yield _state(root)
    yield _log(root)
    engine = engine_answers(root)
    yield _engine(root, engine)
    yield _server(root, engine)
    yield _watches(root)
    yield _hooks(root)
    yield _guard(root)


def _plan(root: Path) -> Finding:
    path = root / PLAN_NAME
    if not path.exists():
        return Finding("plan", "missing", f"there is no {PLAN_NAME}", "write one: `runebook-tui init`")
    try:
        known = installed_agents()
        plan, problems = read_plan(read_text(path), path.name, root, builtins=known, which=shutil.which)
    except PlanError as error:
        return Finding("plan", "missing", str(error).splitlines()[0], "`runebook-tui check` says more")
    if plan is None:
        count = sum(problem.severity == "error" for problem in problems)
        words = "1 error" if count == 1 else f"{count} errors"
        return Finding("plan", "missing", f"{PLAN_NAME} has {words}", "`runebook-tui check` names them")
    phases, agents = len(plan.phases), len(plan.agents)
    words = f"{plan.plan.name}: phases {phases}, agents {agents}, warnings {len(problems)}"
    with suppress(LogError):  # what is wrong with the store's address is said of the log
        if lacks := lacking_store(plan, store_of(root)):
            return Finding("plan", "less", words, lacks)
    return Finding("plan", "ok", words)


def _state(root: Path) -> Finding:
    folder = state_folder(root)
    try:
        info = folder.lstat()
    except FileNotFoundError:
        return Finding("state", "ok", "nothing has run here yet")
    except OSError as error:
        return Finding("state", "missing", f"{folder.name}: {error.strerror}", f"make {folder} readable")
    if not stat.S_ISDIR(info.st_mode) or not os.access(folder, os.W_OK | os.X_OK):
        return Finding("state", "missing", f"{folder} is no folder that you can write", "move it away")
    size = sum(_size(Path(each.path)) for each in _entries(folder / "history" / "objects"))
    words = f"{folder.name}: mode {stat.S_IMODE(info.st_mode):o}, history {_bytes(size)}"
    if info.st_mode & 0o077:
        return Finding("state", "less", f"{words}; others can look into it", f"`chmod 700 {folder}`")
    return Finding("state", "ok", words)


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """The files in the folders of `folder`, as the history keeps its contents."""
    try:
        shelves = [each for each in os.scandir(folder) if each.is_dir(follow_symlinks=False)]
        for shelf in shelves:
            yield from os.scandir(shelf.path)
    except OSError:
        return


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0


def _bytes(count: int) -> str:
    return f"{count:,} bytes" if count < 1_000_000 else f"{count / 1_000_000:,.1f} MB"


def _log(root: Path) -> Finding:
    try:
        store = store_of(root)
        if not store.exists():
            return Finding("log", "ok", "none yet")
        with store.open(read_only=True) as log:
            records = log.last_seq() - forgotten_count(log)
    except LogError as error:
        return Finding("log", "missing", str(error), "`runebook-tui run` says what can be done")
    where = f"in {store.place}" if store.url else _bytes(_size(store.path))
    return Finding("log", "ok", f"{records:,} records, {where}")


def _engine(root: Path, answers: bool) -> Finding:
    holder = _holder(root)
    if answers:
        return Finding("engine", "ok", "runs" if holder is None else f"runs (pid {holder})")
    if holder is not None:
        advice = f"see .runebook/engine.log; if it stays so, end it: `kill {holder}`"
        return Finding("engine", "less", f"pid {holder} holds the lease and does not answer", advice)
    left = (
        "; an earlier one left its socket, which the next one replaces" if socket_path(root).exists() else ""
    )
    return Finding("engine", "ok", f"none runs{left}")


def _holder(root: Path) -> int | None:
    """The process that holds the lease on this host and lives."""
    try:
        with open_log(root) as log:
            lease = log.holder(store_of(root).lease_of(host_name(root)))
    except LogError:
        return None
    return lease.pid if lease is not None and is_alive(lease) else None


def _server(root: Path, engine: bool) -> Finding:
    name = tmux_socket_name(root)
    try:
        panes = TmuxServer(name, state_folder(root) / "tmux").panes()
    except TmuxError as error:
        return Finding("panes", "less", str(error), f"`tmux -L {name} kill-server` ends it with its panes")
    count = "1 pane" if len(panes) == 1 else f"{len(panes)} panes"
    if panes and not engine:
        advice = "`runebook-tui` goes on with them, `runebook-tui down` ends them"
        return Finding("panes", "less", f"{count} of tmux -L {name} without an engine", advice)
    if panes:
        return Finding("panes", "ok", f"{count} in tmux -L {name}")
    folder = Path(os.environ.get("TMUX_TMPDIR") or tempfile.gettempdir()) / f"tmux-{os.getuid()}"
    left = f"; its socket {folder / name} is left over and does no harm" if (folder / name).exists() else ""
    return Finding("panes", "ok", f"none{left}")


def _watches(root: Path) -> Finding:
    limit = number_in("/proc/sys/fs/inotify/max_user_watches")
    if limit is None:
        return Finding("watches", "ok", "this system has no limit of inotify's")
    folders = _folders(root)
    words = f"{folders:,} folders, {limit:,} watches for all your programs"
    advice = f"`sudo sysctl fs.inotify.max_user_watches={max(1_048_576, 4 * folders)}`"
    if folders > limit:
        return Finding("watches", "missing", words, advice)
    if folders > _FULL * limit:
        return Finding("watches", "less", words, advice)
    return Finding("watches", "ok", words)


def _folders(root: Path) -> int:
    """The folders below `root`, itself included; not more than two million are counted."""
    count, rest = 0, [os.fspath(root)]
    while rest and count < _MOST_FOLDERS:
        count += 1
        try:
            with os.scandir(rest.pop()) as entries:
                rest += [each.path for each in entries if each.is_dir(follow_symlinks=False)]
        except OSError:
            continue
    return count


def _hooks(root: Path) -> Finding:
    """Where git looks for this repository's hooks."""
    told = said("git", "config", "--get", "core.hooksPath", cwd=root)
    if not told:
        return Finding("hooks", "ok", "core.hooksPath is not set: git runs those of .git/hooks")
    return Finding("hooks", "ok", f"core.hooksPath is {told}: git runs the hooks of that folder")


def _guard(root: Path) -> Finding:
    """Whether agents are kept from committing each other's files."""
    try:
        found = GuardHooks(root, interpreter()).found()
    except (GitError, HooksError) as error:
        return Finding("guard", "less", str(error))
    words = "; ".join((f"the commit guard is {found.state}", *found.notes))
    if found.state == "broken":
        return Finding("guard", "less", words, "`runebook-tui guard install`")
    return Finding("guard", "ok", words)  # it is for the operator to want it
