"""Targets: each reader of what comes from outside, with what must hold whatever it is given.

A target takes one text and raises AssertionError, or what its reader should not have raised. The texts are
made by Hypothesis (`test_readers.py`) and by atheris (`make fuzz`), from each target's own fragments.
"""

from __future__ import annotations

import json
import time
import tomllib
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hostile_fragments as fragments

from runebook_agents.analysis import failure
from runebook_tui.capture.failures import Failures
from runebook_tui.capture.relay import Records, Shell
from runebook_tui.capture.stream import PaneStream
from runebook_tui.contracts.python import Unreadable, python_symbols
from runebook_tui.contracts.texts import lines_with
from runebook_tui.core import panerules
from runebook_tui.core.pattern import PatternError, compile_pattern, meeting_path
from runebook_tui.core.printable import as_code, as_markdown, visible, visible_lines
from runebook_tui.core.screen import Screen, gone, landed
from runebook_tui.core.secrets import Secrets
from runebook_tui.execution import wire
from runebook_tui.execution.holds import StoppedWrite
from runebook_tui.gate.rules import Rules, RulesError
from runebook_tui.history.records import write_record
from runebook_tui.hooks import reading
from runebook_tui.hooks.event import HookError
from runebook_tui.hooks.places import places_of
from runebook_tui.log.eventlog import LogError, decode, encode
from runebook_tui.orchestrator.codeowners import plan_from_codeowners
from runebook_tui.orchestrator.markdown import plan_from_markdown
from runebook_tui.orchestrator.planner import read_plan
from runebook_tui.orchestrator.problems import PlanError
from runebook_tui.settings import parse_settings
from runebook_tui.surfaces import snapshot
from runebook_tui.tui import ansi, links, osc
from runebook_tui.tui.text import cut, cut_path

CPU_SECONDS = 2.0
"""Processor time that one text of at most 64 KiB may take; what is linear takes a tenth of it."""
ONE_LINE = 8192
"""Characters of the longest complaint about an input."""

PANE_RULES = [
    panerules.rules_of(each.stem, tomllib.loads(each.read_text("utf-8")))
    for each in sorted(Path(panerules.__file__).parents[1].glob("clients/panes/*.toml"))
]


@dataclass(frozen=True)
class Target:
    """One reader: its name, what is checked of one text, and what such texts are made of."""

    name: str
    check: Callable[[str], None]
    fragments: tuple[str, ...]
    apart: bool = False
    """Whether the reader runs in a process of its own, with an end to its time."""

    def __call__(self, text: str) -> None:
        with quick(4 * CPU_SECONDS if self.apart else CPU_SECONDS):
            self.check(text)


@contextmanager
def quick(seconds: float) -> Iterator[None]:
    """What runs inside takes so little of the processor's time, however busy the machine is."""
    began = time.process_time()
    yield
    spent = time.process_time() - began
    assert spent < seconds, f"{spent:.2f} s of processor time"


def harmless(text: str) -> str:
    """`text`, which holds nothing that a terminal, tmux or a log line would act on."""
    for character in text:
        assert unicodedata.category(character) not in ("Cc", "Cs", "Zl", "Zp"), repr(character)
        assert character not in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c\u200e\u200f"
    return text


def complaint(error: BaseException) -> None:
    """An error for people is one harmless line of bounded length."""
    said = str(error)
    assert said
    assert len(said) <= ONE_LINE, len(said)
    harmless(said)


def bounded(error: BaseException) -> None:
    """An error that is shown by others, who escape it, is of bounded length."""
    assert len(str(error)) <= ONE_LINE, len(str(error))


