"""Every verb of the engine's socket, given fields that make no sense: harmless words, and never a failure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hostile_play import Inside, inside
from hostile_targets import ONE_LINE, harmless

from runebook_tui.execution.client import EngineClient, EngineRefused

PAGE = Path(__file__).parents[2] / "docs/architecture.md"
WAITING = {"wait-request", "wait-finalize", "records"}
ENDING = {"down", "new-run", "resume", "lane-remove"}
FIELDS = (
    "agent", "request", "requests", "path", "paths", "reason", "task", "api", "seconds", "after", "types",
    "limit", "record", "records", "id", "gate", "text", "to", "kind", "title", "confidence", "provenance",
    "edits", "plan", "what", "shell", "session", "folder", "command", "environment", "started", "ended",
    "code", "status", "signal", "check", "passed", "advice", "undo", "scope", "means", "seen", "stdin",
    "payload", "event", "answer", "question", "leaves", "messages", "all", "suggestion", "lesson", "edit",
    "patch", "agents", "dropped", "client",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, -1, 1, 2**63, 10**300, 0.5, float("nan"), float("inf"), "", "alpha", "beta", "../x",
    "/etc/passwd", "a\nb\x1b[2J\u202e", "\udcff\ud800\x00", "x" * 70_000, [], [None], ["alpha"],
    ["\udcff\n"], [1, 2**70], [[]], {}, {"a": 1},
    {"path": "a", "pid": 1, "program": "x", "op": "open", "n": 1, "time": 1.0}, {"": None},
)  # fmt: skip


def verbs() -> dict[str, str]:
    """Each verb and who may use it, as the page says."""
    rows = re.findall(r"^\| (anyone|supervisors|agents|operator) \| `([a-z-]+)` \|", PAGE.read_text(), re.M)
    return {verb: who for who, verb in rows}


@pytest.fixture(scope="module")
def agent() -> Iterator[Inside]:
    with inside("observe") as found:
        yield found


def messages(verb: str) -> Iterator[dict[str, Any]]:
    """One message for each value, which every field has, and some in which the fields differ."""
    more = {"seconds": 0} if verb in WAITING else {}
    for value in VALUES:
        yield {**dict.fromkeys(FIELDS, value), **more, "do": verb}
    for step in range(1, 6):
        mixed = {name: VALUES[(step * at) % len(VALUES)] for at, name in enumerate(FIELDS)}
        yield {**mixed, **more, "do": verb}


def judged(verb: str, answer: dict[str, Any]) -> str:
    """What is wrong with an answer; "" when nothing is."""
    if answer.get("ok") is True:
        return ""
    said = str(answer.get("error"))
    try:
        assert len(said) <= ONE_LINE
        assert "the engine failed" not in said
        harmless(said)
    except AssertionError:
        return f"{verb}: {said[:300]!r}"
    return ""


TOOLS = ("who_owns", "request_access", "finish_task", "send_message", "no_such_tool")
ODD = (None, 1, "\n\x1b[2J", "x" * 70_000, [None], {"a": []}, "../../etc/passwd")
NO_CALLS = ("", "\x00", "{", "[]", "7", '{"jsonrpc":"2.0"}', 100_000 * "[", '{"id":[]}', '{"a":"\\ud800"}')

SERVED = """
import threading
server = subprocess.Popen([PYTHON, "-P", "-m", "runebook_tui", "mcp"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
def speak():
    server.stdin.write(given.encode())
    server.stdin.flush()
threading.Thread(target=speak).start()
said = {}
while len(said) < wanted:
    line = server.stdout.readline()
    if not line: break
    answer = json.loads(line)
    if answer.get("id") is not None: said[str(answer["id"])] = answer
server.kill()
server.wait()
"""


def test_the_tools_for_agents_outlive_lines_that_are_none_and_calls_that_make_no_sense(agent: Inside) -> None:
    pytest.importorskip("mcp")
    begin = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
    names = ("path", "paths", "reason", "task", "to", "text")
    calls = [{"name": tool, "arguments": dict.fromkeys(names, value)} for tool in TOOLS for value in ODD]
    calls.append({"name": "who_am_i", "arguments": {}})
    lines = [
        json.dumps({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": begin}),
        json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}),
        *NO_CALLS,
    ]
    lines += [
        json.dumps({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": call})
        for number, call in enumerate(calls, 1)
    ]
    said = agent.does(SERVED, given="".join(f"{line}\n" for line in lines), wanted=len(calls) + 1)
    assert isinstance(said, dict), said
    assert said[str(len(calls))]["result"]["structuredContent"]["agent"] == "alpha"
    for number in range(1, len(calls)):
        answer = json.dumps(said[str(number)])
        assert "Traceback" not in answer
        assert "\\u001b[2J" not in answer.replace("\\\\u001b", ""), answer[:300]


def test_no_message_of_an_agent_or_the_operator_makes_the_engine_fail(agent: Inside) -> None:
    # The last one: among the operator's messages are such as stop the agent.
    known = verbs()
    assert len(known) >= 50
    wrong = set()
    for verb, who in known.items():
        if verb in ENDING:
            continue
        if who == "operator":
            for message in messages(verb):
                fields = {name: value for name, value in message.items() if name != "do"}
                with EngineClient(agent.session.root, timeout=60) as client:
                    try:
                        client.ask(verb, timeout=60, **fields)
                    except EngineRefused as error:
                        wrong.add(judged(verb, {"ok": False, "error": str(error)}))
        else:
            asked = list(messages(verb))
            answers = agent.does(
                "said = [talk(json.loads(each)) for each in asked]", asked=[*map(json.dumps, asked)]
            )
            assert isinstance(answers, list), (verb, answers)
            wrong |= {judged(verb, answer) for answer in answers}
    assert wrong <= {""}, "\n".join(sorted(wrong))
    said = (agent.session.root.parent / "engine.out").read_text()
    assert "Traceback" not in said, said[-4000:]
    assert json.loads(agent.session.command("status", "--json").stdout)["run"] == 1
