"""Sessions for the tests of the served cockpit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from session_play import Session


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """An empty repository; whatever is started in it is ended."""
    root = tmp_path / "repo"
    root.mkdir()
    here = Session(root)
    try:
        yield here
    finally:
        here.down()
