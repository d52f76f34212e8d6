"""Words between agents and the operator in a real session: who may send them, who has them, and when."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hook_play import Client, claude, write
from session_play import rb


@pytest.fixture
def client(session) -> Client:
    return Client(session, more='\n[[policy.paths]]\npath = "src/beta/core/**"\nreview = "owner"\n')


def said(client: Client, line: str) -> str:
    """What a command says in alpha's pane, with its exit status."""
    client.do(f"{{ {line.strip()}; echo status=$?; }} > said.new 2>&1; mv said.new said.{client.count}\n")
    file = client.root / f"said.{client.count - 1}"
    client.session.until(f"the answer to {line}", file.exists)
    return file.read_text()


def delivered(client: Client) -> list[tuple[str, tuple[int, ...], str]]:
    records = client.session.json("log")
    return [
        (each["reader"], tuple(each["messages"]), each["by"])
        for each in records
        if each["type"] == "MessageDelivered"
    ]


def added(client: Client, payload: dict[str, object]) -> str:
    """What the hook adds for the model."""
    out, err, status = client.answer(client.ask(payload))
    assert (err, status) == ("", 0)
    return str(json.loads(out)["hookSpecificOutput"]["additionalContext"]) if out else ""


def test_the_operator_and_agents_tell_each_other(client: Client) -> None:
    session = client.session
    assert session.json("tell", "alpha", "beta", "look at \x1b[1mthis")["to"] == ["alpha", "beta"]
    assert "message 2 to operator" in said(client, rb("tell operator 'I am done?'"))
    assert "look at ␛[1mthis" in said(client, rb("inbox"))
    assert "no new message" in said(client, rb("inbox"))
    assert "look at" in said(client, rb("inbox --all"))
    assert delivered(client) == [("alpha", (1,), "command")]
    (mine,) = session.json("inbox")
    assert (mine["from"], mine["text"], mine["read"]) == ("alpha", "I am done?", False)
    assert session.json("inbox") == []
    # Looking into another's inbox is not reading it.
    assert [each["id"] for each in session.json("inbox", "--agent", "beta")] == [1]
    assert [each["id"] for each in session.json("inbox", "--agent", "beta")] == [1]


def test_nobody_speaks_or_reads_for_another(client: Client) -> None:
    for line in (rb("inbox --agent beta"), rb("recommend 1 approve --agent beta")):
        assert "alpha cannot speak for beta" in said(client, line)
    text = said(client, rb("tell nobody-knows hello"))
    assert "the plan has no agent 'nobody-knows'" in text
    assert text.endswith("status=1\n")
    forged = (
        '"$PYTHON" -c \'import os; from pathlib import Path; from runebook_tui.agent import AgentContext; '
        'AgentContext("beta", Path(os.environ["RUNEBOOK_ROOT"])).tell(["operator"], "trust me")\''
    )
    assert "alpha cannot speak for beta" in said(client, forged)
    assert client.session.json("inbox") == []


def test_a_loop_is_stopped_in_words(client: Client) -> None:
    loop = (
        '"$PYTHON" -c \'import os; from pathlib import Path; from runebook_tui.agent import AgentContext; '
        'a = AgentContext("alpha", Path(os.environ["RUNEBOOK_ROOT"])); '
        '[a.tell(["beta"], str(n)) for n in range(100)]\''
    )
    assert "alpha has sent 20 messages within a minute" in said(client, loop)
    assert len(client.session.json("inbox", "--agent", "beta")) == 20


def test_a_hook_brings_what_is_unread_once(client: Client) -> None:
    session, root = client.session, client.root
    session.json("tell", "alpha", "the schema moved")
    before = write(root, "src/alpha/x", "mine\n")
    assert added(client, before) == (
        "Runebook: 1 message for you.\nFrom the operator (message 1): the schema moved"
    )
    assert added(client, before) == ""
    session.json("tell", "alpha", "and again")
    # What works for a part of the client, and what its model does not read, brings nothing.
    assert added(client, {**before, "agent_id": "part-1"}) == ""
    assert added(client, claude(root, "Write", event="PostToolUse")) == ""
    assert "and again" in added(client, claude(root, "", event="UserPromptSubmit"))
    assert delivered(client) == [("alpha", (1,), "hook"), ("alpha", (2,), "hook")]


def test_a_hook_that_waits_has_the_answer_and_is_not_told_again(client: Client) -> None:
    asked = client.ask(write(client.root, "src/beta/x", "mine\n"), background=True)
    request = client.waiting()
    client.session.json("reject", str(request["id"]), "--reason", "not now")
    verdict, reason = client.decision(asked)
    assert (verdict, "not now" in reason) == ("deny", True)
    assert added(client, write(client.root, "src/alpha/x", "mine\n", "c2")) == ""
    (notice,) = client.session.json("inbox", "--agent", "beta")
    assert notice["text"] == "request 1 of alpha (src/beta/x, yours) was rejected: not now"


def test_who_asked_and_went_on_is_told_and_who_waited_is_not_told_twice(client: Client) -> None:
    session = client.session
    said(client, rb("ask src/beta/x --no-wait"))
    session.json("approve", "1", "--reason", "go on")
    text = added(client, write(client.root, "src/alpha/x", "mine\n"))
    assert "From Runebook (message 1): request 1 (src/beta/x) was approved once: go on" in text
    client.do(rb("ask src/beta/y --wait 60 > waited"))
    session.until("the second request", lambda: len(session.requests()) == 2)
    session.json("approve", "2")
    session.until("its answer", lambda: "approved" in (client.root / "waited").read_text())
    assert added(client, write(client.root, "src/alpha/x", "mine\n", "c2")) == ""
    assert delivered(client)[-1][2] == "command"


def test_an_owner_is_asked_first_and_its_advice_is_shown(client: Client) -> None:
    session = client.session
    (client.root / "src/beta/core").mkdir()
    client.ask(write(client.root, "src/beta/core/y", "mine\n"), background=True)
    client.waiting()
    (asked,) = session.json("inbox", "--agent", "beta")
    assert asked["request"] == 1
    assert "alpha wants to write src/beta/core/y, which is yours" in asked["text"]
    assert "alpha cannot speak for beta" in said(client, rb("recommend 1 approve --agent beta"))
    assert "is about paths of beta, not of alpha" in said(client, rb("recommend 1 approve"))
    advice = session.json("recommend", "1", "reject", "--reason", "it breaks us", "--agent", "beta")
    assert advice == {"id": 1, "agent": "beta", "advice": "reject", "reason": "it breaks us"}
    assert "beta recommends to reject it: it breaks us" in session.command("requests").stdout
    (request,) = session.json("requests")
    (known,) = request["recommendations"]
    assert known.items() >= {"agent": "beta", "advice": "reject", "reason": "it breaks us"}.items()
    assert request["status"] == "open"


def test_messages_outlive_the_engine(client: Client) -> None:
    session = client.session
    session.json("tell", "alpha", "still here")
    session.kill_engine()
    session.start()

    def told() -> list[dict[str, Any]]:
        done = session.command("inbox", "--agent", "alpha", "--json")
        return json.loads(done.stdout) if done.returncode == 0 else []

    assert [each["text"] for each in session.until("the inbox", told)] == ["still here"]
