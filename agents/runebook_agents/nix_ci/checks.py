"""Checks of Nix files and workflows: by nix where it is installed, and by GitHub's published schema."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from runebook_tui.core.printable import visible
from runebook_tui.core.secrets import without_secrets

_SECONDS = 60.0
_WORDS = 1000
_WORKFLOW = re.compile(r"\.github/workflows/[^/]+\.ya?ml")


class Finding(NamedTuple):
    """What is wrong with a file."""

    words: str
    line: int | None = None


class NotChecked(Exception):
    """Nothing here can check the file; the message says what is missing."""


def is_checked(path: str) -> bool:
    """Whether the file at `path`, relative to the repository, is one of those that are checked."""
    return path in ("flake.nix", "shell.nix", "default.nix") or _WORKFLOW.fullmatch(path) is not None


def paths(root: Path) -> list[str]:
    """The files of the repository at `root` that are checked."""
    named = [*root.glob("*.nix"), *root.glob(".github/workflows/*.y*ml")]
    relative = (os.fsdecode(path.relative_to(root)) for path in sorted(named) if path.is_file())
    return [path for path in relative if is_checked(path)]


def check(root: Path, path: str, scratch: Path) -> Finding | None:
    """What is wrong with the file at `path`, or None; `scratch` is a folder for nix. Raises NotChecked."""
    if path.endswith(".nix"):
        return _nix(root / path, scratch)
    return _workflow(root / path)


def _nix(path: Path, scratch: Path) -> Finding | None:
    """Whether it parses and every name in it is bound, by the real parser; nothing is built or fetched."""
    program = shutil.which("nix-instantiate")
    if program is None:
        raise NotChecked("nix is not installed")
    folders = {
        f"NIX_{name}_DIR": os.fspath(scratch / name.lower()) for name in ("STORE", "STATE", "LOG", "CONF")
    }
    done = _run([program, "--parse", os.fspath(path)], {**folders, "HOME": os.fspath(scratch)})
    if done.returncode == 0:
        return None
    said = done.stderr.partition("error:")[2] or done.stderr
    at = re.search(re.escape(path.name) + r":(\d+):\d+", said)
    return Finding(_words(said), int(at[1]) if at else None)


def _workflow(path: Path) -> Finding | None:
    """Whether it holds to GitHub's schema of workflows, as check-jsonschema ships it."""
    if find_spec("check_jsonschema") is None:
        raise NotChecked("check-jsonschema is not installed: pip install 'runebook-tui[ci]'")
    command = [sys.executable, "-P", "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"]
    done = _run([*command, "--output-format", "json", os.fspath(path)], {})
    if done.returncode == 0:
        return None
    try:
        report = json.loads(done.stdout)
        errors = [f"{each['path']}: {each['message']}" for each in report.get("errors", [])]
        errors += [str(each["message"]) for each in report.get("parse_errors", [])]
    except (ValueError, KeyError, TypeError, AttributeError):
        errors = [done.stdout + done.stderr]
    return Finding(_words("; ".join(errors) or done.stderr))


def _run(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise NotChecked(f"{Path(command[0]).name} took longer than {_SECONDS:g} s") from error
    except OSError as error:
        raise NotChecked(f"{Path(command[0]).name} did not start: {error.strerror}") from error


def _words(text: str) -> str:
    return visible(" ".join(without_secrets(text, 4 * _WORDS).split()), _WORDS)
