"""The relay of one interactive shell: `PYTHON -I -S relay.py SHELL PID FOLDER`.

The shell writes a record into a pipe before and after each command, by itself; this process, started once a
shell, tells the engine. It prints the pipe's name and goes into the background, and ends when the shell does.

A record is a row of fields, each ended by a NUL: `start`, number, began, folder, first simple command,
history line, HISTCONTROL; `end`, number, code, began, ended, folder, environment; once before the first,
`environment` and that. Times are microseconds, or empty.
Standard library only: a program is compiled at every start.
"""

import contextlib
import json
import os
import re
import select
import socket
import sys
import time

_FIELDS = {"environment": 2, "start": 7, "end": 7}
_MOST_BYTES = 1 << 20  # of one record; what is longer is no record
_MOST_WAITING = 200  # messages that wait for an engine
_RETRY_SECONDS = 2.0
_ANSWER_SECONDS = 5.0
_SHELLS_OWN = {
    "_",
    "PWD",
    "OLDPWD",
    "SHLVL",
    "COLUMNS",
    "LINES",
    "PROMPT_COMMAND",
    "ZDOTDIR",
    "PROMPT",
    "PS1",
}
"""What changes by itself with each command, and the prompt, in which the capture puts its marks."""
_DECLARED = re.compile(
    r"""declare -x (?P<name>\w+)(?:=(?:"(?P<plain>(?:[^"\\]|\\.)*)"|\$'(?P<ansi>(?:[^'\\]|\\.)*)'))?\n""",
    re.DOTALL,
)
_HISTORY = re.compile(r"\s*(\d+)\*? {1,2}(.*?)\n?\Z", re.DOTALL)
_ANSI = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "a": "\a",
    "b": "\b",
    "E": "\x1b",
    "e": "\x1b",
    "f": "\f",
    "v": "\v",
}


class Shell:
    """What one shell has said, and what follows for the engine."""

    def __init__(self, name: str, pid: str, folder: str) -> None:
        self._name = name
        self._pid = pid
        self._folder = folder
        self._open: dict[str, object] | None = None
        self._environment: dict[str, str] | None = None
        self._last = ""

    def begins(self) -> dict[str, object]:
        """The shell has started."""
        return self._said("begin", folder=self._folder)

    def ends(self) -> list[dict[str, object]]:
        """The shell is gone; with it what still ran."""
        running = [] if self._open is None else [{**self._open, "ended": time.time()}]
        self._open = None
        return [*running, self._said("end", folder=self._folder)]

    def take(self, fields: list[str]) -> list[dict[str, object]]:
        """One record; the messages that it makes."""
        if fields[0] == "environment":
            self._changes(fields[1])
            return []
        if fields[0] == "start":
            _, number, began, folder, word, line, control = fields
            self._open = self._said(
                "command",
                number=number,
                command=self._text(word, line, control),
                folder=folder,
                started=_seconds(began),
            )
            return []
        _, number, code, began, ended, folder, environment = fields
        message = self._open or self._said("command", command="", folder=folder)
        self._open = None
        message |= {"number": number, "ended": _seconds(ended), "environment": self._changes(environment)}
        message["started"] = _seconds(began) if began else message.get("started")
        message["code"] = int(code) if code.isdigit() else None
        self._folder = folder
        return [message]

    def _said(self, what: str, **fields: object) -> dict[str, object]:
        return {"do": "captured", "what": what, "shell": self._name, "session": self._pid, **fields}

    def _text(self, word: str, line: str, control: str) -> str:
        """The command as it was typed; "" where the shell was told to keep it out of its history."""
        if self._name != "bash":
            return line
        found = _HISTORY.match(line)
        if found is None:
            return word
        again, self._last = found[1] == self._last, found[1]
        hides = "ignorespace" in control or "ignoreboth" in control
        return "" if hides and again and word not in found[2] else found[2]

    def _changes(self, environment: str) -> dict[str, str | None]:
        """What differs from the last time; nothing the first time, for nothing ran before."""
        now = declared(environment) if self._name == "bash" else listed(environment)
        before, self._environment = self._environment, now
        if before is None:
            return {}
        changed: dict[str, str | None] = {n: v for n, v in now.items() if before.get(n) != v}
        changed.update((name, None) for name in before if name not in now)
        return {name: value for name, value in sorted(changed.items()) if name not in _SHELLS_OWN}


