"""Patterns: what several failures have in common, and commands that have become slow. Pure."""

from __future__ import annotations

import re
from collections import OrderedDict, deque
from collections.abc import Mapping
from statistics import median
from typing import Any

from runebook_agents.analysis.failure import Failure
from runebook_agents.analysis.idea import Idea
from runebook_tui.core.printable import visible

KEPT = 1000
"""How many commands and errors are remembered: those that were seen last."""

RUNS = 20
"""How many durations of one command."""

ENOUGH_RUNS = 4
SLOW_FACTOR = 3.0
SLOW_SECONDS = 5.0
"""A command is slow when it took so long, and so many times its usual time."""

STUBBORN = 3
"""So many failures of one command in the same words are a sign to stop and think."""

_CHANGING = re.compile(r"0x[0-9a-fA-F]+|/[\w./+-]+/|\d+")
_ERROR = re.compile(r"(?i)error|fatal|fail|panic|denied|not found|exception|refus")


def error_line(failure: Failure) -> str:
    """The line that says what went wrong: the last that looks so, else the last; "" for no output."""
    lines = [line.strip() for line in failure.output.splitlines() if line.strip()]
    said = [line for line in lines if _ERROR.search(line)]
    return (said or lines or [""])[-1][:300]


class Patterns:
    """Remembers commands and failures, in the order of the log."""

    def __init__(self) -> None:
        self._errors: OrderedDict[str, dict[str, int]] = OrderedDict()
        self._tries: OrderedDict[tuple[str, str, str, str], int] = OrderedDict()
        self._seconds: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()

    def failed(self, failure: Failure) -> tuple[Idea, ...]:
        """What this failure has in common with earlier ones."""
        line = error_line(failure)
        error = _CHANGING.sub("*", line)
        if not error:
            return ()
        found = []
        agents = _kept(self._errors, error, dict)
        agents[failure.agent] = failure.seq
        if len(agents) > 1:
            names = ", ".join(sorted(agents))
            found.append(
                Idea(
                    kind="pattern",
                    title=visible(f"The same failure in several panes ({names}): {line}", 200),
                    rule="pattern-across-agents",
                    layer="pattern",
                    words="It is probably not what one of them did. Solve it once, and tell the others.",
                    snippet=f"runebook-tui tell {' '.join(sorted(agents))} 'known: '",
                    priority="high",
                    confidence=0.8,
                )
            )
        key = (*failure.key, error)
        tries = self._tries[key] = _kept(self._tries, key, int) + 1
        if tries >= STUBBORN:
            what = failure.command or failure.agent
            found.append(
                Idea(
                    kind="pattern",
                    title=visible(f"{failure.agent} has failed {tries} times in the same way: {line}", 200),
                    rule="pattern-again",
                    layer="pattern",
                    words=visible(f"What was tried in between did not help. {what}", 500),
                    confidence=0.75,
                )
            )
        return tuple(found)

    def went_well(self, agent: str, folder: str, command: str) -> None:
        """A command ended well: what it failed with before is over."""
        for key in [key for key in self._tries if key[:3] == (agent, folder, command)]:
            del self._tries[key]

    def took(self, record: Mapping[str, Any]) -> Idea | None:
        """What there is to say of a command's duration, against its own earlier ones."""
        seconds, command = record.get("seconds"), str(record.get("command") or "")
        if not command or not isinstance(seconds, int | float) or record.get("failed"):
            return None
        before = _kept(self._seconds, (str(record.get("folder") or "."), command), lambda: deque(maxlen=RUNS))
        usual = median(before) if len(before) >= ENOUGH_RUNS else None
        before.append(float(seconds))
        if usual is None or seconds < SLOW_SECONDS or seconds < SLOW_FACTOR * usual:
            return None
        return Idea(
            kind="pattern",
            title=visible(f"{command} took {seconds:.0f} s, and usually takes {usual:.1f} s", 200),
            rule="pattern-slow",
            layer="pattern",
            words="Something that it does has become slow, or the machine is busy with other agents.",
            priority="low",
            confidence=0.6,
        )


def tried_before(idea: Idea, applied: int) -> Idea:
    """What there is to say of an idea whose snippet was applied before, and the failure is back."""
    times = "once" if applied == 1 else f"{applied} times"
    return Idea(
        kind="pattern",
        title=visible(f"Tried {times} and failed again: {idea.title}", 200),
        rule="pattern-tried",
        layer="pattern",
        words="The same fix a further time will not help: look at what else is different.",
        priority="high",
        confidence=0.7,
        file=idea.file,
        line=idea.line,
    )


def _kept(memory: Any, key: Any, new: Any) -> Any:
    """The value of `key`, made where there is none, and the oldest forgotten where there are too many."""
    if key not in memory:
        memory[key] = new()
        if len(memory) > KEPT:
            memory.popitem(last=False)
    memory.move_to_end(key)
    return memory[key]
