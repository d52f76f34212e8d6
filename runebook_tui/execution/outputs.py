"""Outputs: what the panes print, kept in bounded files without secrets, and the failures that it tells.

tmux writes each pane's output into a named pipe (`pipe-pane`), so a pane that is silent costs nothing.
"""

from __future__ import annotations

import asyncio
import os
import shlex
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from runebook_tui.capture.failures import Failures
from runebook_tui.capture.stream import PaneStream
from runebook_tui.core import commands as c
from runebook_tui.core import events as e
from runebook_tui.core.activity import CommandSource
from runebook_tui.core.capture import capturer, captures
from runebook_tui.core.state import AgentState, State
from runebook_tui.core.types import AgentStatus
from runebook_tui.execution.outfit import remove_below, write_below
from runebook_tui.execution.vault import Vault
from runebook_tui.place import runtime_folder, state_folder
from runebook_tui.tmux.panes import Panes, TmuxError

MOST_BYTES = 64 * 1024
"""Characters of one file; of a longer output its beginning and its end are kept."""
MOST_FILES = 100
"""Files of one agent."""
MOST_FILES_IN_ALL = 1000
_BEGINNING = 8 * 1024
_STEP_SECONDS = 0.1
_MOST_A_STEP = 256 * 1024
_MARK_SECONDS = 1.0
_BLOCK_SECONDS = 0.3
_MOST_FAILURES = 10
"""Failures of one pane that are told within a minute."""
_KEPT_COMMANDS = 8
_MOST_LINE = 16_384


class Host(Protocol):
    """What this needs of the runner."""

    root: Path
    vault: Vault

    @property
    def mine(self) -> State:
        """The state of this host's agents."""

    async def handle_surely(self, command: c.Command) -> None:
        """Carry out what has happened already."""


class _Text:
    """A text of which the beginning and the end are kept."""

    def __init__(self) -> None:
        self._head, self._tail, self._cut = "", "", False

    def add(self, text: str) -> None:
        room = _BEGINNING - len(self._head)
        if room > 0 and not self._tail:
            self._head, text = self._head + text[:room], text[room:]
        self._tail += text
        most = MOST_BYTES - _BEGINNING
        if len(self._tail) > 2 * most:
            self._tail, self._cut = self._tail[-most:].partition("\n")[2], True

    def __str__(self) -> str:
        most = MOST_BYTES - _BEGINNING
        cut = self._cut or len(self._tail) > most
        if not cut:
            return self._head + self._tail
        # Whole lines only: half a secret would not be known for one.
        return f"{self._head.rpartition(chr(10))[0]}\n[…]\n{self._tail[-most:].partition(chr(10))[2]}"


class _Pane:
    """One pane that is read."""

    def __init__(self, pane_id: str, pid: int | None, pipe: int) -> None:
        self.pane_id, self.pid, self.pipe = pane_id, pid, pipe
        self.stream, self.failures = PaneStream(), Failures()
        self.waiting = bytearray()
        self.due = False
        self.running = ""
        self.text = _Text()
        self.done: OrderedDict[str, str] = OrderedDict()
        self.ended = asyncio.Event()
        self.lines: deque[str] = deque(maxlen=400)
        self.part = ""
        self.error = ""
        self.told: deque[tuple[float, str]] = deque(maxlen=_MOST_FAILURES)


