"""Keys: goes from agent to agent on the screens, in a thread, and times each key to its paint."""

from __future__ import annotations

import re
import threading
import time

from benchmarks.day.orders import FOREIGN
from benchmarks.session import BenchmarkError
from benchmarks.terminal import Terminal

GAP_SECONDS = 1.0
_PATIENCE = 5.0
_TITLE = rf"(agent-\d{{3}}|{FOREIGN}) ·"


class Keys:
    """Presses `j` to the end of the list of agents, then `k` back to its beginning, and so on."""

    def __init__(self, screens: Terminal, patience: float) -> None:
        """The screens show an agent within `patience` seconds. Raises BenchmarkError."""
        self._screens = screens
        self._shown = screens.until(re.compile(_TITLE), patience)[1]
        self._key = "j"
        self._unpainted = 0
        self._taken: list[float] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keys", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the screens still paint what keys ask for: else two in a row were the end of the list."""
        return self._thread.is_alive()

    def take(self) -> list[float]:
        """The seconds from key to paint since the last call."""
        taken, self._taken = self._taken, []
        return taken

    def close(self) -> None:
        """Press no more."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while self._unpainted < 3 and not self._ended.wait(GAP_SECONDS):
            begun = time.perf_counter()
            self._screens.press(self._key)
            try:
                other = re.compile(rf"(?!{self._shown}){_TITLE}")
                self._shown = self._screens.until(other, _PATIENCE)[1]
            except BenchmarkError:
                self._key = "k" if self._key == "j" else "j"
                self._unpainted += 1
                continue
            self._unpainted = 0
            self._taken.append(time.perf_counter() - begun)
