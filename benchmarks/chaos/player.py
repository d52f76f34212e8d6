"""The agent of the chaos: writes own files, tries foreign ones, and says a word now and then.

It notes outside the repository each start (`begin`), how many own writes have landed (`own`), each own
one that failed (`fault`), each foreign one before and after (`try`, `end`), and each word that the engine
took (`told`).

The words of its command line are the file of the notes, and the folder that it owns.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from pathlib import Path

from benchmarks.kill_writer import BY_NUMBER, WAYS
from benchmarks.soak.notes import NoteReader, NoteWriter

FILES = 2000
"""Each is tried once."""
_STEP_SECONDS = 0.03
_REST_SECONDS = 0.15
_OWN_STEPS = 10
_WORD_SECONDS = 4.0
"""An agent may send 20 messages in a minute (core/messages.py)."""


class Player:
    """One run of the program; the numbers of its tries go on where the last one's ended."""

    def __init__(self, notes: Path, own: str) -> None:
        self._own_folder = own
        before = NoteReader(notes).read()
        self._next = max((note["number"] for note in before if note["do"] == "try"), default=-1) + 1
        self._words = max((note["word"] for note in before if note["do"] == "word"), default=0)
        self._notes = NoteWriter(str(notes))
        self._child: tuple[int, int] | None = None
        self._due = 0.0
        self._steps = 0

    def play(self) -> None:
        """Go on until ended by a signal."""
        self._notes.write(do="begin", pid=os.getpid())
        due = time.monotonic()
        while True:
            self._own()
            self._foreign()
            if time.monotonic() >= due:
                self._say()
                due = time.monotonic() + _WORD_SECONDS
            time.sleep(_STEP_SECONDS)

    def _own(self) -> None:
        try:
            Path(f"{self._own_folder}/w{self._steps % 8}").write_text("own\n")
        except OSError as error:
            self._notes.write(do="fault", errno=error.errno)
            return
        self._steps += 1
        if self._steps % _OWN_STEPS == 0:
            self._notes.write(do="own", count=self._steps)

    def _foreign(self) -> None:
        if self._child is None:
            if self._next < FILES and time.monotonic() >= self._due:
                self._notes.write(do="try", number=self._next, time=time.time())
                self._child = self._next, _forked(self._next)
                self._next += 1
            return
        number, child = self._child
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
            self._notes.write(do="end", number=number, errno=code, time=time.time())
            self._child = None
            self._due = time.monotonic() + _REST_SECONDS

    def _say(self) -> None:
        """One word to the operator; that it was taken is noted only when the engine has said so."""
        self._words += 1
        self._notes.write(do="word", word=self._words)
        text = f"word {self._words} of who plays in {self._own_folder}"
        question = {"do": "tell", "to": ["operator"], "text": text}
        try:
            with socket.socket(socket.AF_UNIX) as engine:
                engine.settimeout(2.0)
                engine.connect(os.environ["RUNEBOOK_SOCKET"])
                engine.sendall(json.dumps(question).encode() + b"\n")
                answer = json.loads(engine.makefile("rb").readline() or b"{}")
        except (OSError, ValueError):
            return
        if answer.get("ok"):
            self._notes.write(do="told", text=text)


def _forked(number: int) -> int:
    """A process that makes one foreign change and ends with the errno that it got."""
    child = os.fork()
    if child == 0:
        code = 0
        try:
            BY_NUMBER[number % WAYS](f"beta/old{number}", f"beta/new{number}")
        except OSError as error:
            code = error.errno or 255
        os._exit(code)
    return child


if __name__ == "__main__":
    Player(Path(sys.argv[1]), sys.argv[2]).play()
