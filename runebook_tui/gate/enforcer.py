"""The enforcer: carries out what the judge rules, asks the engine, and keeps calls waiting meanwhile.

What cannot be asked is refused in words. Every error on the way refuses the call in question.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Mapping

from runebook_tui.core.printable import visible
from runebook_tui.gate.holds import Held, Holds
from runebook_tui.gate.judge import OPERATORS, PROCESS, TMUX, Forbidden, Foreign, Judge, Pass
from runebook_tui.gate.link import Link
from runebook_tui.gate.loop import Loop
from runebook_tui.gate.notify import Listener, Notification
from runebook_tui.gate.observer import Observer
from runebook_tui.gate.process import Process, born
from runebook_tui.gate.record import Record, Scribe
from runebook_tui.gate.refusals import Refusals
from runebook_tui.gate.rules import Rules, RulesError
from runebook_tui.gate.stopped import Act, Call
from runebook_tui.gate.teller import Teller
from runebook_tui.gate.verdict import CONTINUE, Hold, Refuse, Verdict

LOOK_SECONDS = 0.5
GRACE_SECONDS = 2.0  # the gate's own patience beyond the engine's, and that for a restarted call
WORDS_SECONDS = 1.0  # how long a refused call waits for the engine's words and the request's number
RETURN_SECONDS = 10.0  # how long held calls wait for an engine that went away
CLOSED = "memory cannot be read"

_READ = ("/.runebook/log.sqlite-wal", "/.runebook/log.sqlite-shm")
"""SQLite asks to write these in order to read the log, and reads it when that is refused."""
_HOLD = Hold()
_NO = Refuse(errno.EACCES)
_NOT_THAT = Refuse(errno.EPERM)


class Enforcer:
    """Decides the calls of one listener. `observer` reads and answers them.

    The first write of the plan by the process `canary` is the pane's own try whether the gate holds.
    """

    def __init__(
        self,
        loop: Loop,
        listener: Listener,
        root: bytes,
        link: Link,
        judge: Judge,
        scribe: Scribe | None = None,
        *,
        canary: int = 0,
    ) -> None:
        self.observer = Observer(loop, listener, root, link, self.decide, _NO, self._failed, scribe)
        self._loop = loop
        self._listener = listener
        self._link = link
        self._judge = judge
        self._root = root
        self._canary = canary
        self.proved = False
        """Whether the canary was refused."""
        self._holds = Holds()
        self._refusals = Refusals()
        self._teller = Teller()

    def decide(self, call: Call) -> Verdict:
        """The answer to one call."""
        if call.number:
            return Refuse(call.number)
        process = Process(call.notification.thread)
        if call.closed:
            return self._closed(call, process)
        if not call.acts:
            return CONTINUE
        ruling = self._judge.rule(call.acts, process)
        if isinstance(ruling, Pass):
            return CONTINUE
        _ = process.key, process.arguments
        if not self._listener.valid(call.notification):
            return CONTINUE  # nobody waits any more; the answer reaches no one
        if isinstance(ruling, Forbidden):
            return self._forbidden(call, process, ruling)
        return self._foreign(call.notification, process, ruling)

    # ── what the engine says ────────────────────────────────────────────────────────────────────

    def take(self, given: object) -> None:
        """New rules. Such as cannot be read stop everything inside the repository. Raises RulesError."""
        try:
            self._judge.take(Rules(given))
            self.observer.beside(self._judge.places)
        except RulesError:
            self._judge.take(None)
            raise

    def pushed(self, message: Mapping[str, object]) -> None:
        """What the engine says by itself: new rules, or the answer to a held call."""
        if message.get("push") == "rules":
            self.take(message.get("rules"))
        elif message.get("push") == "settle":
            number = message.get("id")
            held = self._holds.get(number) if isinstance(number, int) else None
            if held is not None:
                self._settle(held, message)

    def attached(self) -> None:
        """The engine is (again) there: ask anew what still waits."""
        for held in self._holds:
            if held.waits and held.connection != self._link.connections:
                self._file(held)

    def end(self) -> None:
        """No process is left that could wait for anything."""
        for held in self._holds:
            self._holds.remove(held)
            if held.waits:
                self._link.ask(_unheld(held), lasting=False)

    def _file(self, held: Held) -> None:
        # A question that waits is asked anew after an attach; one that does not is kept by the link.
        held.connection = self._link.connections
        self._link.ask(held.line(), lambda reply: self._answered(held, reply), lasting=not held.waits)

    def _answered(self, held: Held, reply: Mapping[str, object]) -> None:
        if self._holds.get(held.id) is not held or (held.waits and reply.get("verdict") == "hold"):
            return
        self._settle(held, reply)

    def _settle(self, held: Held, answer: Mapping[str, object]) -> None:
        if answer.get("verdict") == "continue":
            request = answer.get("request")
            self._go_on(held, request if isinstance(request, int) else 0)
            return
        words = answer.get("words") or answer.get("error")
        self._end(held, str(words) if words else f"{_whose(held)}; {held.why or 'it was refused'}")

    def _go_on(self, held: Held, request: int) -> None:
        self._holds.remove(held)
        if self._judge.rules is not None:
            self._judge.rules.add(request, held.path, held.owner, held.process.pid, time.time())
        for notification in held.calls:
            with self._loop.guard:
                self.observer.again(notification)

    def _end(self, held: Held, words: str) -> None:
        self._holds.remove(held)
        if self._judge.rules is not None:
            series = held.owner, self._judge.rules.treatment(held.path)
            self._refusals.note(held.process.key, held.path, series, words, time.monotonic())
        if self._teller.first(held.process, held.path):
            self._teller.tell(held.process, words)
        for notification in held.calls:
            with self._loop.guard:
                self.observer.settle(notification, _NO)

    # ── foreign writes ──────────────────────────────────────────────────────────────────────────

    def _foreign(self, notification: Notification, process: Process, foreign: Foreign) -> Verdict:
        rules, now = self._judge.rules, time.monotonic()
        key, path, owner = process.key, foreign.path, foreign.owner
        if rules is None:
            return self._no(process, path, f"{path} cannot be written: the engine has given no rules")
        words = self._refusals.same(key, path, now)
        if words is not None:
            return self._no(process, path, words)
        treatment = rules.treatment(path)
        follows = self._refusals.follows(key, path, (owner, treatment), now)
        if follows is not None:
            words, joins = follows
            if joins:
                self._report(notification, process, foreign, "it follows a write that was just refused")
            return self._no(process, path, f"{path} too: {words}")
        held = self._holds.same(process, path)
        if held is not None and not self._holds.full:
            held.calls.append(notification)
            held.emptied = None
            return _HOLD
        why = "no engine runs that could ask" if not self._link.connected else ""
        why = why or ("too many calls wait already" if self._holds.full else "")
        if why:
            if self._teller.first(process, path):
                self._report(notification, process, foreign, why)
                self._teller.tell(process, f"{_whose(foreign)}; {why}")
            return _NO
        if treatment.away == "refuse":
            foreign.waits, foreign.why = False, "the plan refuses it at once"
        elif self._holds_index(process):
            foreign.waits, foreign.why = False, "git holds its index.lock"
        seconds = treatment.hold_seconds + GRACE_SECONDS if foreign.waits else WORDS_SECONDS
        held = Held(notification, process, foreign, question(process, foreign), now + seconds)
        held.spent = rules.spent(path)
        self._holds.add(held)
        self._file(held)
        self._loop.later("holds", LOOK_SECONDS, self._look)
        return _HOLD

    def _report(self, notification: Notification, process: Process, foreign: Foreign, why: str) -> None:
        """File a request for a call that is refused already."""
        foreign.waits, foreign.why = False, why
        self._link.ask(Held(notification, process, foreign, question(process, foreign), 0.0).line())

    def _no(self, process: Process, path: str, words: str) -> Refuse:
        if self._teller.first(process, path):
            self._teller.tell(process, words)
        return _NO

    def _holds_index(self, process: Process) -> bool:
        """Whether this is git in the middle of changing its index: others would wait for it."""
        program = process.program
        if program != "git" and not program.startswith("git-"):
            return False
        folders = (self._root + b"/.git", *(() if self._judge.rules is None else self._judge.rules.git))
        return any(os.path.exists(folder + b"/index.lock") for folder in folders)

    def _look(self) -> None:
        """Every half second: who gave up, whose time is over, and is the engine there?"""
        now = time.monotonic()
        for held in self._holds:
            with self._loop.guard:
                self._look_at(held, now)
        if len(self._holds):
            self._loop.later("holds", LOOK_SECONDS, self._look)

    def _look_at(self, held: Held, now: float) -> None:
        gone = [each for each in held.calls if not self._listener.valid(each)]
        for notification in gone:
            held.calls.remove(notification)
            self.observer.settle(notification, _NO)
        if not held.calls:
            held.emptied = held.emptied or now
            # A call that a signal interrupted comes again at once.
            if born(held.process.pid) != held.process.key[1] or now - held.emptied > GRACE_SECONDS:
                self._holds.remove(held)
                if held.waits:
                    self._link.ask(_unheld(held), lasting=False)
        elif now > held.deadline:
            rules = self._judge.rules
            seconds = "its time" if rules is None else f"{rules.treatment(held.path).hold_seconds:g} s"
            late = f"nobody answered within {seconds}" if held.waits else held.why
            self._end(held, f"{_whose(held)}; {late}")
        elif self._link.connected:
            held.gone = None
        else:
            held.gone = held.gone or now
            if now - held.gone > RETURN_SECONDS:
                self._end(held, f"{_whose(held)}; the engine has ended, and nobody else can be asked")

    # ── what nobody is asked about ──────────────────────────────────────────────────────────────

    def _forbidden(self, call: Call, process: Process, ruling: Forbidden) -> Refuse:
        if process.pid == self._canary and ruling.path.endswith("/runebook.toml"):
            self._canary, self.proved = 0, True
            self._link.ask({"do": "proved"})
            return _NO
        if ruling.path.endswith(_READ) and all(act.change.op in ("open", "create") for act in call.acts):
            return _NO
        path = ruling.path.removeprefix(os.fsdecode(self._root) + "/").removesuffix(".lock")
        words = {
            OPERATORS: f"{path} belongs to the operator: no program of an agent may change it",
            TMUX: f"{path} is tmux's socket: no program of an agent may command that server",
            PROCESS: f"{path} is {PROCESS}: no program of an agent may stop or trace it",
        }.get(ruling.why, f"{path} is {ruling.why}")
        record = _first(call.acts, process, path)
        if ruling.why == PROCESS:
            self._refused(process, record, f"{record['op']} {path}", ruling.why, words)
            return _NOT_THAT
        self._refused(process, record, path, ruling.why, words)
        return _NO

    def _closed(self, call: Call, process: Process) -> Refuse:
        record = _first(call.acts, process, None)
        words = f"the memory of {record['program']} cannot be read, so nobody can say what it writes"
        self._refused(process, record, "", CLOSED, words)
        return _NO

    def _refused(self, process: Process, record: Record, what: str, why: str, words: str) -> None:
        if self._teller.first(process, what):
            self._link.ask({"do": "refused", "record": record, "reason": why})
            self._teller.tell(process, words)

    def _failed(self, notification: Notification) -> None:
        """Say that looking at a call went wrong; the guard has counted it."""
        process = Process(notification.thread)
        if self._teller.first(process, "failed"):
            self._teller.tell(process, f"the gate could not look at a call: {self._loop.guard.last}")


def question(process: Process, foreign: Foreign) -> Record:
    """The record of the call as the operator is asked about it: `path` is what the question is about.

    `via` is the name that the call itself touches, where that is another: then `op` is `replace`. `from` is
    the file of the repository that a rename or link would put there.
    """
    given = foreign.act.record
    record = dict(given) if given is not None else _record(process, foreign.act, foreign.path)
    before, record["path"] = record["path"], foreign.path
    if foreign.via is not None:
        record["via"] = foreign.via
    if foreign.path != before:
        inside = isinstance(before, str) and foreign.path.startswith(before + "/")
        if inside and isinstance(record["to"], str):
            record["to"] = f"{record['to']}{foreign.path[len(str(before)) :]}"
        elif not inside:
            if isinstance(before, str) and foreign.act.change.op in ("rename", "link"):
                record["from"] = before
            record["op"], record["to"] = "replace", None
    return record


def _first(acts: list[Act], process: Process, path: str | None) -> Record:
    """The record of a refused call: the first that there is, about `path`."""
    record = next((act.record for act in acts if act.record is not None), None)
    if record is None:
        return _record(process, acts[0] if acts else None, path)
    return {**record, "path": path}


def _record(process: Process, act: Act | None, path: str | None) -> Record:
    return {
        "time": time.time(),
        "pid": process.pid,
        "program": process.program[:64],
        "argv": " ".join(process.arguments)[:200],
        "op": "unreadable" if act is None else act.change.op,
        "path": path,
        "to": None,
    }


def _unheld(held: Held) -> dict[str, object]:
    return {"do": "unheld", "id": held.id, "reason": "its process has ended"}


def _whose(about: Held | Foreign) -> str:
    owner = "nobody's" if about.owner is None else f"{about.owner}'s"
    return f"{visible(about.path, 200)} is {owner}"
