"""`make fuzz`: every target of `hostile_targets.py`, for some seconds each, led by coverage where atheris is.

python tests/hostile/fuzz.py [--seconds 20] [TARGET…]

atheris (the extra `fuzz`) watches which branches an input reaches, and goes on from those that reach new
ones. Where it has no wheel, Hypothesis makes the inputs instead, and this says so. An input that breaks a
target is kept in `.fuzz/`; the exit status is 1 then.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
KEPT = HERE.parents[1] / ".fuzz"
MOST_BYTES = 8192


def by_atheris(name: str, seconds: int) -> None:
    """Fuzz one target; never returns: libFuzzer ends the process, with 77 for an exception."""
    import atheris

    with atheris.instrument_imports(
        include=["runebook_tui", "runebook_agents"], enable_loader_override=False
    ):
        from hostile_targets import TARGETS
    target = next(each for each in TARGETS if each.name == name)

    def one(data: bytes) -> None:
        target(data.decode("utf-8", "surrogateescape"))

    with tempfile.TemporaryDirectory() as folder:
        words, seeds = Path(folder, "words"), Path(folder, "seeds")
        seeds.mkdir()
        told = []
        for number, fragment in enumerate(target.fragments):
            data = fragment.encode("utf-8", "surrogateescape")
            (seeds / str(number)).write_bytes(3 * data)
            told.append('"' + "".join(f"\\x{byte:02x}" for byte in data[:60]) + '"')
        words.write_text("\n".join(told))
        bounds = [f"-max_total_time={seconds}", f"-max_len={MOST_BYTES}", "-timeout=30", "-rss_limit_mb=2048"]
        kept = [
            f"-artifact_prefix={KEPT}/{name.replace(' ', '-')}-",
            f"-dict={words}",
            "-print_final_stats=1",
        ]
        atheris.Setup([sys.argv[0], *bounds, *kept, str(seeds)], one)
        atheris.Fuzz()


def by_hypothesis(name: str, seconds: int) -> None:
    """Fuzz one target without knowing what an input reaches. Raises what the target raises."""
    from hostile_targets import TARGETS
    from hypothesis import HealthCheck, Phase, given, settings
    from test_readers import mixtures

    target = next(each for each in TARGETS if each.name == name)
    end = time.monotonic() + seconds
    while time.monotonic() < end:

        @settings(
            max_examples=200,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink],
        )
        @given(mixtures(target))
        def reads(text: str) -> None:
            target(text)

        reads()


def main() -> int:
    """Each target in a process of its own; 1 when one broke."""
    parser = argparse.ArgumentParser(description="fuzz what reads input from outside")
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    parser.add_argument("--seconds", type=int, default=20, help="for each target (default 20)")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    given = parser.parse_args()
    led = find_spec("atheris") is not None
    if given.one:
        (by_atheris if led else by_hypothesis)(given.one, given.seconds)
        return 0
    from hostile_targets import TARGETS

    if not led:
        print("atheris is not installed (pip install -e '.[fuzz]'): Hypothesis makes the inputs")
    KEPT.mkdir(exist_ok=True)
    wanted = given.targets or [target.name for target in TARGETS]
    broken = 0
    for name in wanted:
        command = [sys.executable, __file__, "--one", name, "--seconds", str(given.seconds)]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        runs = re.search(r"number_of_executed_units: (\d+)", done.stderr)
        count = f"{int(runs[1]):,} inputs" if runs else "done"
        if done.returncode == 0:
            print(f"{name:14} {count}", flush=True)
            continue
        broken += 1
        print(f"{name:14} BROKEN (status {done.returncode})\n{done.stderr[-3000:]}", flush=True)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.path[:0] = [str(HERE.parents[1]), str(HERE.parents[1] / "agents"), str(HERE)]
    sys.exit(main())
