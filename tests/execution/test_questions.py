"""What a client asks of its user waits for the operator's answer, for as long as it is open."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from hook_play import Client, claude

from runebook_tui.core.questions import question


@pytest.fixture
def client(session) -> Client:
    return Client(session)


def asks(client: Client, command: str) -> int:
    payload = claude(client.root, "Bash", event="PermissionRequest", command=command)
    del payload["tool_use_id"]  # Claude Code sends none with this event
    number = client.ask(payload, background=True)
    client.session.until(f"the question about {command}", lambda: command in about(client))
    return number


def about(client: Client) -> str:
    doing = client.session.state().agents["alpha"].doing
    return "" if doing is None or doing.activity != "waiting for input" else doing.about


def behaviour(client: Client, number: int) -> Any:
    out, err, status = client.answer(number)
    assert (err, status) == ("", 0)
    return json.loads(out)["hookSpecificOutput"]["decision"] if out else None


def test_yes_and_no_are_the_hooks_answer(client: Client) -> None:
    session = client.session
    first = asks(client, "make test")
    told = session.json("answer", "alpha", "yes")
    assert told == {"id": "alpha", "question": "may Bash run? make test", "answer": "yes", "by": "hook"}
    assert behaviour(client, first) == {"behavior": "allow"}
    session.until("alpha to go on", lambda: about(client) == "")
    second = asks(client, "rm -rf build")
    assert session.command("answer", "alpha", "no").returncode == 0
    assert behaviour(client, second) == {"behavior": "deny", "message": "Runebook: the operator said no"}
    answered = [each for each in session.json("log") if each["type"] == "QuestionAnswered"]
    assert [(each["answer"], each["actor"]) for each in answered] == [("yes", "operator"), ("no", "operator")]


def test_one_after_the_other_and_never_another_than_was_seen(client: Client) -> None:
    session = client.session
    first, second = asks(client, "one"), None
    payload = claude(client.root, "Bash", event="PermissionRequest", command="two")
    second = client.ask(payload, background=True)
    client.answer(client.ask(claude(client.root, "Bash", "c9", command="three")))  # another tool, meanwhile
    session.until("the question again", lambda: about(client) == "may Bash run? one")
    assert session.command("answer", "alpha", "no").returncode == 0
    assert behaviour(client, first)["behavior"] == "deny"
    session.until("the next question", lambda: about(client) == "may Bash run? two")
    assert session.command("answer", "alpha", "yes").returncode == 0
    assert behaviour(client, second) == {"behavior": "allow"}


def test_what_was_answered_in_the_pane_waits_no_more(client: Client) -> None:
    session = client.session
    number = asks(client, "make")
    client.answer(client.ask(claude(client.root, "Bash", event="PostToolUse", command="make")))
    assert behaviour(client, number) is None
    session.until("alpha at work", lambda: about(client) == "")
    refused = session.command("answer", "alpha", "yes")
    assert (refused.returncode, "alpha asks nothing" in refused.stderr) == (1, True)


def test_what_the_client_breaks_off_waits_no_more(client: Client) -> None:
    payload = claude(client.root, "Bash", event="PermissionRequest", command="make")
    number = client.payload(payload)
    client.do(f"call claude {number} & echo $! > asks/pid\n")
    client.session.until("the question", lambda: about(client) == "may Bash run? make")
    client.do("pkill -P $(cat asks/pid)\n")
    client.session.until("no question", lambda: about(client) == "")
    doing = client.session.state().agents["alpha"].doing
    assert doing is not None
    assert doing.activity == "idle"


def test_an_agent_answers_nobodys_question(client: Client) -> None:
    number = asks(client, "make")
    client.do('"$PYTHON" -P -m runebook_tui answer alpha yes > asks/said 2>&1; echo done >> asks/said\n')
    said = client.root / "asks" / "said"
    client.session.until("its answer", lambda: said.exists() and "done" in said.read_text())
    assert "only the operator may answer" in said.read_text()
    assert not (client.said / f"{number}.code").exists()


# A client's dialog as Qwen Code 0.24.4 draws it: Enter takes the first line, Escape is no.
DIALOG = r"""
import sys, termios, tty
asked, chosen = sys.argv[1:]
print(f"  Allow execution of: '{asked}'?\n   {chosen} 1. Yes, allow once\n     2. No (esc)\n")
print("  Waiting for user confirmation...", flush=True)
old = termios.tcgetattr(0)
tty.setraw(0)
key = sys.stdin.read(1)
termios.tcsetattr(0, termios.TCSANOW, old)
print("\033[2J\033[H", end="")
open("answered", "w").write({"\r": "yes", "\x1b": "no"}.get(key, key))
sys.stdin.read()
"""

PANES = """
[plan]
name = "dialogs"

[[phases]]
id = "build"

[[agents]]
id = "alpha"
phase = "build"
command = ["qwen", "make", "›"]

[[agents]]
id = "beta"
phase = "build"
command = ["qwen", "make", " "]

[[agents]]
id = "gamma"
phase = "build"
command = ["bash", "-c", "read -p 'Go on? [y/n] ' said; echo $said > answered-by-line; read"]
"""


def begin(session: Any, *asking: str) -> None:
    programs = session.root.parent / "programs"
    programs.mkdir()
    (programs / "qwen").write_text(f"#!{sys.executable}\n{DIALOG}")
    (programs / "qwen").chmod(0o755)
    session.environment["PATH"] = f"{programs}:{session.environment['PATH']}"
    (session.root / ".gitignore").write_text("answered*\n")
    session.plan(PANES)
    session.start()
    for name in asking:
        session.until(f"the question of {name}", lambda name=name: seen(session, name))


def seen(session: Any, name: str) -> str:
    agents = session.state().agents
    asked = question(session.state(), agents[name]) if name in agents else None
    return "" if asked is None else asked.words


def read(session: Any, name: str) -> str:
    file = session.root / name
    return file.read_text().strip() if file.exists() else ""


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_a_dialog_without_a_hook_is_answered_by_its_keys(session, answer: str) -> None:
    begin(session, "alpha")
    assert seen(session, "alpha") == "Allow execution of: 'make'?"
    told = session.json("answer", "alpha", answer)
    assert told["by"] == "keys"
    session.until("the answer", lambda: read(session, "answered") == answer)


def test_nothing_is_pressed_where_the_chosen_line_is_another(session) -> None:
    begin(session, "beta", "gamma")
    refused = session.command("answer", "beta", "yes")
    assert (refused.returncode, "in its pane only" in refused.stderr) == (1, True)
    assert read(session, "answered") == ""
    assert session.json("answer", "gamma", "no")["by"] == "keys"
    session.until("the line", lambda: read(session, "answered-by-line") == "n")
