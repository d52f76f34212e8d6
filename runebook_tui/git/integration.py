"""Integration: what a lane holds becomes one commit on the branch of the repository.

Nothing that is not committed is overwritten: a file goes into the work tree only where that has the file as
HEAD does, or as the lane does already. Every step can be repeated, so one that was interrupted is made good
by the next: first the files, then the index, then the branch, and last, when the caller has written down what
was done, the lane's base.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from runebook_tui.git.commits import commit_tree
from runebook_tui.git.known import signature
from runebook_tui.git.lane import Lane, Work, private_index, under_way
from runebook_tui.git.process import Git, GitError, printable
from runebook_tui.git.stand import Stand, above_of
from runebook_tui.git.trees import (
    SUBMODULE,
    SYMLINK,
    Entry,
    PrivateIndex,
    indexed,
    names,
    update_index,
)
from runebook_tui.git.trees import difference as tree_difference
from runebook_tui.place import state_folder


class Busy(GitError):
    """Somebody works on the repository right now: try again later."""


@dataclass(frozen=True)
class Answers:
    """What the rule and the operator say of a lane's paths.

    `refused` is asked why a path must stay out ("" when it may go in). `forced` are the paths where the
    lane's version is to win over what the repository has; `kept` those of them whose present content in the
    work tree can be had back.
    """

    refused: Callable[[str], str]
    forced: Collection[str] = ()
    kept: Collection[str] = ()


@dataclass
class Integration:
    """What became of a lane's paths."""

    commit: str = ""
    """The new commit; "" when there was nothing to commit."""
    base: str = ""
    """What the lane's work is to be reckoned from next time: give it to `Lane.reckon_from`."""
    taken: list[str] = field(default_factory=list)
    """The paths that the repository now has as the lane does."""
    left: dict[str, str] = field(default_factory=dict)
    """Paths that stay in the lane, and why."""
    conflicts: dict[str, str] = field(default_factory=dict)
    """Paths that the rule lets in and the repository has otherwise, and how."""


def integrate(
    lane: Lane,
    answers: Answers,
    *,
    title: str = "",
    only: Collection[str] | None = None,
    settle: bool = False,
) -> Integration:
    """Take what may be taken of `lane` (of the paths `only`, if given) into the repository.

    With `settle` what was taken and the lane had not committed is committed on its branch, too: for a lane
    in which nobody works any more. Raises Busy, GitError.
    """
    main = lane.main
    doing = under_way(main)
    if doing:
        raise Busy(f"the repository is in the middle of {doing}")
    head = main.run("rev-parse", "HEAD").decode("ascii").strip()
    work = lane.work(head)
    found = Integration()
    wanted = _wanted(work, answers, only, found)
    here = _entries(main, work.base, head, work.changed)
    with _scratch(lane) as folder:
        results = _merged(lane, wanted, here, answers, folder, found)
        writes = {path: entry for path, entry in results.items() if entry != here[path]}
        stand = Stand(main, writes, here)
        for path, why in stand.in_the_way.items():
            kept = path in answers.kept or stand.is_absent(path)
            if path not in answers.forced or stand.is_folder(path):
                found.conflicts[path] = why
            elif not kept:
                found.conflicts[path] = f"{why}, and Runebook does not keep it: commit it first"
        _drop_overlaps(main, writes, found)
        index = PrivateIndex(main, folder / "index")
        tree = index.tree_with(head, writes)
        _write(main, index, writes, stand, folder)
    known = indexed(main)
    update_index(main, {path: entry for path, entry in writes.items() if known.get(path) != entry})
    taken = {path: wanted[path][1] for path in results if path not in found.conflicts}
    taken |= _same(work, answers, only)
    found.taken = sorted(taken)
    if tree != main.run("rev-parse", f"{head}^{{tree}}").decode("ascii").strip():
        message = f"Integrate {lane.agent}" + (f": {title}" if title else "") + "\n"
        found.commit = commit_tree(main, tree, [head], message, lane.agent)
        main.run("update-ref", "-m", f"runebook: integrate {lane.agent}", "HEAD", found.commit, head)
    if settle:
        _commit_lane(lane, taken)
    found.base = _base(lane, work, taken)
    return found


@contextmanager
def _scratch(lane: Lane) -> Iterator[Path]:
    """A folder on the file system of the repository; one that a killed engine left is removed."""
    folder = state_folder(lane.repository) / "integration"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wanted(
    work: Work, answers: Answers, only: Collection[str] | None, found: Integration
) -> dict[str, tuple[Entry | None, Entry | None]]:
    """The paths that may go in; those that may not are noted."""
    wanted = {}
    for path, both in work.changed.items():
        if only is not None and path not in only:
            continue
        why = answers.refused(path)
        if not why and any(entry is not None and entry.mode == SUBMODULE for entry in both):
            why = "a repository in the repository is not integrated"
        if why:
            found.left[path] = why
        else:
            wanted[path] = both
    return wanted


def _same(work: Work, answers: Answers, only: Collection[str] | None) -> dict[str, Entry | None]:
    """What the repository has already as the lane does, perhaps because the last time was interrupted."""
    chosen = work.same if only is None else {path: work.same[path] for path in only if path in work.same}
    return {path: entry for path, entry in chosen.items() if not answers.refused(path)}


