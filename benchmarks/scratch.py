"""Scratch repositories: thousands of files, a plan of two agents, and nothing left behind."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.processes import end_all
from runebook_tui.place import runtime_folder

PLAN_TITLE = "measured-plan"
_WRITER = Path(__file__).with_name("writer.py")
_IDENTITY = "Bench <bench@localhost> 1700000000 +0000"


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A temporary folder for everything, also for sockets; git without anybody's configuration meanwhile."""
    before = dict(os.environ)
    folder = Path(tempfile.mkdtemp(prefix="runebook-bench-")).resolve()
    try:
        (folder / "run").mkdir(mode=0o700)
        for name in [name for name in os.environ if name.startswith(("RUNEBOOK_", "GIT_"))]:
            del os.environ[name]
        os.environ["XDG_RUNTIME_DIR"] = str(folder / "run")
        os.environ["GIT_CONFIG_GLOBAL"] = os.devnull
        os.environ["GIT_CONFIG_NOSYSTEM"] = "1"
        yield folder
    finally:
        end_all()
        os.environ.clear()
        os.environ.update(before)
        shutil.rmtree(folder, ignore_errors=True)


class Scratch:
    """A git repository in `folder/repo` in which agent alpha runs the writer and beta owns `beta/`.

    `gate` is alpha's, in the words of the plan.
    """

    def __init__(self, folder: Path, gate: str = "observe") -> None:
        self.folder = folder
        self.gate = gate
        self.root = folder / "repo"
        self.orders, self.answers = folder / "orders", folder / "answers"
        self.root.mkdir(parents=True)
        os.mkfifo(self.orders)
        os.mkfifo(self.answers)
        self.git("init", "-q", "-b", "main")

    def git(self, *words: str, feed: bytes | None = None) -> str:
        """What git says in the repository."""
        done = subprocess.run(
            ["git", "-c", "user.name=Bench", "-c", "user.email=bench@localhost", *words],
            cwd=self.root, input=feed, check=True, stdout=subprocess.PIPE,
        )  # fmt: skip
        return os.fsdecode(done.stdout)

    def commit(self, branches: Mapping[str, Mapping[str, str]]) -> None:
        """Make each branch hold the plan and the given texts by path; the first branch is checked out."""
        stream = bytearray()
        for branch, texts in branches.items():
            stream += f"commit refs/heads/{branch}\ncommitter {_IDENTITY}\ndata 1\n{branch[0]}\n".encode()
            for path, text in {"runebook.toml": self.plan(), ".gitignore": "*.tmp\n", **texts}.items():
                data = text.encode()
                stream += f"M 100644 inline {path}\ndata {len(data)}\n".encode() + data + b"\n"
        self.git("fast-import", "--quiet", "--force", feed=bytes(stream))
        self.git("checkout", "-q", "-f", next(iter(branches)))
        os.sync()  # else the first fsync of the engine waits for all these files

    def plan(self) -> str:
        """The text of the plan."""
        command = json.dumps([sys.executable, "-I", str(_WRITER), str(self.orders), str(self.answers)])
        return (
            f'[plan]\nname = "{PLAN_TITLE}"\n'
            '[[phases]]\nid = "work"\n'
            f'[[agents]]\nid = "alpha"\nphase = "work"\ncommand = {command}\nclaims = ["alpha/**"]\n'
            f'gate = "{self.gate}"\n'
            '[[agents]]\nid = "beta"\nphase = "work"\ncommand = ["sleep", "86400"]\nclaims = ["beta/**"]\n'
        )

    def remove(self) -> None:
        """Remove the folder and the engine's runtime folder."""
        shutil.rmtree(runtime_folder(self.root), ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)


def tree(count: int) -> list[str]:
    """`count` paths, some 20 to a folder and 10 folders to a folder, all below `beta/`."""
    return [f"beta/part{n // 200}/d{n // 20 % 10}/file{n}.py" for n in range(count)]


def texts(paths: Iterable[str], version: str = "first") -> dict[str, str]:
    """A text of its own for each path and version."""
    return {path: f"{path}\nin its {version} version\n" * 3 for path in paths}
