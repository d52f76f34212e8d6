"""A memory in a temporary folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from memory_play import Memory


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    """An empty memory."""
    here = Memory(tmp_path / "memory.sqlite")
    try:
        yield here
    finally:
        here.store.close()
