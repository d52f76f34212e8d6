"""A plan as commented TOML text, for plans that are made from something else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import TypeAdapter, ValidationError

from runebook_tui.core.names import RESERVED_IDS, Pattern
from runebook_tui.core.pattern import compile_pattern
from runebook_tui.core.types import AgentSpec, ExecutionPlan, Needs
from runebook_tui.orchestrator.positions import Path
from runebook_tui.orchestrator.problems import quoted

PLACEHOLDER = ("sh", "-c", "echo 'say in runebook.toml what this agent runs'; exit 1")
"""The command of an agent of which nobody has said yet what it runs."""
PLACEHOLDER_COMMENT = 'Say what this agent runs, for example ["claude", "Work on …"].'

_PATTERN: TypeAdapter[str] = TypeAdapter(Pattern)


@dataclass(frozen=True)
class Draft:
    """A plan that was made from something else, and what did not come along, in words."""

    text: str
    left_out: tuple[str, ...] = ()


@dataclass
class Comments:
    """What stands above each table or key of a drafted plan, and beside each claim."""

    header: list[str] = field(default_factory=list)
    _by_path: dict[Path, list[str]] = field(default_factory=dict)

    def add(self, path: Path, text: str) -> None:
        """One more line above (or, for a list item, beside) the part at `path`."""
        self._by_path.setdefault(path, []).append(text)

    def of(self, path: Path) -> Sequence[str]:
        """The comments of the part at `path`."""
        return self._by_path.get(path, ())


def slug(text: str) -> str:
    """`text` as an id: lower-case letters, digits and '-', at most 48; may be empty."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:48].strip("-")


def unused(wanted: str, taken: Iterable[str]) -> str:
    """`wanted`, or `wanted-2`, `wanted-3` …: an id that is neither taken nor reserved."""
    taken = {*taken, *RESERVED_IDS}
    number = 1
    while (name := wanted if number == 1 else f"{wanted}-{number}") in taken:
        number += 1
    return name


def plan_name(text: str) -> str:
    """`text` as the name of a plan: valid Unicode, at most 200 characters, not empty."""
    return unicode_text(text).strip()[:200] or "repository"


def unicode_text(text: str) -> str:
    """`text` with '?' for what no UTF-8 file can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def usable_claim(pattern: str) -> bool:
    """Whether `pattern` may stand in a plan."""
    try:
        compile_pattern(_PATTERN.validate_python(pattern))
    except (ValidationError, ValueError, re.error):
        return False
    return not any(0xD800 <= ord(c) <= 0xDFFF for c in pattern)


def literal_claim(path: str) -> str:
    """The claim of exactly `path`, or of everything below it when it ends in '/'."""
    folder = path.endswith("/")
    escaped = re.sub(r"([*?\[\]\\])", r"\\\1", path.rstrip("/"))
    if not folder and escaped[-1:].isspace():
        escaped = f"{escaped[:-1]}[{escaped[-1]}]"
    plain = re.match(r"[A-Za-z0-9_.]", escaped) and not re.match(r"[A-Za-z]:", escaped)
    text = f"{escaped}/**" if folder else escaped
    return text if plain and "/" in text else f"/{text}"


def toml_text(value: str) -> str:
    """`value` as a TOML string on one line."""
    short = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
    return '"' + "".join(short.get(c) or (c if c.isprintable() else _code(c)) for c in value) + '"'


def compose(plan: ExecutionPlan, comments: Comments) -> str:
    """The text of `plan` with its comments; reading it gives `plan` again."""
    lines = [_comment(text) for text in comments.header]
    lines += ["", "[plan]", f"name = {toml_text(plan.plan.name)}"]
    for n, phase in enumerate(plan.phases):
        lines += ["", *_comments(comments, ("phases", n)), "[[phases]]", f"id = {toml_text(phase.id)}"]
        lines += _text("title", phase.title)
        lines += _comments(comments, ("phases", n, "after"))
        lines += [f"after = {_list(phase.after)}"] if phase.after else []
        lines += _needs(phase.needs, comments, ("phases", n, "needs"))
        lines += ["continuous = true"] if phase.continuous else []
    for n, agent in enumerate(plan.agents):
        lines += ["", *_comments(comments, ("agents", n)), *_agent(agent, comments, ("agents", n))]
    for n, shared in enumerate(plan.shared):
        lines += ["", *_comments(comments, ("shared", n)), "[[shared]]"]
        lines += [f"path = {toml_text(shared.path)}", f"owner = {toml_text(shared.owner)}"]
    for n, interface in enumerate(plan.interfaces):
        lines += ["", *_comments(comments, ("interfaces", n)), "[[interfaces]]"]
        lines += [f"name = {toml_text(interface.name)}", *_text("title", interface.title)]
        lines += [f"owner = {toml_text(interface.owner)}", *_comments(comments, ("interfaces", n, "path"))]
        lines += [f"path = {toml_text(interface.path)}"]
        lines += [f"must_contain = {_list(interface.must_contain)}"] if interface.must_contain else []
    return "\n".join(lines).lstrip("\n") + "\n"


def _agent(agent: AgentSpec, comments: Comments, path: Path) -> list[str]:
    lines = ["[[agents]]", f"id = {toml_text(agent.id)}", *_text("title", agent.title)]
    lines += [f"phase = {toml_text(agent.phase)}", *_text("builtin", agent.builtin or "")]
    if agent.command is not None:
        lines += [*_comments(comments, (*path, "command")), f"command = {_list(agent.command)}"]
    if agent.client is not None:
        lines += [f"client = {toml_text(agent.client)}", *_text("prompt", agent.prompt)]
        lines += [
            *_text("model", agent.model or ""),
            *([f"args = {_list(agent.args)}"] if agent.args else []),
        ]
    lines += _comments(comments, (*path, "claims"))
    if agent.claims:
        lines.append("claims = [")
        for n, claim in enumerate(agent.claims):
            beside = "; ".join(comments.of((*path, "claims", n)))
            lines.append(f"  {toml_text(claim)}," + (f"  {_comment(beside)}" if beside else ""))
        lines.append("]")
    if agent.tasks:
        lines.append("tasks = [")
        for task in agent.tasks:
            title = f", title = {toml_text(task.title)}" if task.title else ""
            lines.append(f"  {{ id = {toml_text(task.id)}{title} }},")
        lines.append("]")
    return lines + _needs(agent.needs, comments, (*path, "needs"))


def _needs(needs: Needs, comments: Comments, path: Path) -> list[str]:
    parts: Mapping[str, Sequence[str]] = {"phases": needs.phases, "tasks": needs.tasks, "apis": needs.apis}
    inside = ", ".join(f"{name} = {_list(values)}" for name, values in parts.items() if values)
    return [*_comments(comments, path), f"needs = {{ {inside} }}"] if inside else []


def _text(key: str, value: str) -> list[str]:
    return [f"{key} = {toml_text(value)}"] if value else []


def _list(values: Sequence[str]) -> str:
    return "[" + ", ".join(toml_text(value) for value in values) + "]"


def _comments(comments: Comments, path: Path) -> list[str]:
    return [_comment(text) for text in comments.of(path)]


def _comment(text: str) -> str:
    return f"# {_one_line(text)}".rstrip()


def _one_line(text: str) -> str:
    """`text` on one line: what cannot be printed is escaped."""
    return "".join(c if c.isprintable() else quoted(c)[1:-1] for c in text)


def _code(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