def declared(text: str) -> dict[str, str]:
    """The variables of bash's `declare -px`."""
    found = {}
    for each in _DECLARED.finditer(text):
        plain, ansi = each["plain"], each["ansi"]
        found[each["name"]] = (
            re.sub(r"\\([$`\"\\])", r"\1", plain)
            if plain is not None
            else re.sub(r"\\(.)", lambda m: _ANSI.get(m[1], m[1]), ansi or "", flags=re.DOTALL)
        )
    return found


def listed(text: str) -> dict[str, str]:
    """The variables of a row `NAME=value`, each ended by U+001E."""
    pairs = (each.partition("=") for each in text.split("\x1e") if "=" in each)
    return {name: value for name, _, value in pairs}


def _seconds(micros: str) -> float:
    return int(micros) / 1e6 if micros.isdigit() else time.time()


class Records:
    """Cuts what comes from the pipe into records."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> list[list[str]]:
        """The records that are whole now; what is no record is passed over."""
        *whole, self._rest = (self._rest + chunk).split(b"\0")
        fields = [field.decode("utf-8", "replace") for field in whole]
        found, at = [], 0
        while at < len(fields):
            count = _FIELDS.get(fields[at])
            if count is None:
                at += 1
            elif at + count > len(fields):
                break
            else:
                found.append(fields[at : at + count])
                at += count
        kept = b"\0".join([*whole[at:], self._rest])
        self._rest = kept if len(kept) <= _MOST_BYTES else b""
        return found


class Engine:
    """The engine at the other end, as far as one is there."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._link: socket.socket | None = None
        self._waiting: list[dict[str, object]] = []
        self.wanted = True
        """Whether the engine wants to hear of this shell."""

    @property
    def waits(self) -> bool:
        """Whether something has not been told yet."""
        return bool(self._waiting)

    def tell(self, messages: list[dict[str, object]]) -> None:
        """Tell `messages`, and what waited before them; what cannot be told waits."""
        self._waiting = [*self._waiting, *messages][-_MOST_WAITING:]
        while self._waiting:
            try:
                self.wanted = self._ask(self._waiting[0])
            except (OSError, ValueError):
                if self._link is not None:
                    self._link.close()
                self._link = None
                return
            self._waiting.pop(0)

    def _ask(self, message: dict[str, object]) -> bool:
        if self._link is None:
            self._link = socket.socket(socket.AF_UNIX)
            self._link.settimeout(_ANSWER_SECONDS)
            self._link.connect(self._path)
        self._link.sendall(json.dumps(message).encode() + b"\n")
        answer = b""
        while not answer.endswith(b"\n"):
            piece = self._link.recv(65_536)
            if not piece:
                raise ConnectionResetError
            answer += piece
        return bool(json.loads(answer).get("wanted", True))


def serve(pipe: int, shell: Shell, pid: int, engine: Engine) -> None:
    """Relay until the shell is gone."""
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    # ChildProcessError and the like: a shell that is gone already
    end = os.pidfd_open(pid) if hasattr(os, "pidfd_open") else -1
    if end >= 0:
        poll.register(end, select.POLLIN)
    records = Records()
    engine.tell([shell.begins()])
    alive = True
    while alive and engine.wanted:
        patience = _RETRY_SECONDS if engine.waits or end < 0 else None
        ready = [number for number, _ in poll.poll(None if patience is None else patience * 1000)]
        alive = end not in ready if end >= 0 else _lives(pid)
        chunk = b""
        with contextlib.suppress(BlockingIOError):
            chunk = os.read(pipe, 1 << 20)
        engine.tell([message for record in records.feed(chunk) for message in shell.take(record)])
    if engine.wanted:
        engine.tell(shell.ends())


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def main(words: list[str]) -> int:
    """Go into the background, having said where to write; the exit status."""
    name, pid, folder = words
    os.closerange(3, 256)
    pipe, inlet = os.pipe()
    os.set_blocking(pipe, False)
    child = os.fork()
    if child:
        print(f"/proc/{child}/fd/{inlet}")
        return 0
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nowhere, number)
    with contextlib.suppress(ProcessLookupError):
        serve(pipe, Shell(name, pid, folder), int(pid), Engine(os.environ["RUNEBOOK_SOCKET"]))
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
