"""`plan`: what the operator's decisions suggest, and changes of the plan's file."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Sequence
from typing import Any

from runebook_tui.cli import shapes
from runebook_tui.cli.asking import ask_engine
from runebook_tui.cli.place import CommandError, inside, root_of_plan
from runebook_tui.core.learning import Lesson, lesson_of, lessons
from runebook_tui.core.planedits import (
    AddClaim,
    AddMayWrite,
    EditError,
    PlanEdit,
    edit_words,
    read,
    transfer,
    written,
)
from runebook_tui.core.printable import visible
from runebook_tui.core.state import State
from runebook_tui.execution.amending import text_digest
from runebook_tui.execution.follow import has_log, open_log
from runebook_tui.log.loading import load
from runebook_tui.orchestrator.patch import difference, patched
from runebook_tui.orchestrator.planner import load_plan, read_text
from runebook_tui.orchestrator.problems import PlanError
from runebook_tui.place import PLAN_NAME

_WORDS = {
    "lessons": "",
    "accept": "ID",
    "dismiss": "ID",
    "widen": "AGENT PATTERN",
    "transfer": "PATH AGENT",
    "restore": "DIGEST",
}


def plan(arguments: Namespace) -> int:
    """Carry out one step of `plan`."""
    wanted = _WORDS[arguments.step]
    if len(arguments.words) != len(wanted.split()):
        raise CommandError(f"`plan {arguments.step}` takes {wanted or 'no further words'}", 2)
    steps: dict[str, Callable[[Namespace], int]] = {
        "lessons": _lessons,
        "accept": _accept,
        "dismiss": _dismiss,
        "widen": _widen,
        "transfer": _transfer,
        "restore": _restore,
    }
    return steps[arguments.step](arguments)


def _lessons(arguments: Namespace) -> int:
    text = _text()
    found = [(lesson, _patch(text, lesson)) for lesson in lessons(_state())]
    if arguments.json:
        print(shapes.dump([_lesson_shape(lesson, patch) for lesson, patch in found]))
        return 0
    for lesson, patch in found:
        print(f"{lesson.id}  {visible(lesson.words)}")
        for line in patch.splitlines()[2:]:
            print(f"        {visible(line)}")
    if found:
        print("take one: `runebook-tui plan accept ID`; or never again: `runebook-tui plan dismiss ID`")
    else:
        print("your decisions suggest no change of the plan")
    return 0


def _lesson_shape(lesson: Lesson, patch: str) -> dict[str, Any]:
    return {
        "id": lesson.id,
        "words": lesson.words,
        "edit": edit_words(lesson.edit),
        "requests": list(lesson.requests),
        "patch": patch,
    }


def _patch(text: str, lesson: Lesson) -> str:
    """The patch of a lesson; "" where the file cannot take it."""
    try:
        return difference(text, patched(text, [lesson.edit]))
    except PlanError:
        return ""


def _accept(arguments: Namespace) -> int:
    return _amend(arguments, [_lesson(arguments.words[0]).edit])


def _dismiss(arguments: Namespace) -> int:
    lesson = _lesson(arguments.words[0])
    if not arguments.dry_run:
        ask_engine("dismiss-lesson", lesson=lesson.id)
    if arguments.json:
        print(shapes.dump({"id": lesson.id}))
    else:
        print(visible(f"not to be suggested again: {edit_words(lesson.edit)}"))
    return 0


def _widen(arguments: Namespace) -> int:
    agent, pattern = arguments.words
    edit = AddMayWrite(agent, pattern) if arguments.may_write else AddClaim(agent, pattern)
    return _amend(arguments, _checked(lambda: read(written([edit]))))


def _transfer(arguments: Namespace) -> int:
    root = root_of_plan()
    path, agent = arguments.words
    known = load_plan(root / PLAN_NAME)
    return _amend(arguments, _checked(lambda: transfer(known, inside(root, path), agent)))


def _restore(arguments: Namespace) -> int:
    if arguments.dry_run:
        raise CommandError("`plan restore` has no --dry-run: restore the other digest to take it back", 2)
    answer = ask_engine("amend", restore=arguments.words[0], seen=text_digest(_text()))
    return _show(arguments, answer)


def _amend(arguments: Namespace, edits: Sequence[PlanEdit]) -> int:
    text = _text()
    after = patched(text, edits)
    if not arguments.dry_run:
        answer = ask_engine("amend", edits=written(edits), seen=text_digest(text))
        return _show(arguments, answer)
    answer = {
        "changed": text != after,
        "before": text_digest(text),
        "after": text_digest(after),
        "patch": difference(text, after),
        "edits": [edit_words(edit) for edit in edits],
    }
    return _show(arguments, answer)


def _show(arguments: Namespace, answer: dict[str, Any]) -> int:
    if arguments.json:
        print(shapes.dump(answer | {"dry_run": arguments.dry_run}))
        return 0
    for line in answer["patch"].splitlines():
        print(visible(line))
    if not answer["changed"]:
        print("the plan has that already")
    elif not arguments.dry_run:
        print(f"changed, and in force; take it back with `runebook-tui plan restore {answer['before']}`")
    return 0


def _checked(edits: Callable[[], tuple[PlanEdit, ...]]) -> tuple[PlanEdit, ...]:
    try:
        return edits()
    except EditError as error:
        raise CommandError(str(error), 2) from error


def _lesson(name: str) -> Lesson:
    lesson = lesson_of(_state(), name)
    if lesson is None:
        raise CommandError(f"there is no lesson {name!r} (any more); see `runebook-tui plan lessons`")
    return lesson


def _text() -> str:
    """The plan's text, to the byte."""
    path = root_of_plan() / PLAN_NAME
    text = read_text(path)
    with path.open("rb") as file:
        mark = file.read(3)
    return ("\ufeff" if mark == b"\xef\xbb\xbf" else "") + text


def _state() -> State:
    root = root_of_plan()
    if not has_log(root):
        return State()
    with open_log(root) as log:
        return load(log)
