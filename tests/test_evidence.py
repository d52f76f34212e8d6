"""`make evidence` writes the page from runs; what the README claims is in it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from benchmarks.evidence.page import HEAD, Section, section_of, written

HERE = Path(__file__).parent.parent
PAGE = HERE / "docs" / "evidence.md"
ORDER = ["first", "second", "third"]


def section(name: str, text: str = "figures") -> Section:
    return Section(name, name.title(), text)


def test_sections_come_in_their_order_however_they_are_measured() -> None:
    page = HEAD
    for name in ("third", "first", "second"):
        page = written(page, section(name), ORDER)
    assert re.findall(r"^## (\w+)$", page, re.MULTILINE) == ["First", "Second", "Third"]
    assert page.startswith(HEAD)


def test_a_section_written_anew_leaves_the_others_and_the_words_between_as_they_are() -> None:
    page = written(written(HEAD, section("first"), ORDER), section("second"), ORDER)
    page += "\nwords of a person\n"
    again = written(page, section("first", "newer figures"), ORDER)
    assert section_of(again, "first") == "## First\n\nnewer figures"
    assert again == page.replace("## First\n\nfigures", "## First\n\nnewer figures")


def test_a_quick_run_measures_and_writes_no_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    words = ["--quick", "--only", "alarms", "--page", str(page)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.evidence", *words], cwd=HERE, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    on = re.search(r"^\| on +\| +(\d+) \| +(\d+) \|.*\| +(\d+) \| +(\d+) \|$", done.stdout, re.MULTILINE)
    assert on is not None, done.stdout
    actions, alarms, due, missed = map(int, on.groups())
    assert actions > 20
    assert due > 0
    assert (alarms, missed) == (0, 0)
    assert not page.exists()
