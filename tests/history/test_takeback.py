"""Taking one author's changes out of a text leaves every line of the others where it was."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runebook_tui.history import differences
from runebook_tui.history.weave import Conflict, TextStep, takeback

OTHERS, OURS = False, True


def text(*lines: str) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def taken(before: bytes, *steps: tuple[bool, bytes]) -> bytes | Conflict:
    return takeback(before, [TextStep(after, ours) for ours, after in steps])


# ── random work of two authors in one file ──────────────────────────────────────────────────────


@dataclass(frozen=True)
class Line:
    text: bytes
    ours: bool


@dataclass
class Work:
    """What two authors made of a text, and which lines are whose."""

    before: list[Line]
    now: list[Line]
    steps: list[TextStep]
    taken: list[Line]
    """Lines of the others that we took out."""

    def takeback(self) -> bytes | Conflict:
        return takeback(joined(self.before), self.steps)


def joined(lines: list[Line]) -> bytes:
    return b"".join(line.text for line in lines)


@st.composite
def works(draw: st.DrawFn, *, unique: bool) -> Work:
    """Random interleavings: each step is one author's few edits anywhere in the text."""
    rng = random.Random(draw(st.integers(0, 2**32)))
    number = iter(range(10_000))

    def line(ours: bool) -> Line:
        name = f"line {next(number)}" if unique else rng.choice(["", "}", "x", "return", "x", "y"])
        return Line(name.encode() + b"\n", ours)

    before = [line(OTHERS) for _ in range(draw(st.integers(0, 25)))]
    work = Work(before, list(before), [], [])
    for step in range(draw(st.integers(1, 7))):
        ours = step == 0 or rng.random() < 0.4
        for _ in range(rng.randint(1, 3)):
            at = rng.randint(0, len(work.now))
            gone = work.now[at : at + rng.choice([0, 0, 1, 2])]
            if ours:
                work.taken += [each for each in gone if not each.ours]
            work.now[at : at + len(gone)] = [line(ours) for _ in range(rng.choice([0, 1, 1, 3]))]
        work.steps.append(TextStep(joined(work.now), ours))
    return work


@given(works(unique=True))
@settings(deadline=None, max_examples=400)
def test_every_line_of_the_others_is_there_and_none_of_ours(work: Work) -> None:
    result = work.takeback()
    if isinstance(result, Conflict):
        return
    lines = [*result.splitlines(keepends=True)]
    theirs = [line.text for line in work.now if not line.ours]
    restored = [line.text for line in work.taken]
    assert Counter(lines) == Counter(theirs + restored)
    assert [line for line in lines if line in set(theirs)] == theirs, "nobody's lines changed their order"
    first = {line.text: at for at, line in enumerate(work.before)}
    old = [first[line] for line in lines if line in first]
    assert old == sorted(old), "what we took out is back at its old place"


@given(works(unique=False))
@settings(deadline=None, max_examples=400)
def test_among_equal_lines_no_more_go_than_ours_brought(work: Work) -> None:
    result = work.takeback()
    if isinstance(result, Conflict):
        return
    brought: Counter[bytes] = Counter()
    previous = joined(work.before)
    for step in work.steps:
        if step.ours:
            brought += Counter(step.after.splitlines(True)) - Counter(previous.splitlines(True))
        previous = step.after
    left = Counter(result.splitlines(keepends=True))
    assert not Counter(previous.splitlines(True)) - brought - left


@given(works(unique=True), works(unique=True))
@settings(deadline=None, max_examples=100)
def test_changes_that_are_a_line_apart_are_always_taken_back(ours: Work, theirs: Work) -> None:
    """One author works above a line, the other one below it: there is never a conflict."""
    upper = [joined(ours.before), *(step.after for step in ours.steps)]
    lower = [joined(theirs.before), *(step.after for step in theirs.steps)]
    rng = random.Random(len(upper[-1]) * 1000 + len(lower[-1]))
    x = y = 0
    steps = []
    while x < len(upper) - 1 or y < len(lower) - 1:
        if y == len(lower) - 1 or (x < len(upper) - 1 and rng.random() < 0.5):
            x, mine = x + 1, OURS
        else:
            y, mine = y + 1, OTHERS
        steps.append(TextStep(upper[x] + b"--\n" + lower[y].replace(b"line", b"row"), mine))
    whole = upper[0] + b"--\n" + lower[0].replace(b"line", b"row")
    assert takeback(whole, steps) == upper[0] + b"--\n" + lower[-1].replace(b"line", b"row")


@given(works(unique=False))
@settings(deadline=None, max_examples=100)
def test_without_others_everything_is_as_before(work: Work) -> None:
    steps = [TextStep(step.after, OURS) for step in work.steps]
    assert takeback(joined(work.before), steps) == joined(work.before)


