"""`python -m benchmarks.chaos`: kill whatever can die at random instants, and tell what that broke."""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Container, Iterator, Sequence
from pathlib import Path

from benchmarks import machine
from benchmarks.chaos.blows import BLOWS, NO_KILLS, NOT_ON
from benchmarks.chaos.disk import alone, has_small_disk
from benchmarks.chaos.network import can_cut
from benchmarks.chaos.rounds import STORES, Round
from benchmarks.chaos.server import has_postgres
from benchmarks.processes import heed_signals

BLOWS_A_ROUND = 30
MOST_BROKEN = 5
"""Rounds that broke something, before it is given up."""


def impossible() -> Iterator[tuple[str, str]]:
    """What cannot be done on this machine, and why; blows, and the stage of two hosts."""
    missing = "" if can_cut() else "only root can make network namespaces (it takes ip and nsenter)"
    if not has_postgres():
        missing = "PostgreSQL is not installed (Debian: apt install postgresql)"
        yield "store", missing
    if missing:
        yield from ((each, missing) for each in ("network", "far engine", "cut", "hosts"))
    if not has_small_disk():
        yield "disk", "only root can mount a small disk"


def main(words: list[str]) -> int:
    """Kill; 0 when nothing broke."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=1000, help="end after so many")
    parser.add_argument("--minutes", type=float, default=75.0, help="end after so long")
    parser.add_argument("--blows", type=int, default=BLOWS_A_ROUND, help="in a round, on one stage")
    parser.add_argument("--seed", type=int, help="the first round's; else by chance")
    parser.add_argument("--only", action="append", choices=list(BLOWS), metavar="NAME", help="of %(choices)s")
    parser.add_argument("--store", choices=STORES, help="where the log is; else by turns")
    parser.add_argument(
        "--keep", type=Path, default=Path("chaos-broken"), help="for what a broken round leaves"
    )
    given = parser.parse_args(words)
    alone(words)
    heed_signals()
    left_out = dict(impossible())
    kinds = [each for each in given.only or BLOWS if each not in left_out]
    for name, why in left_out.items():
        if name in (given.only or [*BLOWS, "hosts"]):
            print(f"left out: {name}: {why}", flush=True)
    seed = random.SystemRandom().randrange(1 << 31) if given.seed is None else given.seed
    begun, rounds, kills, broken = time.monotonic(), 0, 0, 0
    deadline = begun + given.minutes * 60
    count = Counter[str]()
    places = stores(given.store, kinds, left_out)
    if not places:
        parser.error("none of these can be done on such a stage here")
    print(
        f"{machine.facts()}\nfrom seed {seed}: {', '.join(kinds)}; the log in {', '.join(places)}", flush=True
    )
    try:
        while time.monotonic() < deadline and broken < MOST_BROKEN and kills < given.kills:
            store = places[rounds % len(places)]
            fitting = [each for each in kinds if each not in NOT_ON[store]]
            course = random.Random(-seed - rounds - 1).choices(fitting, k=given.blows)
            one = Round(seed + rounds, course, store, count)
            broken += not one.play(deadline, given.keep)
            rounds += 1
            kills = sum(count[kind] for kind in BLOWS if kind not in NO_KILLS)
            spent = time.monotonic() - begun
            print(f"round {rounds} ({store}): {kills} kills, {spent:.0f} s, {broken} broken", flush=True)
    except KeyboardInterrupt:
        print("chaos: interrupted; everything that was started has ended", file=sys.stderr)
        return 130
    for name, many in sorted(count.items()):
        print(f"{many:,} {'' if name not in BLOWS else 'times: ' if name in NO_KILLS else 'kills: '}{name}")
    print(f"{kills} kills in {rounds} rounds, {broken} of which broke something")
    return 1 if broken else 0


def stores(only: str | None, kinds: Sequence[str], left_out: Container[str]) -> list[str]:
    """The stores that are possible here, and on which one of the kinds is."""
    named = [only] if only else STORES
    missing = {"postgres": "store", "hosts": "hosts"}
    able = [each for each in named if missing.get(each) not in left_out]
    return [each for each in able if set(kinds) - set(NOT_ON[each])]


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    sys.exit(main(sys.argv[1:]))
