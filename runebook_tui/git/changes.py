"""Which files changed together: the commits of a repository's history, newest first."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from typing import NamedTuple

from runebook_tui.git.process import Git


class Changes(NamedTuple):
    """One commit: when (unix seconds), by which agent ("" when no trailer says so), and what it changed."""

    time: float
    agent: str
    paths: tuple[str, ...]


def changes(git: Git, commits: int, *, seconds: float = 10.0) -> Iterator[Changes]:
    """The newest `commits` of HEAD that are no merges; none where nothing is committed.

    A renamed file counts under both names. Raises GitError when git fails or takes longer than `seconds`.
    """
    if git.run("rev-parse", "--verify", "--quiet", "HEAD", fine=(0, 1)) == b"":
        return
    # No file's name can hold what nobody knew before.
    mark = secrets.token_hex(16)
    form = f"--format={mark}%ct %(trailers:key=Runebook-Agent,valueonly,separator=%x20)"
    words = ("log", "-z", f"--max-count={commits}", "--no-merges", "--no-renames", "--name-only", form)
    for entry in git.run(*words, seconds=seconds).split(mark.encode())[1:]:
        head, _, rest = entry.partition(b"\0")
        time, *agents = os.fsdecode(head).split()
        names = (os.fsdecode(name) for name in rest.removeprefix(b"\n").split(b"\0") if name)
        yield Changes(float(time), agents[0] if agents else "", tuple(names))
