"""PlainSession: the interactive session as lines: what needs the operator is said, what they type is done.

Nothing is ever drawn over: no alternate screen, no cursor movement, no colour, no animation. So it reads well
aloud, and works at a dumb terminal and through a pipe.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

from runebook_tui.core.needs import needs
from runebook_tui.core.printable import visible
from runebook_tui.settings import Notify, load_settings
from runebook_tui.tui import modes
from runebook_tui.tui.backend import Backend, Update
from runebook_tui.tui.pacing import paced
from runebook_tui.tui.plain import orders, words
from runebook_tui.tui.plain.deciding import Deciding
from runebook_tui.tui.plain.looking import Looking
from runebook_tui.tui.plain.news import News
from runebook_tui.tui.plain.orders import NotUnderstoodError, Order
from runebook_tui.tui.plain.room import Handler, NotDoneError, Room
from runebook_tui.tui.plain.steering import Steering
from runebook_tui.tui.plain.typed import typed_lines

_CALL_SECONDS = 1.0
_PATIENCE_SECONDS = 3.0
"""After so long an order that is still at work says so."""
_TOLD_AT_FIRST = 5


class PlainSession:
    """A session on a backend. `write` prints a text, `keys` are the person's own, by the ids of commands.

    With `prompt` a person types, who is shown where an order without a number would go, and is called by the
    bell as `notify` says. `now` gives unix seconds.
    """

    def __init__(
        self,
        backend: Backend,
        write: Callable[[str], None],
        *,
        keys: Mapping[str, str],
        notify: Notify,
        prompt: bool,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._backend = backend
        self._write = write
        self._keys = keys
        self._notify = notify
        self._prompts = prompt
        self._now = now
        self._news = News()
        self._loaded = asyncio.Event()
        self._open_line = False
        """Whether the prompt stands there, behind which the person may be typing."""
        self._rang = float("-inf")
        self._room = Room(backend, self._say, now)
        self._deciding = Deciding(self._room)
        self.handlers: dict[str, Handler] = {
            **self._deciding.orders,
            **Steering(self._room).orders,
            **Looking(self._room).orders,
            "plain.hear": self._hear,
            "help": self._help,
        }

    async def run(self, lines: AsyncIterator[str]) -> None:
        """Go on until the lines end or one of them leaves. Closes the backend; raises what it raised."""
        loop = asyncio.get_running_loop()
        talking = asyncio.ensure_future(self._talk(lines))
        tasks = (talking, asyncio.ensure_future(self._follow()), asyncio.ensure_future(self._call()))
        loop.add_signal_handler(signal.SIGINT, talking.cancel)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            loop.remove_signal_handler(signal.SIGINT)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._backend.close()
        for task in tasks:
            if not task.cancelled():
                task.result()
        self._leave()

    async def _talk(self, lines: AsyncIterator[str]) -> None:
        await self._loaded.wait()
        self._begin()
        async for line in lines:
            self._open_line = False
            if not await self._obey(line):
                break
            self._show_prompt()

    def _begin(self) -> None:
        """Say how things stand."""
        room, now = self._room, self._now()
        if self._prompts:
            self._say("Runebook, plain mode. Type a command and Enter; help lists them, quit leaves.")
        room.tell(words.status_lines(room.state, room.alive, now))
        for need in needs(room.state, now)[:_TOLD_AT_FIRST]:
            self._say(words.need_line(room.state, need, now))
            if need.request is not None:
                self._deciding.heard(need.request)
        self._show_prompt()

    # ── what comes by itself ────────────────────────────────────────────────────────────────────

    async def _follow(self) -> None:
        async for update in paced(self._backend.follow()):
            self._take(update)

    def _take(self, update: Update) -> None:
        first = not self._loaded.is_set()
        self._room.state, self._room.alive = update.state, update.engine_alive
        if first:
            self._news.calls(update.state, self._now(), known=True)
            self._news.begin(update.engine_alive)
            self._loaded.set()
            return
        self._unasked(list(self._news.of_update(update, self._room.settled)))

    async def _call(self) -> None:
        """Say what has come to need the operator, once it has lasted."""
        while True:
            await asyncio.sleep(_CALL_SECONDS)
            if not self._loaded.is_set():
                continue
            state, now = self._room.state, self._now()
            found = self._news.calls(state, now)
            if not found:
                continue
            for call in found:
                if call.request is not None:
                    self._deciding.heard(call.request)
            self._unasked([words.call_line(state, call, now) for call in found], ring=True)
            await self._backend.call(found, self._notify)

    def _unasked(self, lines: list[str], *, ring: bool = False) -> None:
        """Say lines on rows of their own; what is being typed stays good, and its prompt comes again."""
        if not lines:
            return
        bell = ring and self._prompts and self._notify.bell
        if bell and self._now() - self._rang >= self._notify.quiet_seconds:
            self._rang = self._now()
            self._write("\a")
        again = self._open_line
        for line in lines:
            self._say(line)
        if again:
            self._show_prompt()

    # ── what is typed ───────────────────────────────────────────────────────────────────────────

    async def _obey(self, line: str) -> bool:
        """Do what a line asks for; False when it leaves."""
        if (meant := self._room.asked()) is not None:
            if line.strip().casefold() in ("y", "yes"):
                await self._patiently(meant())
                return True
            self._say("not done")
            if line.strip().casefold() in ("n", "no", ""):
                return True
        try:
            order = orders.understood(line, self._keys)
        except NotUnderstoodError as error:
            self._say(str(error))
            return True
        if order is not None and order.id == "quit":
            return False
        if order is not None:
            await self._patiently(self._carry_out(order))
        return True

    async def _carry_out(self, order: Order) -> None:
        await self.handlers[order.id](order.rest)

    async def _patiently(self, work: Awaitable[None]) -> None:
        """Await an order; one that takes long says so once, one that cannot be done says why."""
        doing = asyncio.ensure_future(work)
        try:
            done, _ = await asyncio.wait((doing,), timeout=_PATIENCE_SECONDS)
            if not done:
                self._say("still at work")
            await doing
        except NotDoneError as error:
            self._say(f"not done: {error}")
        finally:
            doing.cancel()

    async def _hear(self, rest: str) -> None:
        wanted = rest.casefold()
        if wanted not in ("", "all", "calls"):
            raise NotDoneError("say hear all, or hear calls")
        self._news.everything = wanted == "all" if wanted else not self._news.everything
        self._say("every change is told" if self._news.everything else "only what needs you is told")

    async def _help(self, rest: str) -> None:
        """Every command, or those whose line holds a text."""
        found = [each for each in orders.help_lines(self._keys) if rest.casefold() in each.casefold()]
        self._room.tell(found or ("no command's words hold that",))

    # ── lines ───────────────────────────────────────────────────────────────────────────────────

    def _say(self, line: str) -> None:
        """One line; a prompt that stands there is ended first."""
        begin = "\n" if self._open_line else ""
        self._open_line = False
        self._write(f"{begin}{line}\n")

    def _show_prompt(self) -> None:
        if self._prompts:
            self._open_line = True
            place = self._deciding.place
            self._write(f"{visible(place)}> ")

    def _leave(self) -> None:
        live = len(self._room.state.live_agents())
        agents = "1 agent goes" if live == 1 else f"{live} agents go"
        goes = f"{agents} on; runebook-tui down ends {'it' if live == 1 else 'them'}"
        self._say(goes if live else "no agent is running")


def talk(backend: Backend) -> None:
    """A session at standard input and output, as the person's settings want it."""

    def write(text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()

    async def session() -> None:
        settings = load_settings()
        keys, clash = modes.keymap(settings.keys)
        for problem in filter(None, (settings.problem, clash)):
            write(f"{problem}\n")
        prompt = sys.stdin.isatty() and sys.stdout.isatty()
        plain = PlainSession(backend, write, keys=keys, notify=settings.notify, prompt=prompt)
        await plain.run(typed_lines(sys.stdin.fileno()))

    asyncio.run(session())
