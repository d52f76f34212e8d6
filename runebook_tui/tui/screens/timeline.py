"""TimelineScreen: the run over time: who did what when, with everything that happened as marks."""

from __future__ import annotations

import asyncio
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence

from textual import getters, on, work
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.timer import Timer
from textual.widget import Widget

from runebook_tui.core.absence import TYPES, lines, summary
from runebook_tui.core.chronicle import Chronicle, Kind, Moment, moment
from runebook_tui.core.events import Record
from runebook_tui.core.forgetting import kept_no_more
from runebook_tui.core.printable import visible
from runebook_tui.core.sentences import sentence
from runebook_tui.core.types import OPERATOR, ExecutionPlan
from runebook_tui.core.window import Window
from runebook_tui.tui import glyphs
from runebook_tui.tui.backend import Backend, BackendError
from runebook_tui.tui.screens.mode import ModeScreen
from runebook_tui.tui.screens.request_keys import RequestKeys
from runebook_tui.tui.text import age, clock, safe
from runebook_tui.tui.widgets.lanes import LaneChart
from runebook_tui.tui.widgets.words import Words, entitle

LIMIT = 100_000
"""The newest records of the run that are shown."""
_MOST = LIMIT * 3 // 2
"""With so many it is read anew, for LIMIT of them."""
_PAGE = 2_000
_REST_SECONDS = 0.1
"""How long an event must be under the cursor before its record is read."""
_LINE_LIMIT = 4_000
_PAN = 0.25


