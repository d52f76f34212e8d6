"""`python -m benchmarks.kills`: kill the gate's supervisor at random instants, and count what that broke."""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from benchmarks import kill_writer
from benchmarks.killing import WHOM, Broken, Killing, Whom
from benchmarks.processes import heed_signals

Gated = Callable[..., list[str]]

_EARLY_SHARE = 0.3
_EARLY_SECONDS = 0.4
_PLAY_SECONDS = 0.3
_START = (
    "import sys; from pathlib import Path; from runebook_tui.gate import pane; "
    "sys.exit(pane.run('alpha', sys.argv[3:], Path(sys.argv[1]), Path(sys.argv[2])))"
)


def survive(killing: Killing, whom: Whom) -> None:
    """The supervisor (or a part of it) dies while writes run and one is held. Raises Broken."""
    killing.attached()
    killing.play(killing.random.uniform(0, _PLAY_SECONDS))
    held = killing.held() if killing.random.random() < 0.7 else None
    killing.kill(whom)
    if whom == "both":
        killing.closed()
        killing.no_foreign_byte()
        killing.stop()
        if held is not None and killing.tries.get(held) == 0:
            raise Broken(f"the held call {held} went through: {killing.told()}")
    else:
        killing.goes_on()
        if held is not None and killing.tries.get(held, 0) is not None:
            raise Broken(f"the held call {held} came back: {killing.told()}")
        killing.no_foreign_byte()
        killing.decide(killing.held(), approved=True)
        killing.decide(killing.held(), approved=False)
        killing.goes_on()
        if killing.faults:
            raise Broken(f"own writes failed: {killing.told()}")
        status = killing.stop()
        if whom == "server" and status != 5:
            raise Broken(f"the front ended with {status}: {killing.told()}")
    killing.no_foreign_byte()


def survive_early(killing: Killing, whom: Whom) -> None:
    """The same at an instant while the supervisor starts: the command runs under it, or not at all."""
    time.sleep(killing.random.uniform(0, _EARLY_SECONDS))
    killing.kill(whom)
    killing.until(
        "an end, or life under the gate",
        lambda: killing.ended or (killing.owns > 500 and killing.desk.waiting) or len(killing.faults) > 50,
    )
    killing.no_foreign_byte()
    if not killing.ended:
        if whom == "both" and not killing.owns:
            killing.closed()
        killing.stop()
    killing.no_foreign_byte()


def here(killing: Killing, *writer: str) -> list[str]:
    """The command line that runs the writer under the gate as this user."""
    writer = (sys.executable, *writer)
    return [sys.executable, "-c", _START, str(killing.root), killing.socket, *writer]


def once(seed: int, whom: Whom, *, early: bool, uid: int, gated: Gated = here) -> Counter[str]:
    """One round by its seed: own and foreign writes by how they ended. Raises Broken."""
    killing = Killing(Path(tempfile.mkdtemp(prefix="rbk")).resolve(), seed)
    try:
        killing.lay(uid)
        killing.start(gated(killing, "-I", "-c", Path(kill_writer.__file__).read_text()))
        (survive_early if early else survive)(killing, whom)
        return killing.figures()
    except Broken as error:
        instant = "early" if early else "at work"
        raise Broken(f"seed {seed}, {whom} killed {instant}: {error}") from error
    finally:
        killing.close()


def main(words: list[str]) -> int:
    """Kill; 0 when nothing broke."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kills", description=__doc__)
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--seed", type=int, help="the first round's; else by chance")
    parser.add_argument("--whom", choices=WHOM, help="else server, front and both by turns")
    given = parser.parse_args(words)
    heed_signals()
    first = random.SystemRandom().randrange(1 << 31) if given.seed is None else given.seed
    broken, count, took = [], Counter[str](), []
    try:
        for number in range(given.rounds):
            try:
                begun, seed = time.monotonic(), first + number
                early = random.Random(seed).random() < _EARLY_SHARE
                found = once(seed, given.whom or WHOM[seed % 3], early=early, uid=os.getuid())
            except Broken as error:
                broken.append(str(error))
                print(f"broken: {error}", flush=True)
            else:
                took.append(time.monotonic() - begun)
                count += found
    except KeyboardInterrupt:
        print("kills: interrupted; everything that was started has ended", file=sys.stderr)
        return 130
    figures = "; ".join(f"{name} {many:,}" for name, many in sorted(count.items()))
    mean = sum(took) / len(took) if took else 0.0
    print(
        f"{given.rounds} kills from seed {first}: {len(broken)} broke something; {figures}; {mean:.2f} s each"
    )
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
