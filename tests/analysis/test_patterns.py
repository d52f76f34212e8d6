"""What failures have in common: across panes, again and again, slower than usual, tried before."""

from __future__ import annotations

from typing import Any

from runebook_agents.analysis.failure import Failure
from runebook_agents.analysis.idea import Idea
from runebook_agents.analysis.patterns import Patterns, error_line, tried_before


def failed(agent: str, output: str, command: str = "make", seq: int = 1) -> Failure:
    return Failure(seq, agent, command, output, 1)


def ran(seconds: float | None, **more: Any) -> dict[str, Any]:
    return {"command": "make test", "folder": ".", "seconds": seconds, "failed": False, **more}


def rules(ideas: tuple[Idea, ...]) -> list[str]:
    return [idea.rule for idea in ideas]


def test_the_line_that_says_what_went_wrong() -> None:
    assert error_line(failed("a", "begin\nfatal: no disk at 0x1f\nbye\n")) == "fatal: no disk at 0x1f"
    assert error_line(failed("a", "begin\nbye\n\n")) == "bye"
    assert error_line(failed("a", "\n")) == ""


def test_the_same_failure_in_two_panes_is_one_for_both() -> None:
    patterns = Patterns()
    assert patterns.failed(failed("alpha", "error: no database at /tmp/a/db.sqlite (pid 12)")) == ()
    (idea,) = patterns.failed(failed("beta", "error: no database at /home/b/db.sqlite (pid 977)"))
    assert (idea.rule, idea.priority) == ("pattern-across-agents", "high")
    assert "(alpha, beta)" in idea.title
    assert idea.snippet == "runebook-tui tell alpha beta 'known: '"
    assert patterns.failed(failed("gamma", "error: another one")) == ()


def test_the_third_time_in_the_same_way_is_said() -> None:
    patterns = Patterns()
    found = [rules(patterns.failed(failed("alpha", "error: x"))) for _ in range(4)]
    assert found == [[], [], ["pattern-again"], ["pattern-again"]]
    patterns.went_well("alpha", ".", "make")
    assert patterns.failed(failed("alpha", "error: x")) == ()


def test_different_errors_of_one_command_are_no_row() -> None:
    patterns = Patterns()
    for word in ("one", "two", "three", "four"):
        assert patterns.failed(failed("alpha", f"error: {word}")) == ()


def test_a_command_is_slow_against_its_own_history() -> None:
    patterns = Patterns()
    assert [patterns.took(ran(seconds)) for seconds in (2.0, 2.2, 1.9, 2.1, 2.4)] == [None] * 5
    idea = patterns.took(ran(30.0))
    assert idea is not None
    assert idea.title == "make test took 30 s, and usually takes 2.1 s"
    assert patterns.took(ran(30.0, command="make other")) is None
    assert patterns.took(ran(30.0, failed=True)) is None
    assert patterns.took(ran(None)) is None


def test_what_is_quick_is_never_slow() -> None:
    patterns = Patterns()
    assert [patterns.took(ran(seconds)) for seconds in (0.1, 0.1, 0.1, 0.1, 4.0)] == [None] * 5


def test_memory_is_bounded() -> None:
    patterns = Patterns()
    for number in range(3000):
        patterns.failed(failed("alpha", f"error: {chr(97 + number % 26) * (number // 26 + 1)}"))
        patterns.took(ran(1.0, command=f"make {number}"))
    assert len(patterns._errors) == len(patterns._tries) == len(patterns._seconds) == 1000


def test_a_fix_that_was_tried_says_how_often() -> None:
    idea = Idea(kind="fix", title="Install x", rule="r", layer="heuristics", snippet="pip install x")
    assert tried_before(idea, 1).title == "Tried once and failed again: Install x"
    assert tried_before(idea, 2).title == "Tried 2 times and failed again: Install x"
    assert tried_before(idea, 2).snippet == ""