class TimelineScreen(ModeScreen):
    """Lanes over time; below them the event under the cursor, and what happened while nobody looked."""

    MODE = "timeline"
    AUTO_FOCUS = "#chart"

    chart = getters.query_one("#chart", LaneChart)
    event = getters.query_one("#event", Words)
    away = getters.query_one("#away", Words)

    def __init__(self, backend: Backend, now: Callable[[], float]) -> None:
        super().__init__(backend, now)
        self._chronicle = Chronicle(ExecutionPlan.model_validate({"plan": {"name": "none"}}))
        self._run = -1
        self._seq = 0
        """The newest record that is in the chronicle."""
        self._reading = False
        self._cut_off = False
        """Whether the run has more records than are shown."""
        self._window = Window(0.0, 1.0)
        self._cursor: Moment | None = None
        self._record: Record | None = None
        self._walk: list[Moment] = []
        """What the cursor goes through."""
        self._walk_of: object = None
        """And what that was made of."""
        self._rest: Timer | None = None
        self._shade: tuple[float, float] | None = None
        self._told_away: tuple[float, ...] = ()

    def body(self) -> Iterable[Widget]:
        """The lanes; the event and the absence."""
        event = VerticalScroll(Words(id="event"), id="beside")
        away = VerticalScroll(Words(id="away"), id="absence")
        event.can_focus = away.can_focus = False
        event.border_title = Content("Event")
        away.border_title = Content("While you were away")
        yield Vertical(LaneChart(id="chart"), Horizontal(event, away, id="told"))

    # ── reading ─────────────────────────────────────────────────────────────────────────────────

    @work(exclusive=True, group="events")
    async def _read(self) -> None:
        """Read from the newest record back to what is known, or to the first of the run."""
        state = self.view.state
        anew = self._run != state.run
        after = 0 if anew else self._seq
        self._reading, self._run = True, state.run
        found: list[Moment] = []
        read, before = 0, None
        try:
            while True:
                page = await self.backend.events(before, _PAGE)
                mine = [record for record in page if record.run == state.run and record.seq > after]
                found += await asyncio.to_thread(_moments, mine)
                read += len(mine)
                if len(mine) < _PAGE:
                    break
                if read >= LIMIT:
                    self._cut_off = True
                    break
                before = mine[-1].seq
                if anew and read == _PAGE:
                    await self._made(state.plan, found)
        except BackendError as error:
            self.notify(visible(str(error)), severity="error", markup=False)
            return
        finally:
            self._reading = False
        if anew:
            await self._made(state.plan, found)
        else:
            for each in reversed(found):
                self._chronicle.add(each)
        self._seq = max(state.seq, self._chronicle.seq)
        self._tell_away()
        self._fresh()

    async def _made(self, plan: ExecutionPlan, found: Sequence[Moment]) -> None:
        self._chronicle = await asyncio.to_thread(Chronicle, plan, list(reversed(found)))
        self._draw_chart()

    @work(exclusive=True, group="absence")
    async def _tell_away(self) -> None:
        """Say what happened while the operator was away, and shade that time."""
        state = self.view.state
        since, until = state.away_since, state.looked_at
        if since is None or until is None or until <= since or self._told_away == (since, until):
            return
        self._told_away = (since, until)
        try:
            records = await self.backend.since(since, TYPES)
        except BackendError as error:
            self.notify(visible(str(error)), severity="error", markup=False)
            return
        meanwhile = [record for record in records if record.time <= until]
        said = lines(summary(meanwhile, since, state))
        self._shade = (since, until)
        told = [Content.styled(f"for {age(until - since)}; shaded above", glyphs.MUTED)]
        told += [safe(each, limit=_LINE_LIMIT) for each in said or ("nothing happened",)]
        self.away.update(Content("\n").join(told))
        self._draw_chart()

    # ── drawing ─────────────────────────────────────────────────────────────────────────────────

    def draw(self) -> None:
        """Take up what is new; of another run or plan, read everything."""
        state = self.view.state
        if self._reading or not self.view.loaded:
            return
        if self._run != state.run or len(self._chronicle.moments) > _MOST:
            self._run, self._seq = -1, 0
            self._cursor, self._cut_off = None, False
            self._read()
            return
        fresh = [record for record in self.view.recent if record.seq > self._seq]
        if fresh and fresh[0].seq > self._seq + 1:
            self._read()
            return
        for each in fresh:
            self._seq = each.seq
            if (found := moment(each)) is not None:
                self._chronicle.add(found)
        self._draw_chart()

    def tick(self) -> None:
        """The time goes on."""
        super().tick()
        if self.is_current:
            self._draw_chart()

    def _draw_chart(self) -> None:
        state, chronicle = self.view.state, self._chronicle
        first = chronicle.start if state.started_at is None else state.started_at
        first = min(first, chronicle.start or first) if first is not None else self.now()
        last = self.now() if state.ended_at is None else state.ended_at
        window = self._window
        self._window = window = Window(first, max(last, first), window.length, window.until)
        lanes, kinds = self._shown()
        self.chart.show(
            chronicle,
            lanes,
            window,
            kinds,
            cursor=self._cursor,
            shade=self._shade,
            began=first if state.started_at is None else state.started_at,
        )
        live = " · now" if window.live and state.ended_at is None else ""
        more = f"the newest {LIMIT:,} events" if self._cut_off else kept_no_more(state.forgotten)
        reading = "reading …" if self._reading else more
        entitle(self.chart, Content(f"Timeline · {age(window.span)}{live}"), Content(reading))
        self.query_one("#absence").display = self._shade is not None
        self._show_event()

    def _shown(self) -> tuple[list[str], list[Kind]]:
        """The lanes and kinds that the filter leaves: a name chooses lanes, else a kind's name marks."""
        lanes = self._chronicle.lanes
        named = [name for name in lanes if self.matches(name, "you" if name == OPERATOR else name)]
        if named:
            return named, list(Kind)
        kinds = [kind for kind in Kind if self.matches(kind.value)]
        return [name for name, lane in lanes.items() if set(kinds) & set(lane.moments)], kinds

    def _walked(self) -> list[Moment]:
        """What the cursor goes through: all marks that are shown; writes only where they are asked for."""
        chronicle = self._chronicle
        made_of = (chronicle, len(chronicle.moments), self.wanted)
        if self._walk_of == made_of:
            return self._walk
        lanes, kinds = self._shown()
        wanted, shown = set(kinds), set(lanes)
        if len(wanted) == len(Kind):
            wanted.remove(Kind.WRITE)
        if len(wanted) < len(Kind) - 1 or not self.wanted:
            shown.add("")
        self._walk = [each for each in chronicle.moments if each.kind in wanted and each.lane in shown]
        self._walk_of = made_of
        return self._walk

    def _show_event(self) -> None:
        cursor, record = self._cursor, self._record
        if cursor is None:
            legend = "░ waits   ▒ waits for you   ▃▅█ works and writes   ─ done   ╳ failed   ╌ stopped\n"
            marks = "◆ request   ✓ ✗ decided   ★ published   » message   + task   | start or end   ⊗ failure"
            words = "up and down go from event to event\n"
            if not self._chronicle.moments:
                words = "nothing has happened yet: E in the cockpit starts the engine, and the plan with it\n"
            self.event.update(Content.assemble((words, ""), (legend + marks, glyphs.MUTED)))
            return
        when = cursor.time - (self.view.state.started_at or cursor.time)
        head = Content.assemble(
            (clock(when), glyphs.STRONG),
            (
                f" · {age(self.now() - cursor.time)} ago · {cursor.kind.value} · event {cursor.seq}",
                glyphs.MUTED,
            ),
        )
        told = Content.styled("reading it …", glyphs.MUTED)
        if record is not None and record.seq == cursor.seq:
            told = safe(sentence(record), limit=_LINE_LIMIT)
        self.event.update(Content("\n").join([head, told]))

    def _go(self, to: Moment) -> None:
        self._cursor = to
        self._window = self._window.showing(to.time)
        if self._rest is not None:
            self._rest.stop()
        self._rest = self.set_timer(_REST_SECONDS, self._tell)
        self._draw_chart()
        self.offer()

    @work(exclusive=True, group="event")
    async def _tell(self) -> None:
        """Read the record of the event under the cursor."""
        if (cursor := self._cursor) is None:
            return
        try:
            page = await self.backend.events(cursor.seq + 1, 1)
        except BackendError as error:
            self.notify(visible(str(error)), severity="error", markup=False)
            return
        self._record = page[0] if page else None
        self._show_event()

    # ── the keys ────────────────────────────────────────────────────────────────────────────────

    def offered(self) -> Iterable[tuple[str, str]]:
        """What the keys do here."""
        if self._cursor is not None and self._cursor.request is not None:
            yield "time.open", f"open request {self._cursor.request}"
        yield "time.earlier", "earlier"
        yield "time.later", "later"
        yield "time.closer", "closer"
        yield "time.wider", "wider"
        yield "time.all", "all"
        yield "mode.filter", "filter"
        yield "mode.back", "back"

    def action_open(self) -> None:
        """Open the card of the request under the cursor."""
        number = None if self._cursor is None else self._cursor.request
        request = None if number is None else self.view.state.requests.get(number)
        if request is not None:
            self.post_message(RequestKeys.CardWanted(request))
        elif self._cursor is None:
            self.say("up and down choose an event")
        else:
            self.say("no request of this run belongs to this event")

    def action_walk(self, step: int) -> None:
        """Go to the next event in a direction; without a cursor, to the newest that is shown."""
        through = self._walked()
        if not through:
            self.say("no event is shown")
            return
        if self._cursor is None:
            end = self._window.end
            at = bisect_right(through, end, key=lambda each: each.time) - 1
            self._go(through[max(0, at)])
            return
        at = bisect_left(through, self._cursor.seq, key=lambda each: each.seq)
        exact = at < len(through) and through[at].seq == self._cursor.seq
        to = at + step if exact or step < 0 else at
        self._go(through[min(max(0, to), len(through) - 1)])

    def action_edge(self, direction: int) -> None:
        """Go to the first event, or to the last."""
        if through := self._walked():
            self._go(through[0 if direction < 0 else -1])
        if direction > 0:
            self._window = Window(self._window.first, self._window.last, self._window.length)
            self._draw_chart()

    def action_zoom(self, direction: int) -> None:
        """Show twice or half as much time around the cursor, or up to now."""
        about = None if self._cursor is None else self._cursor.time
        self._window = self._window.zoomed(2.0**direction, about)
        self._draw_chart()

    def action_all(self) -> None:
        """Show the whole run."""
        self._window = Window(self._window.first, self._window.last)
        self._draw_chart()

    def action_pan(self, direction: int) -> None:
        """Move in time by a quarter of what is shown."""
        self._window = self._window.moved(direction * _PAN)
        self._draw_chart()

    def action_lanes(self, direction: int) -> None:
        """Scroll to the lanes above or below."""
        self.chart.scroll_relative(y=direction * max(1, self.chart.size.height - 2), animate=False)

    @on(LaneChart.Picked)
    def _picked(self, event: LaneChart.Picked) -> None:
        """Go to the event of the clicked lane that is nearest to the clicked time."""
        through = [each for each in self._walked() if each.lane == event.lane]
        if through:
            self._go(min(through, key=lambda each: abs(each.time - event.time)))


def _moments(records: Iterable[Record]) -> list[Moment]:
    return [found for record in records if (found := moment(record)) is not None]