def _entries(
    main: Git, base: str, head: str, changed: Mapping[str, tuple[Entry | None, Entry | None]]
) -> dict[str, Entry | None]:
    """What the repository's HEAD has at each of the paths."""
    theirs = tree_difference(main, base, head)
    return {path: theirs[path][1] if path in theirs else before for path, (before, _) in changed.items()}


def _merged(
    lane: Lane,
    wanted: Mapping[str, tuple[Entry | None, Entry | None]],
    here: Mapping[str, Entry | None],
    answers: Answers,
    folder: Path,
    found: Integration,
) -> dict[str, Entry | None]:
    """What each path is to be in the repository; what cannot be said is a conflict."""
    results: dict[str, Entry | None] = {}
    for path, (base, mine) in wanted.items():
        theirs = here[path]
        if theirs == base or path in answers.forced:
            results[path] = mine
            continue
        merged = _merge_files(lane.main, base, mine, theirs, folder)
        if merged is None:
            found.conflicts[path] = "the repository has changed it as well"
        else:
            results[path] = merged
    return results


def _merge_files(
    git: Git, base: Entry | None, mine: Entry | None, theirs: Entry | None, folder: Path
) -> Entry | None:
    """The three-way merge of three files; None when they conflict or are not all files."""
    if base is None or mine is None or theirs is None:
        return None
    if {SYMLINK, SUBMODULE} & {base.mode, mine.mode, theirs.mode}:
        return None
    if mine.mode != base.mode != theirs.mode != mine.mode:
        return None
    for name, entry in (("theirs", theirs), ("base", base), ("mine", mine)):
        (folder / name).write_bytes(git.run("cat-file", "blob", entry.oid))
    sides = [os.fspath(folder / name) for name in ("theirs", "base", "mine")]
    try:
        merged = git.run("merge-file", "-p", "-q", *sides)
    except GitError:
        return None  # conflicts, or not text
    oid = git.run("hash-object", "-w", "--stdin", given=merged).decode("ascii").strip()
    return Entry(mine.mode if theirs.mode == base.mode else theirs.mode, oid)


def _drop_overlaps(main: Git, writes: dict[str, Entry | None], found: Integration) -> None:
    """Drop the conflicts from `writes`, and with them what would be a file where a folder is or below one."""
    every = names(main, "HEAD")
    while True:
        for path in found.conflicts:
            writes.pop(path, None)
        overlaps = _overlaps(every, writes)
        if not overlaps:
            return
        found.conflicts |= overlaps


def _overlaps(every: Iterable[str], writes: Mapping[str, Entry | None]) -> dict[str, str]:
    """The arriving paths at odds with what stays of the paths `every`."""
    arriving = [path for path, entry in writes.items() if entry is not None]
    stays = set(every) - {path for path, entry in writes.items() if entry is None}
    folders = {above for path in stays for above in above_of(path)}
    found = {path: "the repository has a folder there" for path in arriving if path in folders}
    for path in arriving:
        if any(above in stays for above in above_of(path)):
            found[path] = "the repository has a file above it"
    return found


def _write(
    main: Git, index: PrivateIndex, writes: Mapping[str, Entry | None], stand: Stand, folder: Path
) -> None:
    """Bring the work tree's files to `writes`, each at once or not at all."""
    arriving = [path for path, entry in writes.items() if entry is not None]
    made = folder / "files"
    given = b"".join(os.fsencode(path) + b"\0" for path in arriving)
    main.run(
        "checkout-index", "-z", "--stdin", f"--prefix={made}{os.sep}", given=given, variables=index.variables
    )
    for path in sorted(writes, key=lambda path: writes[path] is not None):
        target = os.path.join(main.root, path)
        if signature(target) != stand.seen[path]:
            raise Busy(f"{_named(path)} is being written")
        try:
            if writes[path] is not None:
                os.makedirs(os.path.dirname(target), exist_ok=True)
                os.replace(os.path.join(made, path), target)
            elif stand.seen[path] is not None:
                os.unlink(target)
                _prune(main.root, path)
        except OSError as error:
            raise GitError(f"{_named(path)} cannot be written: {error.strerror}") from error


def _named(path: str) -> str:
    return printable(os.fsencode(path), 200)


def _prune(root: str, path: str) -> None:
    """Remove the folders that a file's removal left empty."""
    for above in reversed(above_of(path)):
        try:
            os.rmdir(os.path.join(root, above))
        except OSError:
            return


def _base(lane: Lane, work: Work, taken: Mapping[str, Entry | None]) -> str:
    """A commit of what the lane's work is reckoned from next time: the old base with what was taken."""
    with private_index(lane.main) as index:
        tree = index.tree_with(work.base, taken)
    return commit_tree(lane.main, tree, [], f"What was integrated of {lane.branch}\n", lane.agent)


def _commit_lane(lane: Lane, taken: Mapping[str, Entry | None]) -> None:
    """Commit on the lane's branch what was taken and not committed there; the rest stays as it is."""
    if under_way(lane.git):
        return
    head = lane.head()
    with private_index(lane.git) as index:
        tree = index.tree_with(head, taken)
    if tree == lane.git.run("rev-parse", f"{head}^{{tree}}").decode("ascii").strip():
        return
    known = indexed(lane.git)
    update_index(lane.git, {path: entry for path, entry in taken.items() if known.get(path) != entry})
    commit = commit_tree(lane.git, tree, [head], "Work that was integrated\n", lane.agent)
    lane.git.run("update-ref", "-m", "runebook: integrated", "HEAD", commit, head)
