"""Whether the parts of a plan fit together: references, order, ownership and the repository's edge."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path as Folder

from runebook_tui.clients.registry import ADAPTERS, Which, missing
from runebook_tui.contracts.languages import language_of, why_no_symbols
from runebook_tui.core.ownership import FileOwnership, OwnershipManager, operators_own, ties
from runebook_tui.core.pattern import compile_pattern
from runebook_tui.core.types import AgentSpec, ExecutionPlan, GateMode, InterfaceStub, Needs
from runebook_tui.orchestrator.positions import Path
from runebook_tui.orchestrator.problems import Problem, Severity, Source, listed, quoted, suggestion
from runebook_tui.orchestrator.waits import waiting_circles

Place = Callable[[Path], Path]


class Checker:
    """The checks of one plan that has the right shape.

    `builtins` are the agents that are installed, and `which` finds a program on PATH; None asks neither.
    `place` turns a path in the plan into one in the document. `lost` holds ids whose definition was
    left out because its shape is wrong: references to them are not reported again. With
    `whole=False` the checks that need every part of the plan are left out.
    """

    def __init__(
        self,
        plan: ExecutionPlan,
        source: Source,
        *,
        root: Folder | None = None,
        builtins: Collection[str] | None = None,
        which: Which | None = None,
        place: Place = lambda path: path,
        lost: frozenset[str] = frozenset(),
        whole: bool = True,
    ) -> None:
        self._plan = plan
        self._source = source
        self._root = root
        self._builtins = builtins
        self._which = which
        self._place = place
        self._lost = lost
        self._whole = whole
        # Dictionaries, since they keep the order and are quick to ask.
        self._phases = dict.fromkeys(phase.id for phase in plan.phases)
        self._agents = dict.fromkeys(agent.id for agent in plan.agents)
        self._tasks = dict.fromkeys(task.id for agent in plan.agents for task in agent.tasks)
        self._apis = dict.fromkeys(interface.name for interface in plan.interfaces)
        self._endless = {phase.id for phase in plan.phases if phase.continuous}

    def run(self) -> Iterator[Problem]:
        """Every problem, in no particular order."""
        twice = list(self._twice())
        yield from twice
        yield from self._references()
        if not twice:
            # Otherwise circles would be seen where only names meet.
            yield from self._orders()
        yield from self._programs()
        yield from self._claims()
        yield from self._edges()
        if self._whole:
            yield from self._thin()

    def _problem(self, path: Path, message: str, severity: Severity = "error") -> Problem:
        return self._source.problem(self._place(path), message, severity)

    def _where(self, path: Path) -> str:
        return self._source.where(self._place(path))

    # ids

    def _twice(self) -> Iterator[Problem]:
        plan = self._plan
        tasks = [
            (("agents", a, "tasks", t, "id"), task.id)
            for a, agent in enumerate(plan.agents)
            for t, task in enumerate(agent.tasks)
        ]
        for kind, ids in (
            ("phase", [(("phases", n, "id"), each.id) for n, each in enumerate(plan.phases)]),
            ("agent", [(("agents", n, "id"), each.id) for n, each in enumerate(plan.agents)]),
            ("task", tasks),
            (
                "acceptance check",
                [(("acceptance", n, "id"), each.id) for n, each in enumerate(plan.acceptance)],
            ),
            ("interface", [(("interfaces", n, "name"), each.name) for n, each in enumerate(plan.interfaces)]),
        ):
            first: dict[str, Path] = {}
            for path, name in ids:
                if name in first:
                    where = self._where(first[name])
                    yield self._problem(path, f"the {kind} {quoted(name)} is there twice; first at {where}")
                first.setdefault(name, path)

    def _references(self) -> Iterator[Problem]:
        plan = self._plan
        for n, phase in enumerate(plan.phases):
            for k, name in enumerate(phase.after):
                path: Path = ("phases", n, "after", k)
                yield from self._known(path, "phase", name, self._phases)
                yield from self._ends(path, name)
            yield from self._needs(("phases", n, "needs"), phase.needs)
        for n, agent in enumerate(plan.agents):
            yield from self._known(("agents", n, "phase"), "phase", agent.phase, self._phases)
            yield from self._needs(("agents", n, "needs"), agent.needs)
        for n, shared in enumerate(plan.shared):
            yield from self._known(("shared", n, "owner"), "agent", shared.owner, self._agents)
        for n, interface in enumerate(plan.interfaces):
            yield from self._known(("interfaces", n, "owner"), "agent", interface.owner, self._agents)

    def _needs(self, path: Path, needs: Needs) -> Iterator[Problem]:
        for k, name in enumerate(needs.phases):
            yield from self._known((*path, "phases", k), "phase", name, self._phases)
            yield from self._ends((*path, "phases", k), name)
        for k, name in enumerate(needs.tasks):
            yield from self._known((*path, "tasks", k), "task", name, self._tasks)
        for k, name in enumerate(needs.apis):
            if name not in self._apis and name not in self._lost:
                message = f"an API that nobody publishes: no [[interfaces]] is called {quoted(name)}"
                yield self._problem((*path, "apis", k), message + suggestion(name, self._apis))

    def _known(self, path: Path, kind: str, name: str, known: Collection[str]) -> Iterator[Problem]:
        if name not in known and name not in self._lost:
            hint = suggestion(name, known) or (f"; there is {listed(known)}" if known else "; there is none")
            yield self._problem(path, f"no {kind} is called {quoted(name)}{hint}")

    def _ends(self, path: Path, name: str) -> Iterator[Problem]:
        if name in self._endless:
            message = f"the phase {quoted(name)} is continuous: it ends last, so nothing can wait for it"
            yield self._problem(path, message)

    def _orders(self) -> Iterator[Problem]:
        for path, message in waiting_circles(self._plan):
            yield self._problem(path, message)

    # programs

    def _programs(self) -> Iterator[Problem]:
        for n, agent in enumerate(self._plan.agents):
            path: Path = ("agents", n)
            known = self._builtins
            if agent.builtin is not None and known is not None and agent.builtin not in known:
                message = f"no agent called {quoted(agent.builtin)} is built in or installed here"
                message += suggestion(agent.builtin, known) or f"; there is {listed(known) or 'none'}"
                yield self._problem((*path, "builtin"), message, "warning")
            yield from self._client(path, agent)
            words: list[tuple[Path, str]] = [((*path, "prompt"), agent.prompt)]
            words += [((*path, "model"), agent.model or "")]
            words += [((*path, "command", k), word) for k, word in enumerate(agent.command or ())]
            words += [((*path, "args", k), word) for k, word in enumerate(agent.args)]
            for where, word in words:
                if "\0" in word:
                    yield self._problem(where, "cannot hold a NUL character")
            for name, value in agent.env.items():
                if not name or "=" in name or "\0" in name + value:
                    message = "the name of a variable is not empty and holds no '='; neither part holds NUL"
                    yield self._problem((*path, "env", name), message)

    def _client(self, path: Path, agent: AgentSpec) -> Iterator[Problem]:
        if agent.client is None:
            return
        why = None if self._which is None else missing(agent.client, self._which)
        if why is not None:
            yield self._problem((*path, "client"), why, "warning")
        adapter = ADAPTERS[agent.client]
        if adapter.gate_only and agent.gate is GateMode.OFF:
            message = f"{adapter.title} has no hook, so without the gate nothing asks before it writes"
            yield self._problem((*path, "gate"), message, "warning")
        for k, word in enumerate(agent.args):
            if (does := adapter.unhooking.get(word.partition("=")[0])) is not None:
                message = (
                    f"{quoted(word)} {does}, so that the kernel gate alone keeps this agent's boundaries"
                )
                yield self._problem((*path, "args", k), message, "warning")

    # ownership

    def _claims(self) -> Iterator[Problem]:
        usable: dict[int, tuple[Path, FileOwnership]] = {}
        for path, claim in self._ownership():
            try:
                compile_pattern(claim.pattern)
            except (ValueError, re.error, RecursionError):
                yield self._problem(path, f"is not a gitignore pattern: {quoted(claim.pattern)}")
            else:
                usable[id(claim)] = (path, claim)
        claims = [claim for _, claim in usable.values()]
        try:
            for first, second, example in ties(claims):
                one, two = usable[id(first)][0], usable[id(second)][0]
                yield self._problem(
                    two,
                    f"{quoted(second.pattern)} of {quoted(second.owner)} and {quoted(first.pattern)} of "
                    f"{quoted(first.owner)} ({self._where(one)}) are equally specific: two owners of one "
                    f"path, for example {quoted(example)}",
                )
        except RecursionError:
            yield self._problem((), "two claims are too long to be compared")
        if self._whole:
            yield from self._contracts(OwnershipManager(claims), {id(c): p for p, c in usable.values()})

    def _ownership(self) -> Iterator[tuple[Path, FileOwnership]]:
        """Every claim with its place, in the order of `ExecutionPlan.ownership`."""
        plan = self._plan
        for n, agent in enumerate(plan.agents):
            for k, pattern in enumerate(agent.claims):
                yield ("agents", n, "claims", k), FileOwnership(pattern=pattern, owner=agent.id)
        for n, shared in enumerate(plan.shared):
            claim = FileOwnership(pattern=shared.path, owner=shared.owner, shared=True)
            yield ("shared", n, "path"), claim

    def _contracts(self, manager: OwnershipManager, places: Mapping[int, Path]) -> Iterator[Problem]:
        for n, interface in enumerate(self._plan.interfaces):
            path: Path = ("interfaces", n, "path")
            yield from self._promises(("interfaces", n), interface)
            if interface.path == "." or operators_own(interface.path, None):
                yield self._problem(path, f"{quoted(interface.path)} can be written by the operator only")
                continue
            claim = manager.owner_of(interface.path)
            if claim is None:
                severity: Severity = "error" if self._plan.policy.unowned == "ask" else "warning"
                owner = quoted(interface.owner)
                message = f"nobody owns {quoted(interface.path)}; add it to the claims of {owner}"
                yield self._problem(path, message, severity)
            elif claim.owner != interface.owner and interface.owner in self._agents:
                yield self._problem(
                    path,
                    f"{quoted(interface.path)} belongs to {quoted(claim.owner)} (the claim "
                    f"{quoted(claim.pattern)}, {self._where(places[id(claim)])}), so "
                    f"{quoted(interface.owner)} could not write it without asking",
                )

    def _promises(self, path: Path, interface: InterfaceStub) -> Iterator[Problem]:
        """What a contract asks for and cannot have, or always has."""
        if "" in interface.must_contain:
            message = "holds an empty text, which every file contains"
            yield self._problem((*path, "must_contain"), message, "warning")
        for k, pattern in enumerate(interface.must_match):
            if re.search(pattern, "", re.MULTILINE):
                message = f"{quoted(pattern)} matches the empty text, so every file has it"
                yield self._problem((*path, "must_match", k), message, "warning")
        if interface.symbols and (why_not := why_no_symbols(interface.path)):
            severity: Severity = "error" if language_of(interface.path) is None else "warning"
            yield self._problem((*path, "symbols"), f"{quoted(interface.path)}: {why_not}", severity)

    # the edge of the repository

    def _edges(self) -> Iterator[Problem]:
        if self._root is None:
            return
        root = os.path.realpath(self._root)
        for path, inside in self._paths():
            real = os.path.realpath(os.path.join(root, inside))
            if real != root and not real.startswith(root.rstrip("/") + "/"):
                message = f"{quoted(inside)} leaves the repository by a symbolic link, to {quoted(real)}"
                yield self._problem(path, message)
            elif path[-1] == "cwd" and not os.path.isdir(real):
                yield self._problem(path, f"there is no folder {quoted(inside)} yet", "warning")

    def _paths(self) -> Iterable[tuple[Path, str]]:
        for n, agent in enumerate(self._plan.agents):
            yield ("agents", n, "cwd"), agent.cwd
        for n, interface in enumerate(self._plan.interfaces):
            yield ("interfaces", n, "path"), interface.path
        for path, claim in self._ownership():
            literal = re.split(r"[*?\[\\]", claim.pattern, maxsplit=1)
            whole = literal[0] if len(literal) == 1 else literal[0].rpartition("/")[0]
            if "/" in claim.pattern.rstrip("/") and whole.strip("/"):
                yield path, whole.strip("/")

    def _thin(self) -> Iterator[Problem]:
        plan = self._plan
        if not plan.agents:
            yield self._problem((), "there are no [[agents]], so nothing would run", "warning")
            return
        for n, phase in enumerate(plan.phases):
            if all(agent.phase != phase.id for agent in plan.agents):
                message = "no agent is in this phase, so it completes as soon as it starts"
                yield self._problem(("phases", n), message, "warning")
