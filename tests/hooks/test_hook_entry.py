"""The program itself: what it loads, and what it says when there is no engine, or a strange one."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from runebook_tui.clients.registry import ADAPTERS
from runebook_tui.hooks import entry, question
from runebook_tui.hooks.patience import GIVE_UP_BEFORE, PATIENCE, give_up_seconds, hold_seconds
from runebook_tui.hooks.replies import TITLES

DEADLINE = 60.0
WRITE = {"hook_event_name": "PreToolUse", "tool_name": "Write"}
NO_OPINION = b'{"ok":true,"stdout":"","stderr":"","status":0}\n'


def run(
    payload: dict[str, Any] | bytes, *options: str, client: str = "claude", **environment: str
) -> subprocess.CompletedProcess[bytes]:
    given = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    clean = {key: value for key, value in os.environ.items() if not key.startswith("RUNEBOOK_")}
    return subprocess.run(
        [sys.executable, "-I", "-S", *options, entry.__file__, client],
        input=given,
        env={**clean, **environment},
        capture_output=True,
        timeout=DEADLINE,
    )


def pane(root: Path) -> dict[str, str]:
    return {"RUNEBOOK_AGENT": "alpha", "RUNEBOOK_ROOT": str(root)}


def reason(done: subprocess.CompletedProcess[bytes]) -> str:
    """The words of a denial in Claude Code's form."""
    assert (done.stderr, done.returncode) == (b"", 0)
    said = json.loads(done.stdout)["hookSpecificOutput"]
    assert said["permissionDecision"] == "deny"
    return str(said["permissionDecisionReason"])


def write_to(path: Path | str) -> dict[str, Any]:
    return {**WRITE, "tool_input": {"file_path": str(path), "content": "x"}}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository in which an engine has left rules, and no engine runs."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text("build/\n")
    (tmp_path / ".runebook").mkdir()
    rules = {"claims": [["a/**", "alpha", False], ["b/**", "beta", False]], "unowned": "allow"}
    (tmp_path / ".runebook" / "rules.json").write_text(json.dumps({"alpha": {"rules": rules}}))
    return tmp_path


@contextmanager
def engine(root: Path, answer: bytes | None, *, ends_after: int | None = None) -> Iterator[list[bytes]]:
    """A listener that answers each line with these bytes (None: never); the lines that it was sent.

    It ends when it was asked `ends_after` times; without a number when the block does.
    """
    heard: list[bytes] = []
    with socket.socket(socket.AF_UNIX) as listener:
        path = root / ".runebook" / "s"
        listener.bind(str(path))
        listener.listen()
        (root / ".runebook" / "socket").write_text(str(path))

        def serve() -> None:
            while len(heard) != ends_after:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    line = connection.makefile("rb").readline()
                    if not line:
                        return
                    heard.append(line)
                    if answer is None:
                        connection.recv(1)
                    elif answer:
                        connection.sendall(answer)
            listener.close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield heard
        finally:
            with socket.socket(socket.AF_UNIX) as last, suppress(ConnectionRefusedError):
                last.connect(str(path))
            thread.join()


def test_it_loads_next_to_nothing_while_all_is_well(root: Path) -> None:
    with engine(root, NO_OPINION):
        done = run(write_to("a/x"), "-X", "importtime", **pane(root))
    assert (done.stdout, done.returncode) == (b"", 0)
    without = _loaded(subprocess.run(BARE, capture_output=True, timeout=DEADLINE).stderr)
    loaded = _loaded(done.stderr)
    ours = {"runebook_tui", "runebook_tui.hooks", "runebook_tui.hooks.question"}
    assert loaded - without == ours | {"_socket", "__future__"}


BARE = [sys.executable, "-I", "-S", "-X", "importtime", "-c", "import os"]


def _loaded(said: bytes) -> set[str]:
    """The modules that `-X importtime` says were loaded."""
    return {line.rpartition("|")[2].strip() for line in said.decode().splitlines()} - {"imported package"}


def test_outside_a_pane_it_has_no_opinion(root: Path) -> None:
    with engine(root, b"never asked\n") as heard:
        done = run(write_to("b/x"), RUNEBOOK_ROOT=str(root))
    assert (done.stdout, done.stderr, done.returncode, heard) == (b"", b"", 0, [])


def test_it_sends_the_payload_as_it_came_and_prints_the_answer_as_it_is(root: Path) -> None:
    payload = '{"a":"\\"\\\\é\t"}'.encode() + b"\xff"
    answer = json.dumps({"ok": True, "stdout": "ö\n", "stderr": "e", "status": 7}).encode() + b"\n"
    with engine(root, answer) as heard:
        done = run(payload, client="gemini", **pane(root))
    assert (done.stdout.decode(), done.stderr, done.returncode) == ("ö\n", b"e", 7)
    (line,) = heard
    sent = json.loads(line)
    assert sent.pop("payload").encode("utf-8", "surrogateescape") == payload
    assert sent == {"do": "hook", "agent": "alpha", "client": "gemini", "event": "", "cwd": os.getcwd()}


