"""What is typed into the shells of the panes is in the log, whatever shell it is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from session_play import Session

from runebook_tui.execution.follow import open_log
from runebook_tui.log.eventlog import LogError
from runebook_tui.place import tmux_socket_name

PLAN = """
[plan]
name = "shells"
[[phases]]
id = "one"
[[agents]]
id = "capture"
phase = "one"
builtin = "event-capture"
[[agents]]
id = "alpha"
phase = "one"
command = {command}
env = {{ HOME = "{home}", HISTCONTROL = "ignoreboth" }}
gate = "{gate}"
"""
SHELLS = {"bash": ["bash", "-i"], "zsh": ["zsh"], "fish": ["fish"]}


class Typist:
    """A person at the keyboard of one agent's pane."""

    def __init__(self, session: Session, shell: str, gate: str = "enforce", extra: str = "") -> None:
        if shutil.which(shell) is None:
            pytest.fail(f"{shell} is not installed; .ci/run installs it")
        self.session = session
        self.home = session.root.parent / "home"
        self.home.mkdir()
        words = "[" + ", ".join(f'"{word}"' for word in SHELLS[shell]) + "]"
        session.plan(PLAN.format(command=words, home=self.home, gate=gate) + extra)

    def start(self) -> None:
        self.session.start()
        self.session.until("a shell", lambda: self.events("ShellStarted"))

    def type(self, text: str) -> None:
        # A bracketed paste would be one command; keys are what a person presses.
        server = tmux_socket_name(self.session.root)
        for line in text.splitlines():
            keys = ["send-keys", "-t", "=runebook:alpha", "-l", line]
            subprocess.run(
                ["tmux", "-L", server, *keys, ";", "send-keys", "-t", "=runebook:alpha", "Enter"], check=True
            )

    def events(self, *types: str) -> list:
        try:
            with open_log(self.session.root) as log:
                return [record.event for record in log.read(types=list(types))]
        except LogError:  # the engine is just making it
            return []

    def ran(self, count: int) -> list:
        """What the shell has told, once that is `count` commands; a failure of its pane is another matter."""

        def told() -> list | None:
            found = [each for each in self.events("CommandRan") if each.source == "shell"]
            return found if len(found) >= count else None

        return self.session.until(f"{count} commands", told)


@pytest.mark.parametrize("gate", ["enforce", "off"])
@pytest.mark.parametrize("shell", list(SHELLS))
def test_what_a_person_types_is_in_the_log(session: Session, shell: str, gate: str):
    typist = Typist(session, shell, gate)
    (session.root / "below").mkdir()
    typist.start()
    typist.type("cd below\nfalse 'two words' | sh -c 'exit 7'\nexit 3")
    first, second = typist.ran(2)[:2]
    assert (first.command, first.code, first.failed) == ("cd below", 0, False)
    assert (first.client, first.source, first.agent) == (shell, "shell", "alpha")
    assert (second.command, second.code, second.failed) == ("false 'two words' | sh -c 'exit 7'", 7, True)
    assert second.arguments == ("false", "two words")
    assert (first.folder, second.folder) == (".", "below")
    assert second.started >= first.started
    assert 0 <= second.seconds == pytest.approx(second.ended - second.started, abs=0.002)
    (started,) = typist.events("ShellStarted")
    (ended,) = session.until("the shell's end", lambda: typist.events("ShellEnded"))
    assert ended.session == started.session == second.session
    last = typist.ran(3)[2]
    # bash and zsh are gone before they could say how it ended.
    assert (last.command, last.code) == ("exit 3", 3 if shell == "fish" else None)


EXPORT = {"bash": "export {}={}", "zsh": "export {}={}", "fish": "set -gx {} {}"}


@pytest.mark.parametrize("shell", list(SHELLS))
def test_what_a_command_changes_in_the_environment_is_told_and_secrets_are_not(session: Session, shell: str):
    typist = Typist(session, shell)
    typist.start()
    export = EXPORT[shell]
    typist.type(export.format("COLOUR", "'light blue'"))
    typist.type(export.format("DEPLOY_TOKEN", "0pen-sesame-77"))
    typist.type("set -e COLOUR" if shell == "fish" else "unset COLOUR")
    one, two, three = typist.ran(3)[:3]
    assert one.environment == {"COLOUR": "light blue"}
    assert two.environment == {"DEPLOY_TOKEN": "[hidden]"}
    assert three.environment == {"COLOUR": None}
    assert "0pen-sesame-77" not in session.command("log", "--json").stdout


RC = {"bash": ".bashrc", "zsh": ".zshrc", "fish": ".config/fish/config.fish"}


