"""The vault: the secrets of the plan, which the engine needs to start agents and keeps in memory alone.

The log, the state and whatever follows from them have the plan without its secrets.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from runebook_tui.core import events as e
from runebook_tui.core.secrets import HIDDEN, Secrets, is_named_secret
from runebook_tui.core.types import AgentSpec, ExecutionPlan, Phase, Task

T = TypeVar("T", Task, Phase)

_PLAIN = frozenset(
    [
        "type",
        "path",
        "paths",
        "source",
        "lane",
        "agent",
        "agents",
        "owner",
        "digest",
        "kind",
        "task",
        "output",
        "patch",
        "files",
        "api",
        "session",
        "undo",
        "edit",
        "means",
        "base",
        "plan_before",
        "plan_after",
        "folder",
    ]
)
"""Fields whose text names something: a path or an id stays what it is."""
_WHOLE = (e.RunStarted, e.PlanChanged)


class Vault:
    """Keeps what agents are started with, and hides it from what is stored."""

    def __init__(self) -> None:
        self._specs: dict[str, tuple[AgentSpec, AgentSpec]] = {}
        self.secrets = Secrets()
        """What is a secret in the plan that counts now."""

    def keep(self, plan: ExecutionPlan) -> ExecutionPlan:
        """Remember the secrets of the plan that counts from now on; the plan as it may be stored."""
        self.secrets = _secrets(plan)
        shown = self.without_secrets(plan)
        self._specs = {spec.id: (each, spec) for spec, each in zip(plan.agents, shown.agents, strict=True)}
        return shown

    def without_secrets(self, plan: ExecutionPlan) -> ExecutionPlan:
        """A plan as it may be stored."""
        secrets = _secrets(plan)
        agents = tuple(_shown(spec, secrets) for spec in plan.agents)
        return plan.model_copy(update={"agents": agents, "phases": _titled(plan.phases, secrets)})

    def spec(self, shown: AgentSpec) -> AgentSpec:
        """The agent whose stored form is `shown`, with its secrets as far as they are known."""
        known, whole = self._specs.get(shown.id, (shown, shown))
        if known == shown:
            return whole
        secret = {name: value for name, value in whole.env.items() if shown.env.get(name) == HIDDEN}
        return shown.model_copy(update={"env": {**shown.env, **secret}})

    def clean(self, event: e.Event) -> e.Event:
        """An event as it may be stored. The plan in one has been cleaned when it was kept."""
        if isinstance(event, e.Touched):
            author = event.author
            program, evidence = self.secrets.hide(author.program), self.secrets.hide(author.evidence)
            if (program, evidence) == (author.program, author.evidence):
                return event
            return event.model_copy(
                update={"author": author.model_copy(update={"program": program, "evidence": evidence})}
            )
        if isinstance(event, _WHOLE):
            return event.model_copy(update={"plan": self.without_secrets(event.plan)})
        body = event.model_dump(mode="python")
        cleaned = self._cleaned(body)
        return event if cleaned == body else type(event).model_validate(cleaned)

    def _cleaned(self, value: Any, name: str = "") -> Any:
        if isinstance(value, str):
            if type(value) is not str or name in _PLAIN:
                return value
            return self.secrets.hide(value)
        if isinstance(value, dict):
            return {
                key: HIDDEN
                if name == "environment" and each is not None and is_named_secret(key)
                else self._cleaned(each, name if name in _PLAIN else str(key))
                for key, each in value.items()
            }
        if isinstance(value, tuple | list):
            if name == "last_lines":
                return self._lines(value)
            return type(value)(self._cleaned(each, name) for each in value)
        return value

    def _lines(self, lines: tuple[str, ...] | list[str]) -> tuple[str, ...]:
        """Lines of one text: a key may go over several."""
        return tuple(self.secrets.hide("\n".join(lines)).split("\n")) if lines else ()


def _secrets(plan: ExecutionPlan) -> Secrets:
    looks = Secrets(plan.policy.secrets)
    return Secrets(plan.policy.secrets, _values(plan, looks))


def _values(plan: ExecutionPlan, looks: Secrets) -> Iterator[str]:
    """What the plan gives to variables as secrets."""
    for spec in plan.agents:
        for name, value in spec.env.items():
            if is_named_secret(name):
                yield value


def _shown(spec: AgentSpec, secrets: Secrets) -> AgentSpec:
    return spec.model_copy(
        update={
            "title": secrets.hide(spec.title),
            "tasks": _titled(spec.tasks, secrets),
            "env": secrets.hide_variables(spec.env),
            "prompt": secrets.hide(spec.prompt),
            "args": secrets.hide_words(spec.args),
            "command": None if spec.command is None else secrets.hide_words(spec.command),
        }
    )


def _titled(each: tuple[T, ...], secrets: Secrets) -> tuple[T, ...]:
    """Tasks or phases with titles as they may be stored."""
    return tuple(one.model_copy(update={"title": secrets.hide(one.title)}) for one in each)
