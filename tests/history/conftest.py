"""A real repository to look at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runebook_tui.history.versions import History
from tests.history.repositories import Repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    root = tmp_path / "repository"
    root.mkdir()
    made = Repository(root)
    made.write(".gitignore", b".runebook/\nignored/\n")
    return made


@pytest.fixture
def history(repository: Repository) -> Iterator[History]:
    made = History(repository.root, repository.root / ".runebook" / "history")
    yield made
    made.close()
