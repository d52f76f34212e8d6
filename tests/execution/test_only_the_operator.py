"""A decision can be taken by the operator only: what an agent's processes try instead, and who sees it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from session_play import Session
from test_interactive import Terminal

from runebook_tui.core.grants import Scope
from runebook_tui.place import tmux_socket_name

PLAN = """
[plan]
name = "decisions"

[policy]
hold_seconds = 600

[[phases]]
id = "build"

[[agents]]
id = "alpha"
phase = "build"
command = ["python3", "attempts.py"]
claims = ["alpha/**"]
gate = "{gate}"
tasks = [{{ id = "a-1" }}]

[[agents]]
id = "beta"
phase = "build"
command = ["sleep", "600"]
claims = ["beta/**"]
"""

OPERATORS_VERBS = (
    "approve", "reject", "disown", "undo", "restore", "restart", "stop", "down", "new-run", "sweep", "resume",
    "lane-remove", "amend", "amend-preview", "dismiss-lesson", "say", "answer",
)  # fmt: skip

OPERATORS_COMMANDS = (
    "approve 1", "reject 1", "reject 1 --undo", "undo 1", "mine 1", "restart beta", "stop beta", "down",
    "plan widen alpha docs/**", "say beta hello", "answer beta yes",
)  # fmt: skip

# What alpha's agent does: it writes the outcome of every attempt into alpha/said.json.
TOOLS = """
import json, os, pathlib, signal, socket, sqlite3, subprocess, sys, time

PYTHON = os.environ["PYTHON"]
ENGINE = os.environ["RUNEBOOK_SOCKET"]
SAID = {}

def say(name, value):
    SAID[name] = value
    pathlib.Path("alpha/said.new").write_text(json.dumps(SAID))
    os.replace("alpha/said.new", "alpha/said.json")

def cli(*words, **environment):
    done = subprocess.run([PYTHON, "-P", "-m", "runebook_tui", *words], capture_output=True, text=True,
                          env={**os.environ, **environment}, stdin=subprocess.DEVNULL)
    return [done.returncode, done.stderr]

def ask(do, **more):
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(ENGINE)
        message = {"do": do, "request": 1, "undo": "u1", "agent": "beta", **more}
        peer.sendall(json.dumps(message).encode() + b"\\n")
        return json.loads(peer.makefile().readline())

def attempt(name, action):
    try:
        say(name, action())
    except BaseException as error:
        say(name, [type(error).__name__, str(error)])

def detached(action, *, alone=False):
    '''The outcome of `action` in a daemon: forked twice, in its own session, its environment emptied.'''
    out, into = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execve(PYTHON, [PYTHON, "-I", "-c", action, ENGINE, str(into)], {"PATH": os.environ["PATH"]}
                      ) if os.set_inheritable(into, True) is None else None
        os._exit(0)
    os.close(into)
    os.wait()
    with os.fdopen(out) as answer:
        return json.loads(answer.read())

DAEMON = '''
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as peer:
    peer.connect(sys.argv[1])
    peer.sendall(json.dumps({"do": "approve", "request": 1}).encode() + b"\\\\n")
    os.write(int(sys.argv[2]), peer.makefile("rb").readline())
'''

def wait(name):
    while not os.path.exists(name):
        time.sleep(0.02)
"""

ATTEMPTS = """
wait("go")
attempt("ask", lambda: ask("ask", agent="alpha", paths=["beta/kept"], reason="attack"))
for words in COMMANDS:
    attempt(words, lambda: cli(*words.split()))
attempt("bare", lambda: cli("approve", "1", RUNEBOOK_AGENT="", RUNEBOOK_ROOT=""))
for verb in VERBS:
    attempt("raw " + verb, lambda: ask(verb))
