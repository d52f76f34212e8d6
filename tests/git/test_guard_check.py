"""What the guard refuses, in a repository without an engine: the agent is who its environment says."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from guard_play import PLAN, Guarded

BETAS = "runebook: alpha may not commit beta/b: beta owns it"


def test_an_agent_commits_its_own_and_nobodys_files(guarded: Guarded) -> None:
    guarded.write("alpha/a", "2\n")
    guarded.write("free", "2\n")
    guarded.git("commit", "-q", "-am", "own", agent="alpha")
    guarded.git("commit", "-q", "--amend", "-m", "own, again", agent="alpha")
    guarded.git("switch", "-q", "-c", "topic", agent="alpha")
    guarded.git("commit", "-q", "--allow-empty", "-m", "empty", agent="alpha")
    guarded.git("reset", "-q", "--hard", "main", agent="alpha")
    guarded.git("tag", "-a", "-m", "x", "v1", agent="alpha")


def test_another_agents_file_is_refused_whatever_the_way(guarded: Guarded) -> None:
    guarded.write("beta/b", "2\n")
    guarded.write("alpha/a", "2\n")
    assert guarded.refused("commit", "-am", "x")[0] == BETAS
    assert guarded.refused("commit", "--no-verify", "-am", "x")[0] == BETAS
    assert guarded.refused("commit", "-m", "x", "--", "beta/b")[0] == BETAS
    guarded.git("add", "-A")
    made = guarded.git("commit-tree", "-p", "HEAD", "-m", "x", guarded.git("write-tree"))
    for where in ("refs/heads/main", "refs/heads/new", "refs/tags/t", "refs/hidden/x", "HEAD"):
        assert guarded.refused("update-ref", where, made)[0] == BETAS, where
    assert guarded.refused("branch", "new", made)[0] == BETAS
    guarded.git("branch", "new", made)
    guarded.git("branch", "newer", "new", agent="alpha")  # the operator's commit is no news


def test_the_operators_files_and_a_plan_that_wants_to_be_asked(guarded: Guarded) -> None:
    plan = guarded.root / "runebook.toml"
    plan.write_text(plan.read_text() + '\n[policy]\nunowned = "ask"\n')
    guarded.write("free", "2\n")
    assert guarded.refused("commit", "-am", "x")[:2] == [
        "runebook: alpha may not commit free: nobody owns it, and the plan asks",
        "runebook: alpha may not commit runebook.toml: it is the operator's",
    ]
    guarded.write("runebook.toml", "broken")
    assert "cannot be looked at" in guarded.refused("commit", "-m", "x", "--", "free")[0]
    guarded.git("commit", "-qam", "the operator's")


def test_hostile_names_are_shown_and_many_are_counted(guarded: Guarded) -> None:
    guarded.write("beta/\x1b[31mred\n", "1\n")
    for number in range(20):
        guarded.write(f"beta/{number:02}", "1\n")
    guarded.git("add", "-A")
    said = guarded.refused("commit", "-m", "x")
    assert said[0] == "runebook: alpha may not commit beta/␛[31mred␊: beta owns it"
    assert said[-2] == "runebook: and 11 more"
    assert len(said) == 12


def test_commits_of_others_are_rewritten_by_nobody(guarded: Guarded) -> None:
    guarded.write("beta/b", "2\n")
    guarded.git("commit", "-qam", "beta's")
    assert guarded.refused("commit", "--amend", "-m", "mine")[0] == BETAS
    guarded.git("branch", "theirs")
    guarded.git("reset", "-q", "--hard", "HEAD~")
    guarded.git("commit", "-q", "--allow-empty", "-m", "so that a pick makes another commit")
    assert guarded.refused("cherry-pick", "theirs")[0] == BETAS
    guarded.git("cherry-pick", "--abort")
    guarded.git("reset", "-q", "--hard", "HEAD~")
    guarded.git("merge", "-q", "--ff-only", "theirs", agent="alpha")


def test_a_merge_brings_others_commits(guarded: Guarded) -> None:
    guarded.git("switch", "-q", "-c", "theirs")
    guarded.write("beta/b", "2\n")
    guarded.write("free", "theirs\n")
    guarded.git("commit", "-qam", "beta's")
    guarded.git("switch", "-q", "main")
    guarded.write("free", "ours\n")
    guarded.git("commit", "-qam", "ours", agent="alpha")
    assert guarded.try_git("merge", "-q", "theirs", agent="alpha").returncode == 1
    guarded.write("free", "both\n")
    guarded.git("add", "free")
    guarded.git("commit", "-q", "-m", "merged", agent="alpha")
    guarded.git("reset", "-q", "--hard", "HEAD~")
    guarded.try_git("merge", "-q", "theirs", agent="alpha")
    guarded.write("free", "both\n")
    guarded.write("beta/b", "neither\n")
    guarded.git("add", "-A")
    assert guarded.refused("commit", "-m", "merged")[0] == BETAS
    assert guarded.refused("commit", "-n", "-m", "merged")[0] == BETAS


def test_what_comes_from_elsewhere_passes(guarded: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    origin = guarded.root.parent / "origin"
    guarded.git("clone", "-q", str(guarded.root), str(origin))
    (origin / "beta" / "b").write_text("2\n")
    monkeypatch.setenv("GIT_COMMITTER_EMAIL", "colleague@elsewhere")
    guarded.git("commit", "-qam", "a colleague's", cwd=origin)
    monkeypatch.setenv("GIT_COMMITTER_EMAIL", "test@localhost")
    guarded.git("fetch", "-q", str(origin), "main:theirs", agent="alpha")
    guarded.git("remote", "add", "origin", str(origin))
    guarded.git("pull", "-q", "--ff-only", "origin", "main", agent="alpha")
    guarded.write("beta/b", "3\n")
    guarded.git("stash", agent="alpha")


def test_the_first_commit_and_a_linked_work_tree(guarded: Guarded, tmp_path: Path) -> None:
    lane = tmp_path / "lane"
    guarded.git("worktree", "add", "-q", str(lane))
    (lane / "beta" / "b").write_text("2\n")
    assert guarded.refused("commit", "-nam", "x", cwd=lane)[0] == BETAS
    (lane / "beta" / "b").write_text("1\n")
    (lane / "alpha" / "a").write_text("2\n")
    guarded.git("commit", "-qam", "x", agent="alpha", cwd=lane)
    guarded.git("switch", "-q", "--orphan", "fresh", agent="alpha")
    guarded.write("runebook.toml", PLAN)
    guarded.write("beta/c", "1\n")
    guarded.git("add", "beta")
    done = guarded.try_git("commit", "-m", "x", agent="alpha")
    assert "runebook: alpha may not commit beta/c: beta owns it" in done.stderr
    done = guarded.try_git("commit", "-n", "-m", "x", agent="alpha")
    assert (done.returncode, "beta/c: beta owns it" in done.stderr) == (128, True)


def test_the_interpreter_is_not_started_for_the_operator_or_for_what_is_fetched(guarded: Guarded) -> None:
    started = guarded.root / ".git" / "started"
    fake = guarded.write(
        ".git/python", f'#!/bin/sh\necho "$@" >>"{started}"\nexec {sys.executable} "$@"\n', mode=0o755
    )
    for each in (guarded.root / ".git" / "hooks").glob("[pr]*"):
        if not each.name.endswith(".sample"):
            each.write_text(each.read_text().replace(sys.executable, f"'{fake}'".replace("it's", "it'\\''s")))
    guarded.write("beta/b", "2\n")
    guarded.git("commit", "-qam", "the operator's")
    guarded.git("update-ref", "refs/remotes/origin/main", "HEAD", agent="alpha")
    assert not started.exists()
    guarded.git("branch", "x", agent="alpha")
    assert started.read_text().splitlines() == ["-E -P -m runebook_tui guard check reference-transaction"]
