"""`python -m benchmarks.chaos`: kill whatever can die at random instants, and tell what that broke."""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmarks import machine
from benchmarks.chaos.blows import BLOWS
from benchmarks.chaos.stage import Broken, Stage
from benchmarks.processes import heed_signals
from benchmarks.scratch import scratch_folder
from benchmarks.session import BenchmarkError

BLOWS_A_ROUND = 30
MOST_BROKEN = 5
"""Rounds that broke something, before it is given up."""


def round_by(seed: int, course: Sequence[str], deadline: float, kept: Path, count: Counter[str]) -> bool:
    """One round: a fresh stage and the blows of `course` on it; whether nothing broke."""
    chance, struck = random.Random(seed), 0
    with scratch_folder() as folder:
        stage = Stage(folder, seed)
        try:
            with stage:
                for kind in course:
                    if time.monotonic() > deadline:
                        break
                    struck += 1
                    count[kind] += BLOWS[kind](stage, chance)
                    stage.audit()
                stage.voices.hush()
                stage.audit(whole=True)
        except (Broken, BenchmarkError) as error:
            place = kept / f"seed-{seed}"
            stage.keep(place)
            blows = ", ".join(course[:struck])
            print(f"broken: seed {seed}, after {blows}: {error}; see {place}", flush=True)
            return False
        finally:
            count.update(dict(stage.ledger.count()))
            count["records"] += stage.auditor.records
    return True


def main(words: list[str]) -> int:
    """Kill; 0 when nothing broke."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=1000, help="end after so many")
    parser.add_argument("--minutes", type=float, default=30.0, help="end after so long")
    parser.add_argument("--blows", type=int, default=BLOWS_A_ROUND, help="in a round, on one stage")
    parser.add_argument("--seed", type=int, help="the first round's; else by chance")
    parser.add_argument("--only", action="append", choices=list(BLOWS), metavar="NAME", help="of %(choices)s")
    parser.add_argument(
        "--keep", type=Path, default=Path("chaos-broken"), help="for what a broken round leaves"
    )
    given = parser.parse_args(words)
    heed_signals()
    kinds = given.only or list(BLOWS)
    seed = random.SystemRandom().randrange(1 << 31) if given.seed is None else given.seed
    begun, rounds, kills, broken = time.monotonic(), 0, 0, 0
    deadline = begun + given.minutes * 60
    count = Counter[str]()
    print(f"{machine.facts()}\nfrom seed {seed}: {', '.join(kinds)}", flush=True)
    try:
        while time.monotonic() < deadline and broken < MOST_BROKEN and kills < given.kills:
            course = random.Random(-seed - rounds).choices(kinds, k=given.blows)
            broken += not round_by(seed + rounds, course, deadline, given.keep, count)
            rounds += 1
            kills = sum(count[kind] for kind in kinds)
            print(
                f"round {rounds}: {kills} kills, {time.monotonic() - begun:.0f} s, {broken} broken",
                flush=True,
            )
    except KeyboardInterrupt:
        print("chaos: interrupted; everything that was started has ended", file=sys.stderr)
        return 130
    for name, many in sorted(count.items()):
        print(f"{many:,} {'kills: ' if name in BLOWS else ''}{name}")
    print(f"{kills} kills in {rounds} rounds, {broken} of which broke something")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
