"""A commit of one agent's changes: these, and everything else as it was. Real git, a log in memory."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path

import pytest

from runebook_tui.core.events import CoordinationRequest, Record, Touched
from runebook_tui.core.fold import apply
from runebook_tui.core.state import State
from runebook_tui.core.types import (
    OPERATOR,
    AgentSpec,
    Author,
    Crossing,
    ExecutionPlan,
    Phase,
    PlanInfo,
    RequestKind,
)
from runebook_tui.execution.commit import AgentCommit, Made
from runebook_tui.git.hooks import GuardHooks
from runebook_tui.git.private_commit import CommitError, PrivateCommit
from runebook_tui.git.worktrees import Worktrees
from runebook_tui.history.versions import History
from runebook_tui.log.memory import MemoryLog
from runebook_tui.place import state_folder

PLAN = ExecutionPlan(
    plan=PlanInfo(name="commits"),
    phases=(Phase(id="build"),),
    agents=tuple(
        AgentSpec(id=name, phase="build", command=("true",), claims=(f"{name}/**",))
        for name in ("alpha", "beta")
    ),
)


class Tree:
    """A work tree in which everybody writes, and what Runebook knows of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()
        self.git("init", "-q", "-b", "main")
        (root / ".git" / "info").mkdir(exist_ok=True)
        (root / ".git" / "info" / "exclude").write_text(".runebook/\n")
        self.log = MemoryLog()
        self.state = State(plan=PLAN, run=1)
        self.history: History | None = None

    def git(self, *words: str, given: str | None = None) -> str:
        done = subprocess.run(
            ["git", *words],
            cwd=self.root,
            check=True,
            capture_output=True,
            input=None if given is None else given.encode(),
        )
        return done.stdout.decode("utf-8", "surrogateescape")

    def put(self, path: str, content: str | bytes | None) -> None:
        """Change the tree without anybody looking; None deletes."""
        target = self.root / path
        if content is None:
            target.unlink()
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)

    def begin(self, **contents: str | bytes) -> None:
        for path, content in contents.items():
            self.put(path.replace("__", "/"), content)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "Begin")

    def wrote(self, who: str | Author, path: str, content: str | bytes | None) -> None:
        self.put(path, content)
        self.seen(who, path)

    def seen(self, who: str | Author, path: str) -> None:
        if self.history is None:
            self.history = History(self.root, state_folder(self.root) / "history")
        change = self.history.observe(path)
        if change is not None:
            author = Author(name=who, evidence="test") if isinstance(who, str) else who
            event = Touched(change=change, author=author)
            self.log.append([event], run=1, actor="engine", expected=self.log.last_seq(), time=0.0)

    def commit(
        self,
        agent: str,
        *,
        message: str = "work",
        partial: bool = False,
        verify: bool = False,
        author: tuple[str, str] | None = None,
    ) -> Made:
        work = AgentCommit(self.root, agent, self.log, self.state)
        return work.make(message, author=author, partial=partial, verify=verify)

    def head(self, path: str) -> str | None:
        try:
            return self.git("cat-file", "-p", f"HEAD:{path}")
        except subprocess.CalledProcessError:
            return None

    def paths(self) -> list[str]:
        """What the last commit changed."""
        return self.git("diff-tree", "-r", "--root", "--no-commit-id", "--name-only", "-z", "HEAD").split(
            "\0"
        )[:-1]

    def close(self) -> None:
        if self.history is not None:
            self.history.close()


@pytest.fixture
def tree(tmp_path: Path, plain_git: None):
    here = Tree(tmp_path / "repo")
    yield here
    here.close()


def lines(*numbers: object) -> str:
    return "".join(f"line {number}\n" for number in numbers)


def test_one_agents_files_are_committed_and_nothing_else_changes(tree: Tree) -> None:
    tree.begin(alpha__a="1\n", beta__b="1\n", staged="1\n")
    tree.put("staged", "staged by the operator\n")
    tree.git("add", "staged")
    tree.put("staged", "and changed again\n")
    tree.wrote("alpha", "alpha/a", "2\n")
    tree.wrote("alpha", "alpha/new", "fresh\n")
    tree.wrote("beta", "beta/b", "2\n")
    before = tree.git("status", "--porcelain")
    made = tree.commit("alpha", message="Add\n\nwhy")
    assert made.paths == ("alpha/a", "alpha/new")
    assert tree.paths() == ["alpha/a", "alpha/new"]
    assert tree.git("log", "-1", "--format=%B").rstrip() == "Add\n\nwhy\n\nRunebook-Agent: alpha"
    left = [line for line in before.splitlines() if "alpha" not in line]
    assert tree.git("status", "--porcelain").splitlines() == left
    assert tree.git("show", ":staged") == "staged by the operator\n"
    assert (tree.root / "staged").read_text() == "and changed again\n"
    assert tree.git("reflog", "-1", "--format=%gs").strip() == "commit: Add"
    assert tree.commit("alpha") == Made(None, (), ())


