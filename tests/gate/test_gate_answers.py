"""One stopped call: seen by the self-test, left by a killed receiver, refused, held."""

from __future__ import annotations

import errno
import os
import select
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import Engine, until

from runebook_tui.gate import bpf, command
from runebook_tui.gate.link import MOST_RECORDS, Link
from runebook_tui.gate.loop import READ, Loop
from runebook_tui.gate.notify import Ledger, Listener, Notification
from runebook_tui.gate.observer import Observer
from runebook_tui.gate.record import Record
from runebook_tui.gate.selftest import probe
from runebook_tui.gate.stopped import Call
from runebook_tui.gate.verdict import CONTINUE, Continue, Hold, Refuse, Verdict
from runebook_tui.gate.wire import LinkError, Question


@pytest.fixture
def filtered() -> Iterator[Callable[[Callable[[], int]], tuple[int, int]]]:
    """Starts a filtered child that does one thing and exits with what it returns: (listener, process)."""
    children: list[int] = []
    listeners: list[int] = []

    def start(act: Callable[[], int]) -> tuple[int, int]:
        mine, theirs = socket.socketpair()
        with mine, theirs:
            child = os.fork()
            if child == 0:
                status = 99
                try:
                    command.install(theirs)
                    status = act()
                finally:
                    os._exit(status)
            theirs.close()
            fd, _, reason = command.receive(mine)
        assert fd is not None, reason
        children.append(child)
        listeners.append(fd)
        return fd, child

    yield start
    for child in children:
        try:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        except (ProcessLookupError, ChildProcessError):
            continue
    for fd in listeners:
        os.close(fd)


def create(path: Path) -> Callable[[], int]:
    def act() -> int:
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT))
        except OSError as error:
            return error.errno or 98
        return 0

    return act


def wait_readable(fd: int) -> None:
    waiting = select.poll()
    waiting.register(fd, READ)
    assert waiting.poll(40_000)


