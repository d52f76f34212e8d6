"""Caller: which calls the operator is told of by the screen, and how a terminal rings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from runebook_tui.core.calls import Call, Herald, calls, together
from runebook_tui.settings import Notify
from runebook_tui.tui.osc import form_of, sequence
from runebook_tui.tui.view import View

LOOKS_SECONDS = 60.0
"""Of a terminal that never says whether it is looked at: whoever pressed a key so recently looks."""

_SHOWN = {
    "cockpit": lambda call: True,
    "requests": lambda call: call.request is not None,
    "panes": lambda call: call.request is None,
}
"""What each mode shows, by its id; the others show none of it."""


class Caller:
    """Rings by `write`, which sends text to the terminal. `now` gives unix seconds."""

    def __init__(
        self,
        notify: Notify,
        now: Callable[[], float],
        write: Callable[[str], None],
        environment: Mapping[str, str],
    ) -> None:
        self._notify = notify
        self._now = now
        self._write = write
        self._form = form_of(notify.osc, environment)
        self._tmux = bool(environment.get("TMUX"))
        self._herald: Herald | None = None
        self._touched = now()
        self._focus = True
        self._says = False

    def touched(self) -> None:
        """The operator pressed a key, or moved the mouse."""
        self._touched = self._now()

    def looked_at(self, focus: bool) -> None:
        """The terminal says whether it has the focus."""
        self._says = self._says or not focus
        self._focus = focus

    @property
    def looks(self) -> bool:
        """Whether the operator looks at this terminal, as far as can be told."""
        if self._says:
            return self._focus
        return self._now() - self._touched < LOOKS_SECONDS

    def hear(self, view: View, mode: str) -> tuple[Call, ...]:
        """What is to be told now that `mode` does not show; `mode` is "" while nobody looks.

        What waits when the screen is opened is no news.
        """
        if not view.loaded:
            return ()
        found = calls(view.state, self._now())
        if self._herald is None:
            self._herald = Herald(found)
        shown = _SHOWN.get(mode, lambda call: False)
        return self._herald.hear(found, self._now(), shown, self._notify.quiet_seconds)

    def ring(self, found: Sequence[Call]) -> None:
        """Let the terminal ring and show a notification, as the settings want it."""
        said = sequence(self._form, together(found), tmux=self._tmux)
        bell = "\a" if self._notify.bell else ""
        if bell or said:
            self._write(bell + said)
