"""Acceptance: the commands by which a plan says that its work is done, and what they last came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, field_validator

from runebook_tui.core.fact import Fact
from runebook_tui.core.names import Identifier, Pattern
from runebook_tui.core.secrets import without_secrets
from runebook_tui.core.value import Value


class AcceptanceCheck(Value):
    """A command that ends with 0 when a part of the work is as it should be."""

    id: Identifier
    """Used once among the plan's acceptance checks."""
    title: str = ""
    """What holds when it ends well, for people."""
    command: tuple[str, ...]
    """The program and its arguments, run without a shell at the top of the repository."""
    paths: tuple[Pattern, ...] = ()
    """Gitignore-style patterns of what it looks at: it runs again when one of these changes; () for all."""
    seconds: Annotated[float, Field(gt=0, le=86_400)] = 600.0
    """How long it may take, in seconds; then it is ended, and counts as failed."""

    @field_validator("command")
    @classmethod
    def _a_program(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or not value[0]:
            raise ValueError("'command' is empty")
        if any("\0" in word for word in value):
            raise ValueError("cannot hold a NUL character")
        return value


class AcceptanceRan(Fact):
    """An acceptance command of the plan was run, and ended so."""

    type: Literal["AcceptanceRan"] = "AcceptanceRan"
    agent: str
    """Who ran it, and says so."""
    check: str
    command: str
    """Bounded, and without what looks like a secret."""
    passed: bool
    code: int | None = None
    """Its exit code; None where it did not end by itself."""
    seconds: float | None = None
    """How long it took."""
    commit: str = ""
    """The commit that was checked out, with "+" where files differed from it; "" for none."""
    reason: str = ""
    """Why there is no exit code, in words."""


@dataclass(frozen=True)
class ReportAcceptance:
    """An agent has run an acceptance command of the plan."""

    agent: str
    check: str
    passed: bool
    code: int | None = None
    seconds: float | None = None
    commit: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What an acceptance check came to when it was last run."""

    agent: str
    passed: bool
    code: int | None
    commit: str
    time: float
    """When it ended, unix seconds."""


def ran(checks: tuple[AcceptanceCheck, ...], report: ReportAcceptance) -> tuple[AcceptanceRan, ...]:
    """The event that `report` brings about; () when the plan has no such check."""
    return tuple(
        AcceptanceRan(
            agent=report.agent,
            check=each.id,
            command=without_secrets(" ".join(each.command)),
            passed=report.passed,
            code=report.code,
            seconds=report.seconds,
            commit=report.commit,
            reason=report.reason,
        )
        for each in checks
        if each.id == report.check
    )


def summary(checks: tuple[AcceptanceCheck, ...], found: Mapping[str, Accepted]) -> str:
    """How the checks stand, for people: "1 of 3 pass; not: lint; not run yet: speed"; "" without any."""
    if not checks:
        return ""
    failed = [each.id for each in checks if each.id in found and not found[each.id].passed]
    missing = [each.id for each in checks if each.id not in found]
    parts = [f"{len(checks) - len(failed) - len(missing)} of {len(checks)} pass"]
    parts += [f"not: {', '.join(failed)}"] if failed else []
    parts += [f"not run yet: {', '.join(missing)}"] if missing else []
    return "; ".join(parts)


def acceptance_words(event: AcceptanceRan) -> str:
    """How a check ended, for people: "the acceptance check tests failed: exit 1"."""
    code = "" if event.code is None else f"exit {event.code}"
    how = ", ".join(each for each in (code, event.reason) if each)
    return f"the acceptance check {event.check} {'passed' if event.passed else 'failed'}{how and f': {how}'}"