def test_what_the_user_staged_at_a_committed_path_stays_staged(tree: Tree) -> None:
    tree.begin(alpha__a="1\n", alpha__b="1\n")
    tree.put("alpha/a", "staged\n")
    tree.git("add", "alpha/a")
    tree.put("alpha/c", "")
    tree.git("add", "-N", "alpha/c")
    for name in "abc":
        tree.wrote("alpha", f"alpha/{name}", "2\n")
    tree.commit("alpha")
    assert [tree.head(f"alpha/{name}") for name in "abc"] == ["2\n"] * 3
    assert tree.git("show", ":alpha/a") == "staged\n"
    assert tree.git("status", "--porcelain").splitlines() == ["MM alpha/a"]


def test_two_agents_in_one_file_each_commit_their_own_lines(tree: Tree) -> None:
    tree.begin(free=lines(*range(10)))
    tree.wrote("beta", "free", lines(0, "beta", *range(2, 10)))
    tree.wrote("alpha", "free", lines(0, "beta", *range(2, 9), "alpha", 9))
    tree.wrote("beta", "free", lines(0, "beta two", *range(2, 9), "alpha", 9))
    tree.wrote("alpha", "free", now := lines(0, "beta two", *range(2, 9), "alpha two", 9))
    tree.commit("alpha")
    assert tree.head("free") == lines(*range(9), "alpha two", 9)
    assert (tree.root / "free").read_text() == now
    # HEAD is now a text that nobody ever had in the tree: alpha goes on from it.
    tree.wrote("alpha", "free", lines(0, "beta two", 2, 3, *range(5, 9), "alpha three", 9))
    tree.commit("alpha")
    assert tree.head("free") == lines(0, 1, 2, 3, *range(5, 9), "alpha three", 9)
    tree.commit("beta")
    assert tree.head("free") == (tree.root / "free").read_text()
    assert tree.git("status", "--porcelain") == ""


def test_lines_of_both_in_one_place_are_left_out_and_named(tree: Tree) -> None:
    tree.begin(free=lines(*range(5)), alpha__a="1\n")
    tree.wrote("beta", "free", lines(0, 1, "beta", 3, 4))
    tree.wrote("alpha", "free", lines(0, 1, "beta and alpha", 3, 4))
    tree.wrote("alpha", "alpha/a", "2\n")
    head = tree.git("rev-parse", "HEAD")
    made = tree.commit("alpha")
    reason = "others changed the same lines, or it builds on what they have not committed"
    assert made == Made(None, (), (("free", reason),))
    assert tree.git("rev-parse", "HEAD") == head
    made = tree.commit("alpha", partial=True)
    assert (made.paths, made.left_out) == (("alpha/a",), (("free", reason),))
    assert tree.paths() == ["alpha/a"]


def test_every_kind_of_change(tree: Tree) -> None:
    tree.begin(
        alpha__gone="x\n", alpha__run="x\n", alpha__binary=b"\0\1", alpha__crlf="a\r\nb", alpha__folder="x\n"
    )
    tree.wrote("alpha", "alpha/gone", None)
    (tree.root / "alpha/run").chmod(0o755)
    tree.seen("alpha", "alpha/run")
    tree.wrote("alpha", "alpha/binary", b"\0\2\xff")
    tree.wrote("alpha", "alpha/crlf", b"a\r\nc\xe9")
    (tree.root / "alpha/link").symlink_to("gone")
    tree.seen("alpha", "alpha/link")
    tree.wrote("alpha", "alpha/folder", None)
    tree.wrote("alpha", "alpha/folder/file", "y\n")
    tree.wrote("alpha", "alpha/-\udcff\n:(top)*", "hostile\n")
    tree.wrote("alpha", "alpha/.env", "SECRET=1\n")
    assert tree.commit("alpha").left_out == ()
    assert tree.git("status", "--porcelain") == ""
    listed = dict(line.split("\t")[::-1] for line in tree.git("ls-tree", "-rz", "HEAD").split("\0")[:-1])
    assert listed["alpha/run"].startswith("100755")
    assert listed["alpha/link"].startswith("120000")
    assert "alpha/-\udcff\n:(top)*" in listed
    assert "alpha/gone" not in listed
    assert tree.git("cat-file", "-p", "HEAD:alpha/crlf") == "a\r\nc\udce9"


