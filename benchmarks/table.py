"""A table of figures that reads well in a terminal and is Markdown as it stands."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """Rows of text under a title; `note` says in a sentence or two how the figures came about."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""
    missed: int = 0
    """Foreign writes that Runebook did not report: anything but 0 is a failure."""
    wrong: int = 0
    """Changes that were given to somebody else than their author: anything but 0 is a failure."""

    def __str__(self) -> str:
        lines = [self.columns, *self.rows]
        widths = [max(len(line[at]) for line in lines) for at in range(len(self.columns))]
        rule = ["-" * width if at == 0 else "-" * (width - 1) + ":" for at, width in enumerate(widths)]
        shown = [_aligned(self.columns, widths), _aligned(rule, widths)]
        shown += [_aligned(row, widths) for row in self.rows]
        note = f"\n{self.note}\n" if self.note else ""
        return "\n".join([f"### {self.title}", "", *shown, note])


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = (
        text.ljust(width) if at == 0 else text.rjust(width)
        for at, (text, width) in enumerate(zip(row, widths, strict=True))
    )
    return "| " + " | ".join([first, *rest]) + " |"


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile of `values`; not a number when there are none."""
    if not values:
        return math.nan
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def milliseconds(seconds: Sequence[float]) -> str:
    """p50 / p99 of `seconds` in milliseconds."""
    return " / ".join(_short(percentile(seconds, percent) * 1000) for percent in (50, 99))


def rate(count: float, seconds: float) -> str:
    """How many a second, in thousands from 10,000 on."""
    found = count / seconds
    return f"{found / 1000:,.0f} k" if found >= 10_000 else f"{found:,.0f}"


def ratio(ours: float, theirs: float) -> str:
    """How many times `theirs` ours is."""
    if not theirs or math.isnan(ours) or math.isnan(theirs):
        return "–"
    return f"{ours / theirs:.2f}×"


def _short(value: float) -> str:
    if math.isnan(value):
        return "–"
    return f"{value:.2f}" if value < 1 else f"{value:.1f}" if value < 10 else f"{value:,.0f}"