@pytest.mark.parametrize("path", ["a/x", "free", "b/build/o", "/etc/passwd"])
def test_without_an_engine_what_the_rules_allow_passes(root: Path, path: str) -> None:
    (root / "b").mkdir()
    done = run({**write_to(path), "cwd": str(root)}, **pane(root))
    assert (done.stdout, done.stderr, done.returncode) == (b"", b"", 0)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("b/x", "b/x is beta's; no engine runs that could ask: go on with other work"),
        ("runebook.toml", "runebook.toml belongs to the operator"),
        (".git/hooks/x", ".git/hooks/x belongs to the operator"),
    ],
)
def test_without_an_engine_anything_else_is_denied_in_words(root: Path, path: str, words: str) -> None:
    assert words in reason(run({**write_to(path), "cwd": str(root)}, **pane(root)))


def test_without_rules_an_edit_in_the_repository_is_denied(root: Path) -> None:
    (root / ".runebook" / "rules.json").write_text("{}")
    assert "no rules are known for alpha" in reason(run(write_to(root / "a/x"), **pane(root)))
    (root / ".runebook" / "rules.json").write_text('{"alpha": {"rules": {"claims": [1]}}}')
    assert "the rules cannot be read" in reason(run(write_to(root / "a/x"), **pane(root)))
    assert "RUNEBOOK_ROOT" in reason(run(write_to(root / "a/x"), RUNEBOOK_AGENT="alpha"))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b'{"ok":false,"error":"you are nobody"}\n', "you are nobody"),
        (b"garbage\n", "JSONDecodeError"),
        (b'{"ok":true}\n', "KeyError"),
        (b"[]\n", "AttributeError"),
    ],
)
def test_an_engine_that_refuses_or_talks_nonsense_lets_nothing_foreign_through(
    root: Path, answer: bytes, words: str
) -> None:
    with engine(root, answer):
        assert words in reason(run({**write_to("b/x"), "cwd": str(root)}, **pane(root)))


def test_an_event_that_asks_nothing_is_never_denied(root: Path) -> None:
    for name in ("PostToolUse", "Stop", "SessionStart", "UserPromptSubmit"):
        done = run({**write_to("b/x"), "hook_event_name": name}, **pane(root))
        assert (done.stdout, done.stderr, done.returncode) == (b"", b"", 0)


def test_a_payload_that_is_too_large_is_denied(root: Path) -> None:
    payload = {**WRITE, "tool_input": {"file_path": "a/x", "content": "x" * (4 << 20)}}
    assert "too large" in reason(run(payload, **pane(root)))


def test_a_broken_installation_denies_by_its_exit_status(root: Path, tmp_path: Path) -> None:
    alone = tmp_path / "entry.py"
    alone.write_bytes(Path(entry.__file__).read_bytes())
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(alone), "claude"],
        input=json.dumps(write_to("b/x")).encode(),
        env={**os.environ, **pane(root)},
        capture_output=True,
        timeout=DEADLINE,
    )
    assert done.returncode == 2
    assert b"not done" in done.stderr


def test_an_engine_that_never_answers_is_not_waited_for_longer_than_the_client_waits(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in pane(root).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(question, "QUIET_SECONDS", 0.05)
    monkeypatch.setitem(PATIENCE, "claude", GIVE_UP_BEFORE + 0.2)
    with engine(root, None), pytest.raises(question.Trouble, match="has not answered in time"):
        question.ask(b"{}\n", "claude")


def test_an_engine_that_ends_while_it_is_asked_is_waited_for_some_seconds(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes back once, ends again, and stays away: the hook stops before its client's patience does."""
    for name, value in pane(root).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(question, "RETURN_SECONDS", 0.3)
    monkeypatch.setitem(PATIENCE, "claude", GIVE_UP_BEFORE + DEADLINE)
    with (
        engine(root, b"", ends_after=2) as heard,
        pytest.raises(question.Trouble, match="no engine runs"),
    ):
        question.ask(b"{}\n", "claude")
    assert len(heard) == 2


def test_every_client_with_a_hook_waits_as_long_as_its_configuration_says() -> None:
    hooked = {name: adapter for name, adapter in ADAPTERS.items() if "hook" in adapter.nets}
    assert {name: adapter.title for name, adapter in hooked.items()} == TITLES
    assert {name: adapter.hook_seconds for name, adapter in hooked.items()} == PATIENCE


def test_the_engine_answers_before_the_hook_gives_up_and_both_before_the_client() -> None:
    for client, patience in [*PATIENCE.items(), ("another", 60.0)]:
        assert hold_seconds(client, 1e9) < give_up_seconds(client) < patience
        assert hold_seconds(client, 5.0) == 5.0