# ── cases that have a name ──────────────────────────────────────────────────────────────────────


def test_what_others_wrote_right_beside_our_lines_stays() -> None:
    step = text("a", "ours", "b"), text("a", "above", "ours", "below", "b")
    assert taken(text("a", "b"), (OURS, step[0]), (OTHERS, step[1])) == text("a", "above", "below", "b")


def test_a_line_that_ours_changed_is_back_between_what_others_wrote_beside_it() -> None:
    first, then = text("a", "ours", "b"), text("a", "above", "ours", "below", "b")
    result = taken(text("a", "old", "b"), (OURS, first), (OTHERS, then))
    assert result == text("a", "above", "old", "below", "b")


def test_both_append() -> None:
    assert taken(text("a"), (OURS, text("a", "ours")), (OTHERS, text("a", "ours", "theirs"))) == text(
        "a", "theirs"
    )


@pytest.mark.parametrize(
    ("before", "ours", "theirs"),
    [
        (["a", "old", "b"], ["a", "new", "b"], ["a", "newer", "b"]),
        (["a", "b"], ["a", "new", "b"], ["a", "newer", "b"]),
        (["a", "b"], ["a", "1", "2", "b"], ["a", "1", "theirs", "2", "b"]),
        (["a", "old", "b"], ["a", "b"], ["a", "theirs", "b"]),
        (["a", "old", "b"], ["a", "b"], ["a", "old", "b"]),
        (["a", "old", "b"], ["a", "new", "b"], ["a", "b"]),
        (["a", "old", "b"], ["a", "new", "b"], ["a", "old", "b"]),
        (["a", "b", "old", "c", "d"], ["a", "b", "c", "d"], ["a", "d"]),
    ],
)
def test_where_others_went_on_from_our_lines_it_is_a_conflict(
    before: list[str], ours: list[str], theirs: list[str]
) -> None:
    assert isinstance(taken(text(*before), (OURS, text(*ours)), (OTHERS, text(*theirs))), Conflict)


def test_lines_of_ours_that_others_removed_are_no_conflict() -> None:
    first, then = text("a", "1", "2", "3", "b"), text("a", "1", "3", "b", "theirs")
    assert taken(text("a", "b"), (OURS, first), (OTHERS, then)) == text("a", "b", "theirs")


def test_two_changes_of_ours_with_others_between_are_both_taken_back() -> None:
    steps = [
        (OURS, text("a", "ours 1", "b", "c")),
        (OTHERS, text("a", "ours 1", "b", "c", "theirs")),
        (OURS, text("a", "ours 2", "b", "theirs", "ours 3")),
    ]
    assert taken(text("a", "b", "c"), *steps) == text("a", "b", "c", "theirs")


def test_a_file_that_was_seen_half_written_is_no_conflict() -> None:
    steps = [
        (OURS, text("a", "ours", "b")),
        (OTHERS, b""),
        (OTHERS, text("a", "ours", "b", "theirs")),
    ]
    assert taken(text("a", "b"), *steps) == text("a", "b", "theirs")


def test_bytes_are_kept_as_they_are() -> None:
    before, ours = b"one\r\n\xff\xfe\r\nthree", b"one\r\n\xff\xfe\r\n2.5\r\nthree"
    theirs = b"ONE\r\n\xff\xfe\r\n2.5\r\nthree"
    assert taken(before, (OURS, ours), (OTHERS, theirs)) == b"ONE\r\n\xff\xfe\r\nthree"


def test_a_missing_last_line_end_never_joins_two_lines() -> None:
    result = taken(b"a\nb", (OURS, b"a\nb\nours\n"), (OTHERS, b"a\nb\nours\ntheirs\n"))
    assert isinstance(result, Conflict)
    assert "line end" in result.reason
    assert taken(b"a\nb", (OURS, b"a\nb\nours\n"), (OTHERS, b"A\na\nb\nours\n")) == b"A\na\nb"


def test_what_is_no_text_is_a_conflict() -> None:
    assert isinstance(taken(b"\0", (OURS, b"\0\1")), Conflict)


def test_large_texts_are_compared_by_git_with_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(7)
    old = [f"{rng.randrange(50)}\n".encode() for _ in range(300)]
    new = [line for line in old if rng.random() < 0.9]
    for _ in range(20):
        new.insert(rng.randrange(len(new)), b"new\n")
    asked = []
    real = differences._git_hunks
    monkeypatch.setattr(differences, "_CORE_WORK", 10)
    monkeypatch.setattr(
        differences, "_git_hunks", lambda *given, **more: asked.append(1) or real(*given, **more)
    )
    found = differences.edits(old, new)
    assert asked
    assert found
    for a, b, c, d in reversed(found):
        old[a:b] = new[c:d]
    assert old == new
