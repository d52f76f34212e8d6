"""Failures as the log tells them, the worker that takes them up, and what a model would be asked."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runebook_agents.analysis import model
from runebook_agents.analysis.failure import MOST_BYTES, Failure, failure_of, plain, stored_output
from runebook_agents.analysis.refused import Refused
from runebook_agents.analysis.seen import Seen
from runebook_agents.analysis.worker import Worker

DEADLINE = 30.0


def record(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "seq": 7, "time": 1.5, "run": 1, "actor": "engine", **fields}


def command(**fields: Any) -> dict[str, Any]:
    return record("CommandRan", **{"agent": "alpha", "command": "make", "code": 2, "failed": True, **fields})


def test_a_failed_command_comes_with_its_stored_output(tmp_path: Path) -> None:
    stored = ".runebook/agents/event-capture/output/1.txt"
    (tmp_path / stored).parent.mkdir(parents=True)
    (tmp_path / stored).write_bytes(b"\x1b[31mred\x1b[0m\r\nerror: x\xff\n")
    found = failure_of(command(output=stored, folder="src", error="error: y"), tmp_path)
    assert found == Failure(7, "alpha", "make", "red\nerror: x\ufffd\n\nerror: y", 2, "src", None, 1.5)
    assert failure_of(command(code=0, failed=False), tmp_path) is None


def test_only_stored_outputs_are_read(tmp_path: Path) -> None:
    inside = tmp_path / ".runebook/agents/x"
    inside.mkdir(parents=True)
    (tmp_path / "secret").write_text("s")
    (inside / "link").symlink_to(tmp_path / "secret")
    os.mkfifo(inside / "pipe")
    for name in ("secret", "../secret", ".runebook/agents/../../secret", ".runebook/agents/x/link",
                 ".runebook/agents/x/none", "/etc/passwd", "", ".runebook/agents/x/pipe"):  # fmt: skip
        assert stored_output(tmp_path, name) == "", name


def test_a_long_output_keeps_its_beginning_and_its_end(tmp_path: Path) -> None:
    (tmp_path / ".runebook/agents/x").mkdir(parents=True)
    (tmp_path / ".runebook/agents/x/long").write_bytes(b"first" + b"." * 10**6 + b"last")
    found = stored_output(tmp_path, ".runebook/agents/x/long")
    assert found.startswith("first")
    assert found.endswith("last")
    assert len(found) == MOST_BYTES + 1


def test_programs_that_ended_badly_and_checks_that_failed_are_failures(tmp_path: Path) -> None:
    ended = failure_of(record("AgentExited", agent="a", code=None, signal=9, last_lines=["x", "y"]), tmp_path)
    assert ended is not None
    assert (ended.code, ended.output) == (137, "x\ny")
    assert failure_of(record("AgentExited", agent="a", code=0, signal=None), tmp_path) is None
    check = record("AcceptanceRan", agent="f", check="c", command="make", passed=False, code=1, reason="no")
    assert failure_of(check, tmp_path) == Failure(7, "f", "make", "no", 1, ".", None, 1.5)
    assert failure_of({**check, "passed": True}, tmp_path) is None


def test_a_rejection_reads_as_the_refused_program_read_it() -> None:
    refused = Refused()
    crossing = {"path": "src/beta/x", "owner": "beta"}
    asked = record("CoordinationRequest", request=4, requester="alpha", crossings=[crossing])
    assert refused.failure(asked) is None
    said = record("CoordinationResponse", request=4, decision="rejected", reason="not now")
    found = refused.failure(said)
    assert found is not None
    assert found.output == "runebook: src/beta/x is beta's; the operator rejected request 4: not now"
    assert refused.failure({**said, "decision": "approved"}) is None
    assert refused.failure({**said, "request": 5}) is None
    tried = record("AttemptRefused", speaker="alpha", attempt="write a", reason="it belongs to the operator")
    found = refused.failure(tried)
    assert found is not None
    assert found.output == "runebook: a belongs to the operator"


def test_escapes_are_gone_and_hostile_ones_cost_nothing() -> None:
    assert plain("\x1b]0;title\x07a\x1b[1;31mb\x1b(Bc\x1b[") == "abBc\x1b["[:2] + plain("\x1b(Bc\x1b[")
    assert len(plain("\x1b]" * 100_000)) <= 200_000


def failed(command: str, seq: int = 1) -> Failure:
    return Failure(seq, "alpha", command, "", 1)


def test_a_newer_failure_of_the_same_command_takes_the_place_of_the_running_one() -> None:
    begun, ended, seen = threading.Event(), threading.Event(), []

    def analyse(failure: Failure, over: Callable[[], bool]) -> None:
        if failure.seq == 1:
            begun.set()
            assert _until(over)
        seen.append((failure.seq, over()))
        if failure.seq == 4:
            ended.set()

    worker = Worker(analyse)
    worker.add(failed("make", 1))
    assert begun.wait(DEADLINE)
    worker.add(failed("test", 2))
    worker.add(failed("test", 4))
    worker.add(failed("make", 3))
    worker.add(failed("test", 4))
    assert ended.wait(DEADLINE)
    worker.close()
    assert seen == [(1, True), (3, False), (4, False)]


def test_closing_ends_at_once_what_runs() -> None:
    begun, told = threading.Event(), threading.Event()

    def analyse(failure: Failure, over: Callable[[], bool]) -> None:
        begun.set()
        assert _until(over)
        told.set()

    idle: list[int] = []
    worker = Worker(analyse, lambda: idle.append(1))
    worker.add(failed("make"))
    assert begun.wait(DEADLINE)
    worker.add(failed("other"))
    worker.close(DEADLINE)
    assert told.is_set()
    assert idle == []


def _until(condition: Callable[[], bool]) -> bool:
    """Poll as an analysis does between its steps."""
    pause = threading.Event()
    for _ in range(int(DEADLINE / 0.01)):
        if condition():
            return True
        pause.wait(0.01)
    return False


def test_what_was_analysed_is_remembered(tmp_path: Path) -> None:
    seen = Seen(tmp_path / "seen.json")
    assert seen.seq == 0
    seen.add(7)
    seen.add(3)
    assert (seen.seq, Seen(tmp_path / "seen.json").seq) == (7, 7)
    (tmp_path / "seen.json").write_text("{")
    assert Seen(tmp_path / "seen.json").seq == 0


TERMS = model.Terms("http://127.0.0.1:1/v1", "small", "", 1000, True)


def test_a_question_is_redacted_and_bounded() -> None:
    secret = "ghp_" + "a1B2" * 9
    text = model.question(
        Failure(1, "alpha", f"curl -H 'Authorization: Bearer {secret}'", f"x {secret}\n" * 999, 1)
    )
    assert secret[4:] not in text
    long = model.question(Failure(1, "alpha", "make", "some line\n" * 5_000 + "the end", 1))
    assert len(long) <= model.MOST_TEXT
    assert long.startswith("$ make\nexit status 1\n")
    assert long.endswith("the end")


def test_a_budget_outlives_the_agent_and_is_kept_to(tmp_path: Path) -> None:
    budget = model.Budget(tmp_path / "tokens.json")
    assert budget.allows(TERMS, "short")
    assert not budget.allows(TERMS, "x" * 4000)
    budget.spend(400)
    assert not model.Budget(tmp_path / "tokens.json").allows(TERMS, "short")
    with pytest.raises(model.ModelError, match="the budget of 1000 tokens is used up"):
        model.answer(TERMS, "short", budget)
    (tmp_path / "tokens.json").write_text("[]")
    assert budget.used == 0


def test_a_model_that_does_not_answer_is_one_line_and_counts(tmp_path: Path) -> None:
    budget = model.Budget(tmp_path / "tokens.json")
    with pytest.raises(model.ModelError, match="the model does not answer: "):
        model.answer(TERMS, "short", budget)
    assert budget.used == model.tokens("short")


def test_without_an_endpoint_there_are_no_terms() -> None:
    assert model.Terms.of({}) is None
    given = {"endpoint": "", "model": "", "key_variable": "", "budget_tokens": 1, "ask": True}
    assert model.Terms.of({"analysis": given}) is None
    assert model.Terms.of({"analysis": {**given, "endpoint": "http://x"}}) is not None
