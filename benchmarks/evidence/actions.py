"""What an operator does to a repository all day, by kind: each action is one that a person takes."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.session import BenchmarkError

FILES = 60
"""Tracked files of each agent."""

_LINE = "value = 1\n"
_UGLY = "def  of( a,b ):\n  return {'a':a ,'b':b}\n"
_EDITED = 3
"""Files that are edited before an action that is about edited files."""


def tracked() -> dict[str, str]:
    """The files that the operator works on, in claims of both agents and in nobody's: text by path."""
    paths = [f"{agent}/src/part{at // 10}/file{at}.py" for agent in ("alpha", "beta") for at in range(FILES)]
    paths += [f"docs/page{at}.md" for at in range(FILES // 3)]
    return {path: f"# {path}\n" + _LINE * 20 for path in paths}


class Operator:
    """The operator's hands in the repository at `root`: what they do is chosen by `seed`."""

    def __init__(self, root: Path, seed: int) -> None:
        self.root = root
        self._chance = random.Random(seed)
        self._paths = list(tracked())
        self._count = 0

    def kinds(self) -> Mapping[str, Callable[[], None]]:
        """Every kind of action whose program is installed, by name."""
        found = {
            "save in place": self._save,
            "save by rename": self._save_by_rename,
            "append by a shell": self._append,
            "sed -i": self._sed,
            "touch, chmod": self._touch,
            "mv": self._move,
            "rm": self._remove,
            "cp -r, rm -r": self._copy,
            "build (compileall)": self._build,
            "git add, commit": self._commit,
            "git switch": self._switch,
            "git stash, pop": self._stash,
            "git rebase": self._rebase,
            "git merge": self._merge,
            "git cherry-pick": self._pick,
            "git revert": self._revert,
            "git reset --hard": self._reset,
            "git restore": self._restore,
            "git apply": self._apply,
            "git mv": self._git_move,
        }
        if shutil.which("vim"):
            found["vim, in place"] = lambda: self._vim("yes")
            found["vim, by rename"] = lambda: self._vim("no")
        if shutil.which("nvim"):
            found["nvim"] = self._nvim
        if self._formatter().exists():
            found["formatter (ruff)"] = self._format
        if shutil.which("make") and shutil.which("cc"):
            found["build (make, cc)"] = self._make
        return found

    def tidy(self) -> None:
        """Commit what is not committed, on the branch `main`: so each kind begins alike."""
        self._git("add", "-A", "--", "alpha/src", "beta/src", "docs")
        if self._git("diff", "--cached", "--name-only"):
            self._git("commit", "-qm", "tidy")
        if self._git("branch", "--show-current") != "main":
            self._git("switch", "-q", "main")

    def _git(self, *words: str, feed: str | None = None) -> str:
        command = ["git", "-c", "user.name=Op", "-c", "user.email=op@localhost", "-c", "gc.auto=0", *words]
        return self._run(*command, feed=feed).strip()

    def _run(self, *command: str, feed: str | None = None) -> str:
        done = subprocess.run(
            command, cwd=self.root, input=feed, check=False, text=True, capture_output=True,
            stdin=subprocess.DEVNULL if feed is None else None,
        )  # fmt: skip
        if done.returncode:
            raise BenchmarkError(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def _some(self, suffix: str = "") -> Path:
        """A tracked file that is there."""
        return self._chance.choice(self._there(suffix))

    def _movable(self, suffix: str = "") -> Path:
        """A tracked file that is there, and whose other name is free."""
        return self._chance.choice([each for each in self._there(suffix) if not _aside(each).exists()])

    def _there(self, suffix: str) -> list[Path]:
        places = [self.root / path for path in self._paths if path.endswith(suffix)]
        return [each for place in places for each in (place, _aside(place)) if each.exists()]

    def _text(self) -> str:
        self._count += 1
        return f"edit = {self._count}\n"

    def _save(self) -> None:
        path = self._some()
        path.write_text(path.read_text() + self._text())

    def _edit_some(self) -> list[Path]:
        paths = list({self._some() for _ in range(_EDITED)})
        for path in paths:
            path.write_text(path.read_text() + self._text())
        return paths

    def _save_by_rename(self) -> None:
        path = self._some()
        beside = path.with_name(f".{path.name}.{self._chance.randrange(10**6)}.tmp")
        beside.write_text(path.read_text() + self._text())
        beside.replace(path)

    def _append(self) -> None:
        self._run("sh", "-c", 'printf %s "$1" >> "$0"', str(self._some()), self._text())

    def _sed(self) -> None:
        self._run("sed", "-i", f"1s/$/ # {self._text().strip()}/", str(self._some()))

    def _touch(self) -> None:
        path = self._some()
        path.touch()
        path.chmod(0o755 if self._chance.random() < 0.5 else 0o644)

    def _move(self) -> None:
        path = self._movable()
        self._run("mv", str(path), str(_aside(path)))

    def _remove(self) -> None:
        """Remove a file; the next time it is written anew."""
        gone = [path for path in self._paths if not (self.root / path).exists()]
        if gone:
            (self.root / self._chance.choice(gone)).write_text(self._text())
        else:
            self._run("rm", str(self._some()))

    def _copy(self) -> None:
        """Copy a folder; the next time the copy is removed."""
        copy = self.root / "beta/copy"
        if copy.exists():
            self._run("rm", "-r", str(copy))
        else:
            self._run("cp", "-r", str(self._some(".py").parent), str(copy))

    def _vim(self, copy: str) -> None:
        """A swap file is written beside it, as vim does where nobody told it not to."""
        self._run(
            "vim", "-es", "-N", "-u", "NONE", "-i", "NONE", "-c", f"set backup backupcopy={copy} backupdir=.",
            "-c", f"normal Go{self._text().strip()}", "-c", "wq", str(self._some()),
        )  # fmt: skip

    def _nvim(self) -> None:
        edit = f"normal Go{self._text().strip()}"
        self._run("nvim", "--clean", "--headless", "-c", edit, "-c", "wq", str(self._some()))

    @staticmethod
    def _formatter() -> Path:
        return Path(sys.executable).with_name("ruff")

    def _format(self) -> None:
        path = self._some(".py")
        path.write_text(path.read_text() + self._text() + _UGLY)
        self._run(str(self._formatter()), "format", "-q", "--no-cache", "--isolated", str(path))

    def _build(self) -> None:
        folder = self._some(".py").parent
        self._run(sys.executable, "-m", "compileall", "-q", "-f", str(folder))

    def _make(self) -> None:
        """Objects and a library in a folder that git does not ignore."""
        part = self.root / "beta/c"
        part.mkdir(exist_ok=True)
        (part / "one.c").write_text(f"int one(void) {{ return {self._chance.randrange(999)}; }}\n")
        (part / "Makefile").write_text("all.a: one.o\n\tar rcs $@ $^\none.o: one.c\n\tcc -c -o $@ $<\n")
        self._run("make", "-s", "-C", str(part))

    def _commit(self) -> None:
        paths = self._edit_some()
        self._git("add", "--", *map(str, paths))
        self._git("commit", "-qm", "work")

    def _switch(self) -> None:
        here = self._git("branch", "--show-current")
        self._git("switch", "-q", "main" if here == "topic" else "topic")

    def _stash(self) -> None:
        self._edit_some()
        self._git("stash", "-q")
        self._git("stash", "pop", "-q")
        self.tidy()

    def _branched(self) -> str:
        """A branch from the commit before the last, with a commit of its own; it is checked out."""
        self._count += 1
        name = f"work-{self._count}"
        self._git("switch", "-qc", name, "HEAD~1")
        fresh = self.root / f"beta/src/new-{self._count}.py"
        fresh.write_text(self._text())
        self._git("add", "--", str(fresh))
        self._git("commit", "-qm", name)
        return name

    def _rebase(self) -> None:
        name = self._branched()
        self._git("rebase", "-q", "main")
        self._git("switch", "-q", "main")
        self._git("merge", "-q", "--ff-only", name)

    def _merge(self) -> None:
        name = self._branched()
        self._git("switch", "-q", "main")
        self._git("merge", "-q", "--no-ff", "-m", name, name)

    def _pick(self) -> None:
        name = self._branched()
        self._git("switch", "-q", "main")
        self._git("cherry-pick", name)

    def _revert(self) -> None:
        self._commit()
        self._git("revert", "--no-edit", "HEAD")

    def _reset(self) -> None:
        self._edit_some()
        self._git("reset", "-q", "--hard")

    def _restore(self) -> None:
        self._git("restore", "--", *map(str, self._edit_some()))

    def _apply(self) -> None:
        paths = [str(path) for path in self._edit_some()]
        patch = self._git("diff", "--", *paths) + "\n"
        self._git("restore", "--", *paths)
        self._git("apply", "-", feed=patch)
        self.tidy()

    def _git_move(self) -> None:
        path = self._movable(".py")
        self._git("mv", str(path), str(_aside(path)))
        self._git("commit", "-qm", "moved")


def _aside(path: Path) -> Path:
    """Where the file goes, and, once it is there, whence it came."""
    name = path.name
    return path.with_name(name.removeprefix("moved-") if name.startswith("moved-") else f"moved-{name}")
