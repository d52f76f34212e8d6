"""The real backend of the screens: the engine's socket, the log, tmux and the history."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from runebook_tui.core.calls import Call
from runebook_tui.core.events import Record
from runebook_tui.core.hosts import host_of_agent, host_of_request, host_words
from runebook_tui.core.state import State
from runebook_tui.core.story import Story, WrittenLine
from runebook_tui.execution import files, follow
from runebook_tui.execution.calling import Means
from runebook_tui.execution.client import EngineDown, EngineError, ask_engine
from runebook_tui.execution.contents import contents_at
from runebook_tui.execution.launch import LaunchError, launch_engine
from runebook_tui.execution.lineage import NoLinesError
from runebook_tui.execution.screens import OpenScreen, remember, remembered, screen_is_open
from runebook_tui.git.process import GitError
from runebook_tui.history.diffs import request_diff
from runebook_tui.history.heads import FileHead, heads, tree
from runebook_tui.log.eventlog import LogError
from runebook_tui.log.since import records_since
from runebook_tui.orchestrator.planner import read_plan, read_text
from runebook_tui.orchestrator.problems import PlanError, Problem
from runebook_tui.place import PLAN_NAME, host_name, tmux_socket_name
from runebook_tui.settings import Notify
from runebook_tui.tmux import attaching
from runebook_tui.tmux import control as tmux_control
from runebook_tui.tmux.buffers import set_buffer
from runebook_tui.tmux.control import ControlClient
from runebook_tui.tmux.panes import TmuxError
from runebook_tui.tui.backend import BackendError, Frame, PlanFile, Rows, Update, Way
from runebook_tui.tui.faraway import Faraway

_ANSWER_SECONDS = 10.0
_TYPED = ("say", "answer")
_TYPING_SECONDS = 120.0
"""What is typed into panes is awaited there."""
_UNDO_SECONDS = 600.0
"""What reads and writes every path of a request, or decides many, may take so long."""


class LiveBackend:
    """A Backend on the repository at `root`. A question that needs an engine starts one."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._state = State()
        self._control: ControlClient | None = None
        self._asking = asyncio.Lock()
        self._means = Means(root, time.monotonic)
        self._open: OpenScreen | None = None
        self._alone = False
        """Whether no other screen was open when this one began."""
        self._host = host_name(root)
        self._faraway = Faraway(self.send, time.monotonic)

    async def follow(self) -> AsyncIterator[Update]:
        """See Backend.follow. While it is followed, the engine leaves it to the screen to call."""
        if self._open is None:
            self._alone = not screen_is_open(self.root)
            self._open = OpenScreen(self.root)
        async for update in follow.follow(self.root):
            self._state = update.state
            yield Update(update.state, update.records, update.engine_alive, update.away)

    async def send(self, do: str, **fields: object) -> dict[str, object]:
        """See Backend.send."""
        undoes = (
            fields.get("undo") or fields.get("means") or fields.get("requests") or do in ("take-back", "undo")
        )
        seconds = _UNDO_SECONDS if undoes else _TYPING_SECONDS if do in _TYPED else _ANSWER_SECONDS
        try:
            try:
                return await ask_engine(self.root, do, fields, seconds=seconds)
            except EngineDown:
                await asyncio.to_thread(launch_engine, self.root)
                return await ask_engine(self.root, do, fields, seconds=seconds)
        except (EngineError, LaunchError) as error:
            raise BackendError(str(error)) from error

    async def diff(self, request: int) -> str:
        """See Backend.diff."""
        known = self._state.requests.get(request)
        if known is None:
            return ""
        if host_of_request(self._state, known) != self._host:
            return await self._faraway.diff(request)
        ahead = tree(self.root, known.lane) if known.open else None
        files = await asyncio.to_thread(request_diff, self.root, known.crossings, ahead=ahead)
        return known.contract + files

    async def heads(self, request: int) -> tuple[FileHead, ...]:
        """See Backend.heads."""
        known = self._state.requests.get(request)
        if known is None:
            return ()
        if host_of_request(self._state, known) != self._host:
            return await self._faraway.heads(request)
        return await asyncio.to_thread(heads, tree(self.root, known.lane), known.crossings)

    async def seen(self, request: int) -> dict[str, str]:
        """See Backend.seen."""
        known = self._state.requests.get(request)
        if known is None:
            return {}
        if host_of_request(self._state, known) != self._host:
            return await self._faraway.seen(request)
        paths = [path for path, crossing in known.crossings.items() if crossing.change is None]
        return await asyncio.to_thread(contents_at, tree(self.root, known.lane), paths)

    async def plan_file(self) -> PlanFile:
        """See Backend.plan_file."""

        def read() -> PlanFile:
            path = self.root / PLAN_NAME
            text = read_text(path)
            with path.open("rb") as file:
                mark = file.read(3)
            _, problems = read_plan(text, PLAN_NAME, self.root)
            return PlanFile(("\ufeff" if mark == b"\xef\xbb\xbf" else "") + text, problems)

        try:
            return await asyncio.to_thread(read)
        except (PlanError, OSError) as error:
            raise BackendError(str(error).splitlines()[0]) from error

    async def check(self, text: str) -> tuple[Problem, ...]:
        """See Backend.check."""
        plain = text.removeprefix("\ufeff")
        _, problems = await asyncio.to_thread(read_plan, plain, PLAN_NAME, self.root)
        return problems

    async def captures(self, agents: Sequence[str]) -> Mapping[str, Frame | BackendError]:
        """See Backend.captures."""
        far = [agent for agent in agents if self._is_far(agent) and self._shown_pane(agent) is not None]
        away = await self._faraway.captures(far)
        panes = {agent: pane for agent in agents if (pane := self._pane(agent)) is not None}
        if not panes:
            return away
        try:
            async with self._tmux() as tmux:
                frames = await tmux.captures(panes.values())
        except BackendError as error:
            return {**away, **dict.fromkeys(panes, error)}
        return {**away, **{agent: _frame(frames[pane]) for agent, pane in panes.items()}}

    async def rows(self, agent: str, start: int, count: int) -> Rows:
        """See Backend.rows."""
        pane = self._pane(agent)
        if pane is None:
            return Rows(())
        async with self._tmux() as tmux:
            found = await tmux.scrollback(pane, start, count)
        return Rows(found.lines, found.first, found.history)

    async def way(self, agent: str) -> Way:
        """See Backend.way."""
        pane = self._pane(agent)
        if self._is_far(agent):
            where = host_words(host_of_agent(self._state, agent) or "")
            raise BackendError(f"{agent} is on {where}: its pane is shown here, and gone to there")
        if pane is None:
            raise BackendError(f"{agent} has no pane now")
        name = tmux_socket_name(self.root)
        # Nobody reads the connection while the terminal is away.
        async with self._asking:
            await self._disconnect()
        return Way(tuple(attaching.attach_command(name, pane)), takes_terminal=True, back=attaching.BACK)

    async def keep(self, text: str) -> None:
        """See Backend.keep."""
        try:
            await asyncio.to_thread(set_buffer, tmux_socket_name(self.root), text)
        except TmuxError as error:
            raise BackendError(str(error)) from error

    def _is_far(self, agent: str) -> bool:
        return host_of_agent(self._state, agent) not in (None, self._host)

    def _pane(self, agent: str) -> str | None:
        """The pane of an agent of this host."""
        return None if self._is_far(agent) else self._shown_pane(agent)

    def _shown_pane(self, agent: str) -> str | None:
        known = self._state.agents.get(agent)
        return None if known is None else known.pane

    @asynccontextmanager
    async def _tmux(self) -> AsyncIterator[ControlClient]:
        """The connection, which is one for all; raises BackendError, after which the next is a new one."""
        async with self._asking:
            try:
                yield await self._connected()
            except TmuxError as error:
                await self._disconnect()
                raise BackendError(str(error)) from error

    async def events(self, before: int | None, limit: int) -> tuple[Record, ...]:
        """See Backend.events."""
        try:
            return await asyncio.to_thread(self._read, before, limit)
        except LogError as error:
            raise BackendError(str(error)) from error

    def _read(self, before: int | None, limit: int) -> tuple[Record, ...]:
        with follow.open_log(self.root) as log:
            return tuple(log.read(before=before, limit=limit, newest_first=True))

    async def since(self, moment: float, types: Sequence[str]) -> tuple[Record, ...]:
        """See Backend.since."""

        def read() -> tuple[Record, ...]:
            with follow.open_log(self.root) as log:
                return tuple(records_since(log, moment, types))

        try:
            return await asyncio.to_thread(read)
        except LogError as error:
            raise BackendError(str(error)) from error

    async def files(self) -> tuple[str, ...]:
        """See Backend.files."""
        try:
            return await asyncio.to_thread(files.files, self.root)
        except GitError as error:
            raise BackendError(str(error)) from error

    async def touches(self, after: int) -> tuple[Record, ...]:
        """See Backend.touches."""

        def read() -> tuple[Record, ...]:
            if not follow.has_log(self.root):
                return ()
            with follow.open_log(self.root) as log:
                return files.touches(log, after)

        try:
            return await asyncio.to_thread(read)
        except LogError as error:
            raise BackendError(str(error)) from error

    async def story(self, path: str, claim: str | None) -> Story:
        """See Backend.story."""
        lanes = tuple(self._state.agents) if self._state.plan.has_lanes else ()
        try:
            return await asyncio.to_thread(files.story, self.root, path, claim, lanes)
        except LogError as error:
            raise BackendError(str(error)) from error

    async def lines(self, path: str) -> tuple[WrittenLine, ...]:
        """See Backend.lines."""
        try:
            return await asyncio.to_thread(files.lines, self.root, path)
        except (NoLinesError, LogError) as error:
            raise BackendError(str(error)) from error

    async def remember(self, text: str) -> None:
        """See Backend.remember."""
        await asyncio.to_thread(remember, self.root, text)

    async def remembered(self) -> str:
        """See Backend.remembered."""
        return await asyncio.to_thread(remembered, self.root) if self._alone else ""

    async def call(self, found: Sequence[Call], notify: Notify) -> None:
        """See Backend.call."""
        await self._means.tell(found, notify)

    async def close(self) -> None:
        """See Backend.close."""
        await self._faraway.close()
        if self._open is not None:
            self._open.close()
        await self._disconnect()

    async def _connected(self) -> ControlClient:
        control = self._control
        if control is None or not control.connected:
            await self._disconnect()
            control = self._control = ControlClient(tmux_socket_name(self.root))
            await control.connect()
        return control

    async def _disconnect(self) -> None:
        control, self._control = self._control, None
        if control is not None:
            await control.close()


def _frame(frame: tmux_control.Frame | TmuxError) -> Frame | BackendError:
    if isinstance(frame, TmuxError):
        return BackendError(str(frame))
    cursor = frame.cursor if frame.cursor_visible else None
    return Frame(frame.lines, cursor, frame.history, frame.width)