@pytest.mark.parametrize("shell", list(SHELLS))
def test_the_users_own_files_are_read_and_left_as_they_are(session: Session, shell: str):
    typist = Typist(session, shell)
    rc = typist.home / RC[shell]
    rc.parent.mkdir(parents=True, exist_ok=True)
    rc.write_text("alias mine='echo of mine'\n")
    before = (rc.read_bytes(), rc.stat().st_mtime_ns)
    typist.start()
    typist.type("mine >said\nmine >>said")
    one, two = typist.ran(2)[:2]
    assert (one.command, one.code) == ("mine >said", 0)
    assert (two.command, two.code) == ("mine >>said", 0)
    assert (session.root / "said").read_text() == "of mine\nof mine\n"
    assert (rc.read_bytes(), rc.stat().st_mtime_ns) == before


@pytest.mark.parametrize("shell", list(SHELLS))
def test_what_begins_with_a_space_stays_the_shells_secret(session: Session, shell: str):
    typist = Typist(session, shell)
    (typist.home / ".zshrc").write_text("setopt hist_ignore_space\n")
    typist.start()
    typist.type("true one\ntrue one\n echo between us\ntrue two")
    ran = typist.ran(4)[:4]
    assert [each.command for each in ran] == ["true one", "true one", "", "true two"]


def test_an_agent_opts_out(session: Session):
    typist = Typist(session, "bash")
    plan = session.root / "runebook.toml"
    plan.write_text(plan.read_text() + 'capture = "off"\n')
    session.start()
    session.until_gate("alpha")
    typist.type("echo ${RUNEBOOK_CAPTURE-none} >seen")
    session.until("the answer", lambda: _text(session.root / "seen") == "none\n")
    assert typist.events("CommandRan", "ShellStarted") == []


def test_a_plan_without_the_agent_captures_nothing(session: Session):
    typist = Typist(session, "bash")
    plan = session.root / "runebook.toml"
    plan.write_text(plan.read_text().replace('builtin = "event-capture"', 'command = ["sleep", "1000"]'))
    session.start()
    session.until_gate("alpha")
    typist.type("echo ${RUNEBOOK_CAPTURE-none} >seen")
    session.until("the answer", lambda: _text(session.root / "seen") == "none\n")


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def test_the_relay_ends_with_its_shell(session: Session):
    typist = Typist(session, "bash")
    typist.start()
    (started,) = typist.events("ShellStarted")
    session.until("its relay, alone", lambda: len(_relays(started.session)) == 1)
    typist.type("exit")
    session.until("its end", lambda: not _relays(started.session))


def _relays(shell: str) -> list[int]:
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if any(word.endswith(b"capture/relay.py") for word in words) and shell.encode() in words:
            found.append(int(pid))
    return found


def test_what_a_command_prints_is_kept(session: Session):
    typist = Typist(session, "bash")
    typist.start()
    session.until("capture at work", lambda: _text_pipe(session))
    typist.type("echo one $((1+1)) API_TOKEN=hunter2hunter2; echo three >&2; false")
    (ran,) = typist.ran(1)
    assert ran.output.startswith(".runebook/agents/capture/output/alpha/")
    assert (session.root / ran.output).read_text().strip() == "one 2 API_TOKEN=[hidden]\nthree"


def _text_pipe(session: Session) -> bool:
    server = tmux_socket_name(session.root)
    asked = ["tmux", "-L", server, "display-message", "-p", "-t", "=runebook:alpha", "#{pane_pipe}"]
    return subprocess.run(asked, capture_output=True, text=True).stdout.strip() == "1"


SCRIPT = """
[plan]
name = "scripts"
[[phases]]
id = "one"
[[phases]]
id = "two"
after = ["one"]
[[agents]]
id = "capture"
phase = "one"
builtin = "event-capture"
[[agents]]
id = "alpha"
phase = "one"
command = ["bash", "-c", {script}]
"""


def test_failures_are_seen_where_no_shell_tells_them(session: Session):
    script = (
        "while [ ! -e go ]; do sleep 0.05; done; echo begin; "
        "python3 -c 'print(1); raise ValueError(2)'; cat go; exit 9"
    )
    session.plan(SCRIPT.format(script=json.dumps(script)))
    session.start()
    session.until("capture at work", lambda: _text_pipe(session))
    (session.root / "go").write_text("fatal: not a git repository\n")

    def found() -> list:
        with open_log(session.root) as log:
            events = [record.event for record in log.read(types=["CommandRan"])]
        return events if len(events) >= 2 else []

    by_error = {each.error: each for each in session.until("both failures", found)}
    assert set(by_error) == {"ValueError: 2", ""}
    assert all(each.source == "pane" and each.failed for each in by_error.values())
    assert by_error[""].code == 9
    assert by_error[""].arguments[:2] == ("bash", "-c")
    kept = (session.root / by_error["ValueError: 2"].output).read_text()
    assert "Traceback (most recent call last):" in kept
    assert "fatal: not" in (session.root / by_error[""].output).read_text()
