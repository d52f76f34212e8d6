"""Where edits go: links, folders, what is outside, and other agents' trees."""

from __future__ import annotations

from pathlib import Path

import pytest

from runebook_tui.hooks.edits import Edit, Reach
from runebook_tui.hooks.event import HookError
from runebook_tui.hooks.places import places_of


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    (root / "a" / "deep").mkdir(parents=True)
    (root / "b").mkdir()
    (root / "a" / "file").write_text("x")
    (root / "a" / "deep" / "file").write_text("x")
    return root


def paths(root: Path, *edits: Edit, cwd: str = "", main: str = "") -> list[str]:
    return [place.path for place in places_of(edits, cwd or str(root), str(root), main)]


def test_relative_paths_are_taken_from_the_clients_folder(root: Path) -> None:
    assert paths(root, Edit("x"), cwd=str(root / "a")) == ["a/x"]
    assert paths(root, Edit("../b/./x"), cwd=str(root / "a")) == ["b/x"]
    assert paths(root, Edit(str(root / "b/x"))) == ["b/x"]
    assert paths(root, Edit("x/")) == ["x"]


def test_what_is_outside_is_left_out(root: Path) -> None:
    assert paths(root, Edit("/etc/passwd"), Edit("../x"), Edit("/"), Edit(".")) == []


def test_a_link_counts_and_so_does_what_it_leads_to(root: Path) -> None:
    (root / "b" / "link").symlink_to("../a/file")
    (root / "b" / "folder").symlink_to("../a")
    assert paths(root, Edit("b/link")) == ["b/link", "a/file"]
    assert paths(root, Edit("b/link", link=True)) == ["b/link"]
    assert paths(root, Edit("b/folder/new")) == ["a/new"]
    assert paths(root, Edit("b/folder/../file")) == ["file"]
    (root / "out").symlink_to("/etc/passwd")
    assert paths(root, Edit("out")) == ["out"]
    (root / "loop").symlink_to("loop")
    assert "loop" in paths(root, Edit("loop"))


def test_the_root_may_itself_be_reached_by_a_link(root: Path, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(root)
    assert paths(tmp_path / "alias", Edit(str(tmp_path / "alias/a/x"))) == ["a/x"]
    assert paths(tmp_path / "alias", Edit(str(root / "a/x"))) == ["a/x"]


def test_a_folder_that_is_removed_is_all_its_files(root: Path) -> None:
    assert sorted(paths(root, Edit("a", reach=Reach.TREE))) == ["a/deep/file", "a/file"]


def test_what_is_copied_into_a_folder_keeps_its_name(root: Path) -> None:
    assert paths(root, Edit("a", reach=Reach.INTO, names=("n", "m"))) == ["a/n", "a/m"]
    assert paths(root, Edit("a/new", reach=Reach.INTO, names=("n",))) == ["a/new"]


def test_a_patch_that_a_command_names_is_read(root: Path) -> None:
    (root / "fix").write_text("--- a/a/file\n+++ b/a/file\n")
    assert paths(root, Edit("fix", reach=Reach.DIFF)) == ["a/file"]
    assert paths(root, Edit("none", reach=Reach.DIFF)) == []


def test_two_edits_of_one_path_are_one_place(root: Path) -> None:
    (place,) = places_of([Edit("a/x"), Edit("a/./x")], str(root), str(root))
    assert [edit.path for edit in place.edits] == ["a/x", "a/./x"]


def test_from_a_worktree_the_repository_and_its_neighbours_are_anothers(tmp_path: Path) -> None:
    main = tmp_path / "repo"
    own, other = (tmp_path / "repo.worktrees" / name for name in ("alpha", "beta"))
    for folder in (main / ".git", own, other):
        folder.mkdir(parents=True)
    edits = [
        Edit(str(own / "x")),
        Edit(str(other / "x")),
        Edit(str(main / "x")),
        Edit(str(main / ".git/index")),
    ]
    found = places_of(edits, str(own), str(own), str(main))
    assert [(place.path, place.anothers) for place in found] == [
        ("x", False),
        (str(other / "x"), True),
        (str(main / "x"), True),
    ]


@pytest.mark.parametrize("path", ["a\0b", "\ud800", "x" * 100_000])
def test_a_path_that_is_none_is_an_error_or_no_path(root: Path, path: str) -> None:
    try:
        assert paths(root, Edit(path)) == [path]
    except HookError:
        return