def json_of(text: str) -> Any:
    """The JSON value of a text, where it is one; else the text."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


# ── what people bring along ─────────────────────────────────────────────────────────────────────


def plan(text: str) -> None:
    found, problems = read_plan(text, "runebook.toml", None)
    assert found is not None or problems
    assert len(problems) < 10_000
    for problem in problems:
        assert len(str(problem)) <= ONE_LINE
        harmless(str(problem))


def codeowners(text: str) -> None:
    tracked = ["src/a.py", "a" * 120, "x/" * 30 + "y", "-rf", "a\nb", "\udcff", "docs/[x].md"]
    made = plan_from_codeowners(text, tracked, "hostile")
    tomllib.loads(made)


def markdown(text: str) -> None:
    try:
        made = plan_from_markdown(text, "hostile")
    except PlanError as error:
        complaint(error)
        return
    tomllib.loads(made)


def claim(text: str) -> None:
    try:
        pattern = compile_pattern(text)
    except PatternError as error:
        bounded(error)
        return
    for path in ("a" * 200, "a/" * 100 + "b", text, "-rf", "\udcff"):
        pattern.matches(path)
    meeting_path(text, "a*b*/**/c")


def settings(text: str) -> None:
    with suppress(tomllib.TOMLDecodeError, RecursionError):
        found = parse_settings(tomllib.loads(text))
        assert len(found.problem) <= ONE_LINE
        harmless(found.problem)


def python_file(text: str) -> None:
    try:
        found = python_symbols(text, ["f", "C.m", "x"])
    except Unreadable as error:
        complaint(error)
    except RecursionError:
        return  # contracts/reader says that it is nested too deeply
    else:
        assert set(found) == {"f", "C.m", "x"}
    lines_with(text, "def ")


# ── what agents and their clients say ───────────────────────────────────────────────────────────


def hook(text: str) -> None:
    reading.guessed_kind(text)
    try:
        event = reading.read(text)
    except HookError as error:
        complaint(error)
        return
    for said in (event.name, event.session, event.model, event.call, event.words):
        assert len(said) <= 4096
    with suppress(HookError):
        places_of(event.edits, "/nowhere/at/all", "/nowhere")


def tool(text: str) -> None:
    """A call of each sort of tool that is given the text."""
    for name, given in (
        ("Bash", {"command": text}),
        ("apply_patch", {"input": text}),
        ("Write", {"file_path": text[:5000], "content": text}),
        ("Edit", {"file_path": "a", "edits": [{"old_string": text, "new_string": ""}]}),
    ):
        hook(json.dumps({"hook_event_name": "PreToolUse", "tool_name": name, "tool_input": given}))
    hook(json.dumps({"hook_event_name": "PostToolUse", "tool_name": "Bash", "tool_response": text}))


def message(text: str) -> None:
    try:
        given = wire.unpack(text.encode("utf-8", "surrogatepass"))
        for read in (wire.text_field, wire.number_field, wire.seconds_field, wire.texts_field):
            with suppress(wire.WireError):
                read(given, "do")
        with suppress(wire.WireError):
            assert abs(wire.number_field(given, "request")) < 1 << 63
    except wire.WireError as error:
        complaint(error)


def gate_rules(text: str) -> None:
    try:
        rules = Rules(json_of(text))
        rules.treatment("src/a.py")
        rules.spent("src/a.py")
    except RulesError as error:
        bounded(error)


def gate_record(text: str) -> None:
    given = json_of(text)
    with suppress(ValueError, TypeError, AttributeError):
        write_record("alpha", given)
    if isinstance(given, dict):
        with suppress(ValueError):
            StoppedWrite.from_message("alpha", given)
        with suppress(ValueError):
            StoppedWrite.from_message("alpha", {"id": 1, "record": given})


def event(text: str) -> None:
    try:
        found = decode(text)
    except LogError as error:
        complaint(error)
        return
    assert decode(encode(found)) == found


def surface(text: str) -> None:
    given = json_of(text)
    if isinstance(given, dict):
        assert json.loads(snapshot.text_of(given)) == given or "NaN" in text


# ── what programs print ─────────────────────────────────────────────────────────────────────────


def row(text: str) -> None:
    data = text.encode("utf-8", "surrogateescape" if text.isprintable() else "replace")
    pen = ansi.PLAIN
    for line in data.split(b"\n"):
        runs, pen = ansi.parse_line(line, pen)
        shown = "".join(run for run, _ in runs)
        harmless(shown)
        harmless(ansi.plain(line))
        for link in links.links(shown):
            assert shown[link.start : link.end].startswith(link.target)
            harmless(link.target)


def printed(text: str) -> None:
    data = text.encode("utf-8", "replace")
    whole = "".join(piece.text for piece in PaneStream().feed(data))
    assert "\x1b" not in whole
    cut_up, stream, failures = "", PaneStream(), Failures()
    for start in range(0, len(data), 1 + len(data) // 7):
        for piece in stream.feed(data[start : start + 1 + len(data) // 7]):
            cut_up += piece.text
    assert "\x1b" not in cut_up
    for line in whole.split("\n"):
        failures.look(line)
    failure.plain(text)


def pane(text: str) -> None:
    lines = tuple(text.split("\n"))
    for rules in PANE_RULES:
        panerules.read_pane(rules, lines)
    before, after = Screen(lines[: len(lines) // 2]), Screen(lines)
    place = landed([before, before], after, "what was typed")
    if place is not None:
        gone(place, after)


def shell_marks(text: str) -> None:
    data = text.encode("utf-8", "replace")
    for name in ("bash", "zsh"):
        records, shell = Records(), Shell(name, "1", "/")
        for start in range(0, len(data), 4096):
            for fields in records.feed(data[start : start + 4096]):
                for said in shell.take(fields):
                    json.dumps(said)


# ── what is shown and stored ────────────────────────────────────────────────────────────────────


def shown(text: str) -> None:
    harmless(visible(text))
    harmless(visible(text, 80))
    assert "\n" not in as_markdown(text)
    harmless(as_code(text))
    for line in visible_lines(text).split("\n"):
        harmless(line)
    harmless(visible(cut(text[:5000], 40)))
    harmless(visible(cut_path(text[:5000], 40)))
    for form in ("9", "777", "99"):
        said = osc.sequence(form, text, tmux=False)
        assert said.count("\x1b") == {"9": 2, "777": 2, "99": 4}[form]
        harmless(said.replace("\x1b]", "").replace("\x1b\\", ""))


def secrets(text: str) -> None:
    Secrets().hide(text)


TARGETS = (
    Target("plan", plan, fragments.TOML),
    Target("codeowners", codeowners, fragments.OWNERS),
    Target("markdown", markdown, fragments.MARKDOWN),
    Target("claim", claim, fragments.OWNERS),
    Target("settings", settings, fragments.TOML),
    Target("python file", python_file, fragments.PYTHON, apart=True),
    Target("hook", hook, fragments.HOOK),
    Target("tool", tool, fragments.TOOL),
    Target("message", message, fragments.WIRE),
    Target("gate rules", gate_rules, fragments.WIRE),
    Target("gate record", gate_record, fragments.WIRE),
    Target("event", event, fragments.EVENT),
    Target("surface", surface, fragments.WIRE),
    Target("row", row, fragments.TERMINAL),
    Target("printed", printed, fragments.TERMINAL),
    Target("pane", pane, fragments.TERMINAL),
    Target("shell marks", shell_marks, fragments.MARKS),
    Target("shown", shown, fragments.TERMINAL),
    Target("secrets", secrets, fragments.SECRETS),
)
