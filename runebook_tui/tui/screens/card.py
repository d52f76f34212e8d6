"""CardScreen: one request with all that is known of it, and what each key will do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.events import Key, Resize
from textual.message import Message
from textual.reactive import reactive
from textual.screen import ModalScreen
from textual.widgets import Static

from runebook_tui.core.grants import Scope
from runebook_tui.core.sentences import process
from runebook_tui.core.state import RequestState
from runebook_tui.core.types import RequestKind
from runebook_tui.history.heads import FileHead
from runebook_tui.tui import commands, glyphs
from runebook_tui.tui.answers import Answer, answers
from runebook_tui.tui.backend import BackendError
from runebook_tui.tui.text import age, cut_path, safe
from runebook_tui.tui.verdict import Verdict, matter
from runebook_tui.tui.view import EMPTY, View, waited
from runebook_tui.tui.widgets.diff import DiffView

_VERBS = {
    RequestKind.ASKED: "wants to write",
    RequestKind.HELD: "wants to write",
    RequestKind.CROSSED: "wrote",
    RequestKind.DRIFT: "changed the published",
    RequestKind.CONFLICT: "cannot be integrated in",
}
_PATHS_SHOWN = 200
_PATH_CELLS = 200
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

    def __init__(
        self,
        request: RequestState,
        now: Callable[[], float],
        diff: Callable[[int], Awaitable[str]],
        heads: Callable[[int], Awaitable[tuple[FileHead, ...]]],
    ) -> None:
        super().__init__()
        self.diff_view = DiffView(id="diff")
        self._now = now
        self._diff = diff
        self._heads = heads
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
            yield Static(id="keys")

    def on_mount(self) -> None:
        """Read the diff; the age goes on each second."""
        self._read()
        self.call_after_refresh(self._draw)
        self.set_interval(1.0, self._draw)

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
                f"{c.path}  ({_owner(c.owner)})" for c in list(request.crossings.values())[:_PATHS_SHOWN]
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
        if request.held_until is None:
            card.border_subtitle = Content(f"open {age(now - request.opened_at)}")
        else:
            card.border_subtitle = Content.styled(f"waiting {waited(request, now)}", glyphs.ACCENT)
        self.query_one("#who", Static).update(self._title(request))
        self.query_one("#why", Static).update(_why(request))
        notice = self.query_one("#notice", Static)
        notice.update(safe(_ended(request) if self.over else self._notice))
        notice.display = self.over or bool(self._notice)
        self.query_one("#keys", Static).update(self._keys(request))

    def _title(self, request: RequestState) -> Content:
        paths = request.paths
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        owners = " and ".join(_owner(owner) for owner in request.owners)
        return Content.assemble(
            safe(request.who, glyphs.STRONG),
            f" {_VERBS[request.kind]} ",
            (cut_path(paths[0] if paths else "nothing", _PATH_CELLS), f"{glyphs.STRONG} {glyphs.BUSY}"),
            more,
            (f" in the worktree of {request.lane}" if request.lane else "", glyphs.MUTED),
            (", owned by ", glyphs.MUTED),
            safe(owners, glyphs.STRONG),
            (self._owner_at_work(request), glyphs.CAUTION),
        )

    def _owner_at_work(self, request: RequestState) -> str:
        """When the owner itself wrote one of the paths last, as far as the newest touches tell."""
        for touch in reversed(self.view.state.recent_touches):
            if touch.path in request.crossings and touch.author in request.owners:
                return f" ({_owner(touch.author)} wrote it {age(self._now() - touch.time)} ago)"
        return ""

    def _keys(self, request: RequestState) -> Content:
        if self.over:
            return Content.styled("any key closes", glyphs.MUTED)
        width = self.query_one("#keys").content_size.width
        return Content("\n").join([_answer_lines(answer, width) for answer in self._answers(request)])

    def _answers(self, request: RequestState) -> list[Answer]:
        return answers(self.view.state, request, engine_alive=self.view.engine_alive)

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
            self.dismiss(Verdict(self.request.id, "approve", Scope(scope)))

    def action_reject(self) -> None:
        """Ask for a reason, and reject."""
        if self._may("card.reject"):
            self.post_message(self.RejectWanted(self, self.request))

    def action_undo(self) -> None:
        """Reject, and take back what was written."""
        if self._may("card.undo"):
            self.dismiss(Verdict(self.request.id, "reject", undo=True))

    def action_disown(self) -> None:
        """Say that the change was the operator's own."""
        if self._may("card.mine"):
            self.dismiss(Verdict(self.request.id, "disown"))

    def _may(self, command: str) -> bool:
        """Whether a key decides now; else says why not, or closes a card that is over."""
        request = self.request
        if self.over:
            self.dismiss(None)
            return False
        answer = next((each for each in self._answers(request) if each.command.id == command), None)
        if answer is None:
            return False
        if answer.not_now:
            self.notify(answer.not_now, severity="warning", markup=False, timeout=4)
            return False
        if matter(request) != self._seen:
            self._seen, self._notice = matter(request), "look at what has changed, then press the key again"
            self._draw()
            return False
        return True


def _why(request: RequestState) -> Content:
    lines = []
    if request.reason:
        lines.append(safe(f'"{request.reason}"', limit=1000))
    evidence = request.evidence
    named = request.program if request.pid is None else f"pid {request.pid}"
    if request.held_until is not None and named not in evidence:
        evidence += f"{', ' if evidence else ''}now {process(request)}"
    elif request.program and request.program not in evidence:
        evidence += f"{', ' if evidence else ''}by {request.program}"
    if evidence:
        lines.append(Content.assemble(("evidence: ", glyphs.MUTED), safe(evidence, glyphs.MUTED, limit=500)))
    if request.open and request.hold_over:
        words = f"no write waits: {request.hold_over}; approving lets the next try pass"
        lines.append(safe(words, glyphs.CAUTION, limit=500))
    return Content("\n").join(lines) if lines else Content.styled("no reason given", glyphs.MUTED)


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


def _owner(owner: str | None) -> str:
    return "you" if owner in (None, "operator") else str(owner)
