"""What a lane holds comes into the repository, and nothing else is touched, lost or overwritten."""

from __future__ import annotations

import os

import pytest

from runebook_tui.git import integration
from runebook_tui.git.integration import Busy
from runebook_tui.git.process import GitError


def test_what_is_the_agents_comes_in_as_one_commit_and_the_rest_stays_in_the_lane(repo):
    lane = repo.open()
    repo.write("a/one", "mine\n", lane.root)
    repo.commit(lane.root)
    repo.write("a/new/deep", "new\n", lane.root)
    repo.write("b/one", "crossed\n", lane.root)
    repo.write("build/out", "ignored\n", lane.root)
    found = repo.integrate(lane)
    assert (found.taken, found.left, found.conflicts) == (
        ["a/new/deep", "a/one"],
        {"b/one": "not alpha's"},
        {},
    )
    assert repo.subjects() == ["alpha: Integrate alpha: the parts", "Tester: x"]
    assert (repo.read("a/one"), repo.read("a/new/deep"), repo.read("b/one")) == ("mine\n", "new\n", "b\n")
    assert repo.status() == ""
    assert repo.status(lane.root) == " M b/one\n"
    assert not (repo.root / "build").exists()
    assert list((repo.root / ".runebook").iterdir()) == []


def test_a_second_time_only_what_is_new_comes(repo):
    lane = repo.open()
    repo.write("a/one", "mine\n", lane.root)
    repo.integrate(lane)
    assert (repo.integrate(lane).taken, repo.integrate(lane).commit) == ([], "")
    repo.write("a/one", "mine again\n", lane.root)
    assert repo.integrate(lane).taken == ["a/one"]
    assert repo.read("a/one") == "mine again\n"
    assert len(repo.subjects()) == 3


def test_only_the_paths_asked_for_come_from_a_lane_at_work(repo):
    lane = repo.open()
    repo.write("a/one", "mine\n", lane.root)
    repo.write("a/two", "half done\n", lane.root)
    before = lane.head()
    assert repo.integrate(lane, only=["a/one"], settle=False).taken == ["a/one"]
    assert (repo.read("a/one"), repo.read("a/two")) == ("mine\n", "two\n")
    assert lane.head() == before
    assert repo.status(lane.root) == " M a/one\n M a/two\n"


def test_deleted_renamed_executable_symlink_binary_and_odd_names(repo):
    lane = repo.open()
    (lane.root / "a/two").rename(lane.root / "a/moved")
    (lane.root / "a/one").chmod(0o755)
    (lane.root / "a/link").symlink_to("moved")
    (lane.root / "a/binary").write_bytes(bytes(range(256)))
    for odd in ("a/-rf", "a/with\nnewline", 'a/"quoted"', "a/:(glob)*", "a/\udcff"):
        repo.write(odd, "odd\n", lane.root)
    found = repo.integrate(lane)
    assert not found.conflicts
    assert not (repo.root / "a/two").exists()
    assert os.access(repo.root / "a/one", os.X_OK)
    assert os.readlink(repo.root / "a/link") == "moved"
    assert (repo.root / "a/binary").read_bytes() == bytes(range(256))
    assert os.path.exists(os.fsencode(repo.root) + b"/a/\xff")
    assert repo.read('a/"quoted"') == repo.read("a/with\nnewline") == "odd\n"
    assert repo.status() == repo.status(lane.root) == ""


def test_what_both_changed_is_merged_where_it_can_be_and_a_conflict_where_not(repo):
    lane = repo.open()
    repo.write("a/one", "ONE\n2\n3\n4\n5\n6\n7\n8\n9\n", lane.root)
    repo.write("a/two", "lane's\n", lane.root)
    repo.write("a/one", "1\n2\n3\n4\n5\n6\n7\n8\nNINE\n")
    repo.write("a/two", "operator's\n")
    repo.commit()
    found = repo.integrate(lane)
    assert found.taken == ["a/one"]
    assert found.conflicts == {"a/two": "the repository has changed it as well"}
    assert repo.read("a/one") == "ONE\n2\n3\n4\n5\n6\n7\n8\nNINE\n"
    assert repo.read("a/two") == "operator's\n"
    assert repo.integrate(lane).conflicts.keys() == {"a/two"}
    assert repo.integrate(lane, forced=["a/two"]).taken == ["a/two"]
    assert repo.read("a/two") == "lane's\n"
    assert repo.status() == repo.status(lane.root) == ""