attempt("as operator", lambda: ask("approve", agent="operator", speaker="operator", name="operator"))
attempt("daemon", lambda: detached(DAEMON))
say("done", True)
wait("end")
"""


def begin(session: Session, gate: str, script: str) -> None:
    for folder in ("alpha", "beta"):
        (session.root / folder).mkdir()
        (session.root / folder / "kept").write_text("kept\n")
    (session.root / "attempts.py").write_text(
        f"{TOOLS}\nVERBS = {OPERATORS_VERBS!r}\nCOMMANDS = {OPERATORS_COMMANDS!r}\n{script}"
    )
    (session.root / ".gitignore").write_text("go\nend\n")
    session.plan(PLAN.format(gate=gate))
    session.start()
    session.until("alpha", lambda: session.agent("alpha").get("gate", {}).get("mode") == gate)
    session.until_gate("beta")
    (session.root / "go").touch()


def said(session: Session) -> dict[str, Any]:
    """What became of every attempt, once all were made."""
    path = session.root / "alpha/said.json"

    def complete() -> dict[str, Any]:
        known: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        return known if "done" in known else {}

    outcome: dict[str, Any] = session.until("all attempts", complete)
    return outcome


def attempts(session: Session) -> list[tuple[str, str]]:
    return [(r["speaker"], r["attempt"]) for r in session.json("log") if r["type"] == "AttemptRefused"]


@pytest.mark.parametrize("gate", ["enforce", "observe", "off"])
def test_nothing_that_descends_from_a_supervisor_decides_whatever_it_says_and_however_it_is_gated(
    session, gate
):
    begin(session, gate, ATTEMPTS)
    outcome = said(session)
    assert outcome["ask"]["request"] == 1
    for name in (*OPERATORS_COMMANDS, "bare"):
        status, words = outcome[name]
        assert status == 1, name
        assert "only the operator may" in words, name
    for name in (*(f"raw {verb}" for verb in OPERATORS_VERBS), "as operator", "daemon"):
        assert outcome[name]["ok"] is False, name
        assert "only the operator may" in outcome[name]["error"], name
    state = session.state()
    assert state.requests[1].status == "open"
    assert state.agents["beta"].alive
    assert state.agents["beta"].attempt == 1
    seen = attempts(session)
    assert {speaker for speaker, _ in seen} == {"alpha"}
    assert {attempt.split()[0] for _, attempt in seen} >= set(OPERATORS_VERBS)
    words = session.command("status").stdout
    assert f"{state.attempts} attempts were refused that only the operator may" in words
    assert "alpha was refused: " in words
    assert session.command("approve", "1").returncode == 0
    assert session.state().grants[1].scope is Scope.ONCE


ORPHAN = '''
server = os.getppid()
front = int(open(f"/proc/{server}/stat").read().rpartition(")")[2].split()[1])
server = [server, front]
attempt("ask", lambda: ask("ask", agent="alpha", paths=["beta/kept"], reason="attack"))
wait("go")
DAEMON = """
import json, os, socket, sys, time
def lives(process):
    try:
        return open(f"/proc/{process}/stat").read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
while any(map(lives, %r)):
    time.sleep(0.02)
while not os.path.exists("alone"):
    time.sleep(0.02)
said = {}
for name in ("approve", "down"):
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(sys.argv[1])
        peer.sendall(json.dumps({"do": name, "request": 1, "agent": "alpha"}).encode() + b"\\\\n")
        said[name] = json.loads(peer.makefile("rb").readline())
open("alpha/orphan.new", "w").write(json.dumps(said))
os.rename("alpha/orphan.new", "alpha/orphan.json")
""" % (server,)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execve(PYTHON, [PYTHON, "-I", "-c", DAEMON, ENGINE], {"PATH": os.environ["PATH"]})
    os._exit(0)
os.wait()
for each in server:
    os.kill(each, signal.SIGKILL)
time.sleep(600)
'''


def test_a_daemon_that_killed_its_own_supervisor_is_no_operator_though_nothing_filters_it(session):
    begin(session, "off", ORPHAN)
    session.until("the supervisor's end", lambda: not session.agent("alpha")["alive"])
    (session.root / "alone").touch()
    path = session.root / "alpha/orphan.json"
    session.until("the daemon's attempts", path.exists)
    for answer in json.loads(path.read_text()).values():
        assert answer["ok"] is False
        assert "supervisor has ended" in answer["error"]
    assert session.state().requests[1].status == "open"
    assert [attempt for speaker, attempt in attempts(session) if speaker.startswith("pid ")] == [
        "approve 1",
        "down 1",
    ]


TMUX = """
wait("go")
attempt("ask", lambda: ask("ask", agent="alpha", paths=["beta/kept"], reason="attack"))
def tmux(server, *words):
    done = subprocess.run(["tmux", "-L", server, *words], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL)
    return [done.returncode, done.stderr]
