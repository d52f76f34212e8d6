"""Repositories for the tests of the commit guard."""

from __future__ import annotations

from pathlib import Path

import pytest
from guard_play import Guarded


@pytest.fixture
def repository(tmp_path: Path, plain_git: None, monkeypatch: pytest.MonkeyPatch) -> Guarded:
    """A repository with a plan, and no guard yet."""
    for name in ("RUNEBOOK_AGENT", "RUNEBOOK_ROOT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return Guarded(tmp_path / "repo it's")


@pytest.fixture
def guarded(repository: Guarded) -> Guarded:
    """A repository with the guard in it."""
    repository.hooks.install()
    return repository
