"""A foreign write waits for the operator: asked, answered, given up, and when server, front or engine go."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from conftest import Gate, Message, hold, parent, until, users

PAY = "src/billing/pay.py"
RULES: Message = {"agent": "alpha", "claims": []}
pytestmark = pytest.mark.parametrize("gate", users()[-1:], ids=["ordinary user"], indirect=True)


@pytest.fixture
def holding(gate: Gate) -> Gate:
    """A gate that enforces, with an engine that lets every stopped write wait."""
    gate.enforce()
    gate.engine.verdict = hold
    return gate


def pay(gate: Gate) -> str:
    return (gate.root / PAY).read_text()


def errors(process: subprocess.Popen[bytes]) -> str:
    assert process.stderr is not None
    return process.stderr.read().decode()


def server_of(gate: Gate) -> int:
    gate.engine.wait(lambda: gate.engine.said("attach"))
    return parent(int(str(gate.engine.said("attach")[0]["child"])))


def test_an_approved_write_goes_on(holding: Gate) -> None:
    process = holding.start("bash", "-c", f"echo new > {PAY} && echo more >> {PAY}")
    held = holding.engine.held()
    record = held["record"]
    assert isinstance(record, dict)
    assert (record["op"], record["path"], held["waits"]) == ("truncate", PAY, True)
    assert pay(holding) == "pay = 1\n"
    assert process.poll() is None
    holding.engine.settle(held, "continue")
    assert process.wait(40) == 0
    assert pay(holding) == "new\nmore\n"
    holding.engine.wait(lambda: len(holding.engine.records()) == 2)
    assert [(r["op"], r["path"], r["grant"]) for r in holding.engine.records()] == [
        ("truncate", PAY, 12),
        ("open", PAY, 12),
    ]
    assert len(holding.engine.said("held")) == 1


def test_a_rejected_write_fails_in_words(holding: Gate) -> None:
    process = holding.start("bash", "-c", f"echo new > {PAY}; echo again >> {PAY}", stderr=-1)
    held = holding.engine.held()
    holding.engine.settle(held, "refuse", "src/billing/pay.py is billing's; \x1b[31mnot now")
    assert process.wait(40) == 1
    lines = errors(process).splitlines()
    assert lines[0] == "runebook: src/billing/pay.py is billing's; ␛[31mnot now"
    assert [line for line in lines if line.startswith("runebook:")] == lines[:1]
    assert sum("Permission denied" in line for line in lines) == 2
    assert pay(holding) == "pay = 1\n"
    assert holding.engine.records() == []
    assert len(holding.engine.said("held")) == 1


def test_everything_else_flows_while_a_call_waits(holding: Gate) -> None:
    script = f"(echo new > {PAY}) & for n in {{1..100}}; do echo > mine/$n; done; : > done; wait"
    process = holding.start("bash", "-c", script)
    held = holding.engine.held()
    until((holding.root / "done").exists)
    assert process.poll() is None
    assert pay(holding) == "pay = 1\n"
    holding.engine.settle(held, "continue")
    assert process.wait(40) == 0
    assert pay(holding) == "new\n"


def test_more_calls_than_may_wait_are_refused_and_nothing_stops(holding: Gate) -> None:
    script = "for n in {1..40}; do (echo > src/billing/new$n) & done; : > mine/done; wait; : > mine/end"
    process = holding.start("bash", "-c", script, stderr=-1)
    holding.engine.wait(lambda: len(holding.engine.said("held")) == 40)
    until((holding.root / "mine/done").exists)
    by_waits = [held["waits"] for held in holding.engine.said("held")]
    assert (by_waits.count(True), by_waits.count(False)) == (24, 16)
    for held in holding.engine.said("held"):
        holding.engine.settle(held, "refuse", "no")
    assert process.wait(40) == 0
    assert "too many calls wait" in errors(process)
    assert sorted(os.listdir(holding.root / "src/billing")) == ["pay.py", "tax.py"]


def test_a_killed_process_is_asked_for_no_more(holding: Gate) -> None:
    process = holding.start("bash", "-c", f"(echo new > {PAY}) & wait; echo $? > mine/status")
    held = holding.engine.held()
    record = held["record"]
    assert isinstance(record, dict)
    os.kill(int(str(record["pid"])), signal.SIGKILL)
    assert process.wait(40) == 0
    holding.engine.wait(lambda: holding.engine.said("unheld"))
    assert holding.engine.said("unheld")[0]["id"] == held["id"]
    assert pay(holding) == "pay = 1\n"


def test_an_approval_lets_a_process_go_on_with_that_owners_files(holding: Gate) -> None:
    process = holding.start("sed", "-i", "s/1/2/", PAY, "src/billing/tax.py")
    first = holding.engine.held()["record"]
    assert isinstance(first, dict)
    assert first["path"].startswith("src/billing/sed")  # two siblings are named: it is for either
    holding.engine.settle(holding.engine.held(), "continue")
    assert process.wait(40) == 0
    assert (holding.root / "src/billing/tax.py").read_text() == "tax = 2\n"
    assert pay(holding) == "pay = 2\n"
    assert len(holding.engine.said("held")) == 1


def test_a_temporary_file_is_asked_about_as_what_it_is_for(holding: Gate) -> None:
    script = (
        "import os\np = 'src/billing/pay.py'\nt = f'{p}.tmp.{os.getpid()}.17'\n"
        "open(t, 'w').write('new')\nos.replace(t, p)\n"
        "open(t, 'w').close(); os.unlink(t)"
    )
    process = holding.start(holding.interpreter(), "-I", "-c", script)
    record = holding.engine.held()["record"]
    assert isinstance(record, dict)
    assert (record["path"], record["op"]) == (PAY, "replace")
    assert str(record["via"]).startswith(f"{PAY}.tmp.")
    holding.engine.settle(holding.engine.held(), "continue")
    assert process.wait(40) == 0
    assert pay(holding) == "new"
    assert len(holding.engine.said("held")) == 1


def test_one_question_for_one_process_and_path(holding: Gate) -> None:
    script = (
        "import threading\n"
        f"def act(): open('{PAY}', 'a').write('x')\n"
        "all = [threading.Thread(target=act) for _ in range(5)]\n"
        "[each.start() for each in all]; open('mine/started', 'w'); [each.join() for each in all]"
    )
    process = holding.start(holding.interpreter(), "-I", "-c", script)
    held = holding.engine.held()
    until((holding.root / "mine/started").exists)
    holding.engine.settle(held, "continue")
    assert process.wait(40) == 0
    assert pay(holding) == "pay = 1\nxxxxx"
    assert len(holding.engine.said("held")) == 1


def test_after_a_refusal_the_same_process_is_not_asked_for_again(gate: Gate) -> None:
    gate.enforce()
    script = "for n in {1..250}; do echo > src/billing/n$n; done 2>/dev/null; echo > mine/done"
    assert gate.run("bash", "-c", script).returncode == 0
    gate.engine.wait(lambda: ("create", "mine/done", None) in gate.engine.writes())
    assert [held["waits"] for held in gate.engine.said("held")] == [True] + 199 * [False]
    assert sorted(os.listdir(gate.root / "src/billing")) == ["pay.py", "tax.py"]


def test_a_policy_that_refuses_names_the_request(gate: Gate) -> None:
    gate.enforce(away="refuse")
    done = gate.run("bash", "-c", f"echo new > {PAY}")
    assert done.returncode == 1
    assert done.stderr.startswith(b"runebook: src/billing/pay.py is billing's; request 12 is open\n")
    assert gate.engine.held()["waits"] is False


def test_a_policy_that_flags_lets_it_pass(gate: Gate) -> None:
    gate.enforce(away="flag")
    assert gate.run("bash", "-c", f"echo new > {PAY}; : > last").returncode == 0
    assert ("truncate", PAY, None) in gate.heard()
    assert gate.engine.said("held") == []
    assert pay(gate) == "new\n"


def test_git_that_holds_its_index_does_not_wait(holding: Gate) -> None:
    (holding.root / PAY).write_text("changed\n")
    done = holding.run("git", "checkout", "--", PAY)
    assert done.returncode != 0
    held = holding.engine.held()
    assert (held["waits"], held["reason"]) == (False, "git holds its index.lock")
    assert not (holding.root / ".git/index.lock").exists()
    assert pay(holding) == "changed\n"


def test_a_grant_and_its_scope(gate: Gate) -> None:
    grants = [{"request": 3, "agent": "alpha", "paths": [PAY], "scope": "plan", "owners": []}]
    gate.enforce(grants=grants)
    assert gate.run("bash", "-c", f"echo new > {PAY}; echo x > src/billing/tax.py").returncode == 1
    gate.engine.wait(lambda: gate.engine.records())
    assert [(r["path"], r["grant"]) for r in gate.engine.records()] == [(PAY, 3)]
    assert (pay(gate), (gate.root / "src/billing/tax.py").read_text()) == ("new\n", "tax = 1\n")


def test_new_rules_count_at_once(gate: Gate) -> None:
    gate.enforce()
    process = gate.start("bash", "-c", f"until echo new > {PAY}; do sleep 0.02; done", stderr=-3)
    gate.engine.held()
    assert pay(gate) == "pay = 1\n"
    gate.engine.push({"push": "rules", "rules": {**RULES, "claims": [["/src/**", "alpha", False]]}})
    assert process.wait(40) == 0
    assert pay(gate) == "new\n"


@pytest.mark.parametrize("rules", [None, {"agent": "alpha", "claims": 7}])
def test_without_rules_nothing_is_written(gate: Gate, rules: Message | None) -> None:
    gate.enforce()
    gate.engine.rules = rules
    done = gate.run("bash", "-c", "echo > mine/b; echo > ../outside/x && echo > .git/x && echo > /dev/null")
    assert done.returncode == 0
    assert b"the engine has given no rules" in done.stderr
    assert not (gate.root / "mine/b").exists()
    assert (gate.root / ".git/x").exists()


def test_a_killed_server_leaves_no_held_call_behind(holding: Gate) -> None:
    process = holding.start("bash", "-c", f"echo new > {PAY}; echo $? > mine/status; exit 3")
    held = holding.engine.held()
    os.kill(server_of(holding), signal.SIGKILL)
    again = holding.engine.held(2)
    assert again["id"] == held["id"]
    assert again["waits"] is True
    assert pay(holding) == "pay = 1\n"
    attach = holding.engine.said("attach")[1]
    assert (attach["gate"], attach["reason"]) == ("enforce", "the server died; the front took over")
    holding.engine.settle(again, "continue")
    assert process.wait(40) == 3
    assert pay(holding) == "new\n"


def test_a_killed_front_changes_nothing(holding: Gate) -> None:
    process = holding.start("bash", "-c", f"echo new > {PAY}; echo > src/billing/tax.py; echo > mine/end")
    held = holding.engine.held()
    process.kill()
    process.wait()
    holding.engine.settle(held, "refuse", "no")
    until((holding.root / "mine/end").exists)
    assert pay(holding) == "pay = 1\n"
    assert (holding.root / "src/billing/tax.py").read_text() == "tax = 1\n"


def has_ended(pid: int) -> bool:
    try:
        return b") Z " in Path(f"/proc/{pid}/stat").read_bytes()
    except FileNotFoundError:
        return True


def test_without_server_and_front_nothing_passes(holding: Gate) -> None:
    script = (
        "echo $$ > ../outside/pid; until [ -e go ]; do sleep 0.02; done\n"
        f"echo new > {PAY}; echo > mine/b; cat {PAY} > /dev/null; read x < {PAY}"
    )
    process = holding.start("bash", "-c", script, stderr=-3)
    server = server_of(holding)
    until((holding.home / "outside/pid").exists)
    child = int(str(holding.engine.said("attach")[0]["child"]))
    process.kill()
    process.wait()
    os.kill(server, signal.SIGKILL)
    (holding.root / "go").touch()
    until(lambda: has_ended(child))
    assert pay(holding) == "pay = 1\n"
    assert not (holding.root / "mine/b").exists()


def test_a_held_call_waits_for_an_engine_that_comes_back(holding: Gate) -> None:
    process = holding.start("bash", "-c", f"echo new > {PAY}")
    holding.engine.held()
    holding.engine.stop()
    holding.engine.start()
    again = holding.engine.held(2)
    assert again["id"] == holding.engine.held()["id"]
    holding.engine.settle(again, "continue")
    assert process.wait(40) == 0
    assert pay(holding) == "new\n"


def test_without_an_engine_foreign_writes_are_refused_in_words(holding: Gate) -> None:
    script = f"until [ -e go ]; do sleep 0.02; done; echo > mine/b && echo new > {PAY}"
    process = holding.start("bash", "-c", script, stderr=-1)
    holding.engine.wait(lambda: holding.engine.said("attach"))
    holding.engine.stop()
    (holding.root / "go").touch()
    assert process.wait(40) == 1
    assert errors(process).startswith(
        "runebook: src/billing/pay.py is billing's; no engine runs that could ask\n"
    )
    assert (holding.root / "mine/b").exists()
    assert pay(holding) == "pay = 1\n"
    holding.engine.start()


def test_an_engine_that_says_nothing_is_not_waited_for(gate: Gate) -> None:
    gate.enforce(hold_seconds=0.2)
    gate.engine.verdict = hold
    begun = time.monotonic()
    done = gate.run("bash", "-c", f"echo new > {PAY}")
    assert done.returncode == 1
    assert done.stderr.startswith(
        b"runebook: src/billing/pay.py is billing's; nobody answered within 0.2 s\n"
    )
    assert time.monotonic() - begun > 2.0  # and `run` itself waits only so long


def test_words_never_reach_a_terminal_or_block(holding: Gate) -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    try:
        while True:
            os.write(writing, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(writing, True)
    process = holding.start("bash", "-c", f": > mine/x; exec 3>{PAY}", stderr=writing)
    holding.engine.settle(holding.engine.held(), "refuse", "no")
    holding.engine.wait(lambda: holding.engine.said("held"))
    until(lambda: b"pipe_w" in Path(f"/proc/{child_of(holding)}/wchan").read_bytes() or stuck(holding))
    assert pay(holding) == "pay = 1\n"
    os.close(reading)
    os.close(writing)
    process.wait(40)


def child_of(gate: Gate) -> int:
    return int(str(gate.engine.said("attach")[0]["child"]))


def stuck(gate: Gate) -> bool:
    """Whether the command waits in a write of its own: it went on past the refused call."""
    try:
        return Path(f"/proc/{child_of(gate)}/syscall").read_text().startswith("1 ")
    except OSError:
        return True
