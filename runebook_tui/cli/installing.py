"""`doctor --install` and `--uninstall`: the file in the user's home that some clients cannot do without."""

from __future__ import annotations

import os
import shlex
from argparse import Namespace
from pathlib import Path

from runebook_tui.cli.agreement import agreed, somebody_there
from runebook_tui.cli.place import CommandError
from runebook_tui.clients.adapter import Adapter
from runebook_tui.clients.registry import ADAPTERS
from runebook_tui.clients.userfile import UserFile
from runebook_tui.core.printable import visible
from runebook_tui.execution.outfit import hook_command

_MOST_BYTES = 1 << 20
_KEPT = ".before-runebook"


def change(arguments: Namespace) -> int:
    """Write or take back a client's user-level file, after a question; status 1 when nothing was done."""
    name = arguments.install or arguments.uninstall
    adapter = ADAPTERS[name]
    if arguments.json:
        raise CommandError("--json is for what `doctor` finds, not for --install and --uninstall", 2)
    if os.environ.get("RUNEBOOK_AGENT"):
        raise CommandError("an agent's pane is no place to change the user's files from; ask the operator")
    if adapter.user_file is None:
        print(_needs_none(adapter))
        return 0
    steps = Steps(adapter, Path.home(), adapter.user_file)
    return steps.install(arguments.yes) if arguments.install else steps.uninstall(arguments.yes)


def _needs_none(adapter: Adapter) -> str:
    if adapter.gate_only:
        return f"{adapter.title} has no hook: the kernel gate holds for it, and there is nothing to install"
    return f"{adapter.title} is told all it needs when an agent starts: there is nothing to install"


class Steps:
    """The steps of writing and taking back the file of one client below `home`."""

    def __init__(self, adapter: Adapter, home: Path, wanted: UserFile) -> None:
        self._adapter = adapter
        self._wanted = wanted
        self._home = home
        # A link in a folder of dotfiles stays one.
        self._file = Path(os.path.realpath(home / wanted.path))
        self._kept = self._file.with_name(self._file.name + _KEPT)

    def install(self, yes: bool) -> int:
        """Add the hooks, having shown the whole file."""
        before = content_of(self._file)
        line = shlex.join((*hook_command(), self._adapter.id))
        try:
            after = self._wanted.installed(before, line)
        except ValueError as error:
            raise CommandError(f"{self._file} {error}") from error
        texts = {self._file: after}
        texts |= {self._home / path: text for path, text in self._wanted.beside.items()}
        if all(content_of(file) == text for file, text in texts.items()):
            print(f"the hooks of {self._adapter.title} are in {visible(str(self._file))} already")
            return 0
        for file, text in texts.items():
            _show("would become" if file.exists() else "would be written", file, text)
        if not _agreed(yes):
            return 1
        if before is not None and not self._wanted.is_installed(before):
            _write(self._kept, before)
        for file, text in texts.items():
            _write(file, text)
        undo = f"`runebook-tui doctor --uninstall {self._adapter.id}` takes it back"
        print(f"wrote {visible(str(self._file))}; {undo}")
        return 0

    def uninstall(self, yes: bool) -> int:
        """Take the hooks out again, having shown what is left."""
        text, original = content_of(self._file), content_of(self._kept)
        ours = [self._home / path for path in self._wanted.beside if (self._home / path).exists()]
        if not ours and (text is None or not self._wanted.is_installed(text)):
            print(f"nothing of Runebook is in {visible(str(self._file))}")
            return 0
        try:
            left = None if text is None else self._wanted.uninstalled(text, original)
        except ValueError as error:
            raise CommandError(f"{self._file} {error}") from error
        if left is not None:
            _show("would become", self._file, left)
        gone = [*ours, *([self._file] if left is None and text is not None else [])]
        for file in gone:
            print(f"{visible(str(file))} would be removed")
        if not _agreed(yes):
            return 1
        if left is not None:
            _write(self._file, left)
        for file in (*gone, self._kept):
            file.unlink(missing_ok=True)
            _remove_empty(file.parent, self._home)
        print(f"nothing of Runebook is left in {visible(str(self._file))}")
        return 0


def content_of(file: Path) -> str | None:
    """What a person's file holds; None where there is none. Raises CommandError for what is no text."""
    try:
        with file.open("rb") as opened:
            data = opened.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        return None
    if len(data) > _MOST_BYTES:
        raise CommandError(f"{file} is larger than 1 MiB, so it is left alone")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CommandError(f"{file} is not UTF-8 text, so it is left alone") from error


def _write(file: Path, text: str) -> None:
    """Write a file at once, with the permissions that it has."""
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f".{file.name}.runebook-new")
    fresh.write_bytes(text.encode())
    fresh.chmod(file.stat().st_mode & 0o777 if file.exists() else 0o600)
    os.replace(fresh, file)


def _remove_empty(folder: Path, home: Path) -> None:
    """Remove the folders that were made for our files, once nothing is in them."""
    while folder != home and folder.is_relative_to(home):
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent


def _show(what: str, file: Path, text: str) -> None:
    print(f"{visible(str(file))} {what}:\n")
    for line in text.splitlines():
        print(f"    {visible(line)}")
    print()


def _agreed(yes: bool) -> bool:
    if yes:
        return True
    if not somebody_there():
        raise CommandError("nobody is there to be asked; say --yes if that is what you want")
    if agreed("Do that?"):
        return True
    print("nothing was changed")
    return False
