"""A working day of agents, a very short one: it is told, judged, and leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.day.__main__ import grew
from benchmarks.day.orders import Course
from benchmarks.soak.gauges import Gauge, speaking_of

HERE = Path(__file__).parent.parent


@pytest.fixture
def short() -> Iterator[Path]:
    """A temporary folder whose sockets have names that are short enough."""
    folder = Path(tempfile.mkdtemp(prefix="rbd"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_a_day_is_told_whole_however_often_it_is_asked_what_is_due() -> None:
    often, once = (Course([f"a{n}" for n in range(5)], 8, 100, seed=1) for _ in range(2))
    told = [order for now in range(101) for order in often.due(float(now))]
    assert len(told) == len(list(once.due(100.0))) == 5 * 8 * (40 + 1 + 600)
    assert often.given == {"own": 1600, "foreign": 40, "print": 24_000}
    assert {order.agent for order in told} == {f"a{n}" for n in range(5)}
    assert all(order.line.split()[1].startswith(f"{order.agent}/") for order in told if "own" in order.line)


@pytest.mark.parametrize(
    ("begin", "end", "grown"),
    [(50 << 20, 52 << 20, False), (50 << 20, 56 << 20, True), (1000, 100_000, False)],
)
def test_growth_is_a_twentieth_and_a_quarter_of_a_mebibyte(begin: int, end: int, grown: bool) -> None:
    gauge = Gauge("engine", 0)
    for at in range(101):
        gauge.take(float(at), begin + (end - begin) * max(0, at - 10) // 90)
    assert grew(gauge, 10.0) is grown


@pytest.mark.timeout(240)
def test_a_short_day_is_told_and_leaves_nothing(short: Path) -> None:
    words = ["--minutes", "0.1", "--hours", "0.5", "--agents", "3"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.day", *words],
        cwd=HERE, env={**os.environ, "TMPDIR": str(short)}, capture_output=True, text=True,
        timeout=200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing grew or broke" in done.stdout
    assert "60 writes of which" in done.stdout
    for name in ("engine", "screens", "tmux", "supervisors", ".runebook/log.sqlite"):
        assert f"| {name} " in done.stdout
    assert list(short.iterdir()) == []
    assert speaking_of(short) == []
