"""An agent reads the log by the engine's socket: at once, page by page, and as it grows."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hook_play import Client

from runebook_tui.agent import AgentContext, AgentError


@pytest.fixture
def client(session) -> Client:
    return Client(session)


@pytest.fixture
def context(client: Client, monkeypatch: pytest.MonkeyPatch) -> Iterator[AgentContext]:
    """What the operator's own process may ask is the same verb."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", client.session.environment["XDG_RUNTIME_DIR"])
    return AgentContext("alpha", client.root)


def everything(context: AgentContext) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after = 0
    while True:
        page, after = context.records(after)
        if not page:
            return found
        found += page


def test_an_agent_reads_the_log_from_its_pane(client: Client) -> None:
    script = (
        "import json, os\n"
        "from pathlib import Path\n"
        "from runebook_tui.agent import AgentContext\n"
        'a = AgentContext("alpha", Path(os.environ["RUNEBOOK_ROOT"]))\n'
        'records, seq = a.records(0, ["AgentStarted", "RunStarted"])\n'
        '(a.folder / "read.new").write_text(json.dumps([records, seq]))\n'
        '(a.folder / "read.new").rename(a.folder / "read")\n'
    )
    client.do(f"\"$PYTHON\" - <<'END'\n{script}END\n")
    read = client.root / ".runebook/agents/alpha/read"
    client.session.until("the records", read.exists)
    records, seq = json.loads(read.read_text())
    assert {each["type"] for each in records} == {"AgentStarted", "RunStarted"}
    (began,) = [each for each in records if each["type"] == "RunStarted"]
    assert (began["plan"], began["run"], began["actor"]) == ("hooks", 1, "engine")
    assert isinstance(began["time"], float)
    assert {each["agent"] for each in records if each["type"] == "AgentStarted"} == {"alpha", "beta"}
    assert seq >= records[-1]["seq"]


def test_a_question_waits_until_a_record_comes(client: Client, context: AgentContext) -> None:
    position = everything(context)[-1]["seq"]
    answers: list[tuple[list[dict[str, Any]], int]] = []
    asked = threading.Thread(
        target=lambda: answers.append(context.records(position, ["MessageSent"], seconds=60))
    )
    asked.start()
    client.session.json("tell", "alpha", "look")
    asked.join(60)
    ((records, after),) = answers
    assert [(each["type"], each["text"]) for each in records] == [("MessageSent", "look")]
    assert after >= records[0]["seq"] > position


def test_what_is_not_wanted_is_passed_over(context: AgentContext) -> None:
    there = everything(context)[-1]["seq"]
    records, after = context.records(0, ["NothingOfThisName"], seconds=0.05)
    assert records == []
    # The engine goes on meanwhile.
    assert there <= after <= everything(context)[-1]["seq"]
    records, later = context.records(after, ["NothingOfThisName"])
    assert records == []
    assert later >= after


def test_a_bad_question_is_refused_in_words(context: AgentContext) -> None:
    with pytest.raises(AgentError, match="'after' must be a whole number"):
        context.records(None)  # type: ignore[arg-type]
    with pytest.raises(AgentError, match="'types' must be a list of at most 50 texts"):
        context.records(0, ["x"] * 51)
    with pytest.raises(AgentError, match="'seconds' must be a number"):
        context._ask("records", after=0, seconds="long")
