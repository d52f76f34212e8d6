"""Voices: one who says things to the engine all the time, and two operators who decide at once."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Literal

from benchmarks.chaos.ledger import Ledger, Outcome, Vote
from benchmarks.session import Follower
from runebook_tui.core.types import RequestKind
from runebook_tui.execution.client import EngineClient, EngineDown, EngineRefused

OPERATORS = ("one operator", "the other operator")
_PATIENCE = 30.0
_SAY_SECONDS = 0.15
_DECIDE_SECONDS = 0.25
_LOOK_SECONDS = 0.05

Decision = Literal["approved", "rejected"]
_VERBS: dict[Decision, str] = {"approved": "approve", "rejected": "reject"}


class Voices:
    """They speak from `begin` to `close`, but not between `hush` and `go_on`."""

    def __init__(self, root: Path, ledger: Ledger, log: Follower, seed: int) -> None:
        self._root = root
        self._ledger = ledger
        self._log = log
        self._random = random.Random(seed)
        self._ended = threading.Event()
        self._loud = threading.Event()
        self._turn = threading.Lock()
        self._deciding = threading.Lock()
        self._count = 0
        self._pair = ThreadPoolExecutor(len(OPERATORS))
        self._threads = [
            threading.Thread(target=self._run, args=(each,)) for each in (self._say, self._decide)
        ]

    def begin(self) -> None:
        """Speak."""
        self._loud.set()
        for thread in self._threads:
            thread.start()

    def hush(self) -> None:
        """Say nothing more; what was being said has been answered when this returns."""
        self._loud.clear()
        with self._turn, self._deciding:
            return

    def go_on(self) -> None:
        """Speak again."""
        self._loud.set()

    def close(self) -> None:
        """Speak no more."""
        self._ended.set()
        self._loud.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(_PATIENCE)
        self._pair.shutdown()

    def say(self) -> Outcome:
        """One message to an agent, and what the engine answered."""
        with self._turn:
            return self._tell()

    def _run(self, speak: Callable[[], None]) -> None:
        while not self._ended.is_set():
            self._loud.wait()
            speak()

    def _say(self) -> None:
        with self._turn:
            if self._loud.is_set() and not self._ended.is_set():
                self._tell()
        self._ended.wait(self._random.uniform(0, _SAY_SECONDS))

    def _tell(self) -> Outcome:
        self._count += 1
        text = f"the operator's message {self._count}"
        outcome, _ = _asked(self._root, "tell", to=["beta"], text=text)
        self._ledger.say(text, outcome)
        return outcome

    def _decide(self) -> None:
        self._ended.wait(self._random.uniform(0, _DECIDE_SECONDS))
        self._log.until(lambda: self._ended.is_set() or bool(self._log.state.open_requests), _LOOK_SECONDS)
        with self._deciding:
            self._choose()

    def _choose(self) -> None:
        """What is open is decided, now by one operator, now by both at the same instant."""
        requests = [each for each in self._log.state.open_requests if each.kind is not RequestKind.CROSSED]
        if not requests or not self._loud.is_set():
            return
        request = self._random.choice(requests).id
        both = self._random.random() < 0.6
        votes: list[tuple[str, Decision]] = [
            (name, self._random.choice(("approved", "rejected"))) for name in OPERATORS[: 2 if both else 1]
        ]
        barrier = threading.Barrier(len(votes))
        for done in [self._pair.submit(self._vote, request, barrier, *vote) for vote in votes]:
            done.result()

    def _vote(self, request: int, barrier: threading.Barrier, operator: str, decision: Decision) -> None:
        if decision == "approved":
            self._ledger.mean(request)
        barrier.wait(_PATIENCE)
        outcome, words = _asked(self._root, _VERBS[decision], request=request)
        self._ledger.vote(Vote(request, operator, decision, outcome, words, time.time()))


def _asked(root: Path, do: str, **fields: object) -> tuple[Outcome, str]:
    """What the engine answered to a question, and why it refused."""
    with suppress(EngineDown, TimeoutError):
        try:
            with EngineClient(root) as engine:
                engine.ask(do, timeout=_PATIENCE, **fields)
        except EngineRefused as error:
            # What another host was asked it may have done, or do yet.
            return "unknown" if "does not answer" in str(error) else "refused", str(error)
        return "taken", ""
    return "unknown", ""
