"""From a request in the log to the snapshot's file and to the status line of the private tmux server."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.scratch import Scratch, texts, tree
from benchmarks.session import DEADLINE, BenchmarkError, Session
from benchmarks.table import Table, milliseconds, percentile, ratio
from runebook_tui.execution.client import EngineClient
from runebook_tui.place import tmux_socket_name
from runebook_tui.surfaces import snapshot

FULL, QUICK = 60, 6
_MOST_MILLISECONDS = 250
_STEP_SECONDS = 0.001
_COLUMNS = ("seen by", "p50 / p99 ms", "to the log's follower", f"later than {_MOST_MILLISECONDS} ms")
_NOTE = (
    "From the moment that stands in the request's record; {rounds} requests, one after the other. The file "
    "is looked at every millisecond, tmux is asked by one process after the other."
)


def measure(folder: Path, rounds: int) -> Iterator[Table]:
    """The table of how soon a request is seen."""
    scratch = Scratch(folder / "surfaces")
    try:
        scratch.commit({"main": texts(tree(200))})
        with Session(scratch) as session:
            taken = [_one(session, at) for at in range(rounds)]
    finally:
        scratch.remove()
    names = ("a follower of the log (the TUI)", "the snapshot's file", "tmux's status line")
    columns = dict(zip(names, (list(each) for each in zip(*taken, strict=True)), strict=True))
    middle = percentile(columns[names[0]], 50)
    rows = [
        (
            name,
            milliseconds(times),
            ratio(percentile(times, 50), middle),
            f"{sum(each * 1000 > _MOST_MILLISECONDS for each in times)} of {len(times)}",
        )
        for name, times in columns.items()
    ]
    yield Table("From a request to the surfaces", _COLUMNS, rows, _NOTE.format(rounds=rounds))


def _one(session: Session, at: int) -> tuple[float, float, float]:
    """How long after its record a new request is followed, in the file and in tmux, in seconds."""
    path = f"beta/asked-{at}.txt"
    name = tmux_socket_name(session.root)

    def in_file() -> bool:
        found = snapshot.read(session.root) or {}
        return any(path in each["paths"] for each in found.get("requests", ()))

    def in_tmux() -> bool:
        show = ["tmux", "-L", name, "show-options", "-gv", "@runebook_status"]
        return "◆" in subprocess.run(show, capture_output=True, text=True, check=False).stdout

    session.reject_all()
    _until(lambda: not in_tmux())
    moments: dict[str, float] = {}
    watching = [
        threading.Thread(target=_note, args=(moments, what, holds), daemon=True)
        for what, holds in (("file", in_file), ("tmux", in_tmux))
    ]
    for each in watching:
        each.start()
    with EngineClient(session.root) as engine:
        engine.ask("ask", agent="alpha", paths=[path], reason="to be seen")
    if not session.log.until(lambda: path in session.log.seen):
        raise BenchmarkError(f"no request for {path} came into the log")
    for each in watching:
        each.join(DEADLINE)
    if moments.keys() != {"file", "tmux"}:
        raise BenchmarkError(f"the request for {path} was not shown")
    seen = session.log.seen[path][0]
    return seen.followed - seen.decided, moments["file"] - seen.decided, moments["tmux"] - seen.decided


def _note(moments: dict[str, float], what: str, holds: Callable[[], bool]) -> None:
    _until(holds)
    moments[what] = time.time()


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not holds():
        if time.monotonic() > deadline:
            raise BenchmarkError("tmux or the snapshot does not follow")
        time.sleep(_STEP_SECONDS)
