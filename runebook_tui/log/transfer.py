"""A log as lines of JSON: what `log export` prints and `log import` reads, whatever the store.

The first line says what follows (`{"runebook": "log", "format": 1, "records": 2}`); then comes one record a
line, in order. In format 1 no number is missing; in format 2 `TouchesForgotten` says how many are. All is
ASCII; bytes of file names that are no text are lone surrogates, `\\udcNN`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator

from runebook_tui.core.events import Event, TouchesForgotten
from runebook_tui.log.eventlog import EventLog, LogError, Row, decode
from runebook_tui.log.loading import forgotten_count

FORMAT = 2
_WHOLE = 1
"""The format of a log that has forgotten nothing, which older programs read, too."""
LONGEST_LINE = 64_000_000
"""Bytes of a line that are read."""
_WHAT = "log"


def exported(log: EventLog) -> Iterator[str]:
    """The lines of every record that is in `log` by now. Raises LogError."""
    last = log.last_seq()
    records = last - forgotten_count(log)
    version = _WHOLE if records == last else FORMAT
    yield json.dumps({"runebook": _WHAT, "format": version, "records": records})
    written = 0
    for row in log.rows(before=last + 1):
        written += 1
        line = {"seq": row.seq, "time": row.time, "run": row.run, "actor": row.actor}
        key = {} if row.key is None else {"key": row.key}
        yield json.dumps({**line, **key, "event": json.loads(row.body)}, ensure_ascii=True)
    if written != records:
        raise LogError("the log forgot old changes meanwhile: what was written is not whole; export it again")


def imported(readline: Callable[[int], bytes]) -> Iterator[Row]:
    """The records of the lines that `readline(limit)` gives, each looked at.

    Raises LogError, with the line's number, for the first one that is not as it should be.
    """
    number, last, missing = 1, 0, 0
    version, records = _header(_parsed(1, readline(LONGEST_LINE)))
    keys: set[str] = set()
    while text := readline(LONGEST_LINE):
        number += 1
        row, event = _row(number, _parsed(number, text))
        if row.seq <= last or (version == _WHOLE and row.seq != last + 1):
            raise _bad(number, f"is not record {last + 1:,}")
        missing += row.seq - last - 1
        last = row.seq
        if isinstance(event, TouchesForgotten):
            missing -= event.count
        if row.key in keys:
            raise _bad(number, "has the key of an earlier record")
        if row.key is not None:
            keys.add(row.key)
        yield row
    if number - 1 != records:
        raise LogError(f"the file ends after {number - 1:,} of {records:,} records; nothing was imported")
    if missing:
        raise LogError("records are missing that the log had not forgotten; nothing was imported")


def _bad(number: int, what: str) -> LogError:
    return LogError(f"line {number:,} {what}; nothing was imported")


def _parsed(number: int, text: bytes) -> dict[str, object]:
    if len(text) >= LONGEST_LINE:
        raise _bad(number, f"is longer than {LONGEST_LINE:,} bytes")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _bad(number, "is not JSON") from error
    if not isinstance(found, dict):
        raise _bad(number, "is not a JSON object")
    return found


def _header(line: dict[str, object]) -> tuple[int, int]:
    """The format, and how many records the first line announces."""
    version, records = line.get("format"), line.get("records")
    if line.get("runebook") != _WHAT or type(version) is not int or type(records) is not int:
        raise _bad(1, "does not say that this is a log of Runebook")
    if version > FORMAT:
        raise LogError(f"the file was written by a newer Runebook (format {version})")
    return version, records


def _row(number: int, line: dict[str, object]) -> tuple[Row, Event]:
    seq, run, actor, key = line.get("seq"), line.get("run"), line.get("actor"), line.get("key")
    time, event = line.get("time"), line.get("event")
    if type(seq) is not int or seq >= 2**63:
        raise _bad(number, "has no number")
    if type(run) is not int or not 0 <= run < 2**63:
        raise _bad(number, "has no run")
    if isinstance(time, bool) or not isinstance(time, int | float) or not _is_moment(time):
        raise _bad(number, "has no time")
    if not isinstance(actor, str) or not _is_text(actor):
        raise _bad(number, "has no actor")
    if key is not None and (not isinstance(key, str) or not _is_text(key)):
        raise _bad(number, "has a key that is no text")
    if not isinstance(event, dict):
        raise _bad(number, "has no event")
    body = json.dumps(event, ensure_ascii=True, separators=(",", ":"))
    try:
        known = decode(body)
    except LogError as error:
        raise _bad(number, "holds no event that this Runebook knows") from error
    return Row(seq, float(time), run, actor, key, body), known


def _is_moment(time: float) -> bool:
    try:
        return math.isfinite(float(time))
    except OverflowError:
        return False


def _is_text(text: str) -> bool:
    """Whether every store can hold it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text and len(text) <= 10_000
