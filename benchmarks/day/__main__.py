"""`python -m benchmarks.day`: a hundred agents' working day in a quarter of an hour, and what grew."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from benchmarks import machine
from benchmarks.day.day import Day
from benchmarks.processes import heed_signals
from benchmarks.scratch import scratch_folder
from benchmarks.session import BenchmarkError
from benchmarks.soak.gauges import WARM_SECONDS, WARM_UP, Gauge
from benchmarks.table import Table, milliseconds, percentile

JUDGED_MINUTES = 14.0
"""A shorter day tells memory and keys, but does not judge them: it is still warming up."""
MOST_GROWTH = 0.05
"""How much of memory or a store may come after the warm-up."""
BY_DESIGN = ("tmux",)
"""What grows with each row that a pane prints (400,000 of all panes at most)."""
MOST_SLOWER = 1.5
"""How many times the middle key of the last minute may take what that of the first took."""
_SAMPLE_SECONDS = 2.0
_MIB = 1 << 20


def main(words: Sequence[str]) -> int:
    """Have the day; 0 when nothing grew or broke, 1 when something did, 130 when interrupted."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.day", description=__doc__)
    parser.add_argument("--minutes", type=float, default=15.0, help="how long the day takes")
    parser.add_argument("--hours", type=float, default=8.0, help="how long it is for the agents")
    parser.add_argument("--agents", type=int, default=100)
    parser.add_argument("--gate", choices=["enforce", "observe", "off"], default="enforce")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(words)
    if given.minutes <= 0 or given.hours <= 0 or not 2 <= given.agents <= 999:
        parser.error("minutes and hours are more than 0, and agents 2 to 999")
    heed_signals()
    print(f"{machine.facts()}\n", flush=True)
    try:
        with scratch_folder() as folder:
            day = Day(
                folder,
                agents=given.agents,
                hours=given.hours,
                seconds=given.minutes * 60,
                gate=given.gate,
                seed=given.seed,
            )
            with day:
                minutes = run(day, given.minutes)
            return verdict(day, given.minutes, minutes)
    except BenchmarkError as error:
        print(f"day: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("day: interrupted; everything that was started has ended", file=sys.stderr)
        return 130


def run(day: Day, minutes: float) -> list[list[float]]:
    """Let the day pass, and print a line a minute; the seconds of each minute's keys."""
    print(f"at work: {len(day.desk.paths)} agents, for {minutes:g} minutes", flush=True)
    keys: list[list[float]] = []
    line, sample = 60.0, 0.0
    while (now := day.now) < minutes * 60:
        day.step()
        if now >= sample:
            day.sample()
            sample += _SAMPLE_SECONDS
        if now >= line:
            keys.append(day.keys.take())
            print(told(day, keys[-1]), flush=True)
            line += 60.0
    keys.append(day.keys.take())
    if not day.settle():
        day.failures.append(f"requests stayed open: {[each.id for each in day.state.open_requests]}")
    day.sample()
    print(told(day, keys[-1]), flush=True)
    return keys


def told(day: Day, keys: Sequence[float]) -> str:
    """One line of figures."""
    seconds = int(day.now)
    given = day.course.given
    parts = [f"{seconds // 60:02}:{seconds % 60:02}"]
    parts.append(f"{given['own']:,} writes of which {day.state.touches:,} seen, {given['print']:,} rows")
    parts.append(f"{day.decided} requests decided, {len(day.state.open_requests)} open")
    parts.append(f"key to paint {milliseconds(keys)} ms")
    parts += [f"{gauge.name} {gauge.sizes[-1] / _MIB:.1f}" for gauge in day.gauges.values()]
    return "; ".join(parts) + " MiB"


def verdict(day: Day, minutes: float, keys: Sequence[Sequence[float]]) -> int:
    """Print what became of it; the exit status."""
    judged = minutes >= JUDGED_MINUTES
    broken = [*day.failures, *(f"left: {each}" for each in day.left)]
    warm = WARM_SECONDS if judged else minutes * 60 * WARM_UP
    rows = []
    for gauge in day.gauges.values():
        begin, end = gauge.growth(warm)
        share = end / begin - 1 if begin else 0.0
        rows.append((gauge.name, f"{begin / _MIB:.2f}", f"{end / _MIB:.2f}", f"{share:+.1%}"))
        if judged and gauge.name not in BY_DESIGN and grew(gauge, warm):
            broken.append(f"{gauge.name} grew by {share:.1%}")
    title = f"Memory and files, by a line fitted from {warm / 60:.1f} minutes on"
    print(f"\n{Table(title, ['what', 'MiB then', 'MiB at the end', 'growth'], rows, told_by_design(day))}")
    pressed = [(str(at), str(len(each)), milliseconds(each)) for at, each in enumerate(keys, 1) if each]
    print(Table("Key press to paint", ["minute", "keys", "p50 / p99 ms"], pressed))
    first, last = (percentile(each, 50) for each in (keys[0], [each for each in keys if each][-1]))
    if judged and last > first * MOST_SLOWER:
        broken.append(f"a key took {last / first:.1f} times what it took in the first minute")
    if not judged:
        print(f"nothing is judged in less than {JUDGED_MINUTES:g} minutes")
    print(f"{day.desk.dropped} orders were not given, because a shell had too much to do")
    for each in broken:
        print(f"broken: {each}")
    print("nothing grew or broke" if not broken else f"{len(broken)} things broke")
    return 1 if broken else 0


def told_by_design(day: Day) -> str:
    """What the log forgot, and what tmux takes for a row, which grows with its use."""
    tmux, rows = day.gauges["tmux"], day.course.given["print"]
    return (
        f"The log forgot {day.state.forgotten:,} of {day.state.touches:,} changes seen. tmux grows by "
        f"{(tmux.sizes[-1] - tmux.sizes[0]) / max(1, rows):,.0f} bytes for each row, up to 400,000 of all "
        "panes; that is not judged."
    )


def grew(gauge: Gauge, warm: float) -> bool:
    """Whether it grew after `warm` seconds; a quarter of a MiB does not count."""
    begin, end = gauge.growth(warm)
    return end > begin * (1 + MOST_GROWTH) and end - begin > _MIB / 4


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
