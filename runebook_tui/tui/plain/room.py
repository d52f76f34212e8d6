"""Room: what the orders of plain mode share: the state, the words to say, what is asked of the engine."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping

from runebook_tui.core.printable import visible
from runebook_tui.core.refusal import hint
from runebook_tui.core.state import AgentState, State
from runebook_tui.tui.backend import Backend, BackendError
from runebook_tui.tui.outcomes import outcomes

_TEXT = 2_000
_NAME = 100

Handler = Callable[[str], Awaitable[None]]
"""Carries out an order; it is given the rest of the line."""


class NotDoneError(Exception):
    """An order cannot be carried out; the text is one line for people."""


class Room:
    """The newest `state`, and whether an engine is `alive`. `now` gives unix seconds, `say` prints a line."""

    def __init__(self, backend: Backend, say: Callable[[str], None], now: Callable[[], float]) -> None:
        self.backend = backend
        self.say = say
        self.now = now
        self.state = State()
        self.alive = False
        self.settled: set[int] = set()
        """Requests that were decided here, of which the log is no news."""
        self._meant: Callable[[], Awaitable[None]] | None = None

    def tell(self, lines: Iterable[str]) -> None:
        """Say several lines."""
        for line in lines:
            self.say(line)

    async def send(self, do: str, **fields: object) -> dict[str, object]:
        """Have the engine do something, and say what it did beyond that. Raises NotDoneError."""
        if not self.alive and do != "hello":
            raise NotDoneError("no engine runs; start the engine brings one")
        try:
            answer = await self.backend.send(do, **fields)
        except BackendError as error:
            raise NotDoneError(visible(str(error), _TEXT)) from error
        for outcome in outcomes(do, answer):
            self.say(visible(f"{outcome.title}: {outcome.words}", _TEXT))
        return answer

    def ask(self, question: str, then: Callable[[], Awaitable[None]]) -> None:
        """Ask whether something is meant: the next line answers."""
        self._meant = then
        self.say(f"{question} yes or no?")

    def asked(self) -> Callable[[], Awaitable[None]] | None:
        """What is done if the line that came means yes; None when nothing was asked. It is asked once."""
        meant, self._meant = self._meant, None
        return meant

    def agent(self, rest: str) -> tuple[AgentState, str]:
        """The agent that an order names, and what follows. Raises NotDoneError."""
        name, _, more = rest.partition(" ")
        if not name:
            raise NotDoneError("which agent? say its name after the command; agents lists them")
        return self._known(name), more.strip()

    def agents(self, rest: str) -> tuple[tuple[str, ...], str]:
        """The agents that an order names, joined by commas, or all that run; and what follows."""
        names, _, more = rest.partition(" ")
        if not names:
            raise NotDoneError("which agent? say its name after the command; agents lists them")
        if names == "all":
            return tuple(each.id for each in self.state.live_agents()), more.strip()
        return tuple(self._known(name).id for name in names.split(",") if name), more.strip()

    def _known(self, name: str) -> AgentState:
        known: Mapping[str, AgentState] = self.state.agents
        if name not in known:
            raise NotDoneError(f"the plan has no agent {visible(name, _NAME)}{hint(name, known)}")
        return known[name]


def numbered(rest: str) -> tuple[int | None, str]:
    """The number that begins the rest of a line, as `12`, `r12` or `R-12`, or None; and what follows."""
    found = re.match(r"(?:[Rr]-?)?([0-9]{1,9})(?:\s+|$)", rest)
    return (None, rest) if found is None else (int(found[1]), rest[found.end() :].strip())
