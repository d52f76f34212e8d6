"""Plain mode at a real terminal that can draw nothing, and through a pipe, with a real engine."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import termios
import time

from session_play import DEADLINE, PROGRAM, WAITING, Session

PLAN = """
[plan]
name = "plain"
[[phases]]
id = "build"
[[agents]]
id = "alpha"
phase = "build"
command = ["bash", "alpha.sh"]
claims = ["src/alpha/**"]
gate = "observe"
[[agents]]
id = "beta"
phase = "build"
command = ["true"]
claims = ["src/beta/**"]
"""


class Line:
    """A person at a dumb terminal: what is typed and what was printed."""

    def __init__(self, session: Session, *words: str) -> None:
        self._session = session
        self.printed = ""
        self._master, slave = pty.openpty()
        environment = {**session.environment, "TERM": "dumb"}
        self.program = subprocess.Popen(
            [*PROGRAM, *words],
            cwd=session.root,
            env=environment,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        self.modes = termios.tcgetattr(slave)
        self._slave = slave

    def types(self, line: str) -> None:
        os.write(self._master, f"{line}\n".encode())

    def reads(self, *texts: str) -> str:
        """Wait until all texts were printed since the last time; what was."""
        deadline = time.monotonic() + DEADLINE
        fresh = ""
        while not all(text in fresh for text in texts):
            left = deadline - time.monotonic()
            assert left > 0, f"never printed: {texts}\n{self.printed}"
            if select.select([self._master], [], [], left)[0]:
                more = os.read(self._master, 65_536).decode()
                fresh += more
                self.printed += more
        return fresh

    def close(self) -> None:
        if self.program.poll() is None:
            self.program.kill()
        self.program.wait(DEADLINE)
        for descriptor in (self._master, self._slave):
            os.close(descriptor)


def test_a_request_is_heard_and_decided_by_words_at_a_terminal_that_cannot_draw(session: Session) -> None:
    (session.root / "src" / "beta").mkdir(parents=True)
    (session.root / "src" / "beta" / "b.txt").write_text("one\n")
    (session.root / "alpha.sh").write_text(
        f"{WAITING.format('go')}echo two >> src/beta/b.txt\nexec sleep 600\n"
    )
    session.plan(PLAN)
    session.start()
    session.until_gate("alpha")
    line = Line(session)
    try:
        line.reads("plan plain, run 1; the engine runs", "nobody needs you", "> ")
        line.types("agents")
        line.reads("alpha: working", "beta: done", "> ")
        (session.root / "go").touch()
        line.reads("request 1: alpha wrote src/beta/b.txt, which beta owns", "\a")
        line.types("diff 1")
        line.reads("the difference: 1 line added, 0 removed", "+two", "end of the difference", "request 1> ")
        line.types("reject and undo")
        line.reads("request 1 rejected", "undone as u1: src/beta/b.txt", "> ")
        assert (session.root / "src" / "beta" / "b.txt").read_text() == "one\n"
        line.types("quit")
        line.reads("1 agent goes on")
        assert line.program.wait(DEADLINE) == 0
        assert "\x1b" not in line.printed
        assert termios.tcgetattr(line._slave) == line.modes
    finally:
        line.close()
    piped = subprocess.run(
        [*PROGRAM, "--plain"],
        cwd=session.root,
        env=session.environment,
        input="requests\nstop alpha\nyes\nagents\n",
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert piped.returncode == 0, piped.stderr
    assert "no request waits for you" in piped.stdout
    assert "alpha is stopped\n" in piped.stdout
    assert "> " not in piped.stdout
