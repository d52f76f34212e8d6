"""The agent `analysis`: follows the log for what failed, and suggests what would help. It runs nothing."""

from __future__ import annotations

import hashlib
import os
import queue
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from runebook_agents import demonstration
from runebook_agents.analysis import failure as failures
from runebook_agents.analysis import heuristics, model, refused
from runebook_agents.analysis.failure import Failure, failure_of
from runebook_agents.analysis.idea import Idea
from runebook_agents.analysis.patterns import Patterns, error_line, tried_before
from runebook_agents.analysis.rules import folders, load
from runebook_agents.analysis.search import Search
from runebook_agents.analysis.seen import Seen
from runebook_agents.analysis.worker import Worker
from runebook_tui.agent import Agent, AgentError
from runebook_tui.core.printable import visible
from runebook_tui.core.suggestions import ASK_MODEL
from runebook_tui.core.types import OPERATOR

SURE = 0.6
"""What a model is not asked about: an idea of a lower layer is at least so certain."""

POLL_SECONDS = 300.0
_AGAIN_SECONDS = 1.0
_TYPES = (*failures.TYPES, *refused.TYPES, "RunStarted", "SuggestionApplied")
_Record = Mapping[str, Any]


class Analysis(Agent):
    """Analyses each failure in the background: rules, then a search, then, if the plan says so, a model."""

    def initialize(self) -> None:
        """Read the plan and the rules."""
        root = self.context.root
        self._plan = self.context.plan()
        self._rules, problems = load(folders(root, Path.home()))
        self._terms = model.Terms.of(self._plan)
        self._budget = model.Budget(self.context.folder / "tokens.json")
        self._seen = Seen(self.context.folder / "seen.json")
        self._offered: set[tuple[str, str]] = set()
        self._patterns = Patterns()
        self._refused = refused.Refused()
        self._passed: dict[str, bool] = {}
        self._analysed = 0
        self._suggested = 0
        self._lock = threading.Lock()
        self._records: queue.SimpleQueue[list[_Record] | None] = queue.SimpleQueue()
        for problem in problems:
            self._say(f"rule left out: {problem}")
        self._say(
            f"{len(self._rules)} rules; the model is {self._terms.model if self._terms else 'not asked'}"
        )

    def execute(self) -> None:
        """Follow the log until the plan finalizes."""
        mine = next(each for each in self._plan["agents"] if each["id"] == self.context.agent)
        ids = [task["id"] for task in mine["tasks"]]
        self._last_task = next((each for each in reversed(ids) if "suggest" in each), None)
        for task in ids:
            self.context.start_task(task)
            if "RUNEBOOK_DEMO" in os.environ and task != self._last_task:
                demonstration.cross(self.context.root)
            if task != self._last_task:
                self.context.complete_task(task, f"{len(self._rules)} rules are loaded")
        self._worker = Worker(self._analyse, self._settle)
        for target in (self._follow, self._until_finalize):
            threading.Thread(target=target, daemon=True).start()
        while (records := self._records.get()) is not None:
            for record in records:
                self._take(record)
            if not self._worker.busy:
                self._settle()
        self._worker.close()

    def finalize(self) -> None:
        """Say what came of it."""
        self._say(self.status())

    def status(self) -> str:
        """How many failures were looked at."""
        return f"{self._analysed} failures analysed, {self._suggested} suggestions"

    # ── the log ─────────────────────────────────────────────────────────────────────────────────

    def _follow(self) -> None:
        """Hand on the records of this run: those that are there at once, then each as it comes."""
        after, begun = 0, False
        old: list[_Record] = []
        while not self.finalizing.is_set():
            try:
                found, after = self.context.records(after, _TYPES, POLL_SECONDS if begun else 0.0)
            except AgentError as error:
                self._say(f"waits for the engine: {error}")
                self.finalizing.wait(_AGAIN_SECONDS)
                continue
            if begun:
                self._records.put(list(found))
            elif found:
                old += found
            else:
                starts = [n for n, each in enumerate(old) if each["type"] == "RunStarted"]
                self._records.put(old[starts[-1] :] if starts else old)
                old, begun = [], True

    def _until_finalize(self) -> None:
        self.finalizing.wait()
        self._records.put(None)

    def _take(self, record: _Record) -> None:
        """Look at one record: what failed is analysed, what went well ends a row of failures."""
        kind = record["type"]
        if kind == "SuggestionApplied":
            if record.get("by") == OPERATOR:
                threading.Thread(target=self._applied, args=(int(record["suggestion"]),), daemon=True).start()
            return
        if kind == "AcceptanceRan":
            self._passed[str(record["check"])] = bool(record["passed"])
        failed = self._refused.failure(record) or failure_of(record, self.context.root)
        if failed is not None and failed.agent != self.context.agent:
            if failed.seq > self._seen.seq:
                self._worker.add(failed)
        elif failed is None and kind == "CommandRan":
            folder, command = str(record.get("folder") or "."), str(record["command"])
            with self._lock:
                self._patterns.went_well(str(record["agent"]), folder, command)
                slow = self._patterns.took(record)
            if slow is not None and int(record["seq"]) > self._seen.seq:
                self._suggest(slow, int(record["seq"]), str(record["agent"]))

    # ── one failure ─────────────────────────────────────────────────────────────────────────────

    def _analyse(self, failure: Failure, over: Callable[[], bool]) -> None:
        """Climb the layers. Once `over`, nothing more is said of this failure."""
        root = self.context.root
        known = heuristics.ideas(self._rules, failure, root, over)[:1]
        found = () if over() else Search(root, over).ideas(failure)[:1]
        if over():
            return
        with self._lock:
            common = self._patterns.failed(failure)
        self._analysed += 1
        best = [*known, *(each for each in found if not known or each.file != known[0].file)]
        for idea in (*(best or [_plain(failure)]), *common):
            self._suggest(idea, failure.seq, failure.agent)
        if self._terms is not None and max((idea.confidence for idea in best), default=0.0) < SURE:
            self._offer(self._terms, failure)
        self._seen.add(failure.seq)

    def _suggest(self, idea: Idea, seq: int, agent: str) -> None:
        """Say `idea`; if it was applied before, that it did not help."""
        try:
            mark = _fingerprint(idea)
            before = [each for each in self.context.suggestions() if each["agent"] == self.context.agent]
            applied = max((s["applied"] for s in before if s["fingerprint"] == mark), default=0)
            for each in (idea, *((tried_before(idea, applied),) if applied else ())):
                number = self.context.suggest(
                    each.kind,
                    each.title,
                    words=each.words,
                    snippet=each.snippet,
                    priority=each.priority,
                    confidence=each.confidence,
                    fingerprint=_fingerprint(each),
                    rule=each.rule,
                    layer=each.layer,
                    command=seq,
                    agent=agent,
                    file=each.file,
                    line=each.line,
                )
                self._suggested += 1
                self._say(f"suggests ({number}): {each.title}")
        except AgentError as error:
            self._say(f"could not suggest: {error}")
            return
        self._complete("suggestions are written")

    def _settle(self) -> None:
        """When nothing is left to analyse and the acceptance checks pass, no suggestion is needed."""
        checks = [str(each["id"]) for each in self._plan.get("acceptance") or ()]
        if all(self._passed.get(check) for check in checks):
            self._complete("none needed")

    def _complete(self, note: str) -> None:
        with self._lock:
            task, self._last_task = self._last_task, None
        if task is not None:
            try:
                self.context.complete_task(task, note)
            except AgentError as error:
                self._say(f"could not complete {task}: {error}")

    # ── the model ───────────────────────────────────────────────────────────────────────────────

    def _offer(self, terms: model.Terms, failure: Failure) -> None:
        """Show what would be sent, or send it where the plan does not want to be asked."""
        what = failure.agent, error_line(failure)
        if what in self._offered:
            return
        self._offered.add(what)
        text = model.question(failure)
        if not self._budget.allows(terms, text):
            self._say("the model's budget is used up")
        elif not terms.ask:
            threading.Thread(
                target=self._ask_model, args=(terms, text, failure.seq, failure.agent), daemon=True
            ).start()
        else:
            idea = Idea(
                kind=ASK_MODEL,
                title=model.title(terms, failure),
                rule="ask-model",
                layer="model",
                words=f"Nothing here explains it. If you apply this, the text goes to {terms.endpoint}.",
                snippet=text,
                priority="low",
                confidence=0.3,
            )
            self._suggest(idea, failure.seq, failure.agent)

    def _applied(self, number: int) -> None:
        """The operator applied a suggestion; if it was to ask a model, exactly its text is sent."""
        terms = self._terms
        if terms is None:
            return
        try:
            known = {each["id"]: each for each in self.context.suggestions()}
        except AgentError as error:
            self._say(f"could not ask the model: {error}")
            return
        asked = known.get(number)
        if asked is not None and asked["kind"] == ASK_MODEL and asked["agent"] == self.context.agent:
            where = asked["provenance"]
            self._ask_model(terms, asked["snippet"], int(where["command"] or 0), where["agent"])

    def _ask_model(self, terms: model.Terms, text: str, seq: int, agent: str) -> None:
        try:
            said = model.answer(terms, text, self._budget)
        except model.ModelError as error:
            self._say(f"could not ask the model: {error}")
            return
        first = said.strip().split("\n")[0]
        idea = Idea(
            kind="look",
            title=visible(f"{terms.model or 'The model'}: {first}", 150)[:200],
            rule="model",
            layer="model",
            words=said[:1900],
            confidence=0.4,
        )
        self._suggest(idea, seq, agent)

    @staticmethod
    def _say(words: str) -> None:
        print(visible(words, 300), flush=True)


def _plain(failure: Failure) -> Idea:
    """What is said of a failure that no layer knows."""
    what = failure.command or f"the program of {failure.agent}"
    end = "failed" if failure.code is None else f"ended with {failure.code}"
    return Idea(
        kind="look",
        title=visible(f"{what[:120]} {end}", 180),
        rule="unknown",
        layer="heuristics",
        words=visible(error_line(failure), 300),
        priority="low",
        confidence=0.2,
    )


def _fingerprint(idea: Idea) -> str:
    whole = f"{idea.title}\0{idea.snippet if idea.kind == ASK_MODEL else ''}"
    return f"{idea.rule}:{hashlib.sha256(whole.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"
