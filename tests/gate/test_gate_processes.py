"""Front and server as processes: status, signals, and the death of either or of the engine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Gate, parent, until

WRITER = (
    "n=0; until [ -e stop ]; do n=$((n+1)); : > w$((n % 50)); echo $n > count; rm w$((n % 50)); done; exit 5"
)


def attached(gate: Gate, times: int = 1) -> dict[str, object]:
    gate.engine.wait(lambda: len(gate.engine.said("attach")) >= times)
    return gate.engine.said("attach")[times - 1]


def count(gate: Gate) -> int:
    try:
        return int((gate.root / "count").read_text() or 0)
    except FileNotFoundError:
        return 0


def goes_on(gate: Gate) -> None:
    """The writer still writes."""
    before = count(gate)
    until(lambda: count(gate) > before + 20)


def last_record(gate: Gate) -> int:
    return max((int(str(record["n"])) for record in gate.engine.records()), default=0)


@pytest.mark.parametrize("status", [0, 3, 255])
def test_the_exit_status_is_the_commands(gate: Gate, status: int) -> None:
    assert gate.run("sh", "-c", f"exit {status}").returncode == status
    assert gate.engine.said("exited") == [{"do": "exited", "agent": "alpha", "status": status}]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGSEGV, signal.SIGKILL])
def test_death_by_a_signal_is_the_commands(gate: Gate, number: int) -> None:
    assert gate.run("sh", "-c", f"kill -{int(number)} $$").returncode == -number
    assert gate.engine.said("exited") == [{"do": "exited", "agent": "alpha", "signal": int(number)}]


def test_a_missing_program(gate: Gate) -> None:
    gate.engine.reply["env"] = {"PATH": "/usr/bin:/bin"}
    done = gate.run("no-such-program-here")
    assert done.returncode == 127
    assert b"cannot run 'no-such-program-here'" in done.stderr


def test_a_missing_folder(gate: Gate) -> None:
    gate.engine.reply = {"cwd": str(gate.root / "none")}
    done = gate.run("true")
    assert done.returncode == 126
    assert b"cannot enter" in done.stderr


def test_the_engine_says_what_to_run(gate: Gate) -> None:
    gate.engine.reply = {
        "command": ["sh", "-c", 'printf %s "$WORD" > said; pwd > where'],
        "cwd": str(gate.root),
        "env": {"WORD": "caf\udce9 \u00fc"},
        "root": str(gate.root),
    }
    assert gate.run().returncode == 0
    assert (gate.root / "said").read_bytes() == b"caf\xe9 \xc3\xbc"
    assert (gate.root / "where").read_text().strip() == str(gate.root)
    assert gate.engine.said("exec") == [{"do": "exec", "agent": "alpha", "command": None}]


def test_the_engine_refuses(gate: Gate) -> None:
    gate.engine.reply = {"ok": False, "error": "no agent is called alpha"}
    done = gate.run("touch", "x")
    assert done.returncode == 126
    assert done.stderr == b"runebook-tui: no agent is called alpha\n"
    assert not (gate.root / "x").exists()


def test_the_command_waits_for_an_engine_that_is_being_started(gate: Gate) -> None:
    gate.engine.reply["command"] = ["touch", "x"]
    gate.engine.stop()
    process = gate.start()
    gate.engine.start()
    assert process.wait(40) == 0
    assert (gate.root / "x").exists()


def test_standard_streams_end_with_the_command(gate: Gate) -> None:
    done = subprocess.run(
        gate.argv("sh", "-c", "sleep 30 > /dev/null 2>&1 < /dev/null & cat; echo $! > sleeper"),
        input=b"through", stdout=subprocess.PIPE, cwd=gate.root, timeout=25, check=True,
    )  # fmt: skip
    assert done.stdout == b"through"
    os.kill(int((gate.root / "sleeper").read_text()), signal.SIGKILL)


def test_signals_are_passed_on(gate: Gate) -> None:
    process = gate.start(
        "bash", "-c", "trap 'exit 9' USR1; trap 'touch term' TERM; touch ready; while :; do sleep 0.05; done"
    )
    until((gate.root / "ready").exists)
    process.send_signal(signal.SIGINT)  # a terminal would send it to the command as well
    process.send_signal(signal.SIGTERM)
    until((gate.root / "term").exists)
    process.send_signal(signal.SIGUSR1)
    assert process.wait(40) == 9


def test_the_command_finds_signals_as_the_front_found_them(gate: Gate) -> None:
    script = "import signal as s, sys; print([s.getsignal(n) == s.SIG_DFL for n in (13, 15, 20, 21, 22)])"
    done = gate.run(gate.interpreter(), "-I", "-c", script)
    assert done.stdout.split() == b"[False, True, True, True, True]".split()  # 13: that Python's own doing
    masks = ["sh", "-c", "grep -E '^Sig(Blk|Ign)' /proc/self/status"]
    plain = subprocess.run(masks, capture_output=True, check=True)  # who started the tests may ignore some
    assert gate.run(*masks).stdout == plain.stdout


def test_a_killed_server_is_replaced_by_the_front(gate: Gate) -> None:
    process = gate.start("bash", "-c", WRITER)
    child = int(str(attached(gate)["child"]))
    goes_on(gate)
    server = parent(child)
    assert server != process.pid
    os.kill(server, signal.SIGKILL)
    again = attached(gate, 2)
    assert again["child"] == child
    assert again["gate"] == "observe"
    goes_on(gate)
    heard = len(gate.engine.said("writes"))
    gate.engine.wait(lambda: len(gate.engine.said("writes")) > heard)
    gate.engine.wait(lambda: last_record(gate) > 1 << 32)
    assert parent(child) == process.pid
    (gate.root / "stop").touch()
    assert process.wait(40) == 5
    assert gate.engine.said("exited")[-1] == {"do": "exited", "agent": "alpha", "status": 5}


def test_a_daemon_outlives_server_and_command(gate: Gate) -> None:
    waiter = "until [ -e go ]; do sleep 0.05; done; : > late && : > landed"
    process = gate.start(
        "bash",
        "-c",
        f"setsid sh -c '{waiter}' > /dev/null 2>&1 < /dev/null & until [ -e end ]; do sleep 0.05; done",
    )
    os.kill(parent(int(str(attached(gate)["child"]))), signal.SIGKILL)
    attached(gate, 2)
    (gate.root / "end").touch()
    assert process.wait(40) == 0
    (gate.root / "go").touch()
    until((gate.root / "landed").exists)
    gate.engine.wait(lambda: ("create", "landed", None) in gate.engine.writes())


def test_a_killed_front_leaves_the_server_observing(gate: Gate) -> None:
    process = gate.start("bash", "-c", WRITER)
    child = int(str(attached(gate)["child"]))
    goes_on(gate)
    process.kill()
    process.wait()
    goes_on(gate)
    before = last_record(gate)
    gate.engine.wait(lambda: last_record(gate) > before)
    (gate.root / "stop").touch()
    until(lambda: not Path(f"/proc/{child}").exists())


def test_records_wait_for_an_engine_that_comes_back(gate: Gate) -> None:
    process = gate.start(
        "bash", "-c", "for n in 1 2 3; do until [ -e go$n ]; do sleep 0.02; done; : > f$n; : > done$n; done"
    )
    attached(gate)
    (gate.root / "go1").touch()
    gate.engine.wait(lambda: ("create", "done1", None) in gate.engine.writes())
    gate.engine.stop()
    (gate.root / "go2").touch()
    until((gate.root / "done2").exists)
    assert not [write for write in gate.engine.writes() if write[1] == "f2"]
    gate.engine.start()
    attached(gate, 2)
    (gate.root / "go3").touch()
    assert process.wait(40) == 0
    gate.engine.wait(lambda: ("create", "done3", None) in gate.engine.writes())
    written = [write[1] for write in gate.engine.writes() if write[0] == "create"]
    assert written == ["f1", "done1", "f2", "done2", "f3", "done3"]
    assert [record["n"] for record in gate.engine.records()] == [1, 2, 3, 4, 5, 6]


def test_a_command_given_by_hand_runs_without_an_engine(gate: Gate) -> None:
    gate.engine.stop()
    done = gate.run("sh", "-c", ": > alone; exit 4")
    assert done.returncode == 4
    gate.engine.start()
    gate.engine.wait(lambda: ("create", "alone", None) in gate.engine.writes())


def test_an_engine_that_hangs_stops_nobody(gate: Gate) -> None:
    listening = gate.engine
    process = gate.start(
        "bash", "-c", "until [ -e go ]; do sleep 0.02; done; for n in {1..3000}; do : > f$n; done"
    )
    attached(gate)
    with listening.changed:  # every reader of the engine now waits
        (gate.root / "go").touch()
        assert process.wait(60) == 0
    gate.engine.wait(lambda: len({write[1] for write in gate.engine.writes()}) == 3000)
    assert [record["n"] for record in gate.engine.records()] == list(range(1, 3001))


def test_a_gate_that_is_off(gate: Gate) -> None:
    gate.engine.reply["gate"] = "off"
    assert gate.run("sh", "-c", ": > f; grep ^Seccomp: /proc/self/status; exit 3").returncode == 3
    assert (gate.root / "f").exists()
    said = attached(gate)
    assert (said["gate"], said["reason"]) == ("off", "switched off by the plan")
    assert gate.engine.records() == []


def test_a_gate_inside_a_gate_is_off_and_says_why(gate: Gate) -> None:
    if gate.uid != os.getuid():
        pytest.skip("the inner gate must be able to run this interpreter")
    done = gate.run(*gate.argv("sh", "-c", "echo > inner; exit 6"))
    assert done.returncode == 6
    gate.engine.wait(lambda: len(gate.engine.said("attach")) >= 2)
    by_gate = {str(said["gate"]): str(said["reason"]) for said in gate.engine.said("attach")}
    assert "cannot be nested" in by_gate["off"]
    gate.engine.wait(lambda: ("create", "inner", None) in gate.engine.writes())


def test_a_stop_is_mirrored_and_undone(gate: Gate) -> None:
    process = gate.start("bash", "-c", WRITER)
    child = int(str(attached(gate)["child"]))
    goes_on(gate)

    def letter(process: int) -> str:
        return chr(Path(f"/proc/{process}/stat").read_bytes().rpartition(b") ")[2][0])

    os.kill(child, signal.SIGSTOP)
    until(lambda: letter(process.pid) == "T")
    process.send_signal(signal.SIGCONT)
    goes_on(gate)
    os.kill(child, signal.SIGSTOP)
    until(lambda: letter(process.pid) == "T")
    os.kill(child, signal.SIGCONT)  # behind the front's back
    until(lambda: letter(process.pid) != "T")
    (gate.root / "stop").touch()
    assert process.wait(40) == 5


def test_the_import_is_small() -> None:
    heavy = ("typing", "asyncio", "dataclasses", "pydantic", "logging", "subprocess")
    script = f"import sys, runebook_tui.gate.pane; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert done.stdout == b"[]\n"


LEFT = json.dumps(
    {"alpha": {"gate": "enforce", "rules": {"agent": "alpha", "claims": [["/b", "beta", False]]}}}
)


def test_without_an_engine_the_rules_that_it_left_are_enforced(gate: Gate) -> None:
    gate.engine.stop()
    folder = gate.root / ".runebook"
    folder.mkdir()
    (folder / "rules.json").write_text(LEFT)
    done = gate.run("bash", "-c", "echo > a && echo > b")
    assert done.returncode == 1
    assert done.stderr.startswith(b"runebook: b is beta's; no engine runs that could ask\n")
    assert (gate.root / "a").exists()
    assert not (gate.root / "b").exists()
    gate.engine.start()
