"""MemoryBackend: a backend in memory, with a real log's fold and the real rules, for tests and pictures."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from runebook_tui.core import commands as c
from runebook_tui.core.calls import Call
from runebook_tui.core.events import Event, Record, Touched
from runebook_tui.core.fold import apply
from runebook_tui.core.gates import settle
from runebook_tui.core.grants import Scope
from runebook_tui.core.learning import DismissLesson
from runebook_tui.core.planedits import PlanEdit, edit_words, edited, read
from runebook_tui.core.questions import question
from runebook_tui.core.refusal import Refusal
from runebook_tui.core.rules import DOWN, decide
from runebook_tui.core.snoozing import Snooze
from runebook_tui.core.speech import ReportAnswered, ReportSaid, SaidOutcome
from runebook_tui.core.state import State
from runebook_tui.core.story import Story, WrittenLine
from runebook_tui.core.suggestions import ApplySuggestion, DismissSuggestion
from runebook_tui.core.types import ENGINE, OPERATOR, Change
from runebook_tui.core.undos import why_not_restored, why_not_undone
from runebook_tui.history.heads import FileHead
from runebook_tui.orchestrator.planner import read_plan
from runebook_tui.orchestrator.problems import Problem
from runebook_tui.settings import Notify
from runebook_tui.tui.backend import BackendError, PlanFile, Update
from runebook_tui.tui.memorypanes import MemoryPanes

_FIRST_RECORDS = 50


class MemoryBackend(MemoryPanes):
    """Keeps the log in a list and plays the engine: commands are decided, appended, folded and settled.

    `now` gives unix seconds. `sent` holds what was asked for, `kept` what was copied; `captured` counts looks
    at panes; `diffs`, `first_lines`, `contents`, `previews`, `paths`, `stories`, `written`, `plan_text`,
    `frames` and `histories` hold what is answered; `refuse` why a request cannot be decided, `holding` why
    nothing is said to an agent, `stuck` why a path cannot be undone.
    """

    def __init__(
        self, records: Iterable[Record] = (), *, root: Path = Path("."), now: Callable[[], float] = time.time
    ) -> None:
        super().__init__()
        self.root = root
        self.state = State()
        self.records: list[Record] = []
        self.sent: list[tuple[str, dict[str, object]]] = []
        self.diffs: dict[int, str] = {}
        self.contents: dict[int, dict[str, str]] = {}
        self.previews: dict[tuple[int, str], dict[str, object]] = {}
        self.first_lines: dict[int, tuple[FileHead, ...]] = {}
        self.refuse: dict[int, str] = {}
        self.stuck: dict[str, str] = {}
        self.plan_text = ""
        self.paths: list[str] = []
        self.stories: dict[str, Story] = {}
        self.written: dict[str, tuple[WrittenLine, ...]] = {}
        self.holding: dict[str, str] = {}
        self.called: list[str] = []
        self.place = ""
        self.closed = False
        self._group = 0
        self._now = now
        self._engine_alive = True
        self._followers: list[asyncio.Queue[Update]] = []
        for record in records:
            self._append(record)

    @property
    def engine_alive(self) -> bool:
        """Whether the engine runs; without it nothing can be sent."""
        return self._engine_alive

    @engine_alive.setter
    def engine_alive(self, alive: bool) -> None:
        self._engine_alive = alive
        self._tell(())

    def push(self, *events: Event, actor: str = ENGINE, at: float | None = None) -> None:
        """Append `events` and tell the followers."""
        when = self._now() if at is None else at
        fresh = []
        for event in events:
            run = self.state.run + 1 if event.type == "RunStarted" else self.state.run
            fresh.append(Record(seq=self.state.seq + 1, time=when, run=run, actor=actor, event=event))
            self._append(fresh[-1])
        self._tell(tuple(fresh))

    def do(self, command: c.Command, *, actor: str = ENGINE, at: float | None = None) -> None:
        """Decide `command`, append what it brings about, and settle; raises BackendError when refused."""
        outcome = decide(self.state, command, self._now() if at is None else at)
        if isinstance(outcome, Refusal):
            raise BackendError(outcome.reason)
        self.push(*outcome, actor=actor, at=at)
        while followers := settle(self.state):
            self.push(*followers, at=at)

    async def follow(self) -> AsyncIterator[Update]:
        """The whole state, then every change."""
        queue: asyncio.Queue[Update] = asyncio.Queue()
        self._followers.append(queue)
        try:
            yield Update(self.state, tuple(self.records[-_FIRST_RECORDS:]), self._engine_alive)
            while True:
                yield await queue.get()
        finally:
            self._followers.remove(queue)

    async def send(self, do: str, **fields: Any) -> dict[str, object]:
        """Carry out what the operator asks for, as the engine would."""
        self.sent.append((do, dict(fields)))
        if do == "hello":
            self.engine_alive = True
            return {}
        if not self._engine_alive:
            raise BackendError("the engine is not running")
        if do == "preview":
            return self._preview(fields["request"], fields["means"])
        if do == "amend" and "text" in fields:
            return self._write_plan(fields["text"], fields["seen"])
        if do in ("amend-preview", "amend"):
            return self._amend(do, read(fields["edits"]), fields.get("seen"))
        if do == "take-back":
            return self._take_back()
        if do == "undo":
            return self._undo_later(fields["request"])
        if do == "restore":
            return self._restore(fields["undo"])
        if do == "say":
            return self._say(fields["agents"], fields["text"])
        if do == "answer":
            return self._answer(fields)
        if "requests" in fields:
            return self._together(do, fields)
        return self._one(do, fields)

    def _one(self, do: str, fields: dict[str, Any]) -> dict[str, object]:
        if why := self.refuse.get(fields.get("request", 0)):
            raise BackendError(why)
        undoes = do == "reject" and fields.get("undo") is True
        if undoes and (why := why_not_undone(self.state, fields["request"], rejecting=True)):
            raise BackendError(why)
        if "plan" in fields and fields["plan"] != self._preview(fields["request"], fields["means"])["plan"]:
            raise BackendError("runebook.toml has changed since you looked")
        now = self.contents.get(fields.get("request", 0), {})
        for path, digest in fields.get("seen", {}).items():
            if now.get(path) != digest:
                raise BackendError(f"{path} has changed since you looked at request {fields['request']}")
        for command in self._commands(do, fields):
            self.do(command, actor=OPERATOR)
        decided = {"request": fields.get("request")}
        return decided | self._undo(fields["request"]) if undoes else decided

    def _together(self, do: str, fields: dict[str, Any]) -> dict[str, object]:
        """Decide several; what is refused is said for each."""
        self._group += 1
        decided: list[dict[str, object]] = []
        refused: dict[str, str] = {}
        for number in fields["requests"]:
            try:
                decided.append(self._one(do, {**fields, "request": number, "group": str(self._group)}))
            except BackendError as error:
                refused[str(number)] = str(error)
        return {"requests": decided, "refused": refused}

    def _preview(self, number: int, means: str) -> dict[str, object]:
        if (number, means) not in self.previews:
            raise BackendError(f"the plan cannot be {means} for request {number}")
        return dict(self.previews[number, means])

    def _amend(self, do: str, edits: tuple[PlanEdit, ...], seen: str | None) -> dict[str, object]:
        """Change the plan; there is no file, so the patch names the edits alone."""
        before = str(self.state.plan.model_dump_json())
        digest = hashlib.sha256(before.encode()).hexdigest()
        if do == "amend":
            if seen != digest:
                raise BackendError("runebook.toml has changed since you looked at it; look again")
            self.do(c.ChangePlan(edited(self.state.plan, edits), edits), actor=OPERATOR)
        words = [edit_words(edit) for edit in edits]
        patch = "--- a/runebook.toml\n+++ b/runebook.toml\n" + "".join(f"+{each}\n" for each in words)
        return {"changed": True, "before": digest, "patch": patch, "edits": words}

    def _write_plan(self, text: str, seen: str) -> dict[str, object]:
        """Put a text of the plan in force."""
        if hashlib.sha256(self.plan_text.encode()).hexdigest() != seen:
            raise BackendError("runebook.toml has changed since you looked at it; look again")
        plan, problems = read_plan(text, "runebook.toml", None)
        if plan is None:
            raise BackendError(str(problems[0]))
        self.do(c.ChangePlan(plan, ()), actor=OPERATOR)
        self.plan_text = text
        return {"changed": True}

    def _say(self, agents: list[str], text: str) -> dict[str, object]:
        """Every agent has it, but for those in `holding`."""
        said = []
        for agent in agents:
            why = self.holding.get(agent, "")
            outcome: SaidOutcome = "held" if why else "submitted"
            self.do(ReportSaid(agent, text, outcome, why), actor=OPERATOR)
            said.append({"id": agent, "outcome": outcome, "why": why or "its client says so"})
        return {"said": said}

    def _answer(self, fields: dict[str, Any]) -> dict[str, object]:
        asked = question(self.state, self.state.agents[fields["agent"]])
        if asked is None or asked.words != fields["question"]:
            raise BackendError(f"{fields['agent']} asks something else by now")
        self.do(ReportAnswered(asked.agent, asked.words, fields["answer"], "hook"), actor=OPERATOR)
        return {"agent": asked.agent, "question": asked.words, "answer": fields["answer"], "by": "hook"}

    def _take_back(self) -> dict[str, object]:
        last = self.state.last_decision
        self.do(c.TakeBack(), actor=OPERATOR)
        assert last is not None, "else it was refused"
        return {"requests": [{"request": number} for number in last.requests], "restored": []}

    def _undo_later(self, number: int) -> dict[str, object]:
        if why := why_not_undone(self.state, number):
            raise BackendError(why)
        return self._undo(number)

    def _restore(self, name: str) -> dict[str, object]:
        """Bring back what an undo removed; there are no files."""
        if why := why_not_restored(self.state, name):
            raise BackendError(why)
        left = self.state.undos[name].left
        changes = tuple(
            Change(path=path, before=each.after, after=each.before) for path, each in left.items()
        )
        self.do(c.RecordRestore(name, changes), actor=OPERATOR)
        return {"undo": name, "done": list(left), "refused": {}, "patch": self.state.undos[name].patch}

    def _undo(self, number: int) -> dict[str, object]:
        """Take back what the request wrote, but for the paths in `stuck`; there are no files."""
        crossings = self.state.requests[number].crossings
        undone = {
            path: Change(path=path, before=change.after, after=change.before)
            for path, crossing in crossings.items()
            if (change := crossing.change) is not None
        }
        refused = {path: self.stuck[path] for path in undone if path in self.stuck}
        changes = tuple(change for path, change in undone.items() if path not in refused)
        name = f"u{len(self.state.undos) + 1}"
        patch, refused_patch = f".runebook/undo/{name}.patch", f".runebook/undo/{name}-refused.patch"
        self.do(
            c.RecordUndo(name, number, changes, patch, refused=refused, refused_patch=refused_patch),
            actor=OPERATOR,
        )
        return {
            "undo": name,
            "done": [change.path for change in changes],
            "refused": refused,
            "patch": patch,
            "refused_patch": refused_patch,
        }

    def _commands(self, do: str, fields: dict[str, Any]) -> list[c.Command]:
        match do:
            case "approve":
                scope = Scope(fields.get("scope", "once"))
                return [self._decision(fields, "approved", scope)]
            case "reject":
                return [self._decision(fields, "rejected")]
            case "dismiss-lesson":
                return [DismissLesson(fields["lesson"])]
            case "disown":
                return [c.Disown(fields["request"])]
            case "restart":
                return [c.RestartAgent(fields["agent"])]
            case "resume":
                return [c.ResumeAgents(tuple(fields.get("agents", ())))]
            case "stop":
                return [
                    c.StopAgent(fields["agent"], "stopped by you"),
                    c.ReportExited(fields["agent"], signal=15),
                ]
            case "snooze":
                return [Snooze(fields["agent"])]
            case "down":
                return [c.StopAgent(agent.id, DOWN) for agent in self.state.live_agents()]
            case "suggestion-apply":
                return [ApplySuggestion(fields["suggestion"], OPERATOR)]
            case "suggestion-dismiss":
                return [DismissSuggestion(fields["suggestion"], OPERATOR)]
            case "new-run":
                return [c.StartRun(self.state.plan)]
            case _:
                raise BackendError(f"the engine does not know {do!r}")

    def _decision(
        self, fields: dict[str, Any], decision: Literal["approved", "rejected"], scope: Scope = Scope.ONCE
    ) -> c.Decide:
        """What is decided, with what goes beyond one request."""
        return c.Decide(
            fields["request"],
            decision,
            scope,
            fields.get("reason", ""),
            means=fields.get("means", ""),
            group=fields.get("group", ""),
        )

    async def seen(self, request: int) -> dict[str, str]:
        """The digests put into `contents`."""
        return dict(self.contents.get(request, {}))

    async def diff(self, request: int) -> str:
        """The text put into `diffs`, after the diff of an interface's contract."""
        known = self.state.requests.get(request)
        return ("" if known is None else known.contract) + self.diffs.get(request, "")

    async def heads(self, request: int) -> tuple[FileHead, ...]:
        """The heads put into `first_lines`."""
        return self.first_lines.get(request, ())

    async def plan_file(self) -> PlanFile:
        """The text put into `plan_text`, checked; nothing is wrong with none."""
        problems = await self.check(self.plan_text) if self.plan_text else ()
        return PlanFile(self.plan_text, problems)

    async def check(self, text: str) -> tuple[Problem, ...]:
        """See Backend.check; there is no repository."""
        return read_plan(text, "runebook.toml", None)[1]

    async def events(self, before: int | None, limit: int) -> tuple[Record, ...]:
        """A page of the log, newest first."""
        end = len(self.records) if before is None else max(0, before - 1)
        return tuple(reversed(self.records[max(0, end - limit) : end]))

    async def since(self, moment: float, types: Sequence[str]) -> tuple[Record, ...]:
        """The records of `types` after the moment."""
        return tuple(each for each in self.records if each.time > moment and each.event.type in types)

    async def files(self) -> tuple[str, ...]:
        """The paths put into `paths`."""
        return tuple(self.paths)

    async def touches(self, after: int) -> tuple[Record, ...]:
        """The changes after a record."""
        return tuple(each for each in self.records[after:] if each.event.type == "Touched")

    async def story(self, path: str, claim: str | None) -> Story:
        """The changes of the file, the newest first, and the story put into `stories`."""
        told = self.stories.get(path, Story())
        touches = tuple(
            each
            for each in reversed(self.records)
            if isinstance(each.event, Touched) and each.event.change.path == path
        )
        return replace(told, touches=touches)

    async def lines(self, path: str) -> tuple[WrittenLine, ...]:
        """The lines put into `written`; without any, there is no such file."""
        if path not in self.written:
            raise BackendError("there is no such file")
        return self.written[path]

    async def remember(self, text: str) -> None:
        """Keep it in `place`."""
        self.place = text

    async def remembered(self) -> str:
        """What `place` holds."""
        return self.place

    async def call(self, found: Sequence[Call], notify: Notify) -> None:
        """Remember the words in `called`."""
        self.called.extend(call.words for call in found)

    async def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True

    def _append(self, record: Record) -> None:
        self.records.append(record)
        self.state = apply(self.state, record)

    def _tell(self, records: tuple[Record, ...]) -> None:
        for queue in self._followers:
            queue.put_nowait(Update(self.state, records, self._engine_alive))
