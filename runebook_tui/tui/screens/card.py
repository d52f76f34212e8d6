"""CardScreen: one request with all that is known of it, and what each key will do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Literal

from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.events import Key, Resize
from textual.message import Message
from textual.reactive import reactive
from textual.screen import ModalScreen
from textual.widgets import Static

from runebook_tui.core import consequences
from runebook_tui.core.aftermath import Means
from runebook_tui.core.decisions import why_not_by
from runebook_tui.core.grants import Scope
from runebook_tui.core.state import RequestState
from runebook_tui.core.types import RequestKind
from runebook_tui.history.heads import FileHead
from runebook_tui.tui import commands, glyphs, heading
from runebook_tui.tui.answers import Answer, answers
from runebook_tui.tui.backend import BackendError
from runebook_tui.tui.text import safe
from runebook_tui.tui.verdict import Verdict, about, matter
from runebook_tui.tui.view import EMPTY, View
from runebook_tui.tui.widgets.diff import DiffView

_PATHS_SHOWN = 200
_WORD_CELLS = 21
_LOOK = "look, then press the key again"


class CardScreen(ModalScreen[Verdict | None]):
    """Ends with the operator's answer, or None. `now` gives unix seconds."""

    BINDINGS = commands.bindings(commands.CARD)
    AUTO_FOCUS = "DiffView"

    view: reactive[View] = reactive(EMPTY)

    class RejectWanted(Message):
        """The operator wants to reject what this card shows, and may give a reason."""

        def __init__(self, card: CardScreen, request: RequestState) -> None:
            super().__init__()
            self.card = card
            self.request = request

    class PatchWanted(Message):
        """The operator wants to see what the plan would be changed to."""

        def __init__(self, card: CardScreen, request: RequestState, means: Means) -> None:
            super().__init__()
            self.card = card
            self.request = request
            self.means = means

    def __init__(
        self,
        request: RequestState,
        now: Callable[[], float],
        diff: Callable[[int], Awaitable[str]],
        heads: Callable[[int], Awaitable[tuple[FileHead, ...]]],
        seen: Callable[[int], Awaitable[dict[str, str]]],
    ) -> None:
        super().__init__()
        self.diff_view = DiffView(id="diff")
        self._now = now
        self._diff = diff
        self._heads = heads
        self._digests = seen
        self._shown: dict[str, str] = {}
        """What was at the paths when the diff was read."""
        self._listed = False
        """Whether earlier decisions stand in the place of the diff."""
        self._first = request
        self._seen = matter(request)
        """What the request was about when the operator last looked."""
        self._notice = ""

    def compose(self) -> ComposeResult:
        """Title, reason, evidence, diff, keys."""
        with Vertical(id="card"):
            yield Static(id="who")
            yield Static(id="why")
            yield self.diff_view
            yield Static(id="notice")
            with VerticalScroll(id="key-list"):
                yield Static(id="keys")

    def on_mount(self) -> None:
        """Read the diff; the age goes on each second."""
        self._read()
        self.call_after_refresh(self._draw)
        self.set_interval(1.0, self._draw)
        self.watch(self.query_one("#key-list"), "virtual_size", self._tell_more)

    @property
    def request(self) -> RequestState:
        """The request as it is now."""
        return self.view.state.requests.get(self._first.id, self._first)

    @property
    def over(self) -> bool:
        """Whether it was decided while the card was open."""
        return not self.request.open

    def watch_view(self) -> None:
        """Show the change, and say so if it is one."""
        if not self.is_mounted:
            return
        request = self.request
        if request.open and matter(request) != self._seen and not self._notice:
            ended = f"no write waits any more ({request.hold_over})" if request.hold_over else ""
            self._notice = f"{ended or 'this request has changed since you opened it'}: {_LOOK}"
            self._listed = False
            self._read()
        if self.over:
            self.diff_view.can_focus = False
            self.set_focus(None)
        self._draw()

    @work(exclusive=True, group="diff")
    async def _read(self) -> None:
        """Show the diff, below the paths when there are several."""
        request = self.request
        written = request.kind not in (RequestKind.ASKED, RequestKind.HELD)
        try:
            if not written:
                self._shown = await self._digests(request.id)
            diff = await self._diff(request.id)
            heads = () if written else await self._heads(request.id)
        except BackendError as error:
            self.diff_view.show_diff("", [f"the diff cannot be read: {error}"])
            return
        words = []
        if not written:
            words.append(_nothing_written(diff, heads))
        elif not diff:
            words.append("no text to compare")
        if len(request.paths) > 1 or not (diff or heads):
            words += [
                f"{c.path}  ({heading.owner_name(c.owner)})"
                for c in list(request.crossings.values())[:_PATHS_SHOWN]
            ]
            if len(request.paths) > _PATHS_SHOWN:
                words.append(f"and {len(request.paths) - _PATHS_SHOWN} more")
        if words:
            words.append("")
        self.diff_view.show_diff(diff, words, heads)

    def _draw(self) -> None:
        request = self.request
        glyph = glyphs.REQUEST[request.kind]
        card = self.query_one("#card")
        card.border_title = Content.assemble(
            (glyph.sign, glyph.style), f" Request {request.id} ", (f"· {request.kind}", glyphs.MUTED)
        )
        now = self._now()
        card.border_subtitle = heading.deadline(request, now)
        self.query_one("#who", Static).update(heading.title(request))
        self.query_one("#why", Static).update(heading.why(self.view.state, request, now))
        notice = self.query_one("#notice", Static)
        notice.update(safe(_ended(request) if self.over else self._notice))
        notice.display = self.over or bool(self._notice)
        self.query_one("#keys", Static).update(self._keys(request))

    def _tell_more(self) -> None:
        """Say that there are more keys than can be seen."""
        keys = self.query_one("#key-list")
        more = keys.virtual_size.height > keys.size.height
        self.diff_view.border_subtitle = Content("more keys below: tab, then ↓") if more else None

    def _keys(self, request: RequestState) -> Content:
        if self.over:
            return Content.styled("any key closes", glyphs.MUTED)
        width = self.query_one("#keys").content_size.width
        return Content("\n").join([_answer_lines(answer, width) for answer in self._answers(request)])

    def _answers(self, request: RequestState) -> list[Answer]:
        return answers(
            self.view.state,
            request,
            engine_alive=self.view.engine_alive,
            earlier=len(self._earlier()),
            listed=self._listed,
        )

    def _earlier(self) -> tuple[str, ...]:
        """What was decided about the same paths before, a line each, the newest first."""
        decisions = consequences.earlier(self.view.state, self.request)
        return tuple(heading.decided(each, self._now()) for each in decisions)

    # ── keys ────────────────────────────────────────────────────────────────────────────────────

    def on_resize(self, event: Resize) -> None:
        """The words of the keys are folded for the width."""
        self.call_after_refresh(self._draw)

    def on_key(self, event: Key) -> None:
        """Any key closes a card whose request was decided elsewhere."""
        if self.over:
            event.stop()
            self.dismiss(None)

    def action_close(self) -> None:
        """Decide nothing."""
        self.dismiss(None)

    def action_approve(self, scope: str) -> None:
        """Approve what the card shows."""
        command = {"once": "card.approve", "task": "card.task", "plan": "card.plan"}[scope]
        if self._may(command):
            self.dismiss(self._verdict("approve", Scope(scope)))

    def action_reject(self) -> None:
        """Ask for a reason, and reject."""
        if self._may("card.reject"):
            self.post_message(self.RejectWanted(self, self.request))

    def action_undo(self) -> None:
        """Reject, and take back what was written."""
        if self._may("card.undo"):
            self.dismiss(Verdict((self.request.id,), "reject", undo=True))

    def action_change_plan(self, means: Means) -> None:
        """See the patch of the plan that allows it for good."""
        command = {"widened": "card.widen", "transferred": "card.transfer"}[means]
        if self._may(command, means):
            self.post_message(self.PatchWanted(self, self.request, means))

    def plan_changed(self, means: Means, plan: str, request: RequestState) -> None:
        """The operator accepted the patch of the plan whose text has the SHA-256 `plan`.

        `request` is as it was when the patch was asked for.
        """
        self.dismiss(replace(self._verdict("approve"), means=means, plan=plan, about=about([request])))

    def action_hand_over(self) -> None:
        """Reject, and give the owner the change as a task."""
        if self._may("card.hand_over", "handed over"):
            self.dismiss(Verdict((self.request.id,), "reject", means="handed over"))

    def action_disown(self) -> None:
        """Say that the change was the operator's own."""
        if self._may("card.mine"):
            self.dismiss(Verdict((self.request.id,), "disown"))

    def action_earlier(self) -> None:
        """Show earlier decisions in the place of the diff, or the diff again."""
        earlier = self._earlier()
        if self.over:
            self.dismiss(None)
            return
        if not earlier:
            self.notify("nothing was decided about these paths before", markup=False, timeout=4)
            return
        self._listed = not self._listed
        if self._listed:
            self.diff_view.show_diff("", ["decided before about the same paths:", "", *earlier])
        else:
            self._read()
        self._draw()

    def _verdict(self, do: Literal["approve", "reject"], scope: Scope = Scope.ONCE) -> Verdict:
        """An answer that is bound to what the card has shown."""
        return Verdict((self.request.id,), do, scope, seen=self._shown)

    def _may(self, command: str, means: Means = "") -> bool:
        """Whether a key decides now, by `means`; else says why not, or closes a card that is over."""
        request = self.request
        if self.over:
            self.dismiss(None)
            return False
        answer = next((each for each in self._answers(request) if each.command.id == command), None)
        if answer is None:
            if why := why_not_by(self.view.state, request, means):
                self.notify(why, severity="warning", markup=False, timeout=4)
            return False
        if answer.not_now:
            self.notify(answer.not_now, severity="warning", markup=False, timeout=4)
            return False
        if matter(request) != self._seen:
            self._seen, self._notice = matter(request), "look at what has changed, then press the key again"
            self._draw()
            return False
        return True