class Outputs:
    """Reads the panes of the agents that the plan wants captured."""

    def __init__(self, host: Host, panes: Panes, say: Callable[[str], None]) -> None:
        self._say = say
        self._ended: list[e.AgentExited] = []
        self._host = host
        self._panes = panes
        self._read: dict[str, _Pane] = {}
        self._files: deque[str] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def note(self, records: Sequence[e.Record]) -> None:
        """Take note of the programs that ended with a failure."""
        ended = (record.event for record in records if isinstance(record.event, e.AgentExited))
        self._ended += [event for event in ended if event.code or (event.code is None and event.signal)]

    async def settle(self) -> None:
        """Tell what failed, read the panes that are to be read, and no others."""
        ended, self._ended = self._ended, []
        for event in ended:
            agent = self._host.mine.agents.get(event.agent)
            if agent is not None and agent.status is AgentStatus.FAILED:
                await self._exited(agent, event.code, event.signal)
        try:
            await self._follow()
        except (TmuxError, OSError) as error:
            self._say(f"a pane's output cannot be read: {error}")

    async def _follow(self) -> None:
        state = self._host.mine
        me = capturer(state.plan)
        captor = None if me is None else state.agents.get(me.id)
        at_work = captor is not None and captor.status in (AgentStatus.RUNNING, AgentStatus.COMPLETED)
        wanted = {
            agent.id: agent
            for agent in state.live_agents()
            if at_work and agent.pane and captor is not agent and captures(state.plan, agent.id)
        }
        for agent_id, pane in list(self._read.items()):
            agent = wanted.get(agent_id)
            if agent is None or (agent.pane, agent.pid) != (pane.pane_id, pane.pid):
                self._drop(agent_id)
        for agent_id, agent in wanted.items():
            if agent_id not in self._read:
                await self._begin(agent)

    async def output_of(self, agent: str, mark: str) -> str:
        """The file with what the pane printed between the marks of a command; "" when nothing is kept."""
        pane = self._read.get(agent)
        if pane is None or not captures(self._host.mine.plan, agent, output=True):
            return ""
        with suppress(TimeoutError):
            async with asyncio.timeout(_MARK_SECONDS):
                while mark not in pane.done:
                    pane.ended.clear()
                    await pane.ended.wait()
        text = pane.done.pop(mark, "")
        return await self._keep(agent, text) if text.strip() else ""

    async def _exited(self, agent: AgentState, code: int | None, signal: int | None) -> None:
        """The program of a pane has ended with a failure."""
        pane = self._read.get(agent.id)
        if not captures(self._host.mine.plan, agent.id):
            return
        output = ""
        if pane is not None:
            self._take(agent.id, pane)
            output = await self._block(agent.id, pane)
        words = agent.spec.command or (agent.spec.client or agent.spec.builtin or "",)
        await self._host.handle_surely(
            c.ReportCommand(
                agent=agent.id,
                client="",
                command=shlex.join(words),
                code=code if code is not None else None if signal is None else 128 + signal,
                failed=True,
                source=CommandSource.PANE,
                folder=agent.spec.cwd,
                output=output,
            )
        )

    def close(self) -> None:
        """Read nothing any more."""
        for agent in list(self._read):
            self._drop(agent)
        for task in self._tasks:
            task.cancel()

    async def _begin(self, agent: AgentState) -> None:
        assert agent.pane is not None
        path = runtime_folder(self._host.root) / f"pane-{agent.id}"
        with suppress(FileNotFoundError):
            path.unlink()
        os.mkfifo(path, 0o600)
        pane = _Pane(agent.pane, agent.pid, os.open(path, os.O_RDWR | os.O_NONBLOCK))
        try:
            command = f"exec cat >{shlex.quote(os.fspath(path))}"
            await asyncio.to_thread(self._panes.pipe, agent.pane, command)
        except TmuxError:
            os.close(pane.pipe)
            raise
        self._read[agent.id] = pane
        asyncio.get_running_loop().add_reader(pane.pipe, self._ready, agent.id, pane)

    def _drop(self, agent: str) -> None:
        pane = self._read.pop(agent)
        asyncio.get_running_loop().remove_reader(pane.pipe)
        self._take(agent, pane)
        os.close(pane.pipe)
        with suppress(FileNotFoundError):
            (runtime_folder(self._host.root) / f"pane-{agent}").unlink()

    def _ready(self, agent: str, pane: _Pane) -> None:
        with suppress(BlockingIOError):
            pane.waiting += os.read(pane.pipe, 65_536)
        if len(pane.waiting) > _MOST_A_STEP:
            del pane.waiting[:-_MOST_A_STEP]
            del pane.waiting[: pane.waiting.find(b"\n") + 1]
        if not pane.due:
            pane.due = True
            asyncio.get_running_loop().call_later(_STEP_SECONDS, self._take, agent, pane)

    def _take(self, agent: str, pane: _Pane) -> None:
        data, pane.waiting, pane.due = bytes(pane.waiting), bytearray(), False
        for piece in pane.stream.feed(data):
            if piece.begins:
                pane.running, pane.text = piece.begins, _Text()
            elif piece.ends:
                if pane.running == piece.ends:
                    pane.done[piece.ends] = str(pane.text)
                    if len(pane.done) > _KEPT_COMMANDS:
                        pane.done.popitem(last=False)
                pane.running = ""
                pane.ended.set()
            elif pane.running:
                pane.text.add(piece.text)
            elif piece.text:
                self._look(agent, pane, piece.text)

    def _look(self, agent: str, pane: _Pane, text: str) -> None:
        *lines, pane.part = (pane.part + text).split("\n")
        if len(pane.part) > _MOST_LINE:
            lines, pane.part = [*lines, pane.part], ""
        known = self._host.mine.agents.get(agent)
        hooked = known is not None and known.hook != ""
        for line in lines:
            pane.lines.append(
                line if len(line) <= _MOST_LINE else self._host.vault.secrets.hide(line)[:_MOST_LINE]
            )
            error = "" if hooked or pane.stream.full_screen else pane.failures.look(line)
            if error and not pane.error and self._is_news(pane, error):
                pane.error = error
                loop = asyncio.get_running_loop()
                loop.call_later(_BLOCK_SECONDS, self._tell, agent, pane)

    def _is_news(self, pane: _Pane, error: str) -> bool:
        now = asyncio.get_running_loop().time()
        while pane.told and now - pane.told[0][0] > 60.0:
            pane.told.popleft()
        if len(pane.told) == _MOST_FAILURES or any(each == error for _, each in pane.told):
            return False
        pane.told.append((now, error))
        return True

    def _tell(self, agent: str, pane: _Pane) -> None:
        task = asyncio.get_running_loop().create_task(self._failed(agent, pane))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _failed(self, agent: str, pane: _Pane) -> None:
        error, pane.error = pane.error, ""
        known = self._host.mine.agents.get(agent)
        if known is None:
            return
        words = known.spec.command or (known.spec.client or known.spec.builtin or "",)
        await self._host.handle_surely(
            c.ReportCommand(
                agent=agent,
                client="",
                command=shlex.join(words),
                failed=True,
                source=CommandSource.PANE,
                folder=known.spec.cwd,
                output=await self._block(agent, pane),
                error=error,
            )
        )

    async def _block(self, agent: str, pane: _Pane) -> str:
        """The pane's last lines, kept; "" where no output is."""
        if not captures(self._host.mine.plan, agent, output=True) or pane.stream.full_screen:
            return ""
        text = "\n".join([*pane.lines, pane.part])
        if len(text) > MOST_BYTES:
            text = text[-MOST_BYTES:].partition("\n")[2]
        return await self._keep(agent, text) if text.strip() else ""

    async def _keep(self, agent: str, text: str) -> str:
        """Write a text without secrets, and remove the oldest files beyond the bounds."""
        me = capturer(self._host.mine.plan)
        if me is None:
            return ""
        shown = self._host.vault.secrets.hide(text)
        folder = (state_folder(self._host.root) / "agents" / me.id).absolute()
        name, old = self._next(folder, agent)
        try:
            await asyncio.to_thread(write_below, folder, name, shown)
            for each in old:
                await asyncio.to_thread(remove_below, folder, each)
        except (OSError, UnicodeError):
            return ""
        return f".runebook/agents/{me.id}/{name}"

    def _next(self, folder: Path, agent: str) -> tuple[str, list[str]]:
        """The next file's name, and which files are too many then."""
        if self._files is None:
            found = sorted((folder / "output").glob("*/*.txt"), key=lambda each: each.name)
            self._files = deque(each.relative_to(folder).as_posix() for each in found)
        last = max((int(Path(each).stem) for each in self._files if Path(each).stem.isdigit()), default=0)
        name = f"output/{agent}/{last + 1:08}.txt"
        self._files.append(name)
        own = [each for each in self._files if each.startswith(f"output/{agent}/")]
        old = [*own[:-MOST_FILES], *list(self._files)[:-MOST_FILES_IN_ALL]]
        for each in dict.fromkeys(old):
            self._files.remove(each)
        return name, list(dict.fromkeys(old))
