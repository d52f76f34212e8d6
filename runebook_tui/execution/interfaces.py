"""Interfaces: checked before they count as published, and looked at again when their file changes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Protocol

from runebook_tui.core import commands as c
from runebook_tui.core import events as e
from runebook_tui.core.contract import lacking
from runebook_tui.core.hosts import tree_of
from runebook_tui.core.state import State
from runebook_tui.core.types import Author, Change
from runebook_tui.execution.contracts import read_contract, run_check
from runebook_tui.execution.copies import Copies
from runebook_tui.execution.lanes import Lanes
from runebook_tui.execution.observer import Observer

LastTouch = Callable[[str], Awaitable[e.Touched | None]]


class Host(Protocol):
    """What this needs of the runner."""

    root: Path
    host: str

    @property
    def state(self) -> State:
        """The state now."""

    @property
    def observer(self) -> Observer | None:
        """Observes the checkout; None until it does."""

    async def handle(self, command: c.Command, actor: str) -> object:
        """Carry out a command. Raises Refused, LogError."""

    async def handle_surely(self, command: c.Command) -> None:
        """Carry out what has happened already, however long the log takes."""


class Interfaces:
    """Publishes interfaces and notices when one drifts; `last_touch` finds the newest touch of a path."""

    def __init__(self, host: Host, lanes: Lanes, last_touch: LastTouch) -> None:
        self._host = host
        self._lanes = lanes
        self._last_touch = last_touch
        self._pending: dict[str, list[tuple[Change, Author]]] = {}
        self._turn = asyncio.Lock()
        self._copies = Copies(host)

    async def publish(self, agent: str, api: str, actor: str) -> None:
        """Publish `api` in the name of `agent`, if its file and its command say so. Raises Refused, LogError.

        Where the agent has a lane, the file is integrated first.
        """
        interface = self._host.state.plan.interface(api)
        if interface is None or interface.owner != agent:
            await self._host.handle(c.PublishApi(agent, api, None), actor)
            return
        tree = self._lanes.root_of(agent)
        digest, contract, fault = await read_contract(tree, interface)
        if interface.command is not None and digest is not None and not fault and not lacking(contract):
            failed = await run_check(self._host.root, tree, interface)
        else:
            failed = ""
        # No look at the file may fall between its integration and the new version.
        async with self._turn:
            digest, contract, fault = await read_contract(tree, interface)
            sound = digest is not None and not failed and not fault and not lacking(contract)
            if sound:
                await self._lanes.publish(agent, interface.path)
            command = c.PublishApi(agent, api, digest, contract, failed or fault)
            await self._host.handle(command, actor)

    def note(self, records: Sequence[e.Record]) -> None:
        """Remember which interfaces are to be looked at, after these records."""
        published = self._host.state.apis.published.values()
        for record in records:
            event = record.event
            if isinstance(event, e.Touched) and event.lane == tree_of(self._host.host):
                for api in published:
                    if self._path(api.name) == event.change.path:
                        self._pending.setdefault(api.name, []).append((event.change, event.author))
            elif isinstance(event, e.ApiPublished):
                self._pending.setdefault(event.api, [])
            elif isinstance(event, e.PlanChanged):
                self.look_again()

    def look_again(self) -> None:
        """All published interfaces are to be looked at: files may have changed while no engine ran."""
        for name in self._host.state.apis.published:
            self._pending.setdefault(name, [])

    async def settle(self) -> None:
        """Look at those that are to be looked at; what is found is in the log afterwards.

        What other hosts published is fetched in the background.
        """
        self._copies.settle()
        while self._pending:
            async with self._turn:
                for name in tuple(self._pending):
                    await self._look(name, self._pending.pop(name))

    async def close(self) -> None:
        """Fetch nothing any more."""
        await self._copies.close()

    async def _look(self, name: str, touches: list[tuple[Change, Author]]) -> None:
        interface, api = self._host.state.plan.interface(name), self._host.state.apis.get(name)
        if interface is None or api is None:
            return
        if self._copies.concerns(api):
            await self._copies.look(api)
            return
        digest, contract, fault = await read_contract(self._host.root, interface)
        unseen = not touches and digest != api.digest
        last = await self._last_touch(interface.path) if unseen else None
        if last is not None and last.change.after.digest == digest:
            touches = [(last.change, last.author)]
        await self._host.handle_surely(c.CheckApi(name, digest, contract, fault, tuple(touches)))

    def _path(self, name: str) -> str | None:
        interface = self._host.state.plan.interface(name)
        return None if interface is None else interface.path
