"""What panes say: real output of the real clients, and an engine that reads a pane in a real tmux."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from session_play import Session

from runebook_tui.core.panerules import PaneRule, read_pane, rules_of
from runebook_tui.core.standing import Word
from runebook_tui.execution.lookout import GENERAL, all_rules
from runebook_tui.place import tmux_socket_name

PANES = Path(__file__).parent / "panes"

SAID = {
    "aider-again": (Word.WORKING, "aider: at work"),
    "aider-dialog": (Word.WAITING, "aider: confirm"),
    "aider-prompt": (Word.IDLE, "aider: prompt"),
    "aider-working": (Word.WORKING, "aider: at work"),
    "claude-broken-off": (Word.IDLE, "claude: broken off"),
    "claude-dialog": (Word.WAITING, "claude: dialog"),
    "claude-limit": (Word.LIMITED, "claude: limit"),
    "claude-working": (Word.WORKING, "claude: at work"),
    "codex-limit": (Word.LIMITED, "codex: limit"),
    "copilot-dialog": (Word.WAITING, "copilot: dialog"),
    "gemini-dialog": (Word.WAITING, "gemini: dialog"),
    "gemini-prompt": (Word.IDLE, "gemini: prompt"),
    "gemini-working": (Word.WORKING, "gemini: at work"),
    "opencode-limit": (Word.LIMITED, "opencode: limit"),
    "opencode-working": (Word.WORKING, "opencode: at work"),
    "qwen-dialog": (Word.WAITING, "qwen: dialog"),
    "qwen-prompt": (Word.IDLE, "qwen: prompt"),
    "qwen-working": (Word.WORKING, "qwen: at work"),
}
"""What each recorded screen says. aider tries a refused request again without a word."""


@pytest.mark.parametrize("name", sorted(SAID))
def test_the_screen_of_a_client_is_known(name: str) -> None:
    rules = all_rules()
    lines = (PANES / f"{name}.txt").read_text().split("\n")
    found = read_pane((*rules[name.partition("-")[0]], *rules[GENERAL]), lines)
    assert (found.word, found.rule) == SAID[name]
    assert found.line


def test_every_recorded_screen_is_asked_about() -> None:
    assert {path.stem for path in PANES.glob("*.txt")} == set(SAID)


@pytest.mark.parametrize("name", sorted(SAID))
def test_the_rules_for_every_program_know_no_client_at_work(name: str) -> None:
    found = read_pane(all_rules()[GENERAL], (PANES / f"{name}.txt").read_text().split("\n"))
    assert found.word in (None, SAID[name][0])


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("Overwrite x? [y/N] ", Word.WAITING),
        ("Proceed (yes/no)?", Word.WAITING),
        ("[sudo] password for me:", Word.WAITING),
        ("the answer [y/n] was y", None),
        ("compiling password: done", None),
        ("", None),
    ],
)
def test_what_many_programs_ask_is_known(line: str, word: Word | None) -> None:
    assert read_pane(all_rules()[GENERAL], ["before", line, ""]).word is word


def test_a_question_that_scrolled_away_is_no_question() -> None:
    lines = ["Overwrite x? [y/N] y", "written", "done"]
    assert read_pane(all_rules()[GENERAL], lines).word is None


def test_a_pane_of_any_size_is_read_in_bounds() -> None:
    lines = ["(" * 100_000, "y/" * 100_000, "\x1b[31m" * 1000, " " * 100_000]
    for rules in all_rules().values():
        assert read_pane(rules, lines * 200).word is None


@pytest.mark.parametrize(
    "rule",
    [
        {"name": "a", "says": "done", "line": "x"},
        {"name": "a", "says": "waiting for you", "line": "x", "within": 0},
        {"name": "a", "says": "no such word", "line": "x"},
        {"name": "a", "says": "idle", "line": "x", "colour": "red"},
    ],
)
def test_what_is_no_rule_is_refused(rule: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"a rule|no such word"):
        rules_of("client", {"rules": [rule]})


def test_near_must_stand_in_the_same_lines() -> None:
    (rule,) = rules_of("c", {"rules": [{"name": "n", "says": "idle", "line": "a", "near": "b", "within": 2}]})
    assert isinstance(rule, PaneRule)
    assert read_pane([rule], ["b", "a"]).word is Word.IDLE
    assert read_pane([rule], ["b", "x", "a"]).word is None


PLAN = """
[plan]
name = "panes"

[[phases]]
id = "work"

[[agents]]
id = "alpha"
phase = "work"
command = ["./aider"]
claims = ["alpha/**"]
env = { MY_TOKEN = "tok-en-of-mine-7731" }
"""

SCRIPT = """#!/bin/sh
printf 'Allow edits with %s? (Y)es/(N)o [Yes]: ' "$MY_TOKEN"
read answer
printf '\\nWaiting for a model\\n'
sleep 600
"""


def test_an_engine_reads_the_pane_and_says_why(session: Session) -> None:
    program = session.root / "aider"
    program.write_text(SCRIPT)
    program.chmod(0o755)
    session.plan(PLAN)
    session.start()
    session.until("the question", lambda: session.agent("alpha").get("state") == "waiting for you")
    why = session.json("why", "alpha")
    assert (why["source"], why["rule"]) == ("its pane", "aider: confirm")
    assert why["line"].startswith("Allow edits with ")
    assert "tok-en-of-mine-7731" not in json.dumps(session.json("log")) + json.dumps(why)
    assert "waiting for you" in session.command("why", "alpha").stdout

    assert session.json("snooze", "alpha")["until"]
    session.until("it is put off", lambda: session.agent("alpha").get("snoozed_until"))

    pane = session.agent("alpha")["pane"]
    keys = ["send-keys", "-t", pane, "y", "Enter"]
    subprocess.run(["tmux", "-L", tmux_socket_name(session.root), *keys], check=True)
    session.until("it is at work", lambda: session.agent("alpha").get("state") == "working")
    assert session.agent("alpha")["snoozed_until"] is None
    assert [each["state"] for each in session.json("why", "alpha")["before"]][0] == "waiting for you"