@pytest.mark.parametrize("staged", [False, True])
def test_work_that_is_not_committed_is_never_overwritten(repo, staged):
    lane = repo.open()
    repo.write("a/one", "lane's\n", lane.root)
    repo.write("a/two", "lane's\n", lane.root)
    repo.write("a/one", "operator's\n")
    repo.write("b/one", "operator's too\n")
    if staged:
        repo.git("add", "a/one", "b/one")
    before = repo.status()
    found = repo.integrate(lane)
    assert found.taken == ["a/two"]
    assert found.conflicts == {"a/one": "it holds work that is not committed"}
    assert (repo.read("a/one"), repo.read("b/one")) == ("operator's\n", "operator's too\n")
    assert repo.status() == before
    again = repo.integrate(lane, forced=["a/one"])
    assert "commit it first" in again.conflicts["a/one"]
    assert repo.read("a/one") == "operator's\n"
    assert repo.integrate(lane, forced=["a/one"], kept=["a/one"]).taken == ["a/one"]
    assert repo.read("a/one") == "lane's\n"
    assert repo.status() == before.replace(" M a/one\n", "").replace("M  a/one\n", "")


def test_untracked_files_and_folders_in_the_way_are_conflicts(repo):
    lane = repo.open()
    for path in ("a/file", "a/folder", "a/same", "a/linked/x"):
        repo.write(path, "lane's\n", lane.root)
    repo.write("a/file", "operator's\n")
    repo.write("a/folder/inside", "operator's\n")
    repo.write("a/same", "lane's\n")
    (repo.root / "a/linked").symlink_to(repo.root / "b")
    found = repo.integrate(lane)
    assert found.taken == ["a/same"]
    assert found.conflicts == {
        "a/file": "it holds work that is not committed",
        "a/folder": "a folder is in its place",
        "a/linked/x": "what should be a folder above it is none",
    }
    assert repo.read("a/folder/inside") == "operator's\n"
    assert not (repo.root / "b/x").exists()
    assert repo.integrate(lane, forced=["a/folder"], kept=["a/folder"]).conflicts.keys() >= {"a/folder"}


def test_a_file_becomes_a_folder_and_a_folder_a_file(repo):
    lane = repo.open()
    repo.write("a/deep/x", "x\n")
    repo.commit()
    lane = repo.open()
    (lane.root / "a/two").unlink()
    repo.write("a/two/inside", "now a folder\n", lane.root)
    (lane.root / "a/deep/x").unlink()
    (lane.root / "a/deep").rmdir()
    repo.write("a/deep", "now a file\n", lane.root)
    assert repo.integrate(lane).conflicts == {}
    assert (repo.read("a/two/inside"), repo.read("a/deep")) == ("now a folder\n", "now a file\n")
    assert repo.status() == ""


def test_a_file_where_the_repository_has_got_a_folder_is_a_conflict(repo):
    lane = repo.open()
    repo.write("a/new", "lane's\n", lane.root)
    repo.write("a/new/inside", "operator's\n")
    repo.commit()
    assert list(repo.integrate(lane).conflicts) == ["a/new"]
    assert repo.read("a/new/inside") == "operator's\n"


def test_it_waits_while_the_operator_is_in_the_middle_of_something(repo):
    lane = repo.open()
    repo.write("a/one", "mine\n", lane.root)
    (repo.root / ".git/MERGE_HEAD").write_text(repo.git("rev-parse", "HEAD"))
    with pytest.raises(Busy, match="in the middle of merge"):
        repo.integrate(lane)
    assert repo.read("a/one").startswith("1\n")


@pytest.mark.parametrize("step", ["update_index", "commit_tree", "_commit_lane", "_base"])
def test_an_interrupted_integration_is_made_good_by_the_next(repo, monkeypatch, step):
    lane = repo.open()
    repo.write("a/one", "mine\n", lane.root)
    (lane.root / "a/two").unlink()
    with monkeypatch.context() as patch:
        patch.setattr(integration, step, _stop)
        with pytest.raises(GitError, match="stopped"):
            repo.integrate(lane)
    assert repo.integrate(lane).taken == ["a/one", "a/two"]
    assert repo.read("a/one") == "mine\n"
    assert repo.status() == repo.status(lane.root) == ""
    assert len(repo.subjects()) == 2


def _stop(*_: object, **__: object) -> None:
    raise GitError("stopped")


def test_a_lane_that_merged_the_repository_brings_nothing_of_others(repo):
    lane = repo.open()
    repo.write("b/one", "operator's\n")
    repo.commit()
    repo.write("a/one", "mine\n", lane.root)
    repo.commit(lane.root)
    repo.git("merge", "-q", "main", "-m", "m", at=lane.root)
    repo.write("b/one", "operator's, newer\n")
    repo.commit()
    found = repo.integrate(lane)
    assert (found.taken, found.left) == (["a/one"], {})


def test_a_detached_head_is_moved_and_no_branch(repo):
    repo.git("checkout", "-q", "--detach")
    lane = repo.open()
    repo.write("a/one", "mine\n", lane.root)
    repo.integrate(lane)
    assert repo.read("a/one") == "mine\n"
    assert repo.git("rev-list", "--count", "main") == "1\n"
    assert repo.status() == ""
