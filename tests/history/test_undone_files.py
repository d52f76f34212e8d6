"""Changes of real files taken back, and brought back again, with everybody else's work left alone."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings

from runebook_tui.core.types import Change, Version
from runebook_tui.history import rewrite as rewrites
from runebook_tui.history import undo
from runebook_tui.history.errors import RewriteError, StoreError, UndoError
from runebook_tui.history.patchfile import write_patch
from runebook_tui.history.undo import Step
from runebook_tui.history.versions import History
from tests.history.repositories import Repository
from tests.history.test_takeback import Work, joined, works

OTHERS, OURS = False, True
PATHS = ["plain.txt", "app/[slug]/page.tsx", 'quote"back\\slash\ttab', "caf\udce9-\udcff.txt", "-rf"]


class Play:
    """Authors who write in one repository, and what each touch was."""

    def __init__(self, repository: Repository, history: History) -> None:
        self.root = repository.root
        self.history = history
        self.repository = repository
        self.steps: dict[str, list[Step]] = {}

    def see(self, path: str, ours: bool) -> None:
        change = self.history.observe(path)
        assert change is not None
        self.steps.setdefault(path, []).append(Step(change, ours))

    def write(self, path: str, data: bytes, ours: bool) -> None:
        target = os.path.join(self.root, path)
        mode = stat.S_IMODE(os.stat(target).st_mode) if os.path.exists(target) else 0o644
        self.repository.write(path, data, mode)
        self.see(path, ours)

    def remove(self, path: str, ours: bool) -> None:
        os.unlink(os.path.join(self.root, path))
        self.see(path, ours)

    def undo(self, path: str) -> Change | None:
        plan = undo.plan(self.history, path, self.steps[path])
        if plan is None:
            return None
        change = undo.carry_out(self.history, plan)
        assert self.history.observe(path) is None, "the watch finds nothing new"
        return change

    def restore(self, change: Change) -> None:
        self.steps[change.path] = [Step(change, OURS)]
        assert self.undo(change.path) is not None

    def refused(self, path: str) -> str:
        before = self.there(path)
        with pytest.raises(UndoError) as caught:
            self.undo(path)
        assert self.there(path) == before
        return str(caught.value)

    def there(self, path: str) -> object:
        target = os.path.join(self.root, path)
        if os.path.islink(target):
            return os.readlink(target)
        if not os.path.exists(target):
            return None
        with open(target, "rb") as file:
            return file.read(), bool(os.stat(target).st_mode & 0o100)


@pytest.fixture
def play(repository: Repository, history: History) -> Play:
    repository.write("kept.txt", b"kept\n")
    repository.commit()
    history.baseline()
    return Play(repository, history)


def base(play: Play, path: str, data: bytes, mode: int = 0o644) -> None:
    """A file that git has."""
    play.repository.write(path, data, mode)
    play.repository.commit()
    play.history.remember(path, play.history.keep(path, play.history.look(path)))


# ── every kind of change, there and back ────────────────────────────────────────────────────────


def modify(play: Play) -> str:
    base(play, "a/x", b"1\n2\n3\n")
    play.write("a/x", b"1\nII\n3\n", OURS)
    return "a/x"


def create(play: Play) -> str:
    play.write("new/folder/x", b"new\n", OURS)
    return "new/folder/x"


def create_empty(play: Play) -> str:
    play.write("empty", b"", OURS)
    return "empty"


def delete(play: Play) -> str:
    base(play, "deep/down/run.sh", b"echo\n", 0o755)
    play.remove("deep/down/run.sh", OURS)
    os.removedirs(os.path.join(play.root, "deep/down"))
    return "deep/down/run.sh"


def mode_on(play: Play) -> str:
    base(play, "run", b"echo\n")
    os.chmod(play.root / "run", 0o755)
    play.see("run", OURS)
    return "run"


def mode_off_with_text(play: Play) -> str:
    base(play, "run", b"echo\n", 0o755)
    play.repository.write("run", b"echo 1\n", 0o644)
    play.see("run", OURS)
    return "run"


def binary(play: Play) -> str:
    base(play, "picture", b"\0\1\2")
    play.write("picture", b"\0\3", OURS)
    return "picture"


def link_new_target(play: Play) -> str:
    os.symlink("kept.txt", play.root / "link")
    play.see("link", OTHERS)
    play.steps.clear()
    os.unlink(play.root / "link")
    os.symlink("elsewhere", play.root / "link")
    play.see("link", OURS)
    return "link"


def link_for_file(play: Play) -> str:
    base(play, "x", b"text\n")
    os.unlink(play.root / "x")
    os.symlink("../outside", play.root / "x")
    play.see("x", OURS)
    return "x"


def link_removed(play: Play) -> str:
    link_new_target(play)
    play.steps.clear()
    play.remove("link", OURS)
    return "link"


def secret_mode(play: Play) -> str:
    base(play, ".env", b"TOKEN=1\n")
    os.chmod(play.root / ".env", 0o755)
    play.see(".env", OURS)
    return ".env"


def binary_for_text(play: Play) -> str:
    base(play, "x", b"text\n")
    play.write("x", b"\0", OURS)
    return "x"


KINDS = [
    modify, create, create_empty, delete, mode_on, mode_off_with_text, binary, link_new_target, link_for_file,
    link_removed, secret_mode, binary_for_text,
]  # fmt: skip


@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
def test_every_kind_of_change_goes_back_and_comes_back(play: Play, make: Callable[[Play], str]) -> None:
    path = make(play)
    first = play.steps[path][0].change.before
    after = play.there(path)
    change = play.undo(path)
    assert change is not None
    seen = play.history.look(path).version
    assert (seen.kind, seen.digest, seen.mode & 0o100) == (first.kind, first.digest, first.mode & 0o100)
    assert [each for each in os.listdir(play.root) if each.startswith(".runebook-")] == []
    play.restore(change)
    assert play.there(path) == after


@pytest.mark.parametrize("path", PATHS)
def test_odd_names(play: Play, path: str) -> None:
    base(play, path, b"1\n2\n3\n4\n")
    play.write(path, b"1\nours\n3\n4\n", OURS)
    play.write(path, b"1\nours\n3\n4\ntheirs\n", OTHERS)
    change = play.undo(path)
    assert change is not None
    assert (change.added, change.removed) == (1, 1)
    assert play.there(path) == (b"1\n2\n3\n4\ntheirs\n", False)
    play.restore(change)
    assert play.there(path) == (b"1\nours\n3\n4\ntheirs\n", False)


def test_what_nobody_has_seen_yet_stays_too(play: Play) -> None:
    """The operator types while the key is pressed."""
    path = modify(play)
    play.repository.write(path, b"0\n1\nII\n3\n")
    plan = undo.plan(play.history, path, play.steps[path])
    assert plan is not None
    assert plan.data == b"0\n1\n2\n3\n"


def test_a_created_file_keeps_the_lines_of_others(play: Play) -> None:
    path = create(play)
    play.write(path, b"new\ntheirs\n", OTHERS)
    play.undo(path)
    assert play.there(path) == (b"theirs\n", False)


def test_folders_that_the_change_created_go_and_others_stay(play: Play) -> None:
    base(play, "old/known", b"x\n")
    changes = []
    for path in ("new/folder/x", "new/folder/y", "old/z"):
        play.write(path, b"x\n", OURS)
    os.unlink(play.root / "old/known")
    for path in list(play.steps):
        change = play.undo(path)
        assert change is not None
        changes.append(change)
    undo.prune(play.history, changes)
    assert not (play.root / "new").exists()
    assert (play.root / "old").is_dir()


def test_both_ends_of_a_rename(play: Play) -> None:
    base(play, "from", b"x\n")
    os.rename(play.root / "from", play.root / "to")
    for path in ("from", "to"):
        play.see(path, OURS)
    for path in ("from", "to"):
        play.undo(path)
    assert (play.there("from"), play.there("to")) == ((b"x\n", False), None)


def test_a_mode_that_others_set_since_stays(play: Play) -> None:
    base(play, "run", b"echo\n")
    play.write("run", b"echo 1\n", OURS)
    os.chmod(play.root / "run", 0o755)
    play.see("run", OTHERS)
    play.undo("run")
    assert play.there("run") == (b"echo\n", True)


def test_what_is_gone_already_needs_nothing(play: Play) -> None:
    path = create(play)
    play.remove(path, OTHERS)
    assert play.undo(path) is None
    path = modify(play)
    play.write(path, b"1\n2\n3\n", OURS)
    assert play.undo(path) is None


# ── refusals ────────────────────────────────────────────────────────────────────────────────────


def test_where_others_went_on_it_is_refused_and_the_patch_is_kept(play: Play) -> None:
    path = modify(play)
    play.write(path, b"1\nII and more\n3\n", OTHERS)
    assert "others have changed the same lines" in play.refused(path)
    kept = play.root / ".runebook" / "undo" / "u1-refused.patch"
    write_patch(kept, undo.change_pairs(play.history, play.steps[path]))
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    assert [each.name for each in kept.parent.iterdir()] == [kept.name]
    play.write(path, b"1\nII\n3\n", OTHERS)
    subprocess.run(["git", "apply", "-R", kept], cwd=play.root, check=True)
    assert play.there(path) == (b"1\n2\n3\n", False)
    with pytest.raises(StoreError, match="cannot keep the patch"):
        write_patch(kept, [])


@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
def test_the_kept_patch_is_the_change_for_git_too(play: Play, make: Callable[[Play], str]) -> None:
    if make in (secret_mode, create_empty):
        return  # one has no contents, the other no hunk: git apply has nothing to take away from it
    path = make(play)
    after = play.there(path)
    plan = undo.plan(play.history, path, play.steps[path])
    assert plan is not None
    kept = play.root / ".runebook" / "undo" / "u1.patch"
    write_patch(kept, [plan.pair])
    undo.carry_out(play.history, plan)
    subprocess.run(["git", "apply", kept], cwd=play.root, check=True)
    assert play.there(path) == after


@pytest.mark.parametrize(
    ("make", "then", "why"),
    [
        (binary, b"\0\4", "cannot be taken back line by line"),
        (modify, None, "removed since"),
        (delete, b"other\n", "others have changed the same lines"),
        (binary_for_text, b"text 2\n", "cannot be taken back line by line"),
    ],
)
def test_content_that_moved_on_is_refused(
    play: Play, make: Callable[[Play], str], then: bytes | None, why: str
) -> None:
    path = make(play)
    if then is None:
        play.remove(path, OTHERS)
    else:
        play.write(path, then, OTHERS)
    assert why in play.refused(path)


def test_what_is_not_kept_cannot_be_undone(play: Play) -> None:
    play.write("secrets.txt", b"x\n", OURS)
    assert "named like a secret" in play.refused("secrets.txt")
    play.history.store.file_limit_bytes = 10
    play.write("large", b"x" * 11, OURS)
    assert "too large" in play.refused("large")
    path = modify(play)
    digest = play.steps[path][0].change.before.digest
    assert digest is not None
    (play.history.store.folder / "objects" / digest[:2] / digest[2:]).unlink()
    assert "no longer kept" in play.refused(path)


def test_gits_own_files_are_left_alone(play: Play) -> None:
    change = Change(path=".git/config", before=Version(kind="absent"), after=Version(kind="absent"))
    with pytest.raises(UndoError, match="belongs to git"):
        undo.plan(play.history, ".git/config", [Step(change, OURS)])


def test_a_folder_that_became_a_link_is_never_followed(play: Play) -> None:
    path = delete(play)
    outside = play.root.parent / "outside"
    (outside / "down").mkdir(parents=True)
    os.symlink(outside, play.root / "deep")
    plan = undo.plan(play.history, path, play.steps[path])
    assert plan is not None
    with pytest.raises(RewriteError):
        undo.carry_out(play.history, plan)
    assert list((outside / "down").iterdir()) == []


@pytest.mark.parametrize("make", [modify, create, delete, link_new_target, mode_on, binary])
def test_a_change_between_plan_and_rewrite_is_not_overwritten(
    play: Play, make: Callable[[Play], str]
) -> None:
    path = make(play)
    plan = undo.plan(play.history, path, play.steps[path])
    assert plan is not None
    target = play.root / path
    target.unlink(missing_ok=True)
    play.repository.write(path, b"in the last moment\n")
    with pytest.raises(RewriteError):
        undo.carry_out(play.history, plan)
    assert target.read_bytes() == b"in the last moment\n"
    assert [each.name for each in target.parent.iterdir() if each.name.startswith(".runebook-")] == []


@pytest.mark.parametrize("make", [modify, create])
def test_a_write_into_the_old_file_at_the_last_moment_is_not_lost(
    play: Play, make: Callable[[Play], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that has the file open writes right before the name changes hands."""
    path = make(play)
    plan = undo.plan(play.history, path, play.steps[path])
    assert plan is not None
    name = "rename" if make is modify else "unlink"
    real = getattr(os, name)
    late: list[bytes] = []

    def late_write(*given: object, **more: object) -> None:
        if more and given[-1] == os.path.basename(path):
            late.append(b"late\n")
            with open(play.root / path, "ab") as file:
                file.write(late[0])
        real(*given, **more)

    monkeypatch.setattr(rewrites.os, name, late_write)
    with pytest.raises(RewriteError, match="changed meanwhile"):
        undo.carry_out(play.history, plan)
    assert late
    assert (play.root / path).read_bytes().endswith(b"late\n")
    assert len([*(play.root / path).parent.iterdir()]) == 1


@given(works(unique=True))
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_work_in_one_real_file(play: Play, work: Work) -> None:
    """Over the history's own contents: taken back exactly, brought back exactly, or left byte for byte."""
    path = "shared.txt"
    base(play, path, joined(work.before) or b"line\n")
    play.steps.clear()
    for step in work.steps:
        play.repository.write(path, step.after)
        change = play.history.observe(path)
        if change is not None:
            play.steps.setdefault(path, []).append(Step(change, step.ours))
    if path not in play.steps:
        return
    now = (play.root / path).read_bytes()
    try:
        undone = play.undo(path)
    except UndoError:
        assert (play.root / path).read_bytes() == now
        return
    left = (play.root / path).read_bytes().splitlines()
    theirs = [line.text.rstrip(b"\n") for line in work.now if not line.ours]
    assert [line for line in left if line in set(theirs)] == theirs
    assert not {line.text.rstrip(b"\n") for line in work.now if line.ours} & set(left)
    if undone is not None:
        play.restore(undone)
        assert (play.root / path).read_bytes() == now
