"""Undo: what a path becomes without some of its changes, and making it so.

Text is taken back line by line, so that everybody else's work in the file stays. Everything else (binary
files, links, modes, creation and removal) is taken back whole, and only if nobody has changed it since.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from runebook_tui.core.secret_names import secret_named
from runebook_tui.core.types import Change, Version
from runebook_tui.history.differences import comparable, compare
from runebook_tui.history.errors import UndoError
from runebook_tui.history.look import Look, same_content
from runebook_tui.history.patchfile import Pair, Side
from runebook_tui.history.rewrite import remove_empty, rewrite
from runebook_tui.history.versions import History
from runebook_tui.history.weave import Conflict, TextStep, takeback

_ABSENT = Version(kind="absent")
_PRIVATE = (".git", ".runebook")
_EXECUTE = 0o111


@dataclass(frozen=True)
class Step:
    """One touch of a path; `ours` when it is to be taken back."""

    change: Change
    ours: bool


@dataclass(frozen=True)
class Plan:
    """What a path holds, and what it is to hold. `data` is None when its content stays or it is removed."""

    path: str
    now: Look
    then: Version
    data: bytes | None = None

    @property
    def pair(self) -> Pair:
        """What the undo removes, as a change: from what is to be to what is now."""
        data = self.now.data if self.data is None and self.then.kind != "absent" else self.data
        return Pair(self.path, Side(self.then, data), Side(self.now.version, self.now.data))


def plan(history: History, path: str, steps: Sequence[Step]) -> Plan | None:
    """What `path` becomes without the steps of `ours`; None when nothing is left of them.

    `steps` are all touches of the path from the first of `ours` on. Raises UndoError with the reason why it
    cannot be done.
    """
    if path.split("/", 1)[0] in _PRIVATE:
        raise UndoError("it belongs to git or to Runebook itself")
    now = history.look(path)
    chain = list(_joined(steps, now.version))
    if not chain:
        return None
    mode = _mode_alone(chain, now)
    if mode is not None:
        return mode if mode.then.mode != now.version.mode else None
    if secret_named(path):
        raise UndoError("it is named like a secret, so its contents are not kept")
    if now.version.kind == "file" and now.data is None:
        raise UndoError("it is too large: its contents are not kept")
    texts = _texts(history, chain, now)
    found = _whole(history, chain, now) if texts is None else _woven(chain, texts, now)
    if found is None or same_content(found.then, now.version):
        return None
    return Plan(path, found.now, found.then, found.data)


def carry_out(history: History, plan: Plan) -> Change:
    """Keep what is removed, then make it so; the change of the path.

    Raises UndoError when it cannot be kept, RewriteError when the path holds something else by now, and
    StoreError; nothing has changed then.
    """
    before = history.keep(plan.path, plan.now)
    removes = before.kind != "absent" and before.digest != plan.then.digest
    if removes and not before.stored:
        raise UndoError("it is too large to be kept")
    after = plan.then
    if plan.data is not None:
        after = history.keep(plan.path, Look(plan.then, plan.data))
    elif after.kind == "file":
        after = before.model_copy(update={"mode": after.mode})
    rewrite(history.root, plan.path, before, after, plan.data)
    history.remember(plan.path, after)
    old = b"" if before.kind == "absent" else plan.now.data
    new = b"" if after.kind == "absent" else old if plan.data is None else plan.data
    texts = {before.kind, after.kind} <= {"file", "absent"} and old is not None and new is not None
    counted = compare(old or b"", new or b"") if texts else None
    added, removed = (None, None) if counted is None else (counted.added, counted.removed)
    return Change(path=plan.path, before=before, after=after, added=added, removed=removed)


def prune(history: History, changes: Iterable[Change]) -> None:
    """Remove the folders that removals left empty, where nothing else was ever known."""
    gone = {change.path for change in changes if change.after.kind == "absent"}
    folders = {path[:at] for path in gone for at, sign in enumerate(path) if sign == "/"}
    for folder in sorted(folders, key=len, reverse=True):
        if not history.knows_below(folder, besides=gone):
            remove_empty(history.root, folder)


def change_pairs(history: History, steps: Sequence[Step]) -> list[Pair]:
    """The changes of `ours`, the oldest first, as an undo that is refused keeps them."""
    changes = [step.change for step in steps if step.ours]
    return [
        Pair(
            change.path,
            Side(change.before, history.content(change.before)),
            Side(change.after, history.content(change.after)),
        )
        for change in changes
    ]


def _joined(steps: Sequence[Step], now: Version) -> Iterable[Step]:
    """The steps without gaps, from the first of ours to what is there now; one side's in a row are one."""
    run: Step | None = None
    last = steps[-1].change
    seen = [*steps]
    if not same_content(last.after, now):
        seen.append(Step(Change(path=last.path, before=last.after, after=now), ours=False))
    for step in seen:
        if run is None:
            run = step if step.ours else None
            continue
        if step.ours == run.ours:
            run = Step(run.change.model_copy(update={"after": step.change.after}), run.ours)
            continue
        yield run
        # The next one begins where this one ended, whatever was missed between.
        run = Step(step.change.model_copy(update={"before": run.change.after}), step.ours)
    if run is not None:
        yield run


