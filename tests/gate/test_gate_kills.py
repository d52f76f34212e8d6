"""The enforcing gate under `kill -9`, while own writes run without a pause and a foreign one is held.

The server's death: the front goes on, and what was held stays held. The front's death: the server goes on.
Both: every write fails. No foreign byte lands without an approval.
"""

from __future__ import annotations

import sys

import pytest
from conftest import DRIVER, Gate, users

from benchmarks import kills
from benchmarks.killing import WHOM, Killing, Whom

AT_WORK, EARLY = range(2), range(100, 101)
pytestmark = pytest.mark.parametrize("gate", users()[-1:], ids=["ordinary user"], indirect=True)


def play(gate: Gate, seed: int, whom: Whom, *, early: bool) -> None:
    """One round; raises when anything is not as the page says."""

    def gated(killing: Killing, *writer: str) -> list[str]:
        place = str(killing.root), killing.socket
        return [sys.executable, str(DRIVER), str(gate.uid), *place, gate.interpreter(), *writer]

    figures = kills.once(seed, whom, early=early, uid=gate.uid, gated=gated)
    if not early:
        assert figures["own landed"] > 0
        assert figures["foreign unfinished"] == 0
        assert (figures["own failed ENOSYS"] > 0) == (whom == "both")


@pytest.mark.parametrize("seed", AT_WORK)
@pytest.mark.parametrize("whom", WHOM)
def test_killed_at_work(gate: Gate, whom: Whom, seed: int) -> None:
    play(gate, seed, whom, early=False)


@pytest.mark.parametrize("seed", EARLY)
@pytest.mark.parametrize("whom", WHOM)
def test_killed_while_it_starts(gate: Gate, whom: Whom, seed: int) -> None:
    play(gate, seed, whom, early=True)
