"""The wall: what foreign files must hold, whatever the agents try, and each try from begin to end."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

MOST_WORDS = 20


@dataclass
class Try:
    """One agent's change of one foreign file: under way until its program says how it ended."""

    agent: str
    way: str
    path: str
    after: str | None
    """SHA-256 of what the file holds if it lands; None when that removes it."""
    approved: bool | None = None
    """What the operator said; None while he has not."""
    request: int | None = None
    """The request that was answered so."""
    begun: float = field(default_factory=time.time)

    def __str__(self) -> str:
        answer = {None: "unasked", True: "approved", False: "rejected"}[self.approved]
        when = time.strftime("%H:%M:%S", time.gmtime(self.begun)) + f".{self.begun % 1 * 1000:03.0f}"
        return f"{self.agent}'s {self.way} of {self.path} at {when} ({answer}, request {self.request})"


class Wall:
    """Knows the content that each file of `folder` must have, and looks whether it has.

    Where the gate only observes (`enforced` is False) every try lands, and only what nobody tried is wrong.
    Several threads may use it.
    """

    def __init__(self, root: Path, folder: str, *, enforced: bool) -> None:
        self.count: Counter[str] = Counter()
        self.faults: list[str] = []
        self._root = root
        self._folder = folder
        self._enforced = enforced
        self._lock = threading.Lock()
        self._tries: dict[str, Try] = {}
        self._ended: deque[Try] = deque(maxlen=MOST_WORDS)
        self._expected = self._look()

    def begin(self, agent: str, way: str, path: str, after: str | None) -> None:
        """A program is about to change `path`."""
        with self._lock:
            self._tries[path] = Try(agent, way, path, after)

    def decide(self, request: int, paths: Iterable[str], *, approved: bool) -> None:
        """The operator is about to answer a request about `paths`."""
        with self._lock:
            for path in paths:
                waiting = self._tries.get(path)
                if waiting is not None:
                    waiting.approved, waiting.request = approved, request

    def end(self, path: str, *, ok: bool, words: str) -> None:
        """The program that changed `path` says that it could, or not, and why not."""
        with self._lock:
            done = self._tries.pop(path, None)
            if done is None:
                return
            found, before = self._look().get(path), self._expected.get(path)
            touched, reached = found != before, found == done.after
            allowed = done.approved is True or not self._enforced
            what = str(done)
            self._ended.append(done)
            self._put(path, found)
            if touched and not allowed:
                self._fault(
                    "foreign bytes landed",
                    f"{what} landed though it was not approved; before: {self._before(done)}",
                )
            elif allowed and reached and ok:
                self.count["approved and landed" if touched else "nothing to do"] += 1
            elif allowed:
                self._fault("approved but failed", f"{what} was approved and did not land: {words}")
            elif ok and not reached:
                self._fault("refused in silence", f"{what} was told that it landed, and did not")
            elif ok:
                self.count["nothing to do"] += 1
            else:
                self.count["refused unasked" if done.approved is None else "rejected and kept out"] += 1

    def audit(self) -> None:
        """Compare every foreign file with what it must hold, leaving out what is approved and under way."""
        with self._lock:
            found = self._look()
            under_way = [each for each in self._tries.values() if each.approved or not self._enforced]
            paths = {each.path for each in under_way}
            for path in found.keys() | self._expected.keys():
                temporary = bool(under_way) and path not in self._expected
                if found.get(path) == self._expected.get(path) or path in paths or temporary:
                    continue
                self._fault("foreign bytes landed", f"{path} changed and nobody was allowed to")
                self._put(path, found.get(path))
            self.count["audits"] += 1

    @property
    def under_way(self) -> int:
        """How many tries have not ended."""
        return len(self._tries)

    def _before(self, of: Try) -> str:
        """The newest tries of the same agent that have ended, newest first."""
        return "; ".join(
            str(each) for each in reversed(self._ended) if each is not of and each.agent == of.agent
        )

    def _put(self, path: str, content: str | None) -> None:
        if content is None:
            self._expected.pop(path, None)
        else:
            self._expected[path] = content

    def _fault(self, kind: str, words: str) -> None:
        self.count[kind] += 1
        if len(self.faults) < MOST_WORDS:
            self.faults.append(words)

    def _look(self) -> dict[str, str]:
        found = {}
        for path in (self._root / self._folder).rglob("*"):
            try:
                found[path.relative_to(self._root).as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
            except (FileNotFoundError, IsADirectoryError):
                continue
        return found


FAULTS: Mapping[str, str] = {
    "foreign bytes landed": "foreign writes landed without an approval",
    "approved but failed": "approved writes did not land",
    "refused in silence": "writes were dropped without an error",
}
"""The counts that must be 0, and what each means."""
