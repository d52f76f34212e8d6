"""A text with some of the steps that led to it left out."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from runebook_tui.history.errors import GitError
from runebook_tui.history.git import environment


class TextStep(NamedTuple):
    """What a text became at one time, and whether that is kept."""

    after: bytes
    kept: bool


def kept_only(before: bytes, steps: Sequence[TextStep]) -> bytes | None:
    """What `before` becomes by the kept ones of `steps` alone; None where they build on others.

    Each run of kept steps is merged three-way by lines, exact to the byte. Raises GitError.
    """
    now = known = before
    for kept, run in groupby(steps, key=lambda step: step.kept):
        after = list(run)[-1].after
        if kept:
            merged = _merged(now, known, after)
            if merged is None:
                return None
            now = merged
        known = after
    return now


def _merged(now: bytes, before: bytes, after: bytes) -> bytes | None:
    """`now` with the change from `before` to `after`; None on a conflict."""
    if now == before or before == after:
        return after if now == before else now
    if b"\0" in now or b"\0" in before or b"\0" in after:
        return None
    with tempfile.TemporaryDirectory(prefix="runebook-merge-") as folder:
        names = []
        for name, text in (("now", now), ("before", before), ("after", after)):
            names.append(os.path.join(folder, name))
            with open(names[-1], "wb") as file:
                file.write(text)
        command = ["git", "merge-file", "-p", "-q", *names]
        try:
            done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, check=False)
        except OSError as error:
            raise GitError(f"git cannot be run: {error.strerror}") from error
    return done.stdout if done.returncode == 0 else None
