"""The second layer: the repository is searched for the names in a failure, with ripgrep or git grep.

What git ignores and what is named like a secret is never read. Bounded in time and bytes, and ended at once
when nobody wants to know any more.
"""

from __future__ import annotations

import difflib
import os
import re
import selectors
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from runebook_agents.analysis.failure import Failure
from runebook_agents.analysis.idea import Idea
from runebook_agents.analysis.place import place_of
from runebook_tui.core.printable import visible
from runebook_tui.core.secret_names import PATTERNS, secret_named

SEARCH_SECONDS = 5.0
MOST_BYTES = 256 * 1024
MOST_NAMES = 4
_LINE = 300

_FRAMES = (
    re.compile(r'File "([^"\n]{1,300})", line (\d{1,8})'),
    re.compile(r"^\s*--> ([^:\n]{1,300}):(\d{1,8})", re.M),
    re.compile(r"\(?((?:/|\.{1,2}/)?[\w@./+-]{1,300}\.[A-Za-z]{1,8})[:(](\d{1,8})(?=[:,)\s])"),
)
_NAMES = (
    re.compile(r"NameError: name '(\w{2,80})' is not defined"),
    re.compile(r"has no attribute '(\w{2,80})'"),
    re.compile(r"cannot import name '(\w{2,80})'"),
    re.compile(r"undefined: (?:\w+\.)?(\w{2,80})"),
    re.compile(r"cannot find (?:value|function|type|struct|macro|trait)[\w ,]{0,40} `(\w{2,80})`"),
    re.compile(r"(?:ReferenceError: |error +')(\w{2,80})'? is not defined"),
    re.compile(r"Cannot find name '(\w{2,80})'"),
    re.compile(r"undefined reference to [`'‘](\w{2,80})"),
    re.compile(r"‘(\w{2,80})’ undeclared"),
    re.compile(r"error: undefined variable '(\w{2,80})'"),
    re.compile(r"fixture '(\w{2,80})' not found"),
)
_FILES = (
    re.compile(r"No such file or directory: '([^'\n]{1,300})'"),
    re.compile(r"(?:^|: )([^:\n']{1,300}): No such file or directory$", re.M),
    re.compile(r"ENOENT: no such file or directory, \w+ '([^'\n]{1,300})'"),
    re.compile(r"Cannot find module '(\.{1,2}/[^'\n]{1,300})'"),
    re.compile(r"can't open file '([^'\n]{1,300})'"),
)
_DEFINED = r"\b(def|class|fn|func|function|const|let|var|struct|enum|trait|interface|type|mod|module)\s+"


class Hit(NamedTuple):
    """A line of the repository."""

    file: str
    line: int
    text: str


