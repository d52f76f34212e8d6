"""The rules that ship: each fires first on the real output that it is for, and none takes another's place."""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

import pytest

from runebook_agents.analysis import heuristics, rules
from runebook_agents.analysis.failure import Failure, plain
from runebook_agents.analysis.rules import SHIPPED, RuleError, load, read

FIXTURES = Path(__file__).with_name("fixtures")
RULES, PROBLEMS = load([SHIPPED])


class Printed(NamedTuple):
    """A fixture: what a tool printed, and which rule must come first."""

    rule: str
    made_by: str
    failure: Failure


def printed(name: str) -> Printed:
    head, _, output = (FIXTURES / f"{name}.txt").read_text().partition("\n\n")
    said = dict(line[2:].split(": ", 1) for line in head.splitlines())
    failure = Failure(1, "alpha", said["command"], plain(output), int(said["exit"]))
    return Printed(said["rule"], said["made by"], failure)


NAMES = sorted(file.stem for file in FIXTURES.glob("*.txt"))


def fresh(tmp_path: Path, text: str) -> tuple[rules.Rule, ...]:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    return read(file)


def failed(output: str, command: str = "make", code: int | None = 1) -> Failure:
    return Failure(1, "alpha", command, output, code)


def test_every_rule_can_be_read_and_has_a_fixture() -> None:
    assert PROBLEMS == ()
    assert len(RULES) >= 60
    assert {rule.id for rule in RULES} == {printed(name).rule for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_the_right_rule_comes_first_on_real_output(name: str) -> None:
    right, made_by, failure = printed(name)
    found = heuristics.ideas(RULES, failure, Path("/repo"))
    assert [idea.rule for idea in found][:1] == [right], f"printed by {made_by}"
    assert all(found[0].rank < idea.rank for idea in found[1:]), found
    assert 0 < len(found[0].title) <= 200


@pytest.mark.parametrize("name", NAMES)
def test_what_went_well_is_no_rules(name: str) -> None:
    """A rule by exit code alone must not take a command that ended well."""
    failure = printed(name).failure
    quiet = Failure(1, "alpha", failure.command, "ok\n", 1)
    assert heuristics.ideas(RULES, quiet, Path("/repo")) == ()


def test_named_groups_fill_the_texts() -> None:
    (best, *_) = heuristics.ideas(RULES, printed("python-missing-module").failure, Path("/repo"))
    assert best.title == "Install or add the module yaml_tools"
    assert best.snippet == "python -m pip install yaml_tools"


def test_a_place_of_the_repository_comes_with_it(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/total.ts").write_text("x")
    (best, *_) = heuristics.ideas(RULES, printed("tsc-error").failure, tmp_path)
    assert (best.file, best.line) == ("src/total.ts", 4)
    (tmp_path / "src/total.ts").unlink()
    (tmp_path / "src/total.ts").symlink_to("/etc/passwd")
    (best, *_) = heuristics.ideas(RULES, printed("tsc-error").failure, tmp_path)
    assert (best.file, best.line) == ("", None)


def test_a_hostile_output_cannot_put_a_command_into_a_snippet(tmp_path: Path) -> None:
    (rule,) = fresh(
        tmp_path,
        '[[rules]]\nid = "x"\ntitle = "{what}"\noutput = "lost (?P<what>.+)"\nsnippet = "look {what}"\n',
    )
    (idea,) = heuristics.ideas([rule], failed("lost x; rm -rf ~ #$(id)\x1b]0;y"), tmp_path)
    assert idea.snippet == "look 'x; rm -rf ~ #$(id)␛]0;y'"
    (idea,) = heuristics.ideas([rule], failed("lost --pre {command}"), tmp_path)
    assert idea.snippet == "look './--pre {command}'"
    (idea,) = heuristics.ideas([rule], failed("lost " + "y" * 9999), tmp_path)
    assert len(idea.title) <= 200


def test_a_hostile_output_cannot_keep_the_rules_busy(tmp_path: Path) -> None:
    (slow,) = fresh(tmp_path, '[[rules]]\nid = "slow"\ntitle = "t"\noutput = "^(a|aa)+$"\n')
    began = time.process_time()
    assert heuristics.ideas([slow] * 500, failed("a" * 5000 + "b"), tmp_path) == ()
    assert time.process_time() - began < 3 * heuristics.ALL_SECONDS


def test_every_rule_is_fast_on_long_output_made_of_what_it_looks_for() -> None:
    long = "".join(printed(name).failure.output for name in NAMES)[:65536]
    weird = ["error: " * 9000, "'" * 60000, "a:1:1: " * 9000, "(" * 60000, "\n" * 60000, "x " * 30000]
    for output in (long, *weird):
        began = time.process_time()
        heuristics.ideas(RULES, failed(output), Path("/repo"))
        assert time.process_time() - began < 2 * heuristics.ALL_SECONDS


def test_nobody_who_left_is_answered(tmp_path: Path) -> None:
    assert heuristics.ideas(RULES, printed("disk-full").failure, tmp_path, lambda: True) == ()


def test_later_files_take_earlier_rules_places_and_bad_ones_are_named(tmp_path: Path) -> None:
    own = tmp_path / "rules.d"
    own.mkdir()
    (own / "a.toml").write_text('[[rules]]\nid = "disk-full"\ntitle = "Call Bob"\noutput = "No space left"\n')
    (own / "b.toml").write_text('[[rules]]\nid = "b"\ntitle = "{nothing}"\noutput = "x"\n')
    (own / "c.toml").write_bytes(b"\xff")
    together, problems = load([SHIPPED, own, tmp_path / "none"])
    assert len(together) == len(RULES)
    (best, *_) = heuristics.ideas(together, printed("disk-full").failure, tmp_path)
    assert best.title == "Call Bob"
    assert len(problems) == 2
    assert "b.toml: rule b: {nothing} is no named group of its output" in problems


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('rules = "x"', "rules are tables"),
        ('[[rules]]\ntitle = "t"\noutput = "x"', "a rule has an id"),
        ('[[rules]]\nid = "x"\noutput = "x"', "and a title"),
        ('[[rules]]\nid = "x"\ntitle = "t"', "say what it matches"),
        ('[[rules]]\nid = "x"\ntitle = "t"\noutput = "("', "is no regular expression"),
        ('[[rules]]\nid = "x"\ntitle = "t"\noutput = 3', "output is a regular expression"),
        ('[[rules]]\nid = "x"\ntitle = 3\noutput = "x"', "title is a text"),
        ('[[rules]]\nid = "x"\ntitle = "t"\ncodes = ["1"]', "codes is a list"),
        ('[[rules]]\nid = "x"\ntitle = "t"\ncodes = [1]\nconfidence = 2', "from 0 to 1"),
        ('[[rules]]\nid = "x"\ntitle = "t"\ncodes = [1]\npriority = "urgent"', "high, normal, low"),
        ('[[rules]]\nid = "x"\ntitle = "t"\ncodes = [1]\nkind = "run"', "kind is one of"),
        ('[[rules]]\nid = "x"\ntitle = "t"\ncodes = [1]\nexecute = "x"', "there is no field 'execute'"),
    ],
)
def test_what_is_no_rule_is_said_in_one_line(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(RuleError, match="mine.toml: ") as raised:
        fresh(tmp_path, text)
    assert why in str(raised.value)
    assert "\n" not in str(raised.value)