def _mode_alone(chain: Sequence[Step], now: Look) -> Plan | None:
    """The plan where all that ours changed is the owner's execute bit; None where there is more."""
    ours = [step.change for step in chain if step.ours]
    kept = all(
        change.before.kind == change.after.kind == "file" and change.before.digest == change.after.digest
        for change in ours
    )
    if not kept or now.version.kind != "file" or any(change.before.digest is None for change in ours):
        return None
    return Plan(ours[0].path, now, _with_mode(now.version, chain))


def _with_mode(version: Version, chain: Sequence[Step]) -> Version:
    """`version` with the execute bits that it had before ours, unless others have set them since."""
    wanted = chain[0].change.before if chain[0].change.before.kind == "file" else chain[0].change.after
    execute = bool(wanted.mode & 0o100)
    for step in chain:
        before, after = step.change.before, step.change.after
        if not step.ours and before.kind == after.kind == "file" and (before.mode ^ after.mode) & 0o100:
            execute = bool(after.mode & 0o100)
    if execute == bool(version.mode & 0o100):
        return version
    mode = version.mode | (version.mode & 0o444) >> 2 if execute else version.mode & ~_EXECUTE
    return version.model_copy(update={"mode": mode})


def _texts(history: History, chain: Sequence[Step], now: Look) -> list[bytes] | None:
    """The texts before and after each step; None where one of them is none."""
    versions = [chain[0].change.before, *(step.change.after for step in chain)]
    found = []
    for version in versions:
        if version.kind not in ("file", "absent"):
            return None
        data = b"" if version.kind == "absent" else _content(history, version, now)
        if not comparable(data):
            return None
        found.append(data)
    return found


def _woven(chain: Sequence[Step], texts: Sequence[bytes], now: Look) -> Plan | None:
    first, last = chain[0].change.before, chain[-1]
    path = last.change.path
    created = first.kind == "absent"
    for step in chain:
        if step.ours or step.change.after.kind == "file":
            continue
        if created and step is last:
            return None
        raise UndoError("it has been removed since")
    steps = [TextStep(text, step.ours) for step, text in zip(chain, texts[1:], strict=True)]
    result = takeback(texts[0], steps)
    if isinstance(result, Conflict):
        raise UndoError(result.reason)
    if created and not result:
        return Plan(path, now, _ABSENT)
    files = [each.change.before for each in chain if each.change.before.kind == "file"]
    then = _with_mode(now.version if now.version.kind == "file" else files[-1], chain)
    if now.version.kind == "file" and result == now.data:
        return Plan(path, now, then)
    digest = hashlib.sha256(result).hexdigest()
    made = Version(kind="file", digest=digest, size=len(result), mode=then.mode)
    return Plan(path, now, made, result)


def _whole(history: History, chain: Sequence[Step], now: Look) -> Plan | None:
    if any(not step.ours for step in chain):
        raise UndoError("it has been changed since, and it cannot be taken back line by line")
    before = chain[0].change.before
    if "other" in (before.kind, now.version.kind):
        raise UndoError("it is or was a folder, a special file or one that cannot be read")
    data = None if before.kind == "absent" else _content(history, before, now)
    return Plan(chain[0].change.path, now, before, data)


def _content(history: History, version: Version, now: Look) -> bytes:
    if version.digest is not None and version.digest == now.version.digest and now.data is not None:
        return now.data
    data = history.content(version)
    if data is not None:
        return data
    if version.digest is None:
        raise UndoError("what was in it before is not known")
    raise UndoError(
        "what was in it is no longer kept" if version.stored else "it is too large: its contents are not kept"
    )
