"""Looking: the orders of plain mode that only read: status, agents, files, panes, the log."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runebook_tui.core.absence import TYPES, lines, summary
from runebook_tui.core.events import Record
from runebook_tui.core.printable import visible
from runebook_tui.core.sentences import sentence
from runebook_tui.core.suggested import Suggestion
from runebook_tui.core.suggestions import ranked
from runebook_tui.tui.backend import BackendError
from runebook_tui.tui.plain import words
from runebook_tui.tui.plain.room import Handler, NotDoneError, Room, numbered

_TEXT = 500
_SHOWN = 20
_MOST = 500
_ESCAPES = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|.)", re.DOTALL)


class Looking:
    """Nothing here changes anything but which suggestions are open."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self.orders: dict[str, Handler] = {
            "mode.cockpit": self._status,
            "plain.agents": self._agents,
            "agent.why": self._why,
            "mode.files": self._files,
            "mode.plan": self._plan,
            "mode.panes": self._pane,
            "mode.suggestions": self._suggestions,
            "suggestion.take": self._take,
            "suggestion.dismiss": self._dismiss,
            "look.log": self._log,
            "look.away": self._away,
        }

    async def _status(self, rest: str) -> None:
        room = self._room
        room.tell(words.status_lines(room.state, room.alive, room.now()))

    async def _agents(self, rest: str) -> None:
        room = self._room
        for agent in room.state.agents.values():
            room.say(words.agent_line(room.state, agent, room.now()))
        if not room.state.agents:
            room.say("the plan has no agents yet; runebook-tui init writes a plan")

    async def _why(self, rest: str) -> None:
        agent, _ = self._room.agent(rest)
        self._room.tell(words.why_lines(self._room.state, agent, self._room.now()))

    async def _plan(self, rest: str) -> None:
        self._room.tell(
            words.phase_lines(self._room.state) if self._room.state.phases else ("no run has begun",)
        )

    async def _files(self, rest: str) -> None:
        """Files whose path holds a text, and who owns each."""
        if not rest:
            raise NotDoneError("which files? say a part of their path after the command")
        try:
            paths = await self._room.backend.files()
        except BackendError as error:
            raise NotDoneError(visible(str(error))) from error
        found = [path for path in paths if rest.casefold() in path.casefold()]
        self._room.tell(self._owned(path) for path in found[:_SHOWN])
        if len(found) > _SHOWN:
            self._room.say(f"and {len(found) - _SHOWN} more")
        if not found:
            self._room.say("no file's path holds that")

    def _owned(self, path: str) -> str:
        claim = self._room.state.owners.owner_of(path)
        whose = "nobody owns it" if claim is None else f"{words.owner(claim.owner)} owns it"
        writes = [each.author for each in self._room.state.recent_touches if each.path == path]
        wrote = f", {words.owner(writes[-1])} wrote it last" if writes and writes[-1] else ""
        return f"{visible(path, _TEXT)}: {whose}{wrote}"

    async def _pane(self, rest: str) -> None:
        """The last rows of an agent's pane that hold something."""
        agent, _ = self._room.agent(rest)
        found = (await self._room.backend.captures((agent.id,))).get(agent.id)
        if found is None:
            raise NotDoneError(f"{agent.id} has no pane now")
        if isinstance(found, BackendError):
            raise NotDoneError(visible(str(found)))
        rows = [visible(_ESCAPES.sub(b"", row).decode("utf-8", "replace").rstrip()) for row in found.lines]
        shown = [row for row in rows if row][-_SHOWN:]
        self._room.say(
            f"the last {len(shown)} rows of {agent.id}:" if shown else f"the pane of {agent.id} is empty"
        )
        self._room.tell(shown)
        if shown:
            self._room.say("end of the pane")

    async def _suggestions(self, rest: str) -> None:
        found = ranked(self._room.state.suggestions)
        for each in found[:_SHOWN]:
            self._room.tell(words.suggestion_lines(each))
        if not found:
            self._room.say(
                "nothing is suggested: when a command fails, the analysis agent says here what would help"
            )

    async def _take(self, rest: str) -> None:
        """Say the text to copy, and close the suggestion; nothing is run."""
        found = self._suggestion(rest)
        await self._room.send("suggestion-apply", suggestion=found.id)
        self._room.tell(visible(line, _TEXT) for line in (found.snippet or found.title).splitlines())
        self._room.say(f"suggestion {found.id} is closed; nothing was run")

    async def _dismiss(self, rest: str) -> None:
        found = self._suggestion(rest)
        await self._room.send("suggestion-dismiss", suggestion=found.id)
        self._room.say(f"suggestion {found.id} is dismissed")

    def _suggestion(self, rest: str) -> Suggestion:
        number, _ = numbered(rest)
        known = {each.id: each for each in self._room.state.suggestions if each.open}
        if number is None or number not in known:
            raise NotDoneError("which suggestion? say its number after the command; suggestions lists them")
        return known[number]

    async def _log(self, rest: str) -> None:
        """The newest records, oldest first."""
        number, _ = numbered(rest)
        try:
            records = await self._room.backend.events(None, min(number or _SHOWN, _MOST))
        except BackendError as error:
            raise NotDoneError(visible(str(error))) from error
        self._room.tell(self._told(records))
        if not records:
            self._room.say("nothing has happened yet")

    def _told(self, records: tuple[Record, ...]) -> Iterator[str]:
        for each in reversed(records):
            yield f"{visible(sentence(each), _TEXT)}; {words.span(self._room.now() - each.time)} ago"

    async def _away(self, rest: str) -> None:
        """What happened since the operator last looked."""
        since = self._room.state.away_since or 0.0
        try:
            records = await self._room.backend.since(since, TYPES)
        except BackendError as error:
            raise NotDoneError(visible(str(error))) from error
        found = lines(summary(records, since, self._room.state))
        self._room.tell(visible(str(each), _TEXT) for each in found)
        if not found:
            self._room.say("nothing happened while you were away")