class Search:
    """Searches the repository at `root` for what one failure names, until `over` says to stop."""

    def __init__(
        self, root: Path, over: Callable[[], bool] = lambda: False, program: str | None = None
    ) -> None:
        self._root = root
        self._over = over
        self._end = time.monotonic() + SEARCH_SECONDS
        self._rg = shutil.which("rg") if program is None else program

    def ideas(self, failure: Failure) -> tuple[Idea, ...]:
        """Where to look, the best first."""
        found = [*self._frames(failure), *self._symbols(failure), *self._files(failure)]
        return () if self._over() else tuple(sorted(found, key=lambda idea: idea.rank))

    def _frames(self, failure: Failure) -> Iterator[Idea]:
        """The innermost place of the repository that the output names."""
        named = [
            (match.start(), match[1], match[2])
            for frame in _FRAMES
            for match in frame.finditer(failure.output[-16_384:])
        ]
        for _, name, number in sorted(named, reverse=True)[:20]:
            file, line = place_of(self._root, failure.folder, name, number)
            if file and line is not None and not secret_named(file) and self._is_known(file):
                text = _line_of(self._root / file, line)
                yield Idea(
                    kind="look",
                    title=visible(f"The failure comes from {file}, line {line}", 200),
                    rule="search-frame",
                    layer="search",
                    words=visible(text, _LINE),
                    confidence=0.6,
                    file=file,
                    line=line,
                )
                return

    def _symbols(self, failure: Failure) -> Iterator[Idea]:
        """Where a name that was missed is defined, or one that is much like it."""
        missed = dict.fromkeys(match[1] for name in _NAMES for match in name.finditer(failure.output))
        for name in list(missed)[:MOST_NAMES]:
            hits = self._lines(rf"{_DEFINED}{re.escape(name)}\b")
            if hits:
                yield self._defined(name, name, hits[0], 0.7)
                continue
            words = {match[2]: hit for hit in self._lines(rf"{_DEFINED}\w+") if (match := _word(hit.text))}
            for near in difflib.get_close_matches(name, list(words)[:5000], n=1, cutoff=0.75):
                yield self._defined(name, near, words[near], 0.65)

    @staticmethod
    def _defined(name: str, found: str, hit: Hit, confidence: float) -> Idea:
        same = name == found
        title = (
            f"{name} is defined in {hit.file}, line {hit.line}" if same else f"{name}: did you mean {found}?"
        )
        return Idea(
            kind="look",
            title=visible(title, 200),
            rule="search-symbol" if same else "search-similar",
            layer="search",
            words=visible(f"{hit.file}:{hit.line}: {hit.text.strip()}", _LINE),
            confidence=confidence,
            file=hit.file,
            line=hit.line,
        )

    def _files(self, failure: Failure) -> Iterator[Idea]:
        """A file of the repository that is called like one that was missed."""
        missed = dict.fromkeys(match[1] for name in _FILES for match in name.finditer(failure.output))
        for path in list(missed)[:MOST_NAMES]:
            files = [each for each in self._known() if not secret_named(each)]
            wanted = path.rsplit("/", 1)[-1]
            names = {each.rsplit("/", 1)[-1]: each for each in reversed(files)}
            stems = {name.split(".", 1)[0]: each for name, each in names.items()}
            near = difflib.get_close_matches(wanted, list(names)[:5000], n=1, cutoff=0.75)
            file = names.get(wanted) or stems.get(wanted) or (names[near[0]] if near else "")
            if file and file != path:
                yield Idea(
                    kind="look",
                    title=visible(f"Not {path}, but {file}?", 200),
                    rule="search-file",
                    layer="search",
                    words="It is the file of the repository whose name is the nearest.",
                    confidence=0.6,
                    file=file,
                )

    def _is_known(self, file: str) -> bool:
        """Whether git would show the file: it tracks it, or it is new and not ignored."""
        return bool(
            self._run(["git", "ls-files", "-z", "-co", "--exclude-standard", "--", f":(literal){file}"])
        )

    def _known(self) -> list[str]:
        listed = self._run(["git", "ls-files", "-z", "-co", "--exclude-standard"])
        return [os.fsdecode(each) for each in listed.split(b"\0") if each][:20_000]

    def _lines(self, pattern: str) -> list[Hit]:
        if self._rg:
            globs = [f"--iglob=!{each}" for each in PATTERNS]
            command = [self._rg, "--no-config", "--no-messages", "--line-number", "--with-filename", "--null"]
            command += ["--no-heading", "--color=never", "--max-columns=300", "--max-filesize=1M", *globs]
            command += ["--sort=path", f"--regexp={pattern}", "--", "."]
        else:
            excluded = [f":(exclude,icase,glob)**/{each}" for each in PATTERNS]
            command = ["git", "grep", "--untracked", "--no-color", "-n", "-I", "-z", "-P", "-e", pattern]
            command += ["--", ".", *excluded]
        return [hit for line in self._run(command).split(b"\n") if (hit := _hit(line)) is not None]

    def _run(self, command: Sequence[str]) -> bytes:
        """What a program prints, at most MOST_BYTES, and no more once time is over."""
        environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C.UTF-8"}
        try:
            process = subprocess.Popen(
                command,
                cwd=self._root,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError:
            return b""
        said = bytearray()
        with process, selectors.DefaultSelector() as selector:
            assert process.stdout is not None
            selector.register(process.stdout, selectors.EVENT_READ)
            while len(said) < MOST_BYTES and time.monotonic() < self._end and not self._over():
                if selector.select(0.05):
                    some = os.read(process.stdout.fileno(), 65_536)
                    if not some:
                        break
                    said += some
            process.kill()
        return bytes(said)


def _hit(line: bytes) -> Hit | None:
    """One line of a search: file NUL number (":" or NUL) text."""
    file, _, rest = line.partition(b"\0")
    match = re.match(rb"(\d{1,8})[:\0](.*)", rest, re.DOTALL)
    name = os.fsdecode(file).removeprefix("./")
    if match is None or secret_named(name):
        return None
    return Hit(name, int(match[1]), match[2].decode("utf-8", "replace")[:_LINE])


def _word(text: str) -> re.Match[str] | None:
    return re.search(rf"{_DEFINED}(\w+)", text)


def _line_of(file: Path, number: int) -> str:
    """One line of a file, without its indentation; "" where that cannot be read."""
    try:
        with file.open("rb") as lines:
            content = lines.read(1024 * 1024).split(b"\n")
    except OSError:
        return ""
    return content[number - 1].decode("utf-8", "replace").strip() if number <= len(content) else ""
