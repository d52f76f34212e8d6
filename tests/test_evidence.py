"""`make evidence` writes the page from runs; what the README claims is in it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.evidence.__main__ import measured
from benchmarks.evidence.page import (
    CLAIMS,
    END_OF_CLAIMS,
    HEAD,
    Section,
    claim_of,
    claimed,
    section_of,
    written,
)
from benchmarks.evidence.parts import CLAIMED, Part, parts
from benchmarks.evidence.weighing import weight
from benchmarks.session import BenchmarkError
from benchmarks.table import Table

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


README = HERE / "README.md"


def test_the_readme_takes_over_what_the_page_claims_and_nothing_else() -> None:
    page = written(HEAD, section("first", "**Seen after 25 ms.**\n\n| table |"), ORDER)
    readme = f"# Words\n\n{CLAIMS}\n* old\n{END_OF_CLAIMS}\n\nthat stay\n"
    said = claimed(readme, page, ["first", "second"])
    assert said == f"# Words\n\n{CLAIMS}\n* Seen after 25 ms.\n{END_OF_CLAIMS}\n\nthat stay\n"
    assert claimed("# No marks\n", page, ["first"]) == "# No marks\n"


def test_every_figure_that_the_readme_claims_is_in_the_evidence() -> None:
    readme, page = README.read_text(), PAGE.read_text()
    assert set(CLAIMED) <= {part.name for part in parts(quick=True)}
    assert claimed(readme, page, CLAIMED) == readme, "the README's claims are not those of docs/evidence.md"
    before, _, rest = readme.partition(CLAIMS)
    block, _, after = rest.partition(END_OF_CLAIMS)
    assert len(block.strip().splitlines()) == sum(claim_of(page, name) is not None for name in CLAIMED)
    for figure in re.findall(r"\d[\d.,]*(?: ms| s|×|%| MiB)", f"{before}{after}"):
        assert figure in page, f"{figure} is claimed in the README, and not in docs/evidence.md"


def test_a_part_that_fails_is_told_and_one_that_misses_a_write_too() -> None:
    def fails(folder: Path) -> Iterator[Table]:
        raise BenchmarkError("no tmux here")
        yield

    def misses(folder: Path) -> Iterator[Table]:
        yield Table("Some", ("what", "how much"), [("this", "1")], missed=2)

    assert measured(Part("first", "First", fails, str), quick=True) == (
        None,
        ["first could not be measured: BenchmarkError: no tmux here"],
    )
    found, troubles = measured(Part("second", "Second", misses, lambda tables: "It is so."), quick=True)
    assert troubles == ["second: 2 foreign writes were missed"]
    assert found is not None
    assert found.text.startswith("**It is so.**\n")
    assert "--only second --quick" in found.text


def test_what_a_program_weighs_is_without_its_agents(tmp_path: Path) -> None:
    script = tmp_path / "agent.sh"
    script.write_text("head -c 30000000 /dev/zero | md5sum; read -r line\n")
    program = f"i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; bash {script} & echo begun; read -r line"
    with subprocess.Popen(["bash", "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        found, all_of_it = weight([process.pid], str(script)), weight([process.pid], "nobody")
        process.communicate(b"\n")
    assert found.processes < all_of_it.processes
    assert found.cpu > 0
    assert 0 < found.memory < all_of_it.memory


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
    assert actions >= 20
    assert due > 0
    assert (alarms, missed) == (0, 0)
    assert not page.exists()
