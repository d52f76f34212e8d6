"""GoingApp: takes the operator to an agent's pane, a file or an address, and back; and copies."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import on
from textual.app import SuspendNotSupported

from runebook_tui.core.printable import visible
from runebook_tui.history.heads import tree
from runebook_tui.tui.backend import BackendError
from runebook_tui.tui.editor import EditorError, at_line, file_of
from runebook_tui.tui.links import Link
from runebook_tui.tui.sending import SendingApp
from runebook_tui.tui.widgets.agent import AgentPanel
from runebook_tui.tui.widgets.pane import PaneView

if TYPE_CHECKING:
    from runebook_tui.tui.screens.mode import ModeScreen


class GoingApp(SendingApp, inherit_bindings=False):
    """What the app does with panes. While the terminal is away, the app rests; agents and engine go on."""

    @on(AgentPanel.GoWanted)
    async def _go_wanted(self, event: AgentPanel.GoWanted) -> None:
        """Show the pane itself in this terminal, until the operator comes back."""
        try:
            way = await self._backend.way(event.agent)
        except BackendError as error:
            self._complain(str(error))
            return
        self._away(way.argv, takes_terminal=way.takes_terminal)

    def _away(self, argv: Sequence[str], *, takes_terminal: bool = True) -> None:
        """Run a command, in the terminal if it takes it, and come back when it ends."""
        # tmux refuses to run within tmux only because of this variable.
        environment = {
            name: text for name, text in os.environ.items() if name != "TMUX" or not takes_terminal
        }
        try:
            if takes_terminal:
                with self.suspend():
                    done = subprocess.run(argv, env=environment, stderr=subprocess.PIPE, check=False)
            else:
                done = subprocess.run(argv, env=environment, capture_output=True, timeout=5, check=False)
        except SuspendNotSupported:
            self._complain("this terminal cannot be handed over; use one of its own")
        except (OSError, subprocess.TimeoutExpired) as error:
            self._complain(str(error))
        else:
            if done.returncode:
                said = done.stderr.decode("utf-8", "replace").strip()
                self._complain(said or f"{argv[0]} ended with status {done.returncode}")

    # ── copying and links ───────────────────────────────────────────────────────────────────────

    @on(PaneView.Copied)
    async def _copied(self, event: PaneView.Copied) -> None:
        """Put a text into the clipboard, and where tmux pastes from."""
        self.copy_to_clipboard(event.text)
        rows = event.text.count("\n") + 1
        self.notify(f"copied {rows} row{'s' if rows != 1 else ''}", timeout=3)
        try:
            await self._backend.keep(event.text)
        except BackendError as error:
            self._complain(f"not in tmux's buffer: {error}")

    @on(PaneView.LinkFollowed)
    def _link_followed(self, event: PaneView.LinkFollowed) -> None:
        from runebook_tui.tui.screens.links import LinksScreen

        agents = (each.agent for each in event.view.ancestors if isinstance(each, AgentPanel))
        agent = next(agents, None)
        if not event.links:
            self._complain("no link is on the screen")
        elif len(event.links) == 1:
            self._open(event.links[0], agent)
        else:

            def opened(link: Link | None) -> None:
                if link is not None:
                    self._open(link, agent)

            self.push_screen(LinksScreen(event.links), opened)

    def _open(self, link: Link, agent: str | None) -> None:
        """Open an address in a browser where there is one, a file in the operator's editor."""
        if not link.line:
            self._open_address(link.target)
            return
        known = self.view.state.agents.get(agent or "")
        path = file_of(tree(self._backend.root, known.lane if known else ""), link.target)
        if path is None:
            self._complain(f"the repository has no file {link.target}")
        else:
            try:
                command = at_line(os.environ, path, link.line)
            except EditorError as error:
                self._complain(str(error))
            else:
                self._away(command)

    async def on_mode_screen_place_wanted(self, event: ModeScreen.PlaceWanted) -> None:
        """Open a file in the operator's editor."""
        self._open(Link(0, 0, event.path, event.line), event.agent)

    def _open_address(self, address: str) -> None:
        here = (
            self.is_web
            or sys.platform == "darwin"
            or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))
        )
        if here and (self.is_web or "SSH_CONNECTION" not in os.environ):
            self.open_url(address)
            self.notify(visible(address, 200), title="opened", markup=False, timeout=4)
        else:
            self.copy_to_clipboard(address)
            self.notify(
                visible(address, 200), title="copied, for no browser is here", markup=False, timeout=6
            )

    def _complain(self, words: str) -> None:
        self.notify(visible(words, 300), severity="warning", markup=False, timeout=8)
