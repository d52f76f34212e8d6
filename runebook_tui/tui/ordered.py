"""OrderedApp: what is typed ahead goes where the keys before it lead."""

from __future__ import annotations

from collections import deque
from typing import TypeVar

from textual.app import App
from textual.events import Event, Key, Paste
from textual.message_pump import MessagePump
from textual.timer import Timer

T = TypeVar("T")

_MOST_ROUNDS = 4
"""Screens that one key may open one after the other."""
_MOST_SECONDS = 10.0
"""How long a key may take. What was typed by then is dropped: where it would go now was not seen."""


class OrderedApp(App[T], inherit_bindings=False):
    """One key after the other.

    Textual gives a key to the widget that has the focus when it arrives, and looks for the key's command
    when the event has come back from there. Of keys that arrive together, from a slow line or typed while
    the screen was busy, the later ones would be given out before the first has moved the focus: the letters
    of a filter would be commands. Here each waits until the one before has done what it does; one alone
    waits for nothing.
    """

    def __init__(self) -> None:
        super().__init__()
        self._ahead: deque[Event] = deque()
        """What was typed while a key was on its way."""
        self._on_its_way: Event | None = None
        self._patience: Timer | None = None

    def pressed(self) -> None:
        """Called when a key has done what it does."""

    async def on_event(self, event: Event) -> None:
        """Give out a key when its turn comes."""
        if not isinstance(event, Key | Paste) or event.is_forwarded:
            await super().on_event(event)
        elif self._on_its_way is None:
            await self._give_out(event)
        else:
            self._ahead.append(event)
            if self._patience is None:
                self._patience = self.set_timer(_MOST_SECONDS, self._give_up, name="typed ahead")

    async def _give_out(self, event: Event) -> None:
        self._on_its_way = event
        target = self.focused or self.screen
        await super().on_event(event)
        await self._behind(event, [*target.ancestors_with_self], _MOST_ROUNDS)

    async def _behind(self, event: Event, way: list[MessagePump], rounds: int) -> None:
        """Go after `event` through the queues of `way`, then through that of the screen it led to."""
        while way:
            if way.pop(0).call_later(self._behind, event, way, rounds):
                return
        there = self.screen
        if rounds and there.call_later(self.call_later, self._arrived, event, there, rounds):
            return
        await self._next(event)

    async def _arrived(self, event: Event, there: MessagePump, rounds: int) -> None:
        if there is self.screen:
            await self._next(event)
        else:
            await self._behind(event, [], rounds - 1)

    async def _next(self, event: Event) -> None:
        """`event` has done what it does: the next one's turn."""
        if event is not self._on_its_way:
            return
        self._on_its_way = None
        if self._patience is not None:
            self._patience.stop()
            self._patience = None
        self.pressed()
        if self._ahead:
            await self._give_out(self._ahead.popleft())

    async def _give_up(self) -> None:
        self._ahead.clear()
        self.bell()
        if self._on_its_way is not None:
            await self._next(self._on_its_way)
