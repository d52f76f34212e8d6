"""ReturningApp: keeps where the operator looks, and begins there again after the screen was killed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from textual import on
from textual.events import Event, InputEvent, MouseMove
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Input

from runebook_tui.tui import modes
from runebook_tui.tui.backend import Backend
from runebook_tui.tui.screens.mode import ModeScreen
from runebook_tui.tui.sending import SendingApp
from runebook_tui.tui.whereabouts import Place, Whereabouts, read
from runebook_tui.tui.widgets.rows import Rows

_REST_SECONDS = 0.15
"""After a key, what it brought about is there; until then it may be lost."""


class Turning(Protocol):
    """A screen that has more to it than filter, lists and focus."""

    def turned(self) -> Mapping[str, str]:
        """How it is switched, by names and words of its own."""

    def turn(self, turned: Mapping[str, str]) -> None:
        """Switch it so; what it does not understand it leaves."""


class ReturningApp(SendingApp, inherit_bindings=False):
    """After each key the whereabouts are kept; who leaves in order begins anew the next time."""

    def __init__(self, backend: Backend, now: Callable[[], float]) -> None:
        super().__init__(backend, now)
        self._places: dict[str, Place] = {}
        """Of the modes that have not been opened since."""
        self._bound_for = ""
        """The mode to go to, once the first screen is there."""
        self._kept = ""
        self._keeping: Timer | None = None
        self._returned = False

    def shown(self) -> Mapping[str, Screen[None]]:
        """The screens of the modes that were opened."""
        return {}

    def action_mode(self, mode: str) -> None:
        """Go to a mode."""
        raise NotImplementedError

    async def come_back(self) -> None:
        """Begin where the screen was killed, if it was."""
        whereabouts = read(await self._backend.remembered())
        self._places = dict(whereabouts.places)
        self._returned = True
        self._bound_for = whereabouts.mode
        self._find_places()

    @on(ModeScreen.Opened)
    def _opened_screen(self) -> None:
        self._find_places()

    def _find_places(self) -> None:
        """Look at the screens that were opened as they were looked at."""
        for mode, screen in self.shown().items():
            if screen.is_mounted and mode in self._places:
                _go(screen, self._places.pop(mode))
        mode, there = self._bound_for, all(screen.is_mounted for screen in self.shown().values())
        if there and mode in {each.id for each in modes.MODES}:
            self._bound_for = ""
            self.action_mode(mode)

    async def on_event(self, event: Event) -> None:
        """Whoever uses the mouse goes somewhere."""
        await super().on_event(event)
        if isinstance(event, InputEvent) and not isinstance(event, MouseMove):
            self._keep_soon()

    def pressed(self) -> None:
        """So does whoever presses a key."""
        self._keep_soon()

    def _keep_soon(self) -> None:
        if self._keeping is None:
            self._keeping = self.set_timer(_REST_SECONDS, self._keep, name="whereabouts")

    def _keep(self) -> None:
        self._keeping = None
        if not self._returned:
            return
        places = {mode: _place(screen) for mode, screen in self.shown().items() if screen.is_mounted}
        text = Whereabouts(self.current_mode, {**self._places, **places}).text()
        if text != self._kept:
            self._kept = text
            self.run_worker(self._backend.remember(text), group="whereabouts", exclusive=True)

    async def leave_place(self) -> None:
        """Forget the whereabouts of who has left in order."""
        if not self.return_code:
            self.workers.cancel_group(self, "whereabouts")
            await self._backend.remember("")


def _place(screen: Screen[None]) -> Place:
    filters = screen.query("#filter").results(Input)
    lists = [each for each in screen.query(Rows) if each.id]
    return Place(
        next((each.value for each in filters), ""),
        (screen.focused.id or "") if screen.focused is not None else "",
        {str(each.id): (each.selected, int(each.scroll_offset.y)) for each in lists},
        screen.turned() if hasattr(screen, "turned") else {},
    )


def _go(screen: Screen[None], place: Place) -> None:
    if place.turned and hasattr(screen, "turn"):
        screen.turn(place.turned)
    for field in screen.query("#filter").results(Input):
        field.value = place.filter
        field.display = bool(place.filter)
    for each in screen.query(Rows):
        if (spot := place.spots.get(each.id or "")) is not None:
            each.come_to(*spot)
    for widget in screen.query("*"):
        if place.focus and widget.id == place.focus and widget.focusable:
            widget.focus(scroll_visible=False)