def test_line_ends_are_stored_as_git_add_would(tree: Tree) -> None:
    tree.put(".gitattributes", "*.txt text eol=crlf\n")
    tree.begin(**{"alpha__a.txt": "1\r\n2\r\n3\r\n4\r\n"})
    tree.wrote("beta", "alpha/a.txt", "beta\r\n2\r\n3\r\n4\r\n")
    tree.wrote("alpha", "alpha/a.txt", "beta\r\n2\r\n3\r\nalpha\r\n")
    tree.commit("alpha")
    assert tree.head("alpha/a.txt") == "1\n2\n3\nalpha\n"


def test_what_was_there_before_runebook_is_its_owners(tree: Tree) -> None:
    tree.begin(alpha__a="1\n", alpha__c="1\n", beta__b="1\n")
    for path in ("alpha/a", "alpha/b", "alpha/c", "beta/b"):
        tree.put(path, "before Runebook\n")
    tree.history = History(tree.root, state_folder(tree.root) / "history")
    tree.history.baseline()
    tree.wrote("alpha", "alpha/a", "before Runebook\nand after\n")
    tree.wrote(OPERATOR, "alpha/c", "before Runebook\nthe operator's\n")
    assert tree.commit("alpha").paths == ("alpha/a", "alpha/b")
    assert tree.head("alpha/a") == "before Runebook\nand after\n"
    assert (tree.head("alpha/c"), tree.head("beta/b")) == ("1\n", "1\n")


def test_a_change_that_is_not_certain_is_left_out(tree: Tree) -> None:
    tree.begin(free="1\n")
    tree.wrote(Author(candidates=("alpha", OPERATOR)), "free", "2\n")
    assert tree.commit("alpha").left_out == (("free", "it is not certain who wrote it: alpha or you"),)
    assert tree.commit("beta") == Made(None, (), ())


def test_an_agents_commit_holds_what_it_may_commit(tree: Tree) -> None:
    tree.begin(beta__b="1\n", alpha__a="1\n")
    tree.wrote("alpha", "beta/b", "alpha's\n")
    tree.wrote("alpha", "alpha/a", "2\n")
    assert tree.commit("alpha").left_out == (("beta/b", "beta owns it"),)
    request = CoordinationRequest(
        request=7,
        kind=RequestKind.CROSSED,
        requester="alpha",
        crossings=(Crossing(path="beta/b", owner="beta"),),
    )
    tree.state = apply(tree.state, Record(seq=1, time=1.0, run=1, actor="engine", event=request))
    reason = "beta owns it, and request 7 waits for a decision"
    assert tree.commit("alpha", partial=True).left_out == (("beta/b", reason),)
    assert tree.paths() == ["alpha/a"]


def test_nothing_is_committed_in_the_middle_of_a_merge_or_when_head_moves(tree: Tree) -> None:
    tree.begin(free="1\n", alpha__a="1\n")
    tree.wrote("alpha", "alpha/a", "2\n")
    (tree.root / ".git" / "MERGE_HEAD").write_text(tree.git("rev-parse", "HEAD"))
    with pytest.raises(CommitError, match="a merge is under way"):
        tree.commit("alpha")
    (tree.root / ".git" / "MERGE_HEAD").unlink()
    index = (tree.root / ".git" / "index").read_bytes()
    hook = tree.root / ".git" / "hooks" / "commit-msg"
    hook.write_text("#!/bin/sh\nunset GIT_INDEX_FILE; git commit -q --allow-empty -m meanwhile\n")
    hook.chmod(0o755)
    with PrivateCommit(tree.root) as private:
        tree.git("commit", "-q", "--allow-empty", "--no-verify", "-m", "meanwhile")
        head = tree.git("rev-parse", "HEAD")
        with pytest.raises(CommitError, match="HEAD moved meanwhile"):
            private.commit(tree.git("write-tree").strip(), b"x\n", None)
        tree.git("switch", "-q", "-c", "other")
        with pytest.raises(CommitError, match="another branch"):
            private.commit(tree.git("write-tree").strip(), b"x\n", None)
    assert tree.git("rev-parse", "HEAD") == head
    assert (tree.root / ".git" / "index").read_bytes() == index
    assert not (tree.root / ".git" / "index.lock").exists()


