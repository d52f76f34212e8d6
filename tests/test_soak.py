"""The soak's own judgement: what it calls broken, and that it leaves nothing behind."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.soak.gauges import Gauge, fitted, speaking_of
from benchmarks.soak.wall import FAULTS, Wall

HERE = Path(__file__).parent.parent


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def wall(tmp_path: Path) -> Wall:
    (tmp_path / "beta").mkdir()
    for name in ("x", "y"):
        (tmp_path / "beta" / name).write_text("as it was")
    return Wall(tmp_path, "beta", enforced=True)


@pytest.mark.parametrize(
    ("approved", "landed", "told", "expected"),
    [
        (True, True, True, "approved and landed"),
        (False, False, False, "rejected and kept out"),
        (None, False, False, "refused unasked"),
        (False, True, True, "foreign bytes landed"),
        (False, True, False, "foreign bytes landed"),
        (None, True, True, "foreign bytes landed"),
        (True, False, False, "approved but failed"),
        (False, False, True, "refused in silence"),
    ],
)
def test_what_became_of_a_try(
    wall: Wall, tmp_path: Path, approved: bool | None, landed: bool, told: bool, expected: str
) -> None:
    wall.begin("alpha", "overwrite", "beta/x", digest("new"))
    if approved is not None:
        wall.decide(1, ["beta/x"], approved=approved)
    if landed:
        (tmp_path / "beta/x").write_text("new")
    wall.end("beta/x", ok=told, words="")
    wall.audit()
    assert wall.count == {expected: 1, "audits": 1}
    assert len(wall.faults) == (expected in FAULTS)


@pytest.mark.parametrize("how", ["changed", "removed", "made"])
def test_what_lands_before_its_answer_is_seen(wall: Wall, tmp_path: Path, how: str) -> None:
    wall.begin("alpha", "overwrite", "beta/x", digest("new"))
    wall.audit()
    assert wall.faults == []
    if how == "removed":
        (tmp_path / "beta/y").unlink()
    else:
        (tmp_path / "beta" / ("y" if how == "changed" else "z")).write_text("new")
    wall.audit()
    wall.audit()
    assert wall.count["foreign bytes landed"] == 1


def test_growth_is_of_the_line_after_the_warm_up() -> None:
    assert fitted([(0, 10), (10, 20), (20, 30)]) == pytest.approx((10, 30))
    gauge = Gauge("engine", os.getpid())
    gauge.times, gauge.sizes = [float(t) for t in range(100)], [9999] * 9 + [50] * 91
    assert gauge.growth() == pytest.approx((50, 50), rel=1e-6)


@pytest.fixture
def short() -> Iterator[Path]:
    """A temporary folder whose sockets have names that are short enough."""
    folder = Path(tempfile.mkdtemp(prefix="rbs"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_an_interrupted_soak_leaves_nothing_behind(short: Path) -> None:
    soak = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.soak", "--agents", "writer"],
        cwd=HERE,
        env={**os.environ, "TMPDIR": str(short)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with soak:
        try:
            assert soak.stdout is not None
            assert any(line.startswith("at work") for line in soak.stdout)
            assert len(speaking_of(short)) > 3  # engine, tmux, supervisors, agents
            soak.send_signal(signal.SIGINT)
            _, errors = soak.communicate(timeout=100)
        finally:
            soak.kill()
    assert soak.returncode == 130, errors
    assert list(short.iterdir()) == []
    assert speaking_of(short) == []
