"""A CODEOWNERS file read as a plan in which every tracked file keeps its owner.

In CODEOWNERS the last matching line wins, in a plan the most specific claim.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from runebook_tui.core.ownership import FileOwnership, OwnershipManager, ties
from runebook_tui.core.types import AgentSpec, ExecutionPlan, Phase, PlanInfo
from runebook_tui.orchestrator.draft import (
    PLACEHOLDER,
    PLACEHOLDER_COMMENT,
    Comments,
    Draft,
    compose,
    literal_claim,
    plan_name,
    slug,
    unicode_text,
    unused,
    usable_claim,
)
from runebook_tui.orchestrator.ownersfile import Codeowners, Rule, read_codeowners
from runebook_tui.orchestrator.problems import quoted

_MOST_NOTES = 50


def plan_from_codeowners(text: str, tracked: Sequence[str], name: str) -> str:
    """The plan in which the owners are agents, as commented TOML; see `draft_from_codeowners`."""
    return draft_from_codeowners(text, tracked, name).text


def draft_from_codeowners(text: str, tracked: Sequence[str], name: str) -> Draft:
    """The plan in which the owners of a CODEOWNERS text are agents, with what did not come along.

    Each of the `tracked` paths (relative to the repository) belongs to the agent of its owner, or to
    nobody when it has none.
    """
    codeowners = read_codeowners(unicode_text(text))
    agents = _agent_ids(codeowners.rules)
    claims = _Claims(codeowners, agents, tracked)
    claims.settle()
    comments = Comments()
    specs = []
    for n, (owner, agent) in enumerate(agents.items()):
        own = [claim for claim in claims.claims if claim.owner == agent]
        comments.add(("agents", n), f"{owner} in CODEOWNERS.")
        comments.add(("agents", n, "command"), PLACEHOLDER_COMMENT)
        for k, claim in enumerate(own):
            comments.add(("agents", n, "claims", k), claims.remark(claim))
        specs.append(
            AgentSpec(
                id=agent,
                title=owner[:200],
                phase="work",
                command=PLACEHOLDER,
                claims=tuple(claim.pattern for claim in own),
            )
        )
    plan = ExecutionPlan(
        plan=PlanInfo(name=plan_name(name)), phases=(Phase(id="work", title="Work"),), agents=tuple(specs)
    )
    notes = tuple(codeowners.notes + claims.notes)
    comments.header += [
        "Made by `runebook-tui init` from CODEOWNERS; edit it as you like.",
        "There the last line that matches wins, here the most specific claim. Claims marked",
        "'so that it stays' were added where that would have changed the owner of a tracked file.",
    ]
    comments.header += ["What did not come along:", *(f"  {note}" for note in notes)] if notes else []
    return Draft(compose(plan, comments), notes)


class _Claims:
    """The claims that give every tracked file the owner that CODEOWNERS gives it."""

    def __init__(self, codeowners: Codeowners, agents: Mapping[str, str], tracked: Sequence[str]) -> None:
        self.notes: list[str] = []
        self._wanted: dict[str, str | None] = {}
        for path in tracked:
            rule = codeowners.rule_of(path)
            owner = rule.owner if rule else None
            self._wanted[path] = agents[owner.lower()] if owner else None
        self._rules: dict[FileOwnership, Rule] = {}
        self._from_rules(codeowners, agents)
        self._added: list[FileOwnership] = []

    @property
    def claims(self) -> list[FileOwnership]:
        """The claims, those of the rules first."""
        return [*self._rules, *self._added]

    def remark(self, claim: FileOwnership) -> str:
        """Where `claim` comes from."""
        rule = self._rules.get(claim)
        if rule is None:
            return "so that it stays"
        others = f"; also {', '.join(rule.owners[1:])}" if len(rule.owners) > 1 else ""
        return f"line {rule.line}: {rule.pattern}{others}"[:200]

    def settle(self) -> None:
        """Drops the claims that do harm and adds the ones that are missing, until all is as wanted."""
        while self._untie() or self._drop_harmful():
            pass
        self._add_folders()
        self._untie()
        self._add_files()
        while self._untie(keep_added=True) or self._drop_harmful():
            self._add_files()
        manager = OwnershipManager(self.claims)
        lost = [path for path, wanted in self._wanted.items() if _owner(manager, path) != wanted]
        self.notes += [f"{quoted(path)} does not keep its owner" for path in lost[:_MOST_NOTES]]
        if len(lost) > _MOST_NOTES:
            self.notes.append(f"{len(lost) - _MOST_NOTES} more files do not keep their owner")

    def _from_rules(self, codeowners: Codeowners, agents: Mapping[str, str]) -> None:
        by_pattern: dict[str, FileOwnership | None] = {}
        for rule in codeowners.rules:
            pattern = _claim(rule.pattern)
            if not usable_claim(pattern):
                self.notes.append(f"line {rule.line}: {quoted(rule.pattern)} cannot be written as one claim")
                continue
            earlier = by_pattern.pop(pattern, None)
            if earlier is not None:
                del self._rules[earlier]
            if rule.owner is not None:
                claim = FileOwnership(pattern=pattern, owner=agents[rule.owner.lower()])
                by_pattern[pattern] = claim
                self._rules[claim] = rule

    def _untie(self, *, keep_added: bool = False) -> bool:
        """Of two equally specific claims the earlier line goes, as CODEOWNERS has it; added ones go first."""
        dropped = set()
        for first, second, _ in ties(self.claims):
            earlier = self._line(first) < self._line(second)
            if 0 in (self._line(first), self._line(second)) and keep_added:
                earlier = not earlier
            dropped.add(first if earlier else second)
        for claim in dropped:
            self._drop(claim, "another is as specific")
        return bool(dropped)

    def _line(self, claim: FileOwnership) -> int:
        """The line of a claim; 0 for one that was added."""
        rule = self._rules.get(claim)
        return rule.line if rule else 0

    def _drop_harmful(self) -> bool:
        """Drops claims that only take files from others, or take files that shall have no owner."""
        manager = OwnershipManager(self.claims)
        right: Counter[FileOwnership] = Counter()
        wrong: Counter[FileOwnership] = Counter()
        takes: set[FileOwnership] = set()
        for path, wanted in self._wanted.items():
            claim = manager.owner_of(path)
            if claim is None:
                continue
            if claim.owner == wanted:
                right[claim] += 1
            else:
                wrong[claim] += 1
                if wanted is None:
                    takes.add(claim)
        harmful = [claim for claim in wrong if not right[claim] or claim in takes]
        for claim in harmful:
            self._drop(claim, "it would take files that have another owner or none")
        return bool(harmful)

    def _drop(self, claim: FileOwnership, reason: str) -> None:
        rule = self._rules.pop(claim, None)
        if rule is None:
            self._added.remove(claim)
        else:
            self.notes.append(
                f"line {rule.line}: {quoted(rule.pattern)} is not a claim here, since {reason}; "
                "narrower claims stand for its tracked files"
            )

    def _add_folders(self) -> None:
        """One claim for each outermost folder whose files all belong to one agent and now do not."""
        manager = OwnershipManager(self.claims)
        owners: dict[str, set[str | None]] = {}
        amiss: set[str] = set()
        for path, wanted in self._wanted.items():
            here = _owner(manager, path) != wanted
            for folder in _folders(path):
                owners.setdefault(folder, set()).add(wanted)
                if here:
                    amiss.add(folder)
        done: set[str] = set()
        for folder in sorted(amiss, key=lambda each: (each.count("/"), each)):
            if any(above in done for above in _folders(folder)):
                continue
            (owner, *others) = owners[folder]
            if owner is not None and not others:
                done.add(folder)
                self._add(f"{folder}/", owner)

    def _add_files(self) -> None:
        manager = OwnershipManager(self.claims)
        for path, wanted in self._wanted.items():
            if wanted is not None and _owner(manager, path) != wanted:
                self._add(path, wanted)

    def _add(self, path: str, owner: str) -> None:
        pattern = literal_claim(path)
        if usable_claim(pattern):
            claim = FileOwnership(pattern=pattern, owner=owner)
            if claim not in self._rules and claim not in self._added:
                self._added.append(claim)


def _owner(manager: OwnershipManager, path: str) -> str | None:
    claim = manager.owner_of(path)
    return claim.owner if claim else None


def _folders(path: str) -> Iterator[str]:
    """The folders that hold `path`, outermost first."""
    parts = path.split("/")
    for length in range(1, len(parts)):
        yield "/".join(parts[:length])


def _agent_ids(rules: Sequence[Rule]) -> dict[str, str]:
    """An agent's id for each owner (in lower case), in the order in which they appear."""
    found: dict[str, str] = {}
    for rule in rules:
        owner = (rule.owner or "").lower()
        if owner and owner not in found:
            name = owner[1:].rpartition("/")[2] if owner.startswith("@") else owner.partition("@")[0]
            whole = slug(name) or "owner"
            if whole in found.values() and owner.startswith("@"):
                whole = slug(owner) or whole
            found[owner] = unused(whole, found.values())
    return found


def _claim(pattern: str) -> str:
    """The claim nearest to a CODEOWNERS pattern."""
    text = re.sub(r"\\(\s)", r"\1", pattern)
    if text.strip("/*") and text.endswith("/") and "/" in text[:-1]:
        return f"{text}**"
    return text
