"""CockpitCommands: the commands of the cockpit in the palette, and one for each agent and request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from runebook_tui.tui import commands
from runebook_tui.tui.screens.cockpit import CockpitScreen
from runebook_tui.tui.screens.mode import ModeScreen
from runebook_tui.tui.screens.request_keys import RequestKeys


class _Choice(NamedTuple):
    text: str
    help: str
    run: Callable[[], object]


class CockpitCommands(Provider):
    """Every command that a key gives, by its words.

    The texts hold only our words and ids, which cannot be taken for markup.
    """

    async def discover(self) -> Hits:
        """Everything, in the order of the table."""
        for choice in self._choices():
            yield DiscoveryHit(Content(choice.text), choice.run, choice.text, choice.help)

    async def search(self, query: str) -> Hits:
        """What matches."""
        matcher = self.matcher(query)
        for choice in self._choices():
            score = matcher.match(choice.text)
            if score > 0:
                yield Hit(score, matcher.highlight(choice.text), choice.run, choice.text, choice.help)

    def _choices(self) -> Iterator[_Choice]:
        screen = self.screen
        if not isinstance(screen, CockpitScreen | ModeScreen):
            return
        for command in screen.TABLE:
            if command.palette:
                keys = commands.key_signs(command.key)
                helped = command.help + (f"  ({keys})" if keys else "")
                yield _Choice(command.word, helped, partial(self.app.run_action, command.action, screen))
        if not isinstance(screen, CockpitScreen):
            return
        state = screen.view.state
        for agent in state.agents.values():
            select = partial(screen.plan.select, ("agent", agent.id), by_hand=True)
            yield _Choice(f"select {agent.id}", f"look at {agent.id}", select)
            if agent.restartable:
                restart = partial(screen.post_message, CockpitScreen.RestartWanted(agent.id))
                yield _Choice(f"restart {agent.id}", f"{agent.id} is {agent.status}", restart)
        for request in state.open_requests:
            opened = partial(screen.post_message, RequestKeys.CardWanted(request))
            yield _Choice(f"open request {request.id}", "see it with its diff", opened)
