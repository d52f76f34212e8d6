"""The commit guard's hooks in a repository: put in, looked at, and taken out again.

Where git's own hooks folder is in use, a hook that is there gets a name beside it and is run first, and
the guard's takes its place. Where `core.hooksPath` names another folder (husky's, a tracked one, one for
all of a user's repositories), or git's own folder is a link to another, nothing in that folder is touched:
this repository's `core.hooksPath` is pointed to a folder of ours, whose hooks each run their namesake there.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from runebook_tui.git.caller import CallersGit
from runebook_tui.git.hook_scripts import GUARDED, KEPT, is_intact, is_ours, script
from runebook_tui.git.process import GitError

_NOTE = "before.json"
_CONFIG = "config.before"
_PASSED_ON = (
    "applypatch-msg", "commit-msg", "post-applypatch", "post-checkout", "post-commit", "post-merge",
    "post-rewrite", "pre-applypatch", "pre-auto-gc", "pre-merge-commit", "pre-push", "pre-rebase",
    "prepare-commit-msg", "sendemail-validate",
)  # fmt: skip
"""Hooks whose presence alone changes nothing; githooks(5) of git 2.39."""
_ONLY_WHERE_PRESENT = (
    "fsmonitor-watchman", "p4-changelist", "p4-post-changelist", "p4-pre-submit", "p4-prepare-changelist",
    "post-index-change", "post-receive", "post-update", "pre-receive", "proc-receive", "push-to-checkout",
    "update",
)  # fmt: skip


class HooksError(Exception):
    """The hooks cannot be put in or taken out without harm; one line for people."""


class Found(NamedTuple):
    """What the guard is in this repository: `installed`, `off`, or `broken` for the reasons in `notes`."""

    state: str
    folder: str
    """Where git looks for hooks."""
    before: tuple[str, ...]
    """The hooks that run first, or the folder whose hooks do."""
    notes: tuple[str, ...]


class _Setting(NamedTuple):
    scope: str
    value: str
    """As git expands it (`~`)."""


class GuardHooks:
    """The guard's hooks of the repository at `root`; `interpreter` are the words that run the program.

    Raises GitError when git cannot be asked, OSError when a file cannot be read or written.
    """

    def __init__(self, root: Path, interpreter: Sequence[str]) -> None:
        self._git = CallersGit(root)
        self._root = root.resolve()
        self._interpreter = tuple(interpreter)
        common = self._root / self._git.line("rev-parse", "--git-common-dir")
        self._plain = common.resolve() / "hooks"
        linked = self._plain.is_symlink()
        self._own = common.resolve() / "runebook-hooks" if linked else self._plain / "runebook"

    def install(self) -> list[str]:
        """Put the guard in, or bring it up to date; what was done, in words. Raises HooksError."""
        setting = self._setting()
        if setting is None and not self._plain.is_symlink():
            return self._install_beside()
        return self._install_own_folder(setting or _Setting("local", str(self._plain)))

    def uninstall(self) -> list[str]:
        """Take the guard out and put everything back; what was done, in words."""
        return [*self._uninstall_own_folder(), *self._uninstall_beside()]

    def found(self) -> Found:
        """How things stand."""
        setting = self._setting()
        redirected = setting is not None and self._is_own(setting.value)
        folder = self._own if redirected else self._plain if setting is None else Path(setting.value)
        here = [name for name in GUARDED if is_ours(_content(folder / name))]
        notes = [f"{folder / name} was changed" for name in here if not is_intact(_content(folder / name))]
        elsewhere = [*self._own.glob("*"), *(p for n in GUARDED if is_ours(_content(p := self._plain / n)))]
        if not here and not elsewhere:
            return Found("off", str(folder), (), ())
        for name in GUARDED:
            if name not in here:
                notes.append(f"{folder / name} is not the guard's (any more)")
            elif _content(folder / name) != self._wanted(name, redirected):
                notes.append(f"{folder / name} is for another place or program: install it again")
        if redirected:
            before: tuple[str, ...] = tuple(filter(None, [str(self._note().get("folder", ""))]))
        else:
            before = tuple(str(k) for n in GUARDED if os.path.lexists(k := folder / (n + KEPT)))
        return Found("broken" if notes else "installed", str(folder), before, tuple(notes))

    def project_hook(self, name: str) -> Path | None:
        """The hook `name` without the guard: what the project itself would run, or None."""
        path = self._git.path(f"hooks/{name}")
        if is_ours(_content(path)):
            kept = self._note().get("folder") if path.parent == self._own else None
            path = path.with_name(name + KEPT) if kept is None else self._root / str(kept) / name
        return path if path.is_file() and os.access(path, os.X_OK) else None

    # ── git's own folder ────────────────────────────────────────────────────────────────────────

    def _install_beside(self) -> list[str]:
        for name in GUARDED:
            place, kept = self._plain / name, self._plain / (name + KEPT)
            content = _content(place)
            if is_ours(content) and not is_intact(content):
                raise HooksError(f"{place} is the guard's, but was changed: delete it or put it back first")
            if not is_ours(content) and os.path.lexists(place) and os.path.lexists(kept):
                raise HooksError(
                    f"{place} was replaced after the guard was put in, and {kept.name} holds what was there"
                    " before: keep one of them"
                )
            if place.is_dir():
                raise HooksError(f"{place} is a folder")
        said = []
        self._plain.mkdir(parents=True, exist_ok=True)
        for name in GUARDED:
            place, kept = self._plain / name, self._plain / (name + KEPT)
            wanted = self._wanted(name, redirected=False)
            if is_ours(_content(place)):
                if _content(place) != wanted:
                    _replace(place, wanted)
                    said.append(f"{place} brought up to date")
                continue
            moved = os.path.lexists(place)
            if moved:
                os.rename(place, kept)
            try:
                _create(place, wanted)
            except FileExistsError as error:
                raise HooksError(
                    f"{place} appeared meanwhile, and was left alone; what was there before is in {kept.name}"
                    if moved
                    else f"{place} appeared meanwhile, and was left alone"
                ) from error
            said.append(f"{place} written")
            if moved:
                said.append(f"the hook before runs first, as {kept}")
        return said

    def _uninstall_beside(self) -> list[str]:
        said = []
        for name in GUARDED:
            place, kept = self._plain / name, self._plain / (name + KEPT)
            there = os.path.lexists(kept)
            if is_intact(_content(place)):
                if there:
                    os.rename(kept, place)
                else:
                    place.unlink()
                said.append(f"{place} " + ("put back" if there else "removed"))
            elif is_ours(_content(place)):
                said.append(f"{place} was changed by somebody, and stays")
            elif there and os.path.lexists(place):
                said.append(f"{place} is somebody else's now, and stays; the one before is {kept.name}")
            elif there:
                os.rename(kept, place)
                said.append(f"{place} put back")
        return said

    # ── a folder of ours in front of another one ────────────────────────────────────────────────

    def _install_own_folder(self, setting: _Setting) -> list[str]:
        already = self._is_own(setting.value)
        note = self._note() if already else {}
        before = str(note["folder"]) if "folder" in note else setting.value
        if already and "folder" not in note:
            raise HooksError(f"{self._own / _NOTE} is lost: set core.hooksPath to what it was first")
        scope = "worktree" if setting.scope == "worktree" else "local"
        for each in self._own.glob("*"):
            if each.name in (*GUARDED, *_PASSED_ON, *_ONLY_WHERE_PRESENT) and not is_intact(_content(each)):
                raise HooksError(f"{each} was changed or put there by somebody: move it away first")
        self._own.mkdir(parents=True, exist_ok=True)
        present = [each for each in _ONLY_WHERE_PRESENT if (self._root / before / each).is_file()]
        said = []
        for name in (*GUARDED, *_PASSED_ON, *present):
            wanted = self._wanted(name, redirected=True, before=before)
            if _content(self._own / name) != wanted:
                _replace(self._own / name, wanted)
                said = [f"hooks written to {self._own}; each runs the one in {before} first"]
        if already:
            return said
        config = self._config_file(scope)
        original = _content(config)
        _replace(self._own / _CONFIG, original, mode=0o600)
        raw = self._git.run("config", f"--{scope}", "-z", "--get", "core.hooksPath", fine=(0, 1))
        self._git.run("config", f"--{scope}", "--replace-all", "core.hooksPath", str(self._own))
        found = {
            "folder": before,
            "scope": scope,
            "value": os.fsdecode(raw[:-1]) if raw else None,
            "config_after": hashlib.sha256(_content(config)).hexdigest(),
        }
        _replace(self._own / _NOTE, json.dumps(found, ensure_ascii=True).encode(), mode=0o600)
        return [*said, f"core.hooksPath of this repository was {before}, and is {self._own}"]

    def _uninstall_own_folder(self) -> list[str]:
        if not self._own.is_dir():
            return []
        said, note, setting = [], self._note(), self._setting()
        if setting is not None and self._is_own(setting.value):
            if "folder" not in note:
                raise HooksError(f"{self._own / _NOTE} is lost: set core.hooksPath to what it was first")
            self._restore_config(note)
            said.append(f"core.hooksPath is {note['folder']} again")
        for each in sorted(self._own.iterdir()):
            if each.name in (_NOTE, _CONFIG) or is_intact(_content(each)):
                each.unlink()
            else:
                said.append(f"{each} is somebody else's, and stays")
        with suppress(OSError):
            self._own.rmdir()
            said.append(f"{self._own} removed")
        return said

    def _restore_config(self, note: dict[str, object]) -> None:
        """Git's configuration as it was, byte for byte unless it has changed since."""
        scope, value = f"--{note['scope']}", note["value"]
        config, kept = self._config_file(str(note["scope"])), self._own / _CONFIG
        lock = config.with_name(config.name + ".lock")
        mode = stat.S_IMODE(config.stat().st_mode)
        descriptor = os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with open(descriptor, "wb") as file:
            same = hashlib.sha256(_content(config)).hexdigest() == note["config_after"] and kept.is_file()
            if same:
                file.write(_content(kept))
        if same:
            lock.chmod(mode)
            os.rename(lock, config)
            return
        lock.unlink()
        if value is None:
            self._git.run("config", scope, "--unset-all", "core.hooksPath")
        else:
            self._git.run("config", scope, "--replace-all", "core.hooksPath", str(value))

    def _config_file(self, scope: str) -> Path:
        return self._git.path("config.worktree") if scope == "worktree" else self._plain.parent / "config"

    def _note(self) -> dict[str, object]:
        try:
            note = json.loads(_content(self._own / _NOTE) or b"{}")
        except ValueError:
            return {}
        return note if isinstance(note, dict) else {}

    # ── both ────────────────────────────────────────────────────────────────────────────────────

    def _setting(self) -> _Setting | None:
        """What `core.hooksPath` is, and in which of git's configurations."""
        given = self._git.run(
            "config", "--show-scope", "--type=path", "-z", "--get", "core.hooksPath", fine=(0, 1)
        )
        scope, _, value = os.fsdecode(given).removesuffix("\0").partition("\0")
        if scope == "command":
            raise GitError("core.hooksPath is set by the environment; unset GIT_CONFIG_* first")
        return _Setting(scope, value) if value else None

    def _is_own(self, value: str) -> bool:
        return os.path.realpath(self._root / value) == os.path.realpath(self._own)

    def _wanted(self, name: str, redirected: bool, before: str | None = None) -> bytes:
        if redirected and before is None:
            before = str(self._note().get("folder", ""))
        place = f"{before}/{name}" if redirected else None
        return script(name, self._interpreter, str(self._main()), before=place)

    def _main(self) -> Path:
        """The top of the main work tree: where Runebook's state is."""
        return self._plain.parent.parent if self._plain.parent.name == ".git" else self._root


def _content(path: Path) -> bytes:
    """What a file holds; nothing where there is none that can be read."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _fresh(path: Path, content: bytes, mode: int) -> Path:
    fresh = path.with_name(f".{path.name}.new-{os.getpid()}")
    fresh.unlink(missing_ok=True)
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
    fresh.chmod(mode)
    return fresh


def _create(path: Path, content: bytes, mode: int = 0o755) -> None:
    """Write a file that must not be there. Raises FileExistsError."""
    fresh = _fresh(path, content, mode)
    try:
        os.link(fresh, path)
    finally:
        fresh.unlink()


def _replace(path: Path, content: bytes, mode: int = 0o755) -> None:
    os.rename(_fresh(path, content, mode), path)
