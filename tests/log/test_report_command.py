"""`runebook-tui report` on a log that nobody writes any more: no engine, no plan's file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from runebook_tui.core import events as e
from runebook_tui.core.types import (
    AcceptanceCheck,
    AgentSpec,
    Author,
    Change,
    ExecutionPlan,
    Phase,
    PlanInfo,
    Version,
)
from runebook_tui.log.sqlite import SqliteLog

HOSTILE = "src/<b>\udcff\n|x"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with the log of two runs."""
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / ".runebook").mkdir()
    plan = ExecutionPlan(
        plan=PlanInfo(name="old <i>"),
        phases=(Phase(id="build"),),
        agents=(AgentSpec(id="alpha", phase="build", command=("true",)),),
        acceptance=(AcceptanceCheck(id="tests", command=("true",)),),
    )
    change = Change(path=HOSTILE, before=Version(kind="absent"), after=Version(kind="file"), added=3)
    with SqliteLog(tmp_path / ".runebook" / "log.sqlite") as log:
        for run in (1, 2):
            events = (
                e.RunStarted(plan=plan),
                e.Touched(change=change, author=Author(name="alpha")),
                e.RunEnded(outcome="completed"),
            )
            last = log.last_seq()
            log.append(events, run=run, actor="engine", expected=last, time=1e9 + 100 * run)
    return tmp_path


def report(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("RUNEBOOK_")}
    program = [sys.executable, "-P", "-m", "runebook_tui", "report"]
    return subprocess.run([*program, *words], cwd=root, env=clean, capture_output=True, text=True, timeout=60)


def test_the_last_run_is_told_and_any_other_by_its_number(root: Path) -> None:
    assert report(root).stdout.startswith("# old \\<i\\>: run 2\n")
    assert report(root, "--run", "1").stdout.startswith("# old \\<i\\>: run 1\n")
    (told,) = json.loads(report(root, "--json").stdout)["files"]
    assert (told["path"], told["authors"]) == (
        HOSTILE,
        [{"author": "alpha", "edits": 1, "added": 3, "removed": 0}],
    )


def test_the_page_is_written_where_it_is_wanted(root: Path) -> None:
    done = report(root, "--html", "page.html")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    page = (root / "page.html").read_text("utf-8")
    assert "old &lt;i&gt;: run 2" in page
    assert "<b>" not in page
    assert "default-src 'none'" in page


def test_what_is_not_there_is_one_line(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    done = report(root, "--run", "7")
    assert (done.returncode, done.stderr) == (1, "runebook-tui: there is no run 7: there are runs 1 to 2\n")
    done = report(root, "--html", "no/such/folder.html")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    empty = tmp_path_factory.mktemp("empty")
    subprocess.run(["git", "init", "-q"], cwd=empty, check=True)
    (empty / "runebook.toml").write_text("")
    done = report(empty)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
