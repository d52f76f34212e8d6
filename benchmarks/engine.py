"""The engine of one checkout: started, killed, and ended with its agents and their tmux server."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from benchmarks.processes import start
from benchmarks.session import PROGRAM, BenchmarkError
from runebook_tui.execution.client import EngineClient, EngineError
from runebook_tui.execution.follow import open_log
from runebook_tui.log.eventlog import LogError
from runebook_tui.log.lease import process_start
from runebook_tui.log.opening import store_of
from runebook_tui.place import tmux_socket_name

END_SECONDS = 30.0
_STEP_SECONDS = 0.02


class Engine:
    """`runebook-tui run` in the checkout at `root`; what it says goes to the file `said`.

    It has the given `environment`, else this process's. `prefix` is put before its command line, to run it
    in a network namespace, for instance. `host` is its name in the plan, "" for the plan's own.
    """

    def __init__(
        self,
        root: Path,
        said: Path,
        environment: Mapping[str, str] | None = None,
        *,
        prefix: Sequence[str] = (),
        host: str = "",
    ) -> None:
        self.root = root
        self.said = said
        self._environment = environment
        self._command = [*prefix, *PROGRAM, "run", "--keep", *(["--host", host] if host else [])]
        self.host = host
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, more: Mapping[str, str] | None = None) -> None:
        """Start it, with `more` variables."""
        given = os.environ if self._environment is None else self._environment
        with self.said.open("ab") as said:
            self._process = start(
                self._command, cwd=self.root, env={**given, **(more or {})},
                stdin=subprocess.DEVNULL, stdout=said, stderr=said,
            )  # fmt: skip

    @property
    def pid(self) -> int:
        """The process that was started last."""
        assert self._process is not None
        return self._process.pid

    def check(self) -> None:
        """Raises BenchmarkError with what it said when it has ended by itself."""
        if self._process is not None and self._process.poll() is not None:
            raise BenchmarkError(f"the engine ended: {self.said.read_text(errors='replace')[-2000:]}")

    def holder(self) -> int | None:
        """The process that holds the lease, whoever started it."""
        with suppress(LogError), open_log(self.root) as log:
            lease = log.holder(store_of(self.root).lease_of(self.host))
            return None if lease is None else lease.pid
        return None

    def kill(self) -> int:
        """End by SIGKILL what was started last and what holds the lease; how many processes that were."""
        started = self._process and self._process.pid
        doomed = {pid: at for pid in (self.holder(), started) if pid and (at := process_start(pid))}
        for pid in doomed:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self._process is not None:
            self._process.wait(END_SECONDS)
        for pid, at in doomed.items():
            _wait_for_end(pid, at)
        return len(doomed)

    def tmux_server(self) -> int | None:
        """The process of the private tmux server; None when there is none."""
        asked = self._tmux("display-message", "-p", "#{pid}")
        return int(asked.stdout) if asked.returncode == 0 else None

    def end(self) -> None:
        """Have it end everything; what is left of it and of its tmux server is killed."""
        try:
            with EngineClient(self.root) as client:
                pid = int(client.ask("down")["pid"])
                at = process_start(pid)
            _wait_for_end(pid, at)
        except (EngineError, TimeoutError, BenchmarkError):
            self.kill()
        self._tmux("kill-server")
        # tmux leaves its socket where it was.
        Path(f"/tmp/tmux-{os.getuid()}", tmux_socket_name(self.root)).unlink(missing_ok=True)

    def _tmux(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["tmux", "-L", tmux_socket_name(self.root), *words],
            capture_output=True, text=True, check=False, env=self._environment,
        )  # fmt: skip


def _wait_for_end(pid: int, started: float | None) -> None:
    """Raises BenchmarkError when the process that began then is there for half a minute more."""
    deadline = time.monotonic() + END_SECONDS
    while started is not None and process_start(pid) == started:
        if time.monotonic() > deadline:
            raise BenchmarkError(f"process {pid} does not end")
        time.sleep(_STEP_SECONDS)
