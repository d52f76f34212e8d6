"""Plan edits: single changes of a plan, as values, and what the plan is after them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias, assert_never

from pydantic import Field, TypeAdapter, ValidationError

from runebook_tui.core.names import Pattern
from runebook_tui.core.ownership import OwnershipManager, operators_own
from runebook_tui.core.pattern import exactly
from runebook_tui.core.printable import visible
from runebook_tui.core.types import AgentSpec, Away, ExecutionPlan, PathPolicy, Review


class EditError(ValueError):
    """An edit that does not fit the plan, in one line for people."""


@dataclass(frozen=True)
class AddClaim:
    """The agent owns what `pattern` matches, too."""

    agent: str
    pattern: Pattern
    kind: Literal["add-claim"] = "add-claim"


@dataclass(frozen=True)
class RemoveClaim:
    """The agent's claim that is written exactly so is gone."""

    agent: str
    pattern: Pattern
    kind: Literal["remove-claim"] = "remove-claim"


@dataclass(frozen=True)
class AddMayWrite:
    """The agent may write what `pattern` matches without asking; it stays whose it is."""

    agent: str
    pattern: Pattern
    kind: Literal["add-may-write"] = "add-may-write"


@dataclass(frozen=True)
class AddPathPolicy:
    """A policy of its own for the paths that `path` matches; None leaves it as the plan has it.

    `hold_seconds` is in seconds. Where the plan has a policy for exactly this pattern, that one is changed.
    """

    path: Pattern
    away: Away | None = None
    hold_seconds: Annotated[float, Field(gt=0, le=86_400)] | None = None
    review: Review | None = None
    kind: Literal["add-path-policy"] = "add-path-policy"


PlanEdit: TypeAlias = Annotated[
    AddClaim | RemoveClaim | AddMayWrite | AddPathPolicy, Field(discriminator="kind")
]

_EDITS: TypeAdapter[tuple[AddClaim | RemoveClaim | AddMayWrite | AddPathPolicy, ...]] = TypeAdapter(
    tuple[PlanEdit, ...]
)
MAX_EDITS = 100
"""How many edits one patch may hold."""


def written(edits: Iterable[PlanEdit]) -> list[dict[str, object]]:
    """The edits as JSON values, for the socket and the log."""
    values: list[dict[str, object]] = _EDITS.dump_python(tuple(edits), mode="json")
    return values


def read(values: object) -> tuple[PlanEdit, ...]:
    """The edits in JSON values that somebody sent; raises EditError."""
    try:
        edits = _EDITS.validate_python(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(visible(str(part))[:40] for part in first["loc"][:4])
        raise EditError(f"not edits of a plan: {where}: {first['msg']}"[:300]) from error
    if not edits or len(edits) > MAX_EDITS:
        raise EditError(f"a patch holds 1 to {MAX_EDITS} edits")
    return edits


def edited(plan: ExecutionPlan, edits: Iterable[PlanEdit]) -> ExecutionPlan:
    """The plan after the edits, without its checks; raises EditError."""
    for edit in edits:
        match edit:
            case AddClaim(agent, pattern):
                plan = _with_agent(plan, agent, claims=_and(_agent(plan, agent).claims, pattern))
            case AddMayWrite(agent, pattern):
                plan = _with_agent(plan, agent, may_write=_and(_agent(plan, agent).may_write, pattern))
            case RemoveClaim(agent, pattern):
                claims = _agent(plan, agent).claims
                if pattern not in claims:
                    raise EditError(f"{agent} has no claim that is written {visible(pattern)}")
                plan = _with_agent(plan, agent, claims=tuple(each for each in claims if each != pattern))
            case AddPathPolicy():
                policy = plan.policy.model_copy(update={"paths": _policies(plan.policy.paths, edit)})
                plan = plan.model_copy(update={"policy": policy})
            case _:
                assert_never(edit)
    return plan


def edit_words(edit: PlanEdit) -> str:
    """What the edit does, for people: "analysis may write src/storage/** without asking"."""
    match edit:
        case AddClaim(agent, pattern):
            return f"{agent} owns {visible(pattern)}"
        case RemoveClaim(agent, pattern):
            return f"{agent} no longer claims {visible(pattern)}"
        case AddMayWrite(agent, pattern):
            return f"{agent} may write {visible(pattern)} without asking"
        case AddPathPolicy(path, away, hold_seconds, review):
            parts = [] if away is None else [{"hold": "waits", "refuse": "is refused", "flag": "lands"}[away]]
            parts += [] if hold_seconds is None else [f"is held for {hold_seconds:g} s"]
            parts += [] if review is None else [f"is looked at by the {review} first"]
            return f"a write across the boundary of {visible(path)} {' and '.join(parts) or 'is as usual'}"
        case _:
            assert_never(edit)


def transfer(plan: ExecutionPlan, path: str, agent: str) -> tuple[PlanEdit, ...]:
    """The edits that give `path` to `agent`; raises EditError when it is its own or the operator's."""
    _agent(plan, agent)
    if operators_own(path, None):
        raise EditError(f"{visible(path)} is the operator's, and no agent's")
    claim = OwnershipManager(plan.ownership).owner_of(path)
    if claim is not None and claim.owner == agent:
        raise EditError(f"{agent} owns {visible(path)} already")
    pattern = literal(path)
    same = (pattern, pattern[1:]) if "/" in path else (pattern,)
    if claim is not None and not claim.shared and claim.pattern in same:
        return (RemoveClaim(claim.owner, claim.pattern), AddClaim(agent, pattern))
    return (AddClaim(agent, pattern),)


def literal(path: str) -> str:
    """A claim that matches exactly the repository-relative `path`, and as a folder what lies below it.

    Raises EditError for a name that no plan can hold: one with a line break, or that is not UTF-8.
    """
    try:
        path.encode()
    except UnicodeEncodeError as error:
        raise EditError(f"no plan can name {visible(path)}: it is not UTF-8") from error
    if "\n" in path or "\0" in path:
        raise EditError(f"no plan can name {visible(path)}: it holds a line break")
    return exactly(path)


def _agent(plan: ExecutionPlan, name: str) -> AgentSpec:
    agent = plan.agent(name)
    if agent is None:
        raise EditError(f"the plan has no agent called {visible(name)[:80]}")
    return agent


def _with_agent(plan: ExecutionPlan, name: str, **changes: object) -> ExecutionPlan:
    agents = tuple(each.model_copy(update=changes) if each.id == name else each for each in plan.agents)
    return plan.model_copy(update={"agents": agents})


def _and(patterns: tuple[str, ...], pattern: str) -> tuple[str, ...]:
    return patterns if pattern in patterns else (*patterns, pattern)


def _policies(paths: tuple[PathPolicy, ...], edit: AddPathPolicy) -> tuple[PathPolicy, ...]:
    values = {"away": edit.away, "hold_seconds": edit.hold_seconds, "review": edit.review}
    given = {name: value for name, value in values.items() if value is not None}
    if not given:
        raise EditError("a policy that says nothing: give 'away', 'hold_seconds' or 'review'")
    if all(each.path != edit.path for each in paths):
        return (*paths, PathPolicy.model_validate({"path": edit.path, **given}))
    return tuple(each.model_copy(update=given) if each.path == edit.path else each for each in paths)
