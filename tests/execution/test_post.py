"""The post, when what it stands in is deleted."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from runebook_tui.execution.folders import make_state_folder
from runebook_tui.execution.post import GONE_SECONDS, Post
from runebook_tui.log.eventlog import LogError
from runebook_tui.log.sqlite import SqliteLog


def test_an_engine_leaves_a_repository_that_is_gone_for_good(tmp_path: Path) -> None:
    root, now, said = tmp_path / "repo", [0.0], list[str]()
    root.mkdir()
    post = Post(root, pulse=lambda: now[0])
    with SqliteLog(make_state_folder(root) / "log.sqlite") as log:
        assert not post.rescue(log, said.append)
        shutil.rmtree(root)
        assert not post.rescue(log, said.append)
        now[0] += GONE_SECONDS - 1
        assert not post.rescue(log, said.append)
        assert len(said) == 1, "it is told once"
        root.mkdir()
        assert post.rescue(log, said.append), "it came back, without its state folder"
        shutil.rmtree(root)
        assert not post.rescue(log, said.append)
        now[0] += GONE_SECONDS
        with pytest.raises(LogError, match="is gone"):
            post.rescue(log, said.append)
