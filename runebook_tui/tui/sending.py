"""SendingApp: an app on a backend, that sends what the operator wants and says what became of it."""

from __future__ import annotations

from collections.abc import Callable

from textual import work
from textual.reactive import var

from runebook_tui.core.printable import visible
from runebook_tui.tui.backend import Backend, BackendError
from runebook_tui.tui.ordered import OrderedApp
from runebook_tui.tui.outcomes import outcomes
from runebook_tui.tui.screens.confirm import ConfirmScreen
from runebook_tui.tui.view import EMPTY, View


class SendingApp(OrderedApp[None], inherit_bindings=False):
    """Screens post what the operator wants; only the app sends it. `now` gives unix seconds."""

    view: var[View] = var(EMPTY)
    """What is known now: the one thing that everything on the screen is drawn from."""

    def __init__(self, backend: Backend, now: Callable[[], float]) -> None:
        super().__init__()
        self._backend = backend
        self._now = now

    def undecided(self, *requests: int) -> None:
        """Called with the requests that the engine did not decide."""

    def confirm(
        self, title: str, words: str, *, yes: str, no: str, then: Callable[[], object]
    ) -> ConfirmScreen:
        """Ask whether something is meant, on the screen that is returned."""

        def answer(meant: bool | None) -> None:
            if meant:
                then()

        question = ConfirmScreen(title, words, yes=yes, no=no)
        self.push_screen(question, answer)
        return question

    def _tell(self, do: str, answer: dict[str, object]) -> None:
        """Say what became of it, where there is more to say than that it was done."""
        for outcome in outcomes(do, answer):
            self.notify(
                visible(outcome.words),
                title=outcome.title,
                severity="information" if outcome.done else "warning",
                timeout=8 if outcome.done else 20,
                markup=False,
            )

    def send(self, do: str, **fields: object) -> None:
        """Send something to the engine, and show what became of it."""
        self._sent(do, **fields)

    @work(group="send")
    async def _sent(self, do: str, **fields: object) -> None:
        if (answer := await self._asked(do, **fields)) is not None:
            self._tell(do, answer)
            refused = answer.get("refused")
            if isinstance(refused, dict) and "requests" in fields:
                self.undecided(*(int(number) for number in refused))
        else:
            several = fields.get("requests")
            numbers = several if isinstance(several, list) else [fields.get("request")]
            self.undecided(*(each for each in numbers if isinstance(each, int)))

    async def _asked(self, do: str, **fields: object) -> dict[str, object] | None:
        """The engine's answer; None when it refused, which the operator is shown."""
        try:
            return await self._backend.send(do, **fields)
        except BackendError as error:
            self.notify(visible(str(error)), title=f"not done: {do}", severity="error", markup=False)
            return None
