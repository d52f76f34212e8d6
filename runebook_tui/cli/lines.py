"""`who --lines`: who wrote each line, in words and as JSON."""

from __future__ import annotations

import shutil
import sys
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime

from runebook_tui.cli import shapes
from runebook_tui.cli.moments import clock
from runebook_tui.core.events import Record, Touched
from runebook_tui.core.printable import visible
from runebook_tui.core.state import State
from runebook_tui.core.types import OPERATOR, RequestKind
from runebook_tui.execution.lineage import Line

_WHO_CELLS = 28
_TAB = 4
_TEXT_LIMIT = 4_096


def width() -> int | None:
    """The cells of a line of the terminal; None when nobody looks at one, and lines may be long."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def lines_words(lines: Sequence[Line], state: State, cells: int | None) -> Iterator[str]:
    """Each line with who wrote it, when, and the number of the request if it crossed; `cells` wide."""
    requests = _requests(lines, state)
    told = [(_who(line), _when(line), _request(line, requests)) for line in lines]
    most = max((_cells(who) for who, _, _ in told), default=0)
    room = min(most, _WHO_CELLS)
    digits = len(str(len(lines)))
    for number, (line, (who, when, request)) in enumerate(zip(lines, told, strict=True), start=1):
        marked = "" if request is None else f"#{request}"
        head = f"{_padded(who, room)}  {when:<10}  {marked:<5}  {number:>{digits}}  "
        text = line.text[:_TEXT_LIMIT].decode("utf-8", "surrogateescape").expandtabs(_TAB)
        whole = head + visible(text.removesuffix("\r"))
        yield whole.rstrip() if cells is None else _clipped(whole, cells).rstrip()


def lines_shape(lines: Sequence[Line], state: State) -> list[shapes.Shape]:
    """The lines of `who --lines --json`."""
    requests = _requests(lines, state)
    return [_shape(line, number, _request(line, requests)) for number, line in enumerate(lines, start=1)]


def _shape(line: Line, number: int, request: int | None) -> shapes.Shape:
    author = line.origin.author
    touch = line.origin.touches[0] if line.origin.touches else None
    return {
        "line": number,
        "text": line.text.decode("utf-8", "surrogateescape"),
        "author": None if author is None else author.name,
        "candidates": [] if author is None else list(author.candidates),
        "known": "before" if author is None else "seen" if author.certain else "unknown",
        "evidence": "" if author is None else author.evidence,
        "time": None if touch is None else shapes.moment(touch.time),
        "seq": None if touch is None else touch.seq,
        "request": request,
        "commit": None if line.commit is None else line.commit.name,
        "commit_author": None if line.commit is None else line.commit.author,
    }


def _who(line: Line) -> str:
    author = line.origin.author
    if author is None:
        commit = line.commit
        return "before Runebook" if commit is None else visible(f"{commit.name} {commit.author}", 80)
    names = ["you" if each == OPERATOR else each for each in author.candidates]
    if author.name is not None:
        return "you" if author.name == OPERATOR else author.name
    return " or ".join(names) + "?" if names else "unknown"


def _when(line: Line) -> str:
    if not line.origin.touches:
        return ""
    time = line.origin.touches[0].time
    day = datetime.fromtimestamp(time).date()
    return clock(time) if day == date.today() else day.isoformat()


def _requests(lines: Sequence[Line], state: State) -> dict[int, int]:
    """The number of the request that a change is part of, by the record of the change."""
    records = {record.seq: record for line in lines for record in line.origin.touches}
    found = {seq: _request_of(record, state) for seq, record in records.items()}
    return {seq: request for seq, request in found.items() if request is not None}


def _request(line: Line, requests: Mapping[int, int]) -> int | None:
    return next((requests[each.seq] for each in line.origin.touches if each.seq in requests), None)


def _request_of(record: Record, state: State) -> int | None:
    touched = record.event
    if not isinstance(touched, Touched) or record.run != state.run:
        return None
    for request in state.requests.values():
        if (
            request.kind is RequestKind.CROSSED
            and touched.change.path in request.crossings
            and request.opened_at <= record.time <= request.updated_at
            and (request.requester, request.candidates) == (touched.author.name, touched.author.candidates)
        ):
            return request.id
    return None


def _cells(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)


def _padded(text: str, cells: int) -> str:
    short = _clipped(text, cells)
    return short + " " * (cells - _cells(short))


def _clipped(text: str, cells: int) -> str:
    """`text` in at most so many cells of a terminal; an ellipsis stands for what is cut off."""
    if _cells(text) <= cells:
        return text
    used, kept = 0, []
    for each in text:
        used += _cells(each)
        if used > cells - 1:
            break
        kept.append(each)
    return "".join(kept) + "…"
