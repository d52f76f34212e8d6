"""Places: the paths of edits as paths of the repository, symbolic links followed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from runebook_tui.hooks.edits import Edit, Reach
from runebook_tui.hooks.event import HookError
from runebook_tui.hooks.patchtext import paths_of_diff

MOST_PLACES = 2000
_MOST_BELOW = 500
_MOST_PATCH_BYTES = 1 << 20


@dataclass(frozen=True)
class Place:
    """One path of the repository, and the edits that reach it; `anothers`: it is in another's tree."""

    path: str
    edits: tuple[Edit, ...]
    anothers: bool = False


def places_of(edits: Sequence[Edit], cwd: str, root: str, main: str = "") -> list[Place]:
    """Where the edits go, below the folder `root`, each path once; what is outside is left out.

    Relative paths are taken from `cwd`. A path that is a symbolic link counts, and so does the file that it
    leads to, unless the link itself is meant. Where `root` is an agent's worktree, `main` is the repository's
    own tree: that, and the worktrees beside `root`, are another's. Reads folders and links, and no contents
    but of patches that a command names. Raises HookError for paths that cannot be, and for more than 2,000.
    """
    top = os.path.realpath(root)
    theirs = [os.path.realpath(main), os.path.dirname(top)] if main else []
    found: dict[str, Place] = {}
    try:
        for edit in edits:
            for full, one in _reached(edit, cwd or top):
                place = _place(full, one, top, theirs)
                if place is not None:
                    before = found.get(place.path)
                    edits = (one,) if before is None else (*before.edits, one)
                    found[place.path] = replace(place, edits=edits)
                if len(found) > MOST_PLACES:
                    raise HookError(f"more than {MOST_PLACES} files at once")
    except ValueError as error:
        if isinstance(error, HookError):
            raise
        raise HookError("a path that is none") from error
    return list(found.values())


def _place(full: str, edit: Edit, top: str, theirs: Sequence[str]) -> Place | None:
    if full.startswith(top + "/"):
        return Place(full[len(top) + 1 :], (edit,))
    if any(full.startswith(folder + "/") for folder in theirs):
        private = f"{theirs[0]}/.git/", f"{theirs[0]}/.runebook/"
        return None if full.startswith(private) else Place(full, (edit,), anothers=True)
    return None


def _reached(edit: Edit, cwd: str) -> Iterator[tuple[str, Edit]]:
    """The full paths that an edit reaches, links of folders followed."""
    named = os.path.join(cwd, edit.path)
    path = os.path.normpath(named) if named.rstrip("/").endswith(("/..", "/.")) else named.rstrip("/")
    folder, name = os.path.split(path or "/")
    own = os.path.join(os.path.realpath(folder), name)
    if edit.reach is Reach.DIFF:
        yield from _patched(own, cwd)
    elif edit.reach is Reach.INTO and os.path.isdir(own):
        for each in edit.names:
            yield from _reached(Edit(each, edit.how, Reach.FILE, link=edit.link), os.path.realpath(own))
    elif edit.reach is Reach.TREE and os.path.isdir(own) and not os.path.islink(own):
        yield from ((below, edit) for below in _below(own))
    else:
        yield own, edit
        real = os.path.realpath(own)
        if real != own and not edit.link:
            yield real, edit


def _below(folder: str) -> Iterator[str]:
    """The files below a folder; after 500 the rest is left to the kernel gate."""
    count = 0
    for here, folders, files in os.walk(folder):
        folders[:] = [each for each in folders if each != ".git"]
        for name in files:
            count += 1
            if count > _MOST_BELOW:
                return
            yield os.path.join(here, name)


def _patched(file: str, cwd: str) -> Iterator[tuple[str, Edit]]:
    if not os.path.isfile(file):
        return
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return
    with open(descriptor, "rb") as opened:
        text = opened.read(_MOST_PATCH_BYTES).decode("utf-8", "surrogateescape")
    for path in paths_of_diff(text):
        yield from _reached(Edit(path), cwd)
