"""`make bench` measures: a quick round of it prints its figures, and no foreign write was missed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROGRAM = [sys.executable, "-m", "benchmarks", "--quick"]
HERE = Path(__file__).parent.parent
DEADLINE = 240.0
pytestmark = pytest.mark.timeout(2 * DEADLINE)


def run(temporary: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*PROGRAM, *words],
        cwd=HERE,
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def figures(text: str, title: str) -> list[list[str]]:
    """The cells of the table under `title`, without its head."""
    body = text.partition(f"### {title}\n")[2].partition("\n###")[0]
    lines = [line for line in body.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def of_this(folder: Path) -> list[str]:
    """The command lines of processes that work in `folder`."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in command:
            found.append(command)
    return found


@pytest.mark.parametrize(
    ("name", "titles"),
    [
        ("latency", {"From a foreign write to its request": 4}),
        ("storms", {"Foreign writes missed in storms": 4}),
        ("authors", {"Authors named": 3}),
        ("matcher", {"Who owns a path": 3}),
        ("surfaces", {"From a request to the surfaces": 3}),
        ("panes", {"Looking at panes": 8}),
        (
            "screen",
            {
                "Key press to paint": 2,
                "What is written to the terminal unasked": 2,
                "Memory of the screens": 1,
            },
        ),
        ("log", {"Appends to the log": 3, "The log's tail": 2}),
        ("store", {"The stores": 6, "The stores' tails": 6}),
        ("memory", {"Searching the memory": 3}),
        ("gate", {"Loads under the gate": 6, "One open under the gate": 6}),
        ("guard", {"The commit guard": 3}),
        ("hook", {"The hook before an edit": 5}),
        ("capture", {"A prompt in a captured shell": 3}),
        ("start", {"Start to first paint": 4}),
    ],
)
def test_a_quick_round_prints_every_figure_and_misses_nothing(
    tmp_path: Path, name: str, titles: dict[str, int]
) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Words\n\nthat stay.\n")
    scratch = tmp_path / "t"
    scratch.mkdir()
    process = run(scratch, "--only", name, "--write", str(page))
    said, errors = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, f"{said}\n{errors}"
    assert "0 foreign writes missed by Runebook, 0 wrong names" in said
    for title, rows in titles.items():
        found = figures(said, title)
        assert len(found) == rows
        some = ("is not installed", "nobody", "as it is used")
        measured = [row for row in found if not any(words in row[0] for words in some)]
        assert all(re.search(r"\d", cell) for row in measured for cell in row[1:]), found
        assert figures(page.read_text(), title) == found
    assert page.read_text().startswith("# Words\n\nthat stay.\n")
    assert list(scratch.iterdir()) == []


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc to look for leftovers")
def test_an_interrupted_round_leaves_nothing_behind(tmp_path: Path) -> None:
    process = run(tmp_path, "--only", "latency")
    try:
        deadline = time.monotonic() + DEADLINE
        while not any("raw_watch" in command for command in of_this(tmp_path)):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        said, errors = process.communicate(timeout=DEADLINE)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130, f"{said}\n{errors}"
    assert list(tmp_path.iterdir()) == []
    assert of_this(tmp_path) == []
