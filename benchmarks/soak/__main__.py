"""`python -m benchmarks.soak`: an hour of builds, edits and a live agent under the gate, and what broke."""

from __future__ import annotations

import argparse
import sys
import time

from benchmarks import machine
from benchmarks.processes import heed_signals
from benchmarks.scratch import scratch_folder
from benchmarks.session import BenchmarkError
from benchmarks.soak.gauges import MOST_GROWTH, WARM_SECONDS, WARM_UP, descriptors, resident, size_of
from benchmarks.soak.ground import AGENTS
from benchmarks.soak.soak import Soak
from benchmarks.soak.wall import FAULTS
from benchmarks.table import Table, percentile

JUDGED_MINUTES = 20.0
"""A shorter soak tells memory, but does not judge it: it is still warming up."""
_STEP_SECONDS = 0.5
_LINE_SECONDS = 30.0
_SAMPLES = 5


def main(words: list[str]) -> int:
    """Soak; 0 when nothing broke, 1 when something did or it could not be done, 130 when interrupted."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--gate", choices=["enforce", "observe"], default="enforce")
    parser.add_argument("--agents", default=",".join(AGENTS), help="which of %(default)s, by commas")
    parser.add_argument("--client", metavar="PROGRAM", help="opencode; else from the path, else from npm")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(words)
    agents = given.agents.split(",")
    if not set(agents) <= set(AGENTS) or given.minutes <= 0:
        parser.error(f"agents are of {', '.join(AGENTS)}, and minutes more than 0")
    heed_signals()
    print(f"{machine.facts()}\n", flush=True)
    try:
        with scratch_folder() as folder:
            soak = Soak(folder, agents=agents, gate=given.gate, seed=given.seed, program=given.client)
            with soak:
                run(soak, given.minutes)
                soak.quiesce()
            return verdict(soak, given.minutes)
    except BenchmarkError as error:
        print(f"soak: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("soak: interrupted; everything that was started has ended", file=sys.stderr)
        return 130


def run(soak: Soak, minutes: float) -> None:
    """Let the agents work, and print a line every 30 seconds."""
    end = soak.begun + minutes * 60
    print(f"at work for {minutes:g} minutes: {', '.join(soak.agents)}; the gates {soak.gate}", flush=True)
    line = time.monotonic() + _LINE_SECONDS
    known: set[str] = set()
    while (now := time.monotonic()) < end:
        soak.step()
        for each in failures(soak):
            if each not in known:
                known.add(each)
                print(f"broken: {each}", flush=True)
        if now >= line:
            print(told(soak), flush=True)
            line += _LINE_SECONDS
        time.sleep(_STEP_SECONDS)
    print(told(soak), flush=True)


def told(soak: Soak) -> str:
    """One line of figures."""
    seconds = int(time.monotonic() - soak.begun)
    opens = soak.operator.take_opens()
    parts = [f"{seconds // 60:02}:{seconds % 60:02}"]
    parts.append("loops " + " ".join(f"{name} {done}" for name, done in work(soak).items()))
    parts.append(f"failures {len(failures(soak))}")
    for gauge in soak.gauges:
        size = resident(gauge.pid)
        held = "gone" if size is None else f"{size / (1 << 20):.1f} MiB {descriptors(gauge.pid)} fd"
        parts.append(f"{gauge.name} {held}")
    parts.append(f".runebook {size_of(soak.root / '.runebook') / (1 << 20):.1f} MiB")
    parts.append(f"open requests {len(soak.state.open_requests)}")
    if opens:
        at = " / ".join(f"{percentile(opens, percent) * 1e6:,.0f}" for percent in (50, 99))
        parts.append(f"one open {at} us")
    if soak.model is not None:
        parts.append(f"echo {percentile(soak.echo(_SAMPLES), 50) * 1e3:.0f} ms")
    return "; ".join(parts)


def failures(soak: Soak) -> list[str]:
    """Everything that broke, in words."""
    found = [*soak.failures, *soak.operator.failures, *soak.wall.faults, *soak.unexpected]
    return [*found, *(soak.script.faults if soak.model is not None else [])]


def work(soak: Soak) -> dict[str, int]:
    """How much each agent has done: rounds of builds, rounds of own files, own edits of the client."""
    done = {"builder": soak.loops, "writer": soak.operator.own_rounds}
    if soak.model is not None:
        done["tui"] = soak.script.count["loops"]
    return {name: done[name] for name in soak.agents}


def verdict(soak: Soak, minutes: float) -> int:
    """Print what became of it; the exit status."""
    broken = failures(soak)
    judged = minutes >= JUDGED_MINUTES
    warm = max(WARM_SECONDS if judged else 0.0, minutes * 60 * WARM_UP)
    rows = []
    for gauge in soak.gauges:
        begin, end = gauge.growth(warm)
        share = end / begin - 1 if begin else 0.0
        rows.append((gauge.name, f"{begin / (1 << 20):.1f}", f"{end / (1 << 20):.1f}", f"{share:+.1%}"))
        if share > MOST_GROWTH and judged:
            broken.append(f"the memory of {gauge.name} (pid {gauge.pid}) grew by {share:.1%}")
    print()
    print(
        Table(
            f"Resident memory, by a line fitted from {warm / 60:.1f} minutes on",
            ["process", "MiB then", "MiB at the end", "growth"],
            rows,
        )
    )
    builds = [
        (name, str(len(took)), f"{percentile(took, 50):.1f}", f"{max(took):.1f}")
        for name, took in soak.steps.items()
    ]
    if builds:
        print(Table("Builds", ["build", "times", "p50 s", "longest s"], builds))
    if not judged:
        print(f"memory is not judged in less than {JUDGED_MINUTES:g} minutes")
    counts = "; ".join(f"{kind}: {count}" for kind, count in sorted(soak.wall.count.items()))
    print(f"tries at foreign files: {counts}")
    if soak.model is not None:
        print(f"keys that the client did not take at once: {soak.screen.again}")
    print(f"requests decided: {soak.operator.decided}; seen only after the fact: {soak.operator.crossed}")
    for kind, meaning in FAULTS.items():
        print(f"{soak.wall.count[kind]} {meaning}")
    print(f"{len(soak.left)} processes were left and had to be killed")
    broken += soak.left
    broken += [f"{name} did nothing" for name, done in work(soak).items() if not done]
    for each in broken:
        print(f"broken: {each}")
    print("nothing broke" if not broken else f"{len(broken)} things broke")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
