"""The agent `builder`: clones, commits, compiles and installs in its own and in ignored folders.

It notes how each step ended and how long it took. Below its folder, `work` is its own and `out` ignored.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.soak.notes import NoteWriter

SOURCES = 60
_IDENTITY = ["-c", "user.name=Builder", "-c", "user.email=builder@localhost"]
_PAUSE = 1.0


class StepFailed(Exception):
    """A step did not do what it is for; the words say what was said."""


def run(*command: str, folder: Path) -> str:
    """What the command says. Raises StepFailed."""
    done = subprocess.run(
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    said = done.stdout.decode(errors="replace").strip()
    if done.returncode:
        words = " ".join(command)[-80:]
        raise StepFailed(f"...{words} ended with {done.returncode}: {said[-400:]}")
    if "runebook:" in said:
        raise StepFailed(f"the gate stopped something in ...{' '.join(command)[-80:]}: {said[-400:]}")
    return said


def git(folder: Path, material: Path) -> None:
    """Clone, ten commits on a branch, a rebase onto another, checkouts, and a collection of garbage."""
    run("git", "clone", "-q", str(material / "origin.git"), "clone", folder=folder)
    clone = folder / "clone"
    run("git", "checkout", "-q", "-b", "side", folder=clone)
    for number in range(10):
        (clone / f"side{number}.txt").write_text(f"{number}\n")
        run("git", "add", "-A", folder=clone)
        run("git", *_IDENTITY, "commit", "-q", "-m", f"Side {number}", folder=clone)
    run("git", "checkout", "-q", "-b", "other", "main", folder=clone)
    (clone / "other.txt").write_text("other\n")
    run("git", "add", "-A", folder=clone)
    run("git", *_IDENTITY, "commit", "-q", "-m", "Other", folder=clone)
    run("git", "checkout", "-q", "side", folder=clone)
    run("git", *_IDENTITY, "rebase", "-q", "other", folder=clone)
    run("git", "gc", "-q", folder=clone)
    if run("git", "status", "--porcelain", folder=clone):
        raise StepFailed("the clone is not clean")
    if int(run("git", "rev-list", "--count", "main..side", folder=clone)) != 11:
        raise StepFailed("the rebased branch has not 11 commits")


def make(folder: Path, material: Path) -> None:
    """Sixty C files, two at a time."""
    names = [f"part{number}" for number in range(SOURCES)]
    for number, name in enumerate(names):
        (folder / f"{name}.c").write_text(f"int {name}(int x) {{ return x + {number}; }}\n")
    calls = " + ".join(f"{name}(0)" for name in names)
    declared = "".join(f"int {name}(int);\n" for name in names)
    (folder / "main.c").write_text(
        f"{declared}int main(void) {{ return ({calls}) != {sum(range(SOURCES))}; }}\n"
    )
    objects = " ".join(f"{name}.o" for name in ("main", *names))
    (folder / "Makefile").write_text(
        f"all: main\nmain: {objects}\n\tcc -o main {objects}\n%.o: %.c\n\tcc -c -o $@ $<\n"
    )
    run("make", "-s", "-j2", folder=folder)
    run("./main", folder=folder)


def compileall(folder: Path, material: Path) -> None:
    """A part of Python's own library, compiled."""
    for name in ("json", "email", "asyncio"):
        shutil.copytree(
            Path(sysconfig.get_path("stdlib")) / name,
            folder / name,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    run(sys.executable, "-m", "compileall", "-q", "-j", "2", ".", folder=folder)
    if len(list(folder.rglob("*.pyc"))) != len(list(folder.rglob("*.py"))):
        raise StepFailed("not every module was compiled")


def pip(folder: Path, material: Path) -> None:
    """A virtual environment and a wheel in it."""
    run(sys.executable, "-m", "venv", "venv", folder=folder)
    python = str(folder / "venv/bin/python")
    wheel = next(material.glob("*.whl"))
    run(
        python,
        "-m",
        "pip",
        "install",
        "-q",
        "--no-index",
        "--disable-pip-version-check",
        str(wheel),
        folder=folder,
    )
    if run(python, "-c", "import soaked; print(soaked.WORD)", folder=folder) != "soaked":
        raise StepFailed("the wheel is not installed")


def npm(folder: Path, material: Path) -> None:
    """A tree of packages from files."""
    packages = {path.stem: f"file:{path}" for path in sorted(material.glob("*.tgz"))}
    (folder / "package.json").write_text(
        json.dumps({"name": "soak", "version": "1.0.0", "dependencies": packages})
    )
    run("npm", "install", "--offline", "--no-audit", "--no-fund", "--silent", folder=folder)
    if len(list((folder / "node_modules").glob("*/index.js"))) != len(packages):
        raise StepFailed("not every package is installed")


def steps() -> Iterator[tuple[str, Callable[[Path, Path], None], str]]:
    """Name, work and parent folder of each step that this machine has the programs for."""
    yield "git", git, "builder/work"
    if shutil.which("make") and shutil.which("cc"):
        yield "make", make, "builder/work"
    yield "compileall", compileall, "builder/out"
    yield "pip", pip, "builder/out"
    if shutil.which("npm"):
        yield "npm", npm, "builder/out"
    yield "git", git, "builder/out"


def main(notes: NoteWriter, material: Path) -> None:
    """Go on until ended by a signal."""
    planned = list(steps())
    notes.write(do="steps", names=[f"{name} in {parent}" for name, _, parent in planned])
    for loop in range(sys.maxsize):
        for name, work, parent in planned:
            folder = Path(parent).absolute() / name
            begun = time.monotonic()
            failure = ""
            try:
                folder.mkdir(parents=True)
                work(folder, material)
                shutil.rmtree(folder)
            except (StepFailed, OSError) as error:
                failure = str(error)[:500]
                shutil.rmtree(folder, ignore_errors=True)
            seconds = round(time.monotonic() - begun, 3)
            notes.write(do="step", loop=loop, name=f"{name} in {parent}", seconds=seconds, failure=failure)
            time.sleep(_PAUSE)
        notes.write(do="loop", loop=loop)


if __name__ == "__main__":
    os.umask(0o022)
    main(NoteWriter(sys.argv[1]), Path(sys.argv[2]))