def test_it_waits_for_another_git_process(tree: Tree) -> None:
    tree.begin(alpha__a="1\n")
    tree.wrote("alpha", "alpha/a", "2\n")
    lock = tree.root / ".git" / "index.lock"
    lock.touch()
    timer = threading.Timer(0.3, lock.unlink)
    timer.start()
    assert tree.commit("alpha").commit is not None
    timer.join()


def test_the_first_commit_of_a_repository(tree: Tree) -> None:
    tree.wrote("alpha", "alpha/a", "1\n")
    tree.put("beta/b", "beta's\n")
    assert tree.commit("alpha", author=("Alpha", "alpha@localhost")).paths == ("alpha/a",)
    assert tree.git("log", "--format=%an <%ae> %cn").strip() == "Alpha <alpha@localhost> Test"
    assert tree.git("status", "--porcelain").strip() == "?? beta/"
    assert tree.commit("alpha").commit is None


HOOK = """#!/bin/sh
staged=$(git diff --cached --name-only | tr '\\n' ' ')
echo "$0 $1 $staged" | sed 's/.*hooks.//' >>"$(git rev-parse --git-dir)/note"
"""


def test_the_projects_hooks_run_with_the_private_index(tree: Tree) -> None:
    tree.begin(alpha__a="1\n", beta__b="1\n")
    for name in ("pre-commit", "commit-msg", "post-commit"):
        hook = tree.root / ".git" / "hooks" / name
        hook.write_text(HOOK)
        hook.chmod(0o755)
    GuardHooks(tree.root, ("python3",)).install()
    note = tree.root / ".git" / "note"
    tree.wrote("alpha", "alpha/a", "2\n")
    assert not tree.commit("alpha").skipped_hook
    assert [line.split()[0].split(".")[0] for line in note.read_text().splitlines()] == [
        "pre-commit", "commit-msg", "post-commit",
    ]  # fmt: skip
    assert note.read_text().splitlines()[0].endswith("alpha/a ")
    note.unlink()

    tree.wrote("beta", "beta/b", "2\n")
    tree.wrote("alpha", "alpha/a", "3\n")
    assert tree.commit("alpha").skipped_hook
    assert "pre-commit" not in note.read_text()
    tree.wrote("alpha", "alpha/a", "4\n")
    (tree.root / ".git/hooks/pre-commit.before-runebook").write_text("#!/bin/sh\ngit add -A\n")
    with pytest.raises(CommitError, match="hook changed what is to be committed"):
        tree.commit("alpha", verify=True)
    (tree.root / ".git/hooks/pre-commit.before-runebook").write_text("#!/bin/sh\nexit 5\n")
    with pytest.raises(CommitError, match="ended with status 5"):
        tree.commit("alpha", verify=True)
    assert tree.head("alpha/a") == "3\n"


def test_a_message_without_words_is_refused(tree: Tree) -> None:
    tree.wrote("alpha", "alpha/a", "1\n")
    with pytest.raises(CommitError, match="the message is empty"):
        tree.commit("alpha", message=" \n")


def test_an_agent_with_a_lane_commits_there(tree: Tree) -> None:
    tree.begin(alpha__a="1\n", free="1\n")
    tree.state = State(
        plan=PLAN.model_copy(update={"plan": PlanInfo(name="lanes", isolation="worktree")}), run=1
    )
    lane, _ = Worktrees(tree.root).open("alpha")
    for path, root, name in (("free", lane.root, "alpha"), ("alpha/a", tree.root, "")):
        (root / path).write_text("2\n")
        history = History(root, state_folder(tree.root) / "history")
        change = history.observe(path)
        history.close()
        assert change is not None
        event = Touched(change=change, author=Author(name="alpha"), lane=name)
        tree.log.append([event], run=1, actor="engine", expected=tree.log.last_seq(), time=0.0)
    made = tree.commit("alpha")
    assert (made.paths, made.left_out) == (("free",), ())
    assert tree.git("log", "-1", "--format=%s", "runebook/alpha").strip() == "work"
    assert tree.git("status", "--porcelain").splitlines() == [" M alpha/a"]
