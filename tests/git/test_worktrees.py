"""Lanes are made beside the repository, taken up again, and never removed with work in them."""

from __future__ import annotations

import shutil

import pytest
from lane_play import Repository

from runebook_tui.git.process import GitError
from runebook_tui.git.worktrees import LaneError, Worktrees
from runebook_tui.place import find_plan, find_repository, lane_of


def test_a_lane_lies_beside_the_repository_on_a_branch_of_its_own(repo):
    lane, fresh = repo.worktrees.open("alpha")
    assert fresh
    assert lane.root == repo.root.with_name("my repo.worktrees") / "alpha"
    assert repo.git("branch", "--show-current", at=lane.root) == "runebook/alpha\n"
    assert (lane.root / "a/one").exists()
    assert [each.agent for each in repo.worktrees.lanes()] == ["alpha"]
    assert repo.status() == ""


def test_from_inside_a_lane_the_repository_and_its_plan_are_found(repo):
    repo.write("runebook.toml", "x")
    repo.commit()
    lane = repo.open()
    assert (lane.root / "runebook.toml").exists()
    assert find_repository(lane.root / "a") == repo.root
    assert find_plan(lane.root / "a") == repo.root / "runebook.toml"
    assert lane_of(lane.root / "a/one") == (repo.root, "alpha", lane.root)
    assert lane_of(repo.root / "a/one") is None
    other = repo.root.parent / "their own"
    repo.git("worktree", "add", "-q", "-b", "theirs", str(other))
    assert find_repository(other) == other


def test_a_lane_without_work_of_its_own_is_brought_up_to_date(repo):
    lane = repo.open()
    repo.write("a/one", "mine\n", lane.root)
    repo.commit(lane.root)
    own = lane.head()
    repo.write("a/two", "mine too\n", lane.root)
    repo.integrate(lane)
    repo.write("b/one", "operator's\n")
    repo.commit()
    _, fresh = repo.worktrees.open("alpha")
    assert fresh
    assert (lane.root / "b/one").read_text() == "operator's\n"
    assert repo.git("diff", "main", "runebook/alpha") == ""
    assert repo.git("merge-base", "--is-ancestor", own, "runebook/alpha") == ""
    assert repo.status(lane.root) == ""


def test_a_lane_with_work_in_it_is_taken_up_as_it_is(repo):
    lane = repo.open()
    repo.write("b/one", "crossed\n", lane.root)
    repo.write("a/one", "operator's\n")
    repo.commit()
    _, fresh = repo.worktrees.open("alpha")
    assert not fresh
    assert (lane.root / "b/one").read_text() == "crossed\n"
    assert (lane.root / "a/one").read_text().startswith("1\n")


def test_a_lane_whose_folder_was_deleted_comes_back_with_its_branch(repo):
    lane = repo.open()
    repo.write("a/one", "mine\n", lane.root)
    repo.commit(lane.root)
    shutil.rmtree(lane.root)
    assert repo.worktrees.lanes() == []
    assert repo.worktrees.open("alpha")[1] is False
    assert (lane.root / "a/one").read_text() == "mine\n"


def test_what_is_in_the_place_of_a_lane_is_left_alone(repo):
    beside = repo.root.with_name("my repo.worktrees")
    (beside / "alpha").mkdir(parents=True)
    (beside / "alpha/notes").write_text("mine")
    with pytest.raises(LaneError, match="is there already and is no worktree"):
        repo.open()
    repo.git("worktree", "add", "-q", "-b", "runebook/beta", str(repo.root.parent / "elsewhere"))
    with pytest.raises(LaneError, match="runebook/beta is checked out in"):
        repo.open("beta")
    repo.git("branch", "runebook/gamma/x")
    with pytest.raises(GitError, match="runebook/gamma"):
        repo.open("gamma")


def test_a_repository_without_a_commit_has_no_lanes(tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    repo = Repository(tmp_path / "full")
    repo.git("init", "-q", at=empty)
    with pytest.raises(LaneError, match="needs a first commit"):
        Worktrees(empty).open("alpha")


def test_a_lane_is_removed_only_when_nothing_is_lost(repo):
    lane = repo.open()
    with pytest.raises(LaneError, match="beta has no worktree"):
        repo.worktrees.remove("beta")
    repo.write("a/one", "mine\n", lane.root)
    repo.write("b/one", "crossed\n", lane.root)
    with pytest.raises(LaneError, match="a/one and 1 more not integrated"):
        repo.worktrees.remove("alpha")
    repo.integrate(lane)
    with pytest.raises(LaneError, match="b/one not integrated"):
        repo.worktrees.remove("alpha")
    repo.git("checkout", "b/one", at=lane.root)
    assert repo.worktrees.remove("alpha") is False
    assert not lane.root.exists()
    assert "runebook/alpha" in repo.git("branch"), "it holds a commit that is nowhere else"
    fresh = repo.open("beta")
    assert repo.worktrees.remove("beta") is True
    assert not fresh.root.exists()
    assert "runebook/beta" not in repo.git("branch")


def test_commits_that_no_branch_holds_keep_a_lane(repo):
    lane = repo.open()
    repo.git("checkout", "-q", "--detach", at=lane.root)
    repo.git("commit", "-q", "--allow-empty", "-m", "on nothing", at=lane.root)
    with pytest.raises(LaneError, match="a commit that no branch holds"):
        repo.worktrees.remove("alpha")
