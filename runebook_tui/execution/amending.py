"""Amending: the plan's file changed for the operator, in one step, and the plan in force with it."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from runebook_tui.core import commands as c
from runebook_tui.core.learning import DismissLesson
from runebook_tui.core.planedits import EditError, PlanEdit, edit_words, read
from runebook_tui.core.state import State
from runebook_tui.core.types import OPERATOR, Author, ExecutionPlan, Version
from runebook_tui.execution import wire
from runebook_tui.execution.observer import Observer
from runebook_tui.execution.server import Connection
from runebook_tui.execution.vault import Vault
from runebook_tui.history.errors import HistoryError
from runebook_tui.history.look import look
from runebook_tui.history.rewrite import rewrite
from runebook_tui.orchestrator.coordinator import Refused
from runebook_tui.orchestrator.patch import difference, patched
from runebook_tui.orchestrator.planner import MAX_PLAN_BYTES, read_plan
from runebook_tui.orchestrator.problems import PlanError
from runebook_tui.place import PLAN_NAME, state_folder

Answer = dict[str, Any]

_KEPT = 100
"""So many earlier texts of the plan are kept."""


class Host(Protocol):
    """What amending needs of the runner."""

    vault: Vault

    root: Path
    plan_file: Path | None
    """None when the plan did not come from a file."""

    @property
    def state(self) -> State:
        """The state now."""

    @property
    def observer(self) -> Observer | None:
        """Observes the repository's own tree; None until it does."""

    async def handle(self, command: c.Command, actor: str) -> object:
        """Carry out a command. Raises Refused, LogError."""

    async def handle_surely(self, command: c.Command, actor: str) -> None:
        """Carry out what has happened already, however long the log takes."""


@dataclass(frozen=True)
class Amendment:
    """A change of the plan's text: what it was, what it becomes, and what that means."""

    before: str
    after: str
    plan: ExecutionPlan
    edits: tuple[PlanEdit, ...] = ()

    @property
    def patch(self) -> str:
        """The change as a unified diff; "" when nothing changes."""
        return difference(self.before, self.after)

    def answer(self) -> Answer:
        """For those who asked; `before` and `after` are SHA-256 digests of the texts."""
        return {
            "changed": self.before != self.after,
            "before": text_digest(self.before),
            "after": text_digest(self.after),
            "patch": self.patch,
            "edits": [edit_words(edit) for edit in self.edits],
        }


