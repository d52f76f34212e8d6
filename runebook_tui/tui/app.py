"""RunebookApp: follows a backend, gives every screen the same snapshot, and goes from mode to mode."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on, work
from textual.binding import BindingType
from textual.filter import LineFilter, NoColor

from runebook_tui.core.absence import TYPES, lines, summary
from runebook_tui.core.printable import visible
from runebook_tui.tui import glyphs, modes
from runebook_tui.tui.backend import Backend, BackendError
from runebook_tui.tui.choices import choose, chosen
from runebook_tui.tui.deciding import DecidingApp
from runebook_tui.tui.going import GoingApp
from runebook_tui.tui.news import NewsApp
from runebook_tui.tui.pacing import paced
from runebook_tui.tui.returning import ReturningApp
from runebook_tui.tui.screens.cockpit import CockpitScreen
from runebook_tui.tui.screens.mode import ModeScreen
from runebook_tui.tui.screens.request_keys import RequestKeys
from runebook_tui.tui.speaking import SpeakingApp
from runebook_tui.tui.theme import NO_COLOUR, RUNEBOOK, THEMES, readable, variables
from runebook_tui.tui.view import View, worth_telling

if TYPE_CHECKING:
    from textual.command import Provider
    from textual.screen import Screen
    from textual.theme import Theme

    from runebook_tui.tui.screens.suggestions import SuggestionsScreen


def _palette() -> type[Provider]:
    from runebook_tui.tui.palette import CockpitCommands

    return CockpitCommands


class RunebookApp(NewsApp, DecidingApp, SpeakingApp, GoingApp, ReturningApp, inherit_bindings=False):
    """The cockpit. `now` gives unix seconds, `pulse` monotonic ones; `tour`: begin with the tour.

    Leaving ends no agent.
    """

    TITLE = "Runebook"
    CSS_PATH = "app.tcss"
    COMMANDS = {_palette}
    BINDINGS: ClassVar[list[BindingType]] = []
    DEFAULT_MODE = modes.COCKPIT.id
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide"), (160, "-very-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (28, "-tall")]

    def __init__(
        self,
        backend: Backend,
        *,
        now: Callable[[], float] = time.time,
        pulse: Callable[[], float] = time.monotonic,
        tour: bool = False,
    ) -> None:
        super().__init__(backend, now)
        self._pulse = pulse
        screen = self._settings.screen
        self._own_filters: list[LineFilter] = []
        if screen.ascii or glyphs.ascii_wanted():
            self._own_filters.append(glyphs.AsciiFilter())
        if screen.theme == NO_COLOUR:
            self._own_filters.append(NoColor())
        self._tour = tour
        self._keys: dict[str, str] = {}
        self._worn = ""
        self._opened: dict[str, ModeScreen] = {}
        self._cockpit = CockpitScreen(now, pulse, backend)

    def get_default_screen(self) -> CockpitScreen:
        """The cockpit is what the app starts with."""
        return self._cockpit.data_bind(RunebookApp.view)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's own; ASCII forms of all signs, and no colours, where that is wanted."""
        return [*super().get_line_filters(), *self._own_filters]

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """What Textual's own themes lack."""
        return dict(variables(self.current_theme))

    def on_mount(self) -> None:
        """Begin to follow."""
        self.add_mode(modes.COCKPIT.id, self.get_default_screen)
        self._dress()
        self._follow()
        self.begin_calls()

    def _dress(self) -> None:
        """Colours and keys as the person wants them; what cannot be used is said in one line."""
        for theme in THEMES:
            self.register_theme(theme)
        unreadable = [name for name, theme in self.available_themes.items() if not readable(theme)]
        for name in unreadable:
            self.unregister_theme(name)
        wanted = self._settings.screen.theme or chosen("theme")
        problem = ""
        if wanted in unreadable:
            problem = f"[screen] theme: {wanted} cannot show the selected row; none draws no colour"
        elif wanted and wanted != NO_COLOUR and wanted not in self.available_themes:
            there = ", ".join((*(theme.name for theme in THEMES), NO_COLOUR))
            problem = f"[screen] theme: there is no {visible(wanted, 60)}, but {there}, and Textual's own"
        self.theme = wanted if wanted in self.available_themes else RUNEBOOK.name
        self._worn = self.theme
        self.theme_changed_signal.subscribe(self, self._theme_changed)
        self._keys, clash = modes.keymap(self._settings.keys)
        self.set_keymap(self._keys)
        for each in (problem, clash):
            if each:
                self.notify(each, severity="warning", timeout=15, markup=False)

    def _theme_changed(self, theme: Theme) -> None:
        """Keep what the person chose."""
        if theme.name != self._worn:
            self._worn = theme.name
            choose("theme", theme.name)

    async def on_unmount(self) -> None:
        """Give the backend back."""
        await self.leave_place()
        await self._backend.close()

    @work(exclusive=True, group="follow")
    async def _follow(self) -> None:
        async for update in paced(self._backend.follow()):
            first = not self.view.loaded
            if not first:
                self.tell_attempts(update)
            self.view = self.view.after(update)
            self.offer_resume()
            if first:
                await self.come_back()
            if first and self._tour:
                self.action_tour()
            elif first and update.state.away_since is not None:
                self._show_absence(asked=False)

    # ── what the operator wants ─────────────────────────────────────────────────────────────────

    @on(CockpitScreen.RestartWanted)
    def _restart_wanted(self, event: CockpitScreen.RestartWanted) -> None:
        self.send("restart", agent=event.agent)

    @on(CockpitScreen.ResumeWanted)
    def _resume_wanted(self) -> None:
        self.send("resume")

    @on(CockpitScreen.StopWanted)
    def _stop_wanted(self, event: CockpitScreen.StopWanted) -> None:
        agent = event.agent
        self.confirm(
            f"Stop {agent}?",
            "Its program is ended. Its files stay as they are, and R starts it again.",
            yes=f"stop {agent}",
            no="leave it running",
            then=lambda: self.send("stop", agent=agent),
        )

    @on(CockpitScreen.DownWanted)
    def _down_wanted(self) -> None:
        self.confirm(
            "Stop everything?",
            "Every agent's program and the engine are ended. The next `runebook-tui` goes on from there.",
            yes="stop everything",
            no="leave it running",
            then=lambda: self.send("down"),
        )

    @on(CockpitScreen.EngineWanted)
    def _engine_wanted(self) -> None:
        self.send("hello")

    @on(CockpitScreen.NewRunWanted)
    def _new_run_wanted(self) -> None:
        self.send("new-run")

    @on(ModeScreen.Wanted)
    def _wanted(self, event: ModeScreen.Wanted) -> None:
        self.send(event.do, **event.fields)

    def deciders(self) -> Iterable[RequestKeys]:
        """The cockpit, and the modes that decide requests."""
        return (self._cockpit, *(each for each in self._opened.values() if isinstance(each, RequestKeys)))

    def shown(self) -> Mapping[str, Screen[None]]:
        """The screens of the modes that were opened."""
        return {modes.COCKPIT.id: self._cockpit, **self._opened}

    # ── where the operator looks ────────────────────────────────────────────────────────────────

    def action_mode(self, mode: str) -> None:
        """Go to a mode; where it was left, it is found again."""
        if mode == self.current_mode:
            return
        if mode != modes.COCKPIT.id and mode not in self._opened:
            screen = self._opened[mode] = modes.by_id(mode).load()(self._backend, self._now)
            screen.view, screen.pulse = self.view, self._pulse
            self.add_mode(mode, lambda: screen)
        self.switch_mode(mode)

    def watch_view(self, view: View) -> None:
        """The modes that were opened have the same snapshot; they draw when they are looked at."""
        for screen in self._opened.values():
            screen.view = view

    def action_log(self) -> None:
        """Show everything that happened."""
        from runebook_tui.tui.screens.log import LogScreen

        self.push_screen(LogScreen(self._backend.events).data_bind(RunebookApp.view))

    async def on_suggestions_screen_record_wanted(self, event: SuggestionsScreen.RecordWanted) -> None:
        """Show a record in the log."""
        from runebook_tui.tui.screens.log import LogScreen

        screen = LogScreen(self._backend.events, at=event.seq)
        self.push_screen(screen.data_bind(RunebookApp.view))

    def action_away(self) -> None:
        """Show what happened while the operator was away."""
        self._show_absence(asked=True)

    @work(exclusive=True, group="absence")
    async def _show_absence(self, *, asked: bool) -> None:
        """Show what happened since the operator last looked; unasked only where it is worth a screen."""
        from runebook_tui.tui.screens.away import AwayScreen

        now, since = self._now(), self.view.state.away_since or 0.0
        try:
            records = await self._backend.since(since, TYPES)
        except BackendError as error:
            self.notify(visible(str(error)), severity="error", markup=False)
            return
        absence = summary(records, since, self.view.state)
        if (asked or worth_telling(absence, now)) and self.screen is self._cockpit:
            self.push_screen(AwayScreen(lines(absence), since, now))

    def action_help(self) -> None:
        """Show every key."""
        from runebook_tui.tui.screens.help import HelpScreen

        self.push_screen(HelpScreen(self._keys))

    def action_tour(self) -> None:
        """Go through the first screen in six steps."""
        from runebook_tui.tui.screens.tour import TourScreen

        self.action_mode(modes.COCKPIT.id)
        self.push_screen(TourScreen(self._cockpit))

    def action_leave(self) -> None:
        """End the app, and say what goes on."""
        live = len(self.view.state.live_agents())
        words = "no agent is running"
        if live:
            agents = "1 agent goes" if live == 1 else f"{live} agents go"
            words = f"{agents} on; `runebook-tui down` ends {'it' if live == 1 else 'them'}"
        self.exit(message=Text(words))
