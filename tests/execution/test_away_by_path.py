"""What an unanswered write gets can differ by path: real writes, under the gate and by a client's hook."""

from __future__ import annotations

import json

import pytest
from hook_play import Client, write

PATHS = """
[[policy.paths]]
path = "src/beta/never/**"
away = "refuse"

[[policy.paths]]
path = "src/beta/never/soon/**"
away = "hold"
hold_seconds = 0.5

[[policy.paths]]
path = "*.md"
away = "flag"
"""

LANDS, REFUSED, LAPSED, HELD = "src/beta/a.md", "src/beta/never/b", "src/beta/never/soon/c", "src/beta/d"


@pytest.fixture
def client(session) -> Client:
    for path in (REFUSED, LAPSED):
        (session.root / path).parent.mkdir(parents=True, exist_ok=True)
        (session.root / path).write_text("theirs\n")
    return Client(session, more=PATHS)


def by_path(client: Client) -> dict[str, dict[str, object]]:
    return {path: each for each in client.session.requests() for path in each["paths"]}


def test_the_gate_holds_refuses_and_lets_land_by_path(client: Client) -> None:
    session = client.session
    client.do(
        f"echo mine > {LANDS}; echo lands=$? >> said.txt\n"
        f"echo mine > {REFUSED}; echo refused=$? >> said.txt\n"
        f"echo mine > {LAPSED}; echo lapsed=$? >> said.txt\n"
        f"echo mine > {HELD}; echo held=$? >> said.txt\n"
    )
    (held,) = session.until(
        "the write that waits",
        lambda: [r for r in session.requests() if r["held_until"] and HELD in r["paths"]],
    )
    said = (session.root / "said.txt").read_text().split()
    assert said == ["lands=0", "refused=1", "lapsed=1"]
    assert (session.root / LANDS).read_text() == "mine\n"
    assert [(session.root / path).read_text() for path in (REFUSED, LAPSED)] == ["theirs\n", "theirs\n"]
    assert not (session.root / HELD).exists()
    assert session.command("approve", str(held["id"])).returncode == 0
    session.until("the approved write", lambda: "held=0" in (session.root / "said.txt").read_text())
    log = session.command("log").stdout
    assert "the plan refuses it at once" in log
    assert "nobody answered within 0.5 s" in log
    session.until("the flagged write as a request", lambda: LANDS in by_path(client))
    assert by_path(client)[LANDS]["kind"] == "crossed"


def test_a_hook_is_answered_by_path(client: Client) -> None:
    root = client.root
    lands = client.ask(write(root, LANDS, "mine\n", "c1"))
    assert client.decision(lands) == ("no opinion", "")
    refused = client.ask(write(root, REFUSED, "mine\n", "c2"))
    verdict, reason = client.decision(refused)
    assert (verdict, "the plan refuses it at once" in reason) == ("deny", True)
    lapsed = client.ask(write(root, LAPSED, "mine\n", "c3"))
    verdict, reason = client.decision(lapsed)
    assert (verdict, "nobody answered within 0.5 s" in reason) == ("deny", True)
    for path in (REFUSED, LAPSED):
        request = by_path(client)[path]
        assert (request["status"], request["held_until"]) == ("open", None)
        assert request["hold_over"]
    held = client.ask(write(root, HELD, "mine\n", "c4"), background=True)
    request = client.waiting()
    assert client.session.command("approve", str(request["id"])).returncode == 0
    assert client.decision(held)[0] == "allow"


def test_an_edit_of_several_files_waits_as_long_as_the_least_patient_of_them(client: Client) -> None:
    hunks = f"*** Add File: {HELD}\n+x\n*** Update File: {LAPSED}\n@@\n-theirs\n+mine\n"
    patch = f"*** Begin Patch\n{hunks}*** End Patch\n"
    payload = write(client.root, "x", "y")
    payload |= {"tool_name": "apply_patch", "tool_input": {"command": patch}}
    verdict, reason = client.decision(client.ask(payload))
    assert (verdict, "nobody answered within 0.5 s" in reason) == ("deny", True)
    assert json.dumps(by_path(client)[HELD]["id"]) in reason