inside = (f"env -i PATH=$PATH {PYTHON} -P -m runebook_tui approve 1 >alpha/by-tmux 2>&1; "
          "echo $? >alpha/by-tmux.status")
attempt("window", lambda: tmux(PRIVATE, "new-window", "-d", "-c", os.getcwd(), inside))
attempt("job", lambda: tmux(PRIVATE, "run-shell", "-b", f"cd {os.getcwd()}; {inside}"))
attempt("keys", lambda: tmux(PERSONS, "send-keys", "y"))
say("done", True)
wait("end")
"""


@pytest.fixture
def persons(session: Session) -> Iterator[str]:
    """A tmux server of the operator's own, where a program waits for keys."""
    name = f"person-{os.getpid()}-{session.root.parent.name}"
    subprocess.run(["tmux", "-L", name, "-f", "/dev/null", "new-session", "-d", "cat"], check=True)
    yield name
    subprocess.run(["tmux", "-L", name, "kill-server"], capture_output=True, check=False)


@pytest.mark.parametrize("gate", ["enforce", "observe", "off"])
def test_what_the_private_tmux_server_starts_for_an_agent_is_no_operator(session, gate, persons):
    names = f"PRIVATE, PERSONS = {tmux_socket_name(session.root)!r}, {persons!r}\n"
    begin(session, gate, names + TMUX)
    outcome = said(session)
    shown = subprocess.run(
        ["tmux", "-L", persons, "capture-pane", "-p"], capture_output=True, check=True
    ).stdout
    if gate == "enforce":
        assert all(outcome[name][0] != 0 for name in ("window", "job", "keys"))
        assert shown.strip() == b""
        assert any("tmux" in attempt for _, attempt in attempts(session))
    else:
        status = session.root / "alpha/by-tmux.status"
        session.until("its end", lambda: status.exists() and status.read_text() == "1\n")
        assert "supervisor has ended" in (session.root / "alpha/by-tmux").read_text()
        session.until("the attempt", lambda: ("approve 1") in [each for _, each in attempts(session)])
    assert session.state().requests[1].status == "open"


EDITS = """
wait("go")
plan = open("runebook.toml").read()
sneaked = plan.replace('claims = ["alpha/**"]', 'claims = ["alpha/**", "more/**"]')
open("alpha/plan", "w").write(sneaked)
def shell(line):
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True)
    return [done.returncode, done.stderr]
attempt("sed", lambda: shell("sed -i 's/alpha/beta/' runebook.toml"))
attempt("echo", lambda: shell("echo >>runebook.toml"))
attempt("mv", lambda: shell("mv alpha/plan runebook.toml"))
attempt("cp", lambda: shell("cp alpha/plan runebook.toml"))
attempt("ln", lambda: shell("ln -f alpha/plan runebook.toml"))
attempt("rm", lambda: shell("rm -f runebook.toml; test ! -e runebook.toml"))
attempt("python", lambda: open("runebook.toml", "w").write(sneaked))
attempt("rules", lambda: shell("echo '{}' >.runebook/rules.json"))
attempt("rules away", lambda: shell("mv .runebook/rules.json .runebook/old"))
attempt("folder away", lambda: shell("mv .runebook .away"))
def forged():
    log = sqlite3.connect(".runebook/log.sqlite", timeout=1)
    log.execute("delete from event")
attempt("log", forged)
attempt("log file", lambda: open(".runebook/log.sqlite", "r+b").close())
attempt("pointer", lambda: shell("echo /tmp/x >.runebook/socket"))
say("done", True)
wait("end")
"""


def test_a_gated_agent_edits_neither_the_plan_nor_the_rules_nor_the_log(session):
    begin(session, "enforce", EDITS)
    before = (session.root / "runebook.toml").read_bytes()
    outcome = said(session)
    outcome.pop("done")
    for name, (first, words) in outcome.items():
        assert first not in (0, None), name
        refused = ("Permission denied", "denied", "readonly", "unable to open")
        assert any(each in words for each in refused) or name == "rm", (name, words)
    assert (session.root / "runebook.toml").read_bytes() == before
    assert not (session.root / ".away").exists()
    assert session.state().plan.agents[0].claims == ("alpha/**",)
    tried = {attempt for speaker, attempt in attempts(session) if speaker == "alpha"}
    assert "write runebook.toml" in tried
    assert {".runebook/rules.json", ".runebook/log.sqlite", ".runebook/socket"} <= {
        attempt.removeprefix("write ") for attempt in tried
    }


