"""A real failure in a real pane becomes a suggestion: captured by the log, analysed, read back, applied."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from session_play import Session

from benchmarks.model.server import Model
from benchmarks.model.turns import Asked
from runebook_tui.execution import suggesting

PLAN = """
[plan]
name = "analysed"

{more}

[[phases]]
id = "build"

[[phases]]
id = "analysis"

[[phases]]
id = "surfaces"
after = ["analysis"]

[[agents]]
id = "alpha"
phase = "build"
command = ["sh", "work.sh"]
claims = ["src/alpha/**"]
gate = "observe"

[[agents]]
id = "analysis"
phase = "analysis"
builtin = "analysis"
tasks = [{{ id = "analysis-implement" }}, {{ id = "analysis-suggestions" }}]

[[agents]]
id = "surfaces"
phase = "surfaces"
command = ["sleep", "600"]
"""


def begin(session: Session, script: str, more: str = "") -> None:
    (session.root / "src/alpha").mkdir(parents=True)
    (session.root / "src/alpha/store.py").write_text("def append_event():\n    ...\n")
    (session.root / "work.sh").write_text(script)
    session.plan(PLAN.format(more=more))
    session.start()


def suggestions(session: Session) -> list[dict[str, Any]]:
    return [suggesting.shape(each) for each in session.state().suggestions]


def by_rule(session: Session, rule: str) -> dict[str, Any]:
    def found() -> dict[str, Any] | None:
        return next((each for each in suggestions(session) if each["provenance"]["rule"] == rule), None)

    return session.until(f"a suggestion by {rule}", found)


def test_a_failure_is_suggested_for_and_opens_the_next_phase(session: Session) -> None:
    script = "cd src/alpha && python3 -c 'import store_of_nobody'\n"
    begin(session, script)
    found = by_rule(session, "python-missing-module")
    assert found["snippet"] == "python -m pip install store_of_nobody"
    where = found["provenance"]
    assert (found["agent"], where["agent"], where["layer"]) == ("analysis", "alpha", "heuristics")
    failure = next(each for each in session.json("log") if each["seq"] == where["command"])
    assert failure["type"] in ("AgentExited", "CommandRan")
    assert failure["agent"] == "alpha"
    session.until("the surfaces", lambda: session.agent("surfaces")["alive"])
    assert session.state().tasks["analysis-suggestions"].status == "completed"
    assert "Install or add the module" in session.command("suggest", "status").stdout
    applied = session.command("suggest", "apply", str(found["id"]))
    assert applied.stdout == "python -m pip install store_of_nobody\n"
    assert found["id"] not in [each["id"] for each in session.json("suggest", "list")]


def test_a_fix_that_did_not_help_is_said_to(session: Session) -> None:
    begin(session, "python3 -c 'import store_of_nobody'\n")
    number = by_rule(session, "python-missing-module")["id"]
    session.json("suggest", "apply", str(number))
    session.json("restart", "alpha")
    tried = by_rule(session, "pattern-tried")
    assert tried["title"].startswith("Tried once and failed again: Install or add the module")
    again = next(each for each in suggestions(session) if each["id"] == number)
    assert (again["status"], again["count"], again["applied"]) == ("open", 2, 1)


def test_a_rejected_write_becomes_the_way_to_ask(session: Session) -> None:
    begin(
        session,
        "echo x > surfaces.txt; sleep 600\n",
        '[[shared]]\npath = "/surfaces.txt"\nowner = "surfaces"',
    )
    (request,) = session.until("the request", session.requests)
    session.json("reject", str(request["id"]), "--reason", "not now")
    found = by_rule(session, "boundary-rejected")
    assert (found["kind"], found["priority"]) == ("ask", "high")
    assert "not now" in found["words"]


@pytest.fixture
def model() -> Iterator[tuple[Model, list[str]]]:
    asked: list[str] = []

    def answer(question: Asked) -> str:
        asked.append(question.text)
        return "The frobnicator is cold. Warm it up."

    server = Model(answer)
    yield server, asked
    server.close()


def _analysis(model: Model, more: str = "") -> str:
    return f'[analysis]\nendpoint = "{model.address}/v1"\nmodel = "small"\n{more}'


SECRET = "ghp_" + "a1B2" * 9
STRANGE = f"echo 'token {SECRET}'; echo 'the frobnicator is strange'; exit 3\n"


def test_a_model_is_asked_only_what_was_shown_and_applied(
    session: Session, model: tuple[Model, list[str]]
) -> None:
    server, asked = model
    begin(session, STRANGE, _analysis(server))
    shown = by_rule(session, "ask-model")
    assert "the frobnicator is strange" in shown["snippet"]
    assert SECRET not in json.dumps(suggestions(session))
    assert asked == []
    session.json("suggest", "apply", str(shown["id"]))
    answered = by_rule(session, "model")
    assert answered["title"] == "small: The frobnicator is cold. Warm it up."
    (text,) = asked
    assert json.dumps(shown["snippet"])[1:-1] in text
    assert SECRET not in text
    used = json.loads((session.root / ".runebook/agents/analysis/tokens.json").read_text())
    assert used["tokens"] > 0
    assert server.strangers == []


def test_without_being_asked_for_no_model_is_asked(session: Session, model: tuple[Model, list[str]]) -> None:
    _, asked = model
    begin(session, STRANGE)
    by_rule(session, "unknown")
    assert not [each for each in suggestions(session) if each["kind"] == "ask-model"]
    assert asked == []


def test_a_plan_may_ask_at_once_and_within_a_budget(session: Session, model: tuple[Model, list[str]]) -> None:
    server, asked = model
    begin(session, STRANGE, _analysis(server, "ask = false\nbudget_tokens = 700"))
    by_rule(session, "model")

    def again() -> bool:
        session.command("restart", "alpha")
        return by_rule(session, "unknown")["count"] > 1

    session.until("it again", again)
    assert len(asked) == 1