def _nothing_written(diff: str, heads: tuple[FileHead, ...]) -> str:
    if diff and heads:
        shows = "; below is what would come, and the other files as they are now"
    elif diff:
        shows = "; below is what would come"
    else:
        shows = "; below is what is there now" if heads else ": there is no diff to show"
    return f"nothing is written yet{shows}"


def _ended(request: RequestState) -> str:
    because = f": {request.answer}" if request.answer else ""
    return f"request {request.id} was {request.status} elsewhere{because}"


def _answer_lines(answer: Answer, width: int) -> Content:
    """What a key does, in as many lines as that takes, hanging beside the key and its word."""
    key, word = f"{commands.key_sign(answer.command.key):<4}", f"{answer.word:<{_WORD_CELLS}}"
    words = f"not now: {answer.not_now}" if answer.not_now else answer.effect
    first, *more = safe(words).wrap(max(20, width - len(key) - len(word)))
    head = Content.assemble((key, glyphs.ACCENT), (word, glyphs.STRONG))
    if answer.not_now:
        head = Content.styled(key + word, glyphs.MUTED)
    indent = Content(" " * head.cell_length)
    lines = [Content.assemble(head, first.stylize(glyphs.MUTED))]
    lines += [Content.assemble(indent, line.stylize(glyphs.MUTED)) for line in more]
    return Content("\n").join(lines)