SNEAK = """
wait("go")
text = open("runebook.toml").read()
open("runebook.toml", "w").write(text.replace('claims = ["alpha/**"]', 'claims = ["alpha/**", "more/**"]'))
say("done", True)
wait("end")
"""


@pytest.mark.parametrize("gate", ["observe", "off"])
def test_an_ungated_agents_edit_of_the_plan_counts_neither_now_nor_after_a_restart(session, gate):
    begin(session, gate, SNEAK)
    said(session)
    request = session.until("the request", session.requests)[0]
    assert request["paths"] == ["runebook.toml"]
    session.until(
        "the refusal", lambda: [each for _, each in attempts(session) if each == "edit runebook.toml"]
    )
    assert session.state().plan.agents[0].claims == ("alpha/**",)
    session.kill_engine()
    session.start()
    session.until("the next engine", lambda: session.command("status").returncode == 0)
    session.until("alpha", lambda: session.agent("alpha").get("alive"))
    assert session.state().plan.agents[0].claims == ("alpha/**",)
    assert session.command("down").returncode == 0
    assert session.engine.wait(60) == 0
    session.start()
    session.until("alpha again", lambda: session.agent("alpha").get("attempt") == 2)
    assert session.state().plan.agents[0].claims == ("alpha/**",)
    assert session.command("approve", str(request["id"])).returncode == 0
    assert session.command("down").returncode == 0
    assert session.engine.wait(60) == 0
    session.start()
    session.until("the plan that was approved", lambda: len(session.state().plan.agents[0].claims) == 2)


IMPOSTOR = """
wait("go")
attempt("ask", lambda: ask("ask", agent="alpha", paths=["beta/kept"], reason="attack"))
os.rename(ENGINE, ENGINE + ".away")
impostor = socket.socket(socket.AF_UNIX)
impostor.bind(ENGINE)
impostor.listen()
say("done", True)
impostor.settimeout(600)
while True:
    peer, _ = impostor.accept()
    heard = peer.makefile("rb").readline()
    say("heard", heard.decode())
    peer.sendall(b'{"ok": true, "request": 1, "status": "approved", "scope": "once", "reason": ""}\\n')
"""


@pytest.mark.parametrize("gate", ["observe", "off"])
def test_an_impostor_on_the_engines_socket_is_not_believed(session, gate):
    begin(session, gate, IMPOSTOR)
    said(session)
    answer = session.command("approve", "1")
    assert answer.returncode == 1
    assert "approved" not in answer.stdout
    known = json.loads((session.root / "alpha/said.json").read_text())
    assert "approve" not in known.get("heard", "")
    assert session.state().requests[1].status == "open"
    # the socket's own engine is there still
    engine = Path(known_socket(session))
    os.replace(f"{engine}.away", engine)
    assert session.command("approve", "1").returncode == 0


def known_socket(session: Session) -> str:
    return os.fsdecode((session.root / ".runebook/socket").read_bytes()).strip()


KNOCKS = """
wait("go")
while not os.path.exists("end"):
    say("approve", cli("approve", "1"))
    say("done", True)
    time.sleep(1)
"""


@pytest.fixture(params=[(80, 24), (140, 40)], ids=["80x24", "140x40"])
def knocked(session: Session, request: pytest.FixtureRequest) -> Iterator[Terminal]:
    """The operator's screen, and an agent that tries to decide once the file `go` is there."""
    begin(session, "enforce", KNOCKS)
    (session.root / "go").unlink(missing_ok=True)
    person = Terminal(session, *request.param)
    try:
        yield person
    finally:
        person.close()


def test_the_operator_sees_the_attempt_on_the_screen(session, knocked):
    knocked.shows("decisions", "engine")
    (session.root / "go").touch()
    knocked.shows("alpha was refused: approve 1", "▲ ")