def status(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_the_self_test_passes_here() -> None:
    assert probe() == ("enforce", "")


def test_the_self_test_says_that_a_gate_cannot_be_nested(filtered: Callable[..., tuple[int, int]]) -> None:
    def act() -> int:
        mode, reason = probe()
        return 7 if mode == "off" and "cannot be nested" in reason else 1

    _, child = filtered(act)
    assert status(child) == 7


def test_a_call_that_a_killed_receiver_left_is_answered_by_another(
    filtered: Callable[..., tuple[int, int]], tmp_path: Path
) -> None:
    fd, child = filtered(create(tmp_path / "f"))
    ledger = Ledger()
    receiver = os.fork()
    if receiver == 0:
        try:
            listener = Listener(fd, ledger)
            wait_readable(fd)
            listener.receive()
            signal.pause()
        finally:
            os._exit(0)
    until(lambda: list(ledger.unanswered()))
    os.kill(receiver, signal.SIGKILL)
    os.waitpid(receiver, 0)
    assert os.waitpid(child, os.WNOHANG) == (0, 0)
    listener = Listener(fd, ledger)
    for notification in ledger.unanswered():
        listener.proceed(notification)
    assert status(child) == 0
    assert not list(ledger.unanswered())


class Judge:
    """An observer whose decision the test chooses; it has no engine."""

    def __init__(self, fd: int, root: Path, verdict: Verdict) -> None:
        self.seen: list[Record] = []
        self.loop = Loop()
        link = Link(self.loop, str(root / "none.sock"), "alpha", dict)
        self.verdict = verdict
        self.ledger = Ledger()
        self.observer = Observer(
            self.loop, Listener(fd, self.ledger), os.fsencode(root.resolve()), link, self.decide
        )

    def decide(self, call: Call) -> Verdict:
        self.seen += [act.record for act in call.acts if act.record is not None]
        return self.verdict


@pytest.mark.parametrize(("verdict", "number"), [(Continue(), 0), (Refuse(errno.EACCES), errno.EACCES)])
def test_the_decision_is_carried_out(
    filtered: Callable[..., tuple[int, int]], tmp_path: Path, verdict: Verdict, number: int
) -> None:
    fd, child = filtered(create(tmp_path / "f"))
    judge = Judge(fd, tmp_path, verdict)
    while judge.observer.alive:
        judge.loop.turn(0.2)
    assert status(child) == number
    assert (tmp_path / "f").exists() == (number == 0)
    assert [(record["op"], record["path"]) for record in judge.seen] == [("create", "f")]


def test_a_held_call_waits_until_it_is_settled(
    filtered: Callable[..., tuple[int, int]], tmp_path: Path
) -> None:
    fd, child = filtered(create(tmp_path / "f"))
    judge = Judge(fd, tmp_path, Hold())
    until(lambda: judge.loop.turn(0.2) or judge.seen)
    held: list[Notification] = list(judge.ledger.unanswered())
    assert len(held) == 1
    assert os.waitpid(child, os.WNOHANG) == (0, 0)
    judge.observer.settle(held[0], CONTINUE)
    assert status(child) == 0


def test_a_decision_that_fails_stops_nobody(filtered: Callable[..., tuple[int, int]], tmp_path: Path) -> None:
    fd, child = filtered(create(tmp_path / "f"))
    judge = Judge(fd, tmp_path, CONTINUE)
    judge.observer._decide = lambda call: [][len(call.acts)]
    while judge.observer.alive:
        judge.loop.turn(0.2)
    assert status(child) == 0
    assert judge.loop.guard.errors == 1
    assert "IndexError" in judge.loop.guard.last


def test_the_oldest_records_go_when_no_engine_comes(tmp_path: Path) -> None:
    loop = Loop()
    path = str(tmp_path / "e.sock")
    link = Link(loop, path, "alpha", lambda: {"do": "attach"})
    link.attach()
    for number in range(MOST_RECORDS + 7):
        link.offer({"path": str(number)})
    assert link.dropped == 7
    engine = Engine(path)
    engine.start()
    until(lambda: loop.turn(0.2) or link.delivered)
    records = engine.records()
    assert [record["n"] for record in records] == list(range(8, MOST_RECORDS + 8))
    assert engine.said("writes")[0]["dropped"] == 7
    link.close()
    engine.stop()


def test_records_without_a_reply_are_sent_again(tmp_path: Path) -> None:
    path = str(tmp_path / "e.sock")
    loop = Loop()
    with socket.socket(socket.AF_UNIX) as deaf:  # takes everything, answers nothing, dies
        deaf.bind(path)
        deaf.listen()
        link = Link(loop, path, "alpha", lambda: {"do": "attach"})
        link.attach()
        link.offer({"path": "a"})
        link.flush()
        assert not link.delivered
    os.unlink(path)
    engine = Engine(path)
    engine.start()
    until(lambda: loop.turn(0.2) or link.delivered)
    assert [record["path"] for record in engine.records()] == ["a"]
    link.close()
    engine.stop()


def test_a_missing_engine_is_named_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(LinkError, match="no engine answers at .*none.sock: No such file"):
        Question(str(tmp_path / "none.sock"), patience=0)


def test_an_answer_may_be_long_and_must_be_an_object(tmp_path: Path) -> None:
    path = str(tmp_path / "e.sock")
    answers = [b'{"ok":true,"x":"' + b"y" * (3 << 20) + b'"}\n', b"[]\n", b"nonsense\n", b""]
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()

        def serve() -> None:
            for answer in answers:
                connection, _ = listening.accept()
                with connection:
                    connection.recv(4096)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        question = Question(path, patience=0)
        assert len(str(question.ask({"do": "x"}, seconds=30)["x"])) == 3 << 20
        question.close()
        for words in ("not an object", "not JSON", "hung up"):
            question = Question(path, patience=0)
            with pytest.raises(LinkError, match=words):
                question.ask({"do": "x"}, seconds=30)
            question.close()
        thread.join()


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_is_well_formed(machine: str) -> None:
    steps = bpf.program(machine)
    assert len(steps) % 8 == 0
    assert len(steps) // 8 < 4096  # BPF_MAXINSNS
    assert steps[-8:] == bytes((6, 0, 0, 0)) + (0x7FFF0000).to_bytes(4, "little")
