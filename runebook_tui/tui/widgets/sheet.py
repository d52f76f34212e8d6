"""RequestSheet: one request with all that is known of it, its diff, and what each key will do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.events import Resize
from textual.message import Message
from textual.reactive import reactive

from runebook_tui.core import consequences
from runebook_tui.core.aftermath import Means
from runebook_tui.core.decisions import why_not_by
from runebook_tui.core.grants import Scope
from runebook_tui.core.hosts import request_place
from runebook_tui.core.state import RequestState
from runebook_tui.core.types import RequestKind
from runebook_tui.history.heads import FileHead
from runebook_tui.tui import commands, glyphs, heading
from runebook_tui.tui.answers import Answer, answers
from runebook_tui.tui.backend import Backend, BackendError
from runebook_tui.tui.text import safe
from runebook_tui.tui.verdict import Verdict, about, matter
from runebook_tui.tui.view import EMPTY, View
from runebook_tui.tui.widgets.diff import DiffView
from runebook_tui.tui.widgets.words import Words, entitle

_PATHS_SHOWN = 200
_WORD_CELLS = 21
_LOOK = "look, then press the key again"


class RequestSheet(Vertical):
    """Shows a request as it is now, and turns a key into an answer that is bound to what was shown.

    `now` gives unix seconds. `over` says, of a request that is decided, how and what the keys do then.
    """

    view: reactive[View] = reactive(EMPTY)

    class Answered(Message):
        """The operator has answered what the sheet shows."""

        def __init__(self, verdict: Verdict) -> None:
            super().__init__()
            self.verdict = verdict

    class Read(Message):
        """The diff of what is shown is on the sheet."""

    class RejectWanted(Message):
        """The operator wants to reject what the sheet shows, and may give a reason."""

        def __init__(self, sheet: RequestSheet, request: RequestState) -> None:
            super().__init__()
            self.sheet = sheet
            self.request = request

    class PatchWanted(Message):
        """The operator wants to see what the plan would be changed to."""

        def __init__(self, sheet: RequestSheet, request: RequestState, means: Means) -> None:
            super().__init__()
            self.sheet = sheet
            self.request = request
            self.means = means

    def __init__(
        self,
        backend: Backend,
        now: Callable[[], float],
        over: Callable[[RequestState], tuple[str, str]],
        *,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self.diff_view = DiffView(id="diff")
        self._backend = backend
        self._now = now
        self._over = over
        self._shown: dict[str, str] = {}
        """What was at the paths when the diff was read."""
        self._listed = False
        """Whether earlier decisions stand in the place of the diff."""
        self._first: RequestState | None = None
        self._seen: object = None
        """What the request was about when the operator last looked."""
        self._notice = ""
        self.version: object = None
        """What is shown of the files: equal as long as that is; None while it is being read."""

    def compose(self) -> ComposeResult:
        """Title, reason, evidence, diff, keys."""
        yield Words(id="who")
        yield Words(id="why")
        yield self.diff_view
        yield Words(id="notice")
        with VerticalScroll(id="key-list"):
            yield Words(id="keys")

    def on_mount(self) -> None:
        """The age goes on each second."""
        self.call_after_refresh(self._draw)
        self.set_interval(1.0, self._draw)
        self.watch(self.query_one("#key-list"), "virtual_size", self._tell_more)

    def show(self, request: RequestState | None) -> None:
        """Show another request, or none; nothing happens when it is shown already."""
        if self._first is not None and request is not None and self._first.id == request.id:
            return
        self._first = request
        self._seen = None if request is None else matter(request)
        self._notice, self._listed, self._shown = "", False, {}
        if self.is_mounted:
            self.look_again()
            self._draw()

    def look_again(self) -> None:
        """Read the diff anew."""
        if self._first is not None:
            self.version = None
            self._read()

    @property
    def request(self) -> RequestState | None:
        """The request as it is now."""
        first = self._first
        return None if first is None else self.view.state.requests.get(first.id, first)

    @property
    def over(self) -> bool:
        """Whether it is decided."""
        return self.request is not None and not self.request.open

    def watch_view(self) -> None:
        """Show the change, and say so if it is one."""
        request = self.request
        if not self.is_mounted or request is None:
            return
        if request.open and matter(request) != self._seen and not self._notice:
            ended = f"no write waits any more ({request.hold_over})" if request.hold_over else ""
            self._notice = f"{ended or 'this request has changed since you opened it'}: {_LOOK}"
            self._listed = False
            self.look_again()
        self._draw()

    @work(exclusive=True, group="diff")
    async def _read(self) -> None:
        """Show the diff, below the paths when there are several."""
        request = self.request
        if request is None:
            return
        written = request.kind not in (RequestKind.ASKED, RequestKind.HELD)
        try:
            if not written:
                self._shown = await self._backend.seen(request.id)
            diff = await self._backend.diff(request.id)
            heads = () if written else await self._backend.heads(request.id)
        except BackendError as error:
            self.diff_view.show_diff("", [f"the diff cannot be read: {error}"])
            self._has_read((str(error),))
            return
        words = []
        if not written:
            words.append(_nothing_written(request, diff, heads))
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
        self._has_read((diff, heads))

    def _has_read(self, shown: tuple[object, ...]) -> None:
        self.version = (*shown, tuple(self._shown.items()))
        self.post_message(self.Read())

    def _draw(self) -> None:
        request = self.request
        self.set_class(request is None, "-empty")
        if request is None:
            self.border_title = self.border_subtitle = None
            return
        glyph = glyphs.REQUEST[request.kind]
        title = Content.assemble(
            (glyph.sign, glyph.style), f" Request {request.id} ", (f"· {request.kind}", glyphs.MUTED)
        )
        now = self._now()
        ended, keys = self._over(request) if self.over else ("", "")
        entitle(self, title, Content() if self.over else heading.deadline(request, now))
        place = request_place(self.view.state, request, self.view.away)
        self.query_one("#who", Words).update(heading.title(request, place))
        self.query_one("#why", Words).update(heading.why(self.view.state, request, now))
        notice = self.query_one("#notice", Words)
        notice.update(safe(ended or self._notice))
        notice.display = bool(ended or self._notice)
        shown = Content.styled(keys, glyphs.MUTED) if self.over else self._keys(request)
        self.query_one("#keys", Words).update(shown)

    def _tell_more(self) -> None:
        """Say that there are more keys than can be seen."""
        keys = self.query_one("#key-list")
        more = keys.virtual_size.height > keys.size.height
        self.diff_view.border_subtitle = Content("more keys below: tab, then ↓") if more else None

    def _keys(self, request: RequestState) -> Content:
        width = self.query_one("#keys").content_size.width
        return Content("\n").join([_answer_lines(answer, width) for answer in self._answers(request)])

    def _answers(self, request: RequestState) -> list[Answer]:
        return answers(
            self.view.state,
            request,
            engine_alive=self.view.engine_alive,
            earlier=len(self._earlier(request)),
            listed=self._listed,
        )

    def _earlier(self, request: RequestState) -> tuple[str, ...]:
        """What was decided about the same paths before, a line each, the newest first."""
        decisions = consequences.earlier(self.view.state, request)
        return tuple(heading.decided(each, self._now()) for each in decisions)

    def on_resize(self, event: Resize) -> None:
        """The words of the keys are folded for the width."""
        self.call_after_refresh(self._draw)

    # ── answers ─────────────────────────────────────────────────────────────────────────────────

    def approve(self, scope: Scope) -> None:
        """Approve what is shown."""
        command = {Scope.ONCE: "card.approve", Scope.TASK: "card.task", Scope.PLAN: "card.plan"}[scope]
        if request := self._decidable(command):
            self.answer(self._verdict(request, "approve", scope))

    def reject(self) -> None:
        """Ask for a reason, and reject."""
        if request := self._decidable("card.reject"):
            self.post_message(self.RejectWanted(self, request))

    def undo(self) -> None:
        """Reject, and take back what was written."""
        if request := self._decidable("card.undo"):
            self.answer(Verdict((request.id,), "reject", undo=True))

    def change_plan(self, means: Means) -> None:
        """See the patch of the plan that allows it for good."""
        command = {"widened": "card.widen", "transferred": "card.transfer"}[means]
        if request := self._decidable(command, means):
            self.post_message(self.PatchWanted(self, request, means))

    def plan_changed(self, means: Means, plan: str, request: RequestState) -> None:
        """The operator accepted the patch of the plan whose text has the SHA-256 `plan`.

        `request` is as it was when the patch was asked for.
        """
        verdict = self._verdict(request, "approve")
        self.answer(replace(verdict, means=means, plan=plan, about=about([request])))

    def hand_over(self) -> None:
        """Reject, and give the owner the change as a task."""
        if request := self._decidable("card.hand_over", "handed over"):
            self.answer(Verdict((request.id,), "reject", means="handed over"))

    def disown(self) -> None:
        """Say that the change was the operator's own."""
        if request := self._decidable("card.mine"):
            self.answer(Verdict((request.id,), "disown"))

    def earlier(self) -> None:
        """Show earlier decisions in the place of the diff, or the diff again."""
        request = self.request
        earlier = () if request is None else self._earlier(request)
        if not earlier:
            self.notify("nothing was decided about these paths before", markup=False, timeout=4)
            return
        self._listed = not self._listed
        if self._listed:
            self.diff_view.show_diff("", ["decided before about the same paths:", "", *earlier])
        else:
            self.look_again()
        self._draw()

    def answer(self, verdict: Verdict) -> None:
        """Post the operator's answer."""
        self.post_message(self.Answered(verdict))

    def _verdict(
        self, request: RequestState, do: Literal["approve", "reject"], scope: Scope = Scope.ONCE
    ) -> Verdict:
        """An answer that is bound to what was shown."""
        return Verdict((request.id,), do, scope, seen=self._shown)

    def _decidable(self, command: str, means: Means = "") -> RequestState | None:
        """The request, if a key decides it now, by `means`; else says why not."""
        request = self.request
        if request is None or self.over:
            return None
        answer = next((each for each in self._answers(request) if each.command.id == command), None)
        why = why_not_by(self.view.state, request, means) if answer is None else answer.not_now
        if why:
            self.notify(why, severity="warning", markup=False, timeout=4)
        if why or answer is None:
            return None
        if matter(request) != self._seen:
            self._seen, self._notice = matter(request), "look at what has changed, then press the key again"
            self._draw()
            return None
        return request


def _nothing_written(request: RequestState, diff: str, heads: tuple[FileHead, ...]) -> str:
    if diff and heads:
        shows = "; below is what would come, and the other files as they are now"
    elif diff:
        shows = "; below is what would come"
    else:
        shows = "; below is what is there now" if heads else ": there is no diff to show"
    return f"{'nothing is written yet' if request.open else 'it asked before it wrote'}{shows}"


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