class Amending:
    """Amends the plan, one change after the other; the text before each is kept by its digest."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._folder = state_folder(host.root) / "history" / "plans"
        self.verbs = {
            "amend": self._amend,
            "amend-preview": self._preview,
            "dismiss-lesson": self._dismiss,
        }

    async def amend(self, edits: Sequence[PlanEdit], seen: str) -> Amendment:
        """Write `edits` into the plan's file, and go on under that plan, running gates too.

        `seen` is the SHA-256 of the text that the operator looked at. Raises Refused when the file has
        another by now or cannot take the edits, and LogError.
        """
        return await self._to_the_end(lambda text: self._edited(text, edits), seen)

    async def restore(self, digest: str, seen: str) -> Amendment:
        """Write the text of that digest, which an amendment replaced, back. Raises as `amend`."""
        return await self._to_the_end(lambda text: self._restored(text, digest), seen)

    async def write(self, text: str, seen: str) -> Amendment:
        """Put a text that the operator wrote into the plan's file, and in force. Raises as `amend`."""
        return await self._to_the_end(lambda before: self._rewritten(before, text), seen)

    async def preview(self, edits: Sequence[PlanEdit]) -> Amendment:
        """What `amend` would do to the file as it is now. Raises Refused."""
        return await asyncio.to_thread(lambda: self._edited(self._text(), edits))

    # ── verbs ───────────────────────────────────────────────────────────────────────────────────

    async def _amend(self, connection: Connection, message: Answer) -> Answer:
        seen = wire.text_field(message, "seen", limit=64)
        digest = wire.text_field(message, "restore", default="", limit=64)
        if digest:
            return (await self.restore(digest, seen)).answer()
        text = wire.text_field(message, "text", default="", limit=MAX_PLAN_BYTES)
        if text:
            return (await self.write(text, seen)).answer()
        return (await self.amend(_edits(message), seen)).answer()

    async def _preview(self, connection: Connection, message: Answer) -> Answer:
        return (await self.preview(_edits(message))).answer()

    async def _dismiss(self, connection: Connection, message: Answer) -> Answer:
        lesson = wire.text_field(message, "lesson", limit=64)
        await self._host.handle(DismissLesson(lesson), OPERATOR)
        return {"lesson": lesson}

    # ── the change ──────────────────────────────────────────────────────────────────────────────

    async def _to_the_end(self, change: Callable[[str], Amendment], seen: str) -> Amendment:
        """Go on when whoever asked has hung up: file, log and plan in force must come to agree."""
        return await asyncio.shield(asyncio.create_task(self._carry_out(change, seen)))

    async def _carry_out(self, change: Callable[[str], Amendment], seen: str) -> Amendment:
        observer = self._host.observer
        if observer is None:
            raise Refused("the engine is still starting; try again in a moment")
        async with observer.still((PLAN_NAME,)):
            text = await asyncio.to_thread(self._text)
            if text_digest(text) != seen:
                raise Refused(f"{PLAN_NAME} has changed since you looked at it; look again")
            amendment = await asyncio.to_thread(change, text)
            if amendment.before != amendment.after:
                await asyncio.to_thread(self._write, amendment)
                await observer.wrote((PLAN_NAME,), Author(name=OPERATOR, evidence="amended by Runebook"))
            await self._host.handle_surely(
                c.ChangePlan(self._host.vault.keep(amendment.plan), amendment.edits), OPERATOR
            )
        return amendment

    def _text(self) -> str:
        """The text of the plan's file now. Raises Refused."""
        if self._host.plan_file is None:
            raise Refused("this plan did not come from a file")
        seen = look(self._host.root, PLAN_NAME, keep=MAX_PLAN_BYTES)
        if seen is None or seen.version.kind != "file" or seen.data is None:
            raise Refused(f"{PLAN_NAME} is no text file of at most 1 MiB, or is a link")
        return _decoded(seen.data)

    def _rewritten(self, text: str, after: str) -> Amendment:
        self._must_be_in_force(text)
        return Amendment(text, after, self._plan(after))

    def _must_be_in_force(self, text: str) -> None:
        """Else what somebody wrote into the file would come in on the back of this. Raises Refused."""
        if self._host.vault.without_secrets(self._plan(text)) != self._host.state.plan:
            raise Refused(f"{PLAN_NAME} holds changes that are not in force: undo or approve them first")

    def _edited(self, text: str, edits: Sequence[PlanEdit]) -> Amendment:
        self._must_be_in_force(text)
        try:
            after = patched(text, edits)
        except PlanError as error:
            raise Refused(str(error.problems[0])) from error
        return Amendment(text, after, self._plan(after), tuple(edits))

    def _restored(self, text: str, digest: str) -> Amendment:
        if not re.fullmatch("[0-9a-f]{64}", digest):
            raise Refused("a digest is 64 hexadecimal digits")
        try:
            after = _decoded((self._folder / f"{digest}.toml").read_bytes())
        except OSError as error:
            raise Refused(f"there is no earlier plan {digest[:12]}") from error
        if text_digest(after) != digest:
            raise Refused(f"the earlier plan {digest[:12]} is not what it was")
        return Amendment(text, after, self._plan(after))

    def _plan(self, text: str) -> ExecutionPlan:
        plan, problems = read_plan(text.removeprefix("\ufeff"), PLAN_NAME, self._host.root)
        if plan is None:
            raise Refused(str(problems[0]))
        return plan

    def _write(self, amendment: Amendment) -> None:
        """Replace the file in one step, if it still is what it was; mode and old text are kept."""
        before, after = amendment.before.encode(), amendment.after.encode()
        if len(after) > MAX_PLAN_BYTES:
            raise Refused(f"{PLAN_NAME} would be larger than 1 MiB")
        seen = look(self._host.root, PLAN_NAME, keep=0)
        assert seen is not None, "it is None only for a file that has a known stamp"
        now = seen.version.model_copy(update={"digest": hashlib.sha256(before).hexdigest()})
        then = Version(kind="file", digest=hashlib.sha256(after).hexdigest(), size=len(after), mode=now.mode)
        try:
            self._keep(before)
            rewrite(self._host.root, PLAN_NAME, now, then, after)
            rewrite(self._host.root, PLAN_NAME, then, then, None)
        except HistoryError as error:
            raise Refused(f"{PLAN_NAME} was left as it is: {error}") from error
        except OSError as error:
            raise Refused(f"the earlier plan cannot be kept: {error.strerror}") from error

    def _keep(self, text: bytes) -> None:
        """Keep a text under its digest, for `restore`."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        place = self._folder / f"{hashlib.sha256(text).hexdigest()}.toml"
        fresh = place.with_name(f".{secrets.token_hex(8)}")
        try:
            with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            fresh.replace(place)
        finally:
            with suppress(FileNotFoundError):
                fresh.unlink()
        kept = sorted(self._folder.glob("*.toml"), key=lambda each: each.stat().st_mtime_ns)
        for old in kept[:-_KEPT]:
            old.unlink()


def text_digest(text: str) -> str:
    """The SHA-256 of a plan's text, hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def _decoded(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise Refused(f"{PLAN_NAME} is not UTF-8 text") from error


def _edits(message: Answer) -> tuple[PlanEdit, ...]:
    try:
        return read(message.get("edits"))
    except EditError as error:
        raise wire.WireError(str(error)) from error
