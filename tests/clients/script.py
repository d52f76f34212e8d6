"""The model's side of one conversation: what it says next, and what the client's tools answered to it."""

from __future__ import annotations

import threading

from benchmarks.model.turns import Asked, Call, Say


class Script:
    """Says what a test tells it to, in that order; until then the client waits for its model.

    What comes next follows from how many results the conversation holds, so a client may ask twice.
    """

    def __init__(self) -> None:
        self._steps: list[Say] = []
        self._results: tuple[str, ...] = ()
        self._ended = False
        self._changed = threading.Condition()
        self.asked = 0
        """How many turns the client has asked for."""
        self.heard = ""
        """The conversation as the client sent it last, JSON."""

    def say(self, *steps: Call) -> int:
        """Tool calls for the next turns; the number of the last one's result."""
        with self._changed:
            self._steps.extend(steps)
            self._changed.notify_all()
            return len(self._steps) - 1

    def end(self, words: str = "Done.") -> None:
        """No more calls: the client's next turn is its last."""
        with self._changed:
            self._ended = True
            self._steps.append(words)
            self._changed.notify_all()

    def result(self, number: int) -> str | None:
        """What the tool answered to the call of that number; None while it has not."""
        with self._changed:
            return self._results[number] if number < len(self._results) else None

    def answer(self, asked: Asked) -> Say:
        """The next turn, in the words of `benchmarks.model`."""
        if not asked.tools:
            return "A title"
        with self._changed:
            self.asked += 1
            self.heard = asked.text
            if len(asked.results) > len(self._results):
                self._results = asked.results
                self._changed.notify_all()
            done = len(asked.results)
            self._changed.wait_for(lambda: self._ended or len(self._steps) > done)
            return self._steps[done] if done < len(self._steps) else "Done."
