"""The search of the repository for what a failure names: by ripgrep and without it."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from runebook_agents.analysis.failure import Failure
from runebook_agents.analysis.search import SEARCH_SECONDS, Search

WITH = pytest.param(None, marks=pytest.mark.skipif(shutil.which("rg") is None, reason="ripgrep is missing"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    files = {
        "src/store.py": "import os\n\n\ndef append_event(text):\n    return text\n",
        "src/limits.rs": "pub fn at_most(count: u32) -> u32 {\n    count\n}\n",
        ".gitignore": "made/\n",
        "made/copy.py": "def only_made(): ...\n",
        ".env": "def from_env(): ...\n",
        "secrets.py": "def from_secrets(): ...\n",
        "settings/default.toml": "limit = 1\n",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    return tmp_path


def failed(output: str, folder: str = ".") -> Failure:
    return Failure(1, "alpha", "python x.py", output, 1, folder)


@pytest.fixture(params=[WITH, pytest.param("", id="without ripgrep")])
def program(request: pytest.FixtureRequest) -> str | None:
    return request.param


def test_a_missed_name_is_found_where_it_is_defined(root: Path, program: str | None) -> None:
    (idea,) = Search(root, program=program).ideas(failed("NameError: name 'append_event' is not defined"))
    assert (idea.rule, idea.file, idea.line) == ("search-symbol", "src/store.py", 4)
    assert idea.title == "append_event is defined in src/store.py, line 4"
    assert idea.words == "src/store.py:4: def append_event(text):"


def test_a_name_that_is_nearly_right_finds_what_was_meant(root: Path, program: str | None) -> None:
    said = "error[E0425]: cannot find function `at_moist` in this scope"
    (idea,) = Search(root, program=program).ideas(failed(said))
    assert (idea.title, idea.file, idea.line) == ("at_moist: did you mean at_most?", "src/limits.rs", 1)


@pytest.mark.parametrize("name", ["only_made", "from_env", "from_secrets"])
def test_what_is_ignored_or_named_like_a_secret_is_not_read(
    root: Path, program: str | None, name: str
) -> None:
    assert Search(root, program=program).ideas(failed(f"NameError: name '{name}' is not defined")) == ()


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ('  File "src/store.py", line 4, in x\n    y\nValueError: z', 4),
        ('  File "src/store.py", line 4\n  File "/usr/lib/python3/json.py", line 9\nValueError: z', 4),
        ('  File "src/limits.rs", line 1, in a\n  File "src/store.py", line 5, in b\nValueError: z', 5),
        ("error: x\n --> src/store.py:4:9\n", 4),
        ("    at total (src/store.py:4:9)\n", 4),
        ("src/store.py:4: error: x  [y]\n", 4),
    ],
)
def test_the_innermost_place_of_the_repository_is_named(root: Path, said: str, line: int) -> None:
    (idea,) = Search(root).ideas(failed(said))
    assert (idea.rule, idea.file, idea.line) == ("search-frame", "src/store.py", line)


def test_a_place_counts_from_where_the_command_ran(root: Path) -> None:
    (idea,) = Search(root).ideas(failed("store.py:4: error: x", "src"))
    assert idea.file == "src/store.py"


@pytest.mark.parametrize(
    "said",
    [
        'File "made/copy.py", line 1',
        'File ".env", line 1',
        'File "../outside.py", line 1',
        'File "/etc/passwd", line 1',
        'File "src/none.py", line 1',
    ],
)
def test_a_place_that_is_not_the_repositorys_to_show_is_not_named(root: Path, said: str) -> None:
    assert Search(root).ideas(failed(said)) == ()


def test_a_missing_file_finds_the_one_of_nearly_that_name(root: Path) -> None:
    said = "FileNotFoundError: [Errno 2] No such file or directory: 'defaults.toml'"
    (idea,) = Search(root).ideas(failed(said))
    assert (idea.title, idea.file) == (
        "Not defaults.toml, but settings/default.toml?",
        "settings/default.toml",
    )


def test_a_search_ends_at_once_when_nobody_waits(root: Path) -> None:
    began = time.process_time()
    assert Search(root, lambda: True).ideas(failed("NameError: name 'append_event' is not defined")) == ()
    assert time.process_time() - began < SEARCH_SECONDS


def test_a_program_that_never_ends_is_ended(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = root / "rg"
    slow.write_text(f"#!/bin/sh\necho $$ > {root}/made/pid\nexec sleep 600\n")
    slow.chmod(0o755)
    monkeypatch.setattr("runebook_agents.analysis.search.SEARCH_SECONDS", 2.0)
    search = Search(root, program=str(slow))
    assert search.ideas(failed("NameError: name 'append_event' is not defined")) == ()
    with pytest.raises(ProcessLookupError):
        os.kill(int((root / "made/pid").read_text()), 0)
