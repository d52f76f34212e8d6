"""The picture of a run: phases, agents, requests and decisions along one axis of time, as an SVG."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from runebook_tui.core.printable import visible
from runebook_tui.report.account import Account, RequestAccount
from runebook_tui.report.words import clock, duration, request_words

MARKS = 400
"""So many requests are drawn, the newest; the lists have them all."""

_WIDTH = 1000
_LEFT = 190
_RIGHT = 20
_TOP = 34
_ROW = 26
_LABEL = 26
"""Characters of a row's name."""
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400)
_TICKS = 8

STYLE = """
svg .axis{stroke:#8884} svg text{font:12px system-ui,sans-serif;fill:currentColor}
svg .phase{fill:#8a63d288} svg .running{fill:#3b82c488} svg .failed{fill:#c0392b66}
svg .mark{stroke:Canvas;stroke-width:1}
svg .asked{stroke:#c98a00;stroke-width:3} svg .open{fill:Canvas;stroke:#c98a00;stroke-width:2}
svg .approved{fill:#2e9e5b} svg .rejected{fill:#c0392b} svg .withdrawn{fill:#888}
svg .published{fill:#8a63d2}
"""


class _Scale:
    """Where a moment lies on the axis."""

    def __init__(self, start: float, end: float) -> None:
        self.start = start
        self.end = max(end, start + 1.0)

    def x(self, time: float) -> float:
        share = (min(max(time, self.start), self.end) - self.start) / (self.end - self.start)
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    def ticks(self) -> Iterator[float]:
        length = self.end - self.start
        step = next((each for each in _STEPS if length / each <= _TICKS), None)
        if step is None:
            step = 86_400 * (int(length / 86_400 / _TICKS) + 1)
        for n in range(int(length / step) + 1):
            yield self.start + n * step


def picture(account: Account) -> str:
    """The timeline of a run, as one `<svg>` element; its colours come from STYLE."""
    scale = _Scale(account.started, account.ended or account.last)
    rows = {name: n for n, name in enumerate([*(f"p:{each}" for each in account.phases), *account.agents])}
    height = _TOP + len(rows) * _ROW + 8
    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="Timeline of run {account.run}" '
        'xmlns="http://www.w3.org/2000/svg">'
    ]
    parts += _axis(scale, height)
    for phase in account.phases.values():
        y = _y(rows[f"p:{phase.id}"])
        parts.append(_label(phase.title or phase.id, y))
        if phase.started is not None:
            end = phase.completed or account.ended or account.last
            about = f"phase {phase.id}: {duration(end - phase.started)}"
            parts.append(_bar(scale, phase.started, end, y, "phase", about))
    for agent in account.agents.values():
        y = _y(rows[agent.id])
        parts.append(_label(agent.id, y))
        for span in agent.spans:
            end = span.end or account.ended or account.last
            about = f"{agent.id}: {span.status}, {duration(end - span.start)}"
            parts.append(_bar(scale, span.start, end, y, span.status, about))
    for api in account.published:
        if api.agent in rows:
            x, y = scale.x(api.time), _y(rows[api.agent])
            points = f"{x:.1f},{y - 9} {x + 6:.1f},{y} {x:.1f},{y + 9} {x - 6:.1f},{y}"
            about = f"{api.agent} published {api.api} v{api.version}"
            parts.append(f'<polygon class="published mark" points="{points}">{_title(about)}</polygon>')
    for request in list(account.requests.values())[-MARKS:]:
        row = rows.get(request.requester)
        if row is not None:
            parts += _marks(scale, request, account.ended or account.last, _y(row))
    parts.append("</svg>")
    return "\n".join(parts)


def _y(row: int) -> int:
    """The middle of a row."""
    return _TOP + row * _ROW + _ROW // 2


def _axis(scale: _Scale, height: int) -> Iterator[str]:
    for time in scale.ticks():
        x = scale.x(time)
        yield f'<line class="axis" x1="{x:.1f}" y1="{_TOP - 8}" x2="{x:.1f}" y2="{height - 4}"/>'
        yield f'<text x="{x:.1f}" y="{_TOP - 14}" text-anchor="middle">{clock(time)}</text>'


def _label(text: str, y: int) -> str:
    return f'<text x="8" y="{y + 4}">{_safe(text, _LABEL)}</text>'


def _bar(scale: _Scale, start: float, end: float, y: int, kind: str, about: str) -> str:
    x = scale.x(start)
    width = max(scale.x(end) - x, 2.0)
    name = kind if kind in ("phase", "failed") else "running"
    return (
        f'<rect class="{name}" x="{x:.1f}" y="{y - 7}" width="{width:.1f}" height="14" rx="3">'
        f"{_title(about)}</rect>"
    )


def _marks(scale: _Scale, request: RequestAccount, now: float, y: int) -> Iterator[str]:
    """A request: a line as long as it waited, and at its end what was decided."""
    begin, end = scale.x(request.opened), scale.x(request.decided or now)
    about = _title(request_words(request))
    yield f'<line class="asked" x1="{begin:.1f}" y1="{y}" x2="{end:.1f}" y2="{y}">{about}</line>'
    name = request.status if request.status in ("approved", "rejected", "withdrawn") else "open"
    yield f'<circle class="{name} mark" cx="{end:.1f}" cy="{y}" r="5">{about}</circle>'


def _title(text: str) -> str:
    return f"<title>{_safe(text, 300)}</title>"


def _safe(text: str, limit: int) -> str:
    return escape(visible(text, limit))
