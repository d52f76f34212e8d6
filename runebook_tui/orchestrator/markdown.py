"""A Markdown plan in the form of the seed document, read as a plan that runs.

What it reads: headings `Phase N: title` with the fields Agent(s), Tasks, Execution and Dependencies;
list items `Owns:`; headings with a folder below "Architecture"; and the list below "Integration".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from runebook_tui.core.types import AgentSpec, ExecutionPlan, Needs, Phase, PlanInfo, Task
from runebook_tui.orchestrator.document import Phrase, Section, WrittenAgent, sections
from runebook_tui.orchestrator.draft import (
    PLACEHOLDER,
    PLACEHOLDER_COMMENT,
    Comments,
    Draft,
    compose,
    plan_name,
    unicode_text,
    unused,
)
from runebook_tui.orchestrator.problems import PlanError, Problem, quoted
from runebook_tui.orchestrator.territory import Territory
from runebook_tui.orchestrator.words import BUILTINS, name_slug, same_word, significant, task_id

_PHASE = re.compile(r"phase\s+(\d+[a-z]?|[a-z]|[ivx]+)\b\W*(.*)", re.IGNORECASE | re.DOTALL)
_NUMBERED = re.compile(r"\bagent\s+(\w+)\s*(?:\(([^()]*)\))?", re.IGNORECASE)
_NOTHING = frozenset({"", "-", "—", "none", "nothing", "n/a"})


@dataclass
class _WrittenPhase:
    id: str
    title: str
    number: str
    section: Section
    agents: list[WrittenAgent] = field(default_factory=list)
    waits: Phrase | None = None
    execution: Phrase | None = None
    continuous: bool = False
    after: list[str] = field(default_factory=list)
    needs: Needs = Needs()


def plan_from_markdown(text: str, name: str) -> str:
    """The plan that a Markdown text describes, as commented TOML; see `read_markdown`."""
    return read_markdown(text, name).text


def read_markdown(text: str, name: str) -> Draft:
    """The plan that a Markdown text describes, with what was not understood, by line.

    Raises PlanError when there is no phase with an agent in it.
    """
    return _Reading(text, name).draft()


class _Reading:
    def __init__(self, text: str, name: str) -> None:
        self._name = plan_name(name)
        self._notes: list[str] = []
        self._phases: list[_WrittenPhase] = []
        self._sections = sections(unicode_text(text))
        for section in self._sections:
            found = _PHASE.match(section.title.text)
            if found:
                self._phase(section, found[1].lower(), found[2])

    def draft(self) -> Draft:
        agents = self._agents
        if not agents:
            message = "describes no phase with an agent: headings such as 'Phase 1: Build' are looked for, "
            message += "with a line '**Agent**: name' below"
            raise PlanError([Problem("the Markdown plan", None, "", message)])
        for phase in self._phases:
            self._order(phase)
        wanted = {name for phase in self._phases for name in phase.needs.apis}
        territory = Territory(agents, self._sections, agents[:1], wanted)
        comments = Comments()
        specs = []
        for n, agent in enumerate(agents):
            builtin = agent.id if agent.id in BUILTINS else None
            comments.add(("agents", n), f"Line {agent.line} of the document.")
            if builtin is None:
                comments.add(("agents", n, "command"), PLACEHOLDER_COMMENT)
            for k, remark in enumerate(territory.remarks(agent.id)):
                comments.add(("agents", n, "claims", k), remark)
            specs.append(
                AgentSpec(
                    id=agent.id,
                    title=agent.title,
                    phase=agent.phase,
                    builtin=builtin,
                    command=None if builtin else PLACEHOLDER,
                    claims=territory.claims(agent.id),
                    tasks=tuple(agent.tasks),
                )
            )
        for n, each in enumerate(territory.interfaces):
            comments.add(("interfaces", n), territory.interface_remark(each.name))
        plan = ExecutionPlan(
            plan=PlanInfo(name=self._name),
            phases=tuple(
                Phase(id=p.id, title=p.title, after=tuple(p.after), continuous=p.continuous, needs=p.needs)
                for p in self._phases
            ),
            agents=tuple(specs),
            shared=territory.shared,
            interfaces=territory.interfaces,
        )
        notes = tuple(self._notes + territory.notes)
        comments.header += ["Made by `runebook-tui init` from a Markdown plan; edit it as you like."]
        comments.header += ["What did not come along:" if notes else "Everything in it came along."]
        comments.header += [f"  {note}" for note in notes]
        return Draft(compose(plan, comments), notes)

    @property
    def _agents(self) -> list[WrittenAgent]:
        return [agent for phase in self._phases for agent in phase.agents]

    def _note(self, line: int, text: str) -> None:
        self._notes.append(f"line {line}: {text}")

    # one phase

    def _phase(self, section: Section, number: str, title: str) -> None:
        title = re.sub(r"\s*\([^()]*\)\s*$", "", title).strip() or f"Phase {number}"
        line = section.title.line
        if any(phase.number == number for phase in self._phases):
            self._note(line, f"a second phase {number}; others that wait for it wait for the first")
        ids = [phase.id for phase in self._phases]
        identifier = unused(name_slug(title) or f"phase-{number}", ids)
        phase = _WrittenPhase(identifier, title[:200], number, section)
        self._phases.append(phase)
        self._fields(phase)
        if not phase.agents:
            self._note(line, f"the phase {quoted(title)} names no agent")
        execution = phase.execution.value if phase.execution else ""
        phase.continuous = bool(re.search(r"continuous", execution, re.IGNORECASE))

    def _fields(self, phase: _WrittenPhase) -> None:
        """Reads the fields and lists of a phase in the order in which they stand."""
        of: list[WrittenAgent] | None = None
        for part in phase.section.parts:
            for listed, phrase in [(False, part.phrase), *((True, item) for item in part.items)]:
                label = phrase.label.lower()
                owns = re.match(r"owns?\b", phrase.text, re.IGNORECASE)
                if label in ("agent", "agents"):
                    self._members(phase, phrase)
                    of = None
                elif label in ("dependencies", "depends on", "dependency", "after"):
                    phase.waits, of = phrase, None
                elif label == "execution":
                    phase.execution, of = phrase, None
                elif label in ("output", "outputs", "goal"):
                    of = None
                elif re.search(r"\btasks?$", label):
                    of = self._whose(phase, label.removesuffix("s").removesuffix("task").strip())
                    if not of:
                        self._note(phrase.line, f"{quoted(phrase.label)}: not said whose tasks these are")
                elif owns:
                    for agent in (of or phase.agents)[:1]:
                        agent.owns.append(phrase)
                    if len(of or phase.agents) != 1:
                        self._note(phrase.line, f"{quoted(phrase.text)}: not said who owns this")
                elif listed and of:
                    self._task(of[0], phrase)
                elif listed or label:
                    self._note(phrase.line, f"not understood: {quoted(phrase.text)}")

    def _members(self, phase: _WrittenPhase, phrase: Phrase) -> None:
        named = [(found[1], found[2] or "") for found in _NUMBERED.finditer(phrase.value)]
        rest = _NUMBERED.sub(" + ", phrase.value)
        others = [re.sub(r"\([^()]*\)", "", text).strip() for text in re.split(r"\+|,|&|\band\b", rest)]
        named += [("", text) for text in others if text.lower() not in _NOTHING]
        for number, title in named:
            title = title.strip() or f"Agent {number}"
            again = next((a for a in self._agents if number and a.number == number.lower()), None)
            if again is not None:
                message = f"the agent {quoted(title)} is in the phase {quoted(again.phase)} already"
                self._note(phrase.line, message)
                continue
            wanted = name_slug(title) or f"agent-{number or len(self._agents) + 1}"
            identifier = unused(wanted, [agent.id for agent in self._agents])
            agent = WrittenAgent(identifier, title[:200], number.lower(), phase.id, phrase.line)
            phase.agents.append(agent)

    def _whose(self, phase: _WrittenPhase, label: str) -> list[WrittenAgent]:
        """The agent that `label` names ("agent 2", "storage"), or the phase's only one."""
        found = _NUMBERED.search(label)
        if found:
            return [agent for agent in phase.agents if agent.number == found[1].lower()]
        if label in ("", "agent"):
            return phase.agents if len(phase.agents) == 1 else []
        return [agent for agent in phase.agents if agent.id == name_slug(label)]

    def _task(self, agent: WrittenAgent, phrase: Phrase) -> None:
        taken = [task.id for each in self._agents for task in each.tasks]
        title = phrase.text[:500]
        agent.tasks.append(Task(id=task_id(agent.id, title, taken), title=title))
        agent.phrases.append(phrase)

    # what a phase waits for

    def _order(self, phase: _WrittenPhase) -> None:
        phrase = phase.waits
        if phrase is None and phase.execution and re.search(r"\bafter\b", phase.execution.text):
            phrase = phase.execution
        if phrase is None or phrase.value.lower().rstrip(".") in _NOTHING:
            return
        needs: dict[str, list[str]] = {"tasks": [], "apis": []}
        mentions = self._mentions(phrase.value)
        if not mentions:
            self._note(phrase.line, f"not understood: {quoted(phrase.text)}; the phase starts at once")
        for number, detail in mentions:
            other = next((each for each in self._phases if number in (each.number, each.id)), None)
            if other is None or other is phase:
                self._note(phrase.line, f"there is no other phase {quoted(number)} to wait for")
                continue
            kind, name = self._part(other, detail, phrase.line)
            if kind:
                # Waiting for a part of a phase is waiting until that phase could start, then for the part.
                needs[kind].append(name)
                phase.after += [before for before in other.after if before not in phase.after]
            elif other.continuous:
                message = f"the phase {quoted(other.title)} runs to the end, so nothing can wait for it"
                self._note(phrase.line, message)
            elif other.id not in phase.after:
                phase.after.append(other.id)
        phase.needs = Needs(tasks=tuple(needs["tasks"]), apis=tuple(needs["apis"]))

    def _mentions(self, text: str) -> list[tuple[str, str]]:
        """The phases that `text` names, each with what it says in parentheses."""
        several = re.search(r"\bphases\s+((?:\w{1,4}\b[\s,&+]*(?:and\s+)?)+)", text, re.IGNORECASE)
        if several:
            return [(number, "") for number in re.findall(r"\d+[a-z]?", several[1].lower())]
        found = re.findall(r"\bphase\s+(\w+)\s*(?:\(([^()]*)\))?", text, re.IGNORECASE)
        if found:
            return [(number.lower(), detail) for number, detail in found]
        titled = [(p.id, "") for p in self._phases if p.title.lower() in text.lower()]
        if titled:
            return titled
        agent = self._spoken_of(self._agents, text)
        return [(agent.phase, re.sub(r".*\bafter\b", "", text))] if agent else []

    def _spoken_of(self, agents: list[WrittenAgent], text: str) -> WrittenAgent | None:
        found = _NUMBERED.search(text)
        if found:
            return next((agent for agent in agents if agent.number == found[1].lower()), None)
        words = significant(text)
        return next((a for a in agents if set(significant(a.title)) & set(words)), None)

    def _part(self, other: _WrittenPhase, detail: str, line: int) -> tuple[str, str]:
        """What of the phase `other` the words in parentheses mean: ("tasks" or "apis", its name)."""
        agent = self._spoken_of(other.agents, detail) or (other.agents[0] if other.agents else None)
        if agent is None:
            return "", ""
        names = {"agent", agent.number, *significant(agent.title), *significant(other.title)}
        words = [word for word in significant(detail) if word not in names or word in ("api", "apis")]
        if agent.title.lower() in detail.lower() and not _NUMBERED.search(detail):
            words = [word for word in words if word not in significant(agent.title)]
        if not words:
            return "", ""
        if {"api", "apis", "interface", "interfaces"} & set(words):
            return "apis", agent.id
        scores = [
            (sum(any(same_word(w, t) for t in significant(task.title)) for w in words), -n, task.id)
            for n, task in enumerate(agent.tasks)
        ]
        score, _, name = max(scores, default=(0, 0, ""))
        if score:
            return "tasks", name
        message = f"{quoted(detail)}: no task says that, so all of {quoted(other.title)} is waited for"
        self._note(line, message)
        return "", ""
