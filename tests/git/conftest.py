"""Repositories for the tests of lanes, of the guard and of commits."""

from __future__ import annotations

from pathlib import Path

import pytest
from guard_play import Guarded
from lane_play import Repository


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A repository with a commit; its name has a space in it."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    return Repository(tmp_path / "my repo")


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
