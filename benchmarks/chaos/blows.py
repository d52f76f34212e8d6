"""The blows: what is killed, and what must hold afterwards. Each returns how many processes it killed."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping

from benchmarks.chaos.stage import Stage

Blow = Callable[[Stage, random.Random], int]

_WORK_SECONDS = 0.6
_START_SECONDS = 1.2
_MOST_IN_A_ROW = 4


def engine(stage: Stage, chance: random.Random) -> int:
    """The engine at work, and then up to three times while it starts."""
    time.sleep(chance.uniform(0, _WORK_SECONDS))
    killed = stage.kill_engine()
    for _ in range(chance.randrange(_MOST_IN_A_ROW)):
        stage.start_engine(wait=False)
        time.sleep(chance.uniform(0, _START_SECONDS))
        killed += stage.kill_engine()
    stage.start_engine()
    stage.goes_on()
    return killed


def screen(stage: Stage, chance: random.Random) -> int:
    """The person's screen."""
    time.sleep(chance.uniform(0, _WORK_SECONDS))
    stage.terminal.kill()
    stage.terminal.open()
    stage.terminal.shows("chaos", "alpha")
    return 1


BLOWS: Mapping[str, Blow] = {"engine": engine, "screen": screen}
"""By the name of what dies."""
