"""Surfaces: keeps the snapshot and the tmux servers showing the state, soon after each event.

The engine does it, not the agent `surfaces`: an agent's pane is gated, and reaches no tmux.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from runebook_tui.core.state import State
from runebook_tui.core.surface import surface_of
from runebook_tui.place import lanes_folder, state_folder, tmux_socket_name
from runebook_tui.surfaces import snapshot
from runebook_tui.tmux.dress import Dress, Label, Look, TmuxError, escaped
from runebook_tui.tmux.guest import Guest, default_socket

LEAST_SECONDS = 0.05
"""At most one refresh in so long: a burst of events is shown once."""

LOOK_SECONDS = 2.0
"""How often the user's tmux server is looked at again while nothing happens."""

_MOODS = {"held": "fg=red,bold", "asking": "fg=yellow,bold", "failed": "fg=red"}


class Surfaces:
    """Refreshes the snapshot of the repository at `root`, and what tmux shows, when told of a change."""

    def __init__(self, root: Path, state: Callable[[], State], say: Callable[[str], None]) -> None:
        self._root = root
        self._state = state
        self._say = say
        self._changed = asyncio.Event()
        self._text = ""
        self._trouble = ""
        folder = state_folder(root) / "tmux"
        self._dress = Dress(tmux_socket_name(root), folder, menu_command(root))
        self._guest = Guest(default_socket())
        self._task: asyncio.Task[None] | None = None
        # A refresh that is cancelled goes on in its thread.
        self._one_at_a_time = threading.Lock()
        self._closed = False

    def begin(self) -> None:
        """Start to keep them."""
        self._task = asyncio.create_task(self._keep())
        self._changed.set()

    def note(self) -> None:
        """Something happened: show it soon."""
        self._changed.set()

    async def close(self) -> None:
        """Stop, take the snapshot away, and put everything in the user's server back as it was."""
        if self._task is None:
            return
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        self._task = None
        with contextlib.suppress(OSError, TmuxError):
            await asyncio.to_thread(self._leave)

    async def _keep(self) -> None:
        while True:
            self._changed.clear()
            fresh = surface_of(self._state(), time.time())
            fresh = {**fresh, "engine": os.getpid(), "root": os.fspath(self._root)}
            trouble = ""
            try:
                await asyncio.to_thread(self._show, fresh)
            except (OSError, TmuxError) as error:
                trouble = f"the surfaces show something old: {error}"
            if trouble not in ("", self._trouble):
                self._say(trouble)
            self._trouble = trouble
            await asyncio.sleep(LEAST_SECONDS)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._changed.wait()

    def _show(self, fresh: Mapping[str, Any]) -> None:
        with self._one_at_a_time:
            if self._closed:
                return
            text = snapshot.text_of(fresh)
            if text != self._text or not snapshot.path_of(self._root).exists():
                snapshot.write(self._root, text)
                self._text = text
            self._dress.show(look_of(fresh))
            self._guest.show(status_of(fresh), self._label_of(fresh))

    def _leave(self) -> None:
        with self._one_at_a_time:
            self._closed = True
            snapshot.remove(self._root)
            self._guest.leave()

    def _label_of(self, fresh: Mapping[str, Any]) -> Callable[[str], Label | None]:
        """What a pane of the user's shows: whose lane its folder is in, else what waits for the operator."""
        root, lanes = os.path.realpath(self._root), os.path.realpath(lanes_folder(self._root))
        labels = {each["id"]: label_of(each) for each in fresh["agents"]}
        waiting = f"◆ {fresh['prompt']}" if fresh["counts"]["requests"] else fresh["prompt"]
        yours = Label(f"you · {escaped(waiting)}", "default")

        def label(folder: str) -> Label | None:
            if folder.startswith(lanes + "/"):
                return labels.get(folder[len(lanes) + 1 :].partition("/")[0])
            return yours if folder == root or folder.startswith(root + "/") else None

        return label


def look_of(fresh: Mapping[str, Any]) -> Look:
    """What the private server is to show of a snapshot."""
    panes = {each["pane"]: label_of(each) for each in fresh["agents"] if each["pane"]}
    return Look(status_of(fresh), panes)


def status_of(fresh: Mapping[str, Any]) -> str:
    """The segment of the status line: what waits for the operator, who works, what would help."""
    counts = fresh["counts"]
    parts = []
    if counts["requests"]:
        first = fresh["requests"][0]
        held = f", {counts['held']} held" if counts["held"] else ""
        who = escaped(f"{first['id']} {first['who']} → {', '.join(first['owners'])}"[:60])
        parts.append(f"#[{_MOODS[fresh['mood']]}]◆ {counts['requests']}{held}: {who}#[default]")
    parts.append(f"#[fg=green]● {counts['working']}#[default]")
    if counts["calls"]:
        parts.append(f"#[fg=yellow]◐ {counts['calls']}#[default]")
    if counts["failed"]:
        parts.append(f"#[fg=red]✗ {counts['failed']}#[default]")
    for top in fresh["suggestions"][:1]:
        parts.append(f"#[fg=cyan]▲ {escaped(top['title'][:60])}#[default]")
    return " ".join(parts)


def label_of(agent: Mapping[str, Any]) -> Label:
    """The label of an agent's pane: its sign and name, how it stands, and the requests that are about it."""
    words = [f"#[bold]{agent['sign']} {escaped(agent['id'])}#[nobold]", agent["state"]]
    if agent["asks"]:
        words.append(f"#[fg=yellow]◆ asks {_numbers(agent['asks'])}#[default]")
    if agent["asked"]:
        words.append(f"#[fg=yellow]◇ asked for {_numbers(agent['asked'])}#[default]")
    return Label(" · ".join(words), agent["colour"])


def _numbers(requests: list[int]) -> str:
    more = "…" if len(requests) > 4 else ""
    return ", ".join(map(str, requests[:4])) + more


def menu_command(root: Path) -> list[str]:
    """The words of the tmux command that opens the menu of requests for whoever pressed the key."""
    program = [sys.executable, "-P", "-m", "runebook_tui", "surface", "menu", "--folder", os.fspath(root)]
    line = shlex.join(program).replace("#", "##")
    return ["run-shell", "-b", f"{line} --socket #{{q:socket_path}} --client #{{q:client_name}}"]
