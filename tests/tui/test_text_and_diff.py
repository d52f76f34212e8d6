"""Text made safe, diffs taken apart, sentences."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.content import Content
from tui_scenes import PLAN, by, touch

from runebook_tui.core import events as e
from runebook_tui.core.acceptance import AcceptanceRan
from runebook_tui.core.activity import Activity, ActivityChanged, CommandRan
from runebook_tui.core.aftermath import DecisionTakenBack, TaskHandedOver
from runebook_tui.core.capture import ShellEnded, ShellStarted
from runebook_tui.core.contract import ApiDrifted, ApiRestored
from runebook_tui.core.copies import CopyChecked
from runebook_tui.core.grants import Scope
from runebook_tui.core.learning import LessonDismissed
from runebook_tui.core.messages import MessageDelivered, MessageSent
from runebook_tui.core.needs import counts
from runebook_tui.core.observed import AgentObserved
from runebook_tui.core.planedits import AddMayWrite
from runebook_tui.core.presence import OperatorLooked
from runebook_tui.core.printable import visible
from runebook_tui.core.reviews import Recommended
from runebook_tui.core.sentences import sentence
from runebook_tui.core.snoozing import Snoozed
from runebook_tui.core.speech import QuestionAnswered, SaidToAgent
from runebook_tui.core.standing import Word
from runebook_tui.core.suggestions import SuggestionAdded, SuggestionApplied, SuggestionDismissed
from runebook_tui.core.types import AgentStatus, Author, Crossing, RequestKind
from runebook_tui.tui import glyphs
from runebook_tui.tui.text import age, clock, cut, cut_path, edges, safe
from runebook_tui.tui.widgets.diff import diff_lines

ANY_TEXT = st.text(
    st.characters() | st.characters(categories=["Cs", "Cc", "Cf", "Mn", "Zl", "Zp"]), max_size=80
)


@given(ANY_TEXT)
def test_visible_text_is_printable_and_keeps_what_prints(text: str) -> None:
    shown = visible(text)
    assert all(character.isprintable() for character in shown)
    assert not any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") for character in shown)
    assert visible(shown) == shown
    shown.encode("utf-8")
    if text.isascii() and text.isprintable():
        assert shown == text


@given(st.binary(max_size=40))
def test_every_path_of_bytes_can_be_shown(raw: bytes) -> None:
    path = raw.decode("utf-8", "surrogateescape")
    assert visible(path).isprintable()


@given(ANY_TEXT, st.integers(-1, 40))
def test_what_is_cut_fits(text: str, width: int) -> None:
    assert cell_len(cut(text, width)) <= max(width, 0)
    assert cell_len(cut_path(text, width)) <= max(width, 0)


@given(ANY_TEXT, ANY_TEXT, st.integers(0, 40))
def test_edges_fill_the_line(left: str, right: str, width: int) -> None:
    assert edges(safe(left), safe(right), width).cell_length == width


@given(ANY_TEXT)
def test_safe_text_is_never_markup(text: str) -> None:
    content = safe(text, "bold")
    assert content.plain == visible(text)
    assert all(span.style == "bold" for span in content.spans)
    assert isinstance(content, Content)


def test_a_long_path_keeps_its_name() -> None:
    assert (
        cut_path("src/a/very/long/way/down/to/the/file.py", 20)
        == "…/down/to/the/file.py"[:1] + "/to/the/file.py"
    )
    assert cut_path("x" * 100 + ".py", 10) == "…" + "x" * 6 + ".py"
    assert cut_path("short.py", 20) == "short.py"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0:00"),
        (0, "0:00"),
        (14, "0:14"),
        (123.9, "2:03"),
        (3723, "1:02:03"),
        (3 * 86400 + 4 * 3600, "3d 04h"),
    ],
)
def test_ages(seconds: float, words: str) -> None:
    assert age(seconds) == words


def test_the_clock_always_has_hours() -> None:
    assert clock(2467) == "0:41:07"


def test_every_sign_is_one_cell_and_has_an_ascii_form() -> None:
    for sign, form in glyphs._SIGNS.items():
        assert cell_len(sign) == 1, sign
        assert len(form) == 1
        assert form.isascii()


def test_ascii_is_wanted_by_word_or_by_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RUNEBOOK_ASCII", raising=False)
    monkeypatch.setattr("locale.getpreferredencoding", lambda _: "ANSI_X3.4-1968")
    assert glyphs.ascii_wanted()
    monkeypatch.setattr("locale.getpreferredencoding", lambda _: "UTF-8")
    assert not glyphs.ascii_wanted()
    monkeypatch.setenv("RUNEBOOK_ASCII", "1")
    assert glyphs.ascii_wanted()


def test_a_diff_is_numbered() -> None:
    lines = list(diff_lines("--- a/x\n+++ b/x\n@@ -3,2 +3,3 @@ def f\n same\n-old\n+new\n+newer\n"))
    assert [(line.number, line.text[:2]) for line in lines] == [
        (None, "--"),
        (None, "++"),
        (None, "@@"),
        (3, " s"),
        (4, "-o"),
        (4, "+n"),
        (5, "+n"),
    ]


def test_text_in_a_hunk_cannot_play_a_header() -> None:
    diff = "@@ -1,2 +1,2 @@\n--- a/x\n+++ b/x\n-@@ -9 +9 @@\n+@@ -9 +9 @@\n\\ No newline\n--- a/y\n"
    styles = [line.style for line in diff_lines(diff)]
    assert styles == [
        glyphs.BUSY,
        glyphs.BAD,
        glyphs.GOOD,
        glyphs.BAD,
        glyphs.GOOD,
        glyphs.MUTED,
        glyphs.MUTED,
    ]


@given(st.text(max_size=200))
def test_any_diff_is_taken_apart(diff: str) -> None:
    assert "\n".join(line.text for line in diff_lines(diff)) == diff.removesuffix("\n")


SENTENCES: list[tuple[e.Event, str, str]] = [
    (e.RunStarted(plan=PLAN), "operator", "you started run 1 of checkout-rewrite"),
    (e.PlanChanged(plan=PLAN), "operator", "you changed the plan"),
    (e.RunEnded(outcome="failed", reason="x failed"), "engine", "run 1 failed: x failed"),
    (
        e.EngineStarted(pid=3, host="h", adopted=("a", "b")),
        "engine",
        "engine started on h (pid 3), found at work: a, b",
    ),
    (e.EngineStopped(reason="down"), "engine", "engine stopped: down"),
    (e.PhaseStarted(phase="p"), "engine", "phase p started"),
    (e.PhaseCompleted(phase="p"), "engine", "phase p is complete"),
    (e.FinalizeStarted(agent="a"), "engine", "a was told to finalize"),
    (e.StatusUpdate(agent="a", status=AgentStatus.WAITING, reason="API s"), "engine", "a waits for API s"),
    (e.StatusUpdate(agent="a", status=AgentStatus.FAILED, reason="exit 3"), "engine", "a failed: exit 3"),
    (e.StatusUpdate(agent="a", status=AgentStatus.COMPLETED), "engine", "a is done"),
    (e.AgentStarted(agent="a", pane="%1", pid=5, attempt=2), "engine", "a started (pid 5, attempt 2)"),
    (e.AgentReady(agent="a"), "a", "a is ready"),
    (e.AgentExited(agent="a", signal=9), "engine", "a ended: signal 9"),
    (e.AgentExited(agent="a", code=0), "engine", "a ended: exit 0"),
    (e.TaskStarted(agent="a", task="t"), "a", "a took up task t"),
    (e.TaskBlocked(agent="a", task="t", reason="r"), "a", "a cannot go on with task t: r"),
    (e.TaskCompleted(agent="a", task="t"), "a", "a completed task t"),
    (e.ApiPublished(agent="a", api="s", path="s.py", digest="d", version=2), "a", "a published s v2 (s.py)"),
    (
        ApiDrifted(api="s", request=4, digest="d", diff="--- s v1\n+++ s now\n@@ -1 +1 @@\n-f(a)\n+f(b)\n"),
        "engine",
        "request 4: s is not as it was published: gone: f(a) / new: f(b)",
    ),
    (ApiRestored(api="s", version=2), "engine", "s is as it was published again (v2)"),
    (CopyChecked(api="s", host="gpu", version=2, lacks="lacks s.py"), "engine", "host gpu lacks s.py"),
    (CopyChecked(api="s", host="", version=2), "engine", "the plan's own host has s v2 as published"),
    (e.EngineStarted(pid=3, host="h", serves="gpu"), "engine", "engine of host gpu started on h (pid 3)"),
    (
        e.CoordinationRequest(
            request=4,
            kind=RequestKind.CROSSED,
            requester=None,
            candidates=("a", "operator"),
            crossings=(Crossing(path="x", owner="b"), Crossing(path="y", owner=None)),
        ),
        "engine",
        "request 4: a or you wrote x and 1 more, owned by b, you",
    ),
    (
        e.RequestGrew(request=4, crossings=(Crossing(path="z", owner="b"),)),
        "engine",
        "request 4 grew: z",
    ),
    (
        e.LaneOpened(agent="a", branch="runebook/a", fresh=True),
        "engine",
        "a has its worktree on runebook/a, as HEAD",
    ),
    (e.LaneIntegrated(agent="a", commit="1", paths=("x", "y")), "engine", "2 paths of a integrated"),
    (
        e.HoldStarted(request=4, pid=7, program="sed", until=9.0),
        "engine",
        "request 4: sed (pid 7) waits for you, 9 s at most",
    ),
    (e.HoldEnded(request=4, reason="r"), "engine", "request 4: no write waits any more: r"),
    (e.RequestWithdrawn(request=4, reason="r"), "operator", "request 4 was withdrawn: r"),
    (
        e.CoordinationResponse(request=4, decision="approved", scope=Scope.TASK),
        "operator",
        "you approved request 4 until the task ends",
    ),
    (
        e.CoordinationResponse(request=4, decision="rejected", reason="no"),
        "operator",
        "you rejected request 4: no",
    ),
    (e.GrantUsed(request=4, path="x"), "a", "the approval of request 4 was used for x"),
    (
        e.Touched(change=touch("x", by("a")).change, author=Author(name="operator"), cause="git pull"),
        "engine",
        "you wrote x +3 −1 (git pull)",
    ),
    (
        e.ChangeUndone(undo="u1", request=4, changes=(touch("x", by("a")).change,), patch="p"),
        "operator",
        "request 4 was undone as u1: x",
    ),
    (
        e.UndoRefused(undo="u1", request=4, path="x", reason="r", patch="p"),
        "operator",
        "request 4 was not undone: x: r",
    ),
    (
        e.UndoRestored(undo="u1", changes=(touch("x", by("a")).change,)),
        "operator",
        "undo u1 was restored: x",
    ),
    (
        e.TouchesForgotten(before=900, touches=1_200, runs={1: 150}),
        "engine",
        "the log forgot 150 old changes of files",
    ),
    (e.NetReported(net="gate", agent="a", holds=False, reason="r"), "engine", "the gate of a is off: r"),
    (e.NetReported(net="watch", holds=True), "engine", "the live watch sees again"),
    (
        e.AttemptRefused(speaker="a", attempt="approve 4", reason="only you may"),
        "a",
        "a was refused: approve 4: only you may",
    ),
    (
        ActivityChanged(agent="a", client="Codex", activity=Activity.WAITING, about="may Bash run?"),
        "a",
        "a: Codex waits for your input (may Bash run?)",
    ),
    (
        CommandRan(agent="a", client="Codex", command="make", code=2, seconds=1.25),
        "a",
        "a ran make (exit 2 after 1.2 s)",
    ),
    (
        AcceptanceRan(agent="a", check="tests", command="make", passed=False, code=1),
        "a",
        "the acceptance check tests failed: exit 1",
    ),
    (ShellStarted(agent="a", shell="fish", session="7", folder=""), "a", "fish (7) of a began in ."),
    (ShellEnded(agent="a", shell="fish", session="7"), "a", "fish (7) of a ended"),
    (
        SuggestionAdded(
            suggestion=2,
            agent="a",
            kind="fix",
            priority="high",
            title="install it",
            confidence=0.9,
            fingerprint="f",
        ),
        "a",
        "a suggests (2): install it",
    ),
    (SuggestionDismissed(suggestion=2, by="operator"), "operator", "you dismissed suggestion 2"),
    (SuggestionApplied(suggestion=2, by="operator"), "operator", "you applied suggestion 2"),
    (DecisionTakenBack(request=4, was="approved"), "operator", "you took back that request 4 was approved"),
    (
        TaskHandedOver(agent="b", task="request-4", title="t", request=4),
        "operator",
        "you handed request 4 over to b as task request-4",
    ),
    (MessageSent(message=1, sender="operator", to=("a",), text="hi"), "operator", "you told a: hi"),
    (
        MessageDelivered(messages=(1, 2), reader="a", by="hook"),
        "engine",
        "a was given message 1, 2 (by hook)",
    ),
    (
        Recommended(request=4, agent="b", advice="reject", reason="no"),
        "b",
        "b recommends to reject request 4: no",
    ),
    (OperatorLooked(leaves=True), "operator", "you left the screen"),
    (
        AgentObserved(agent="a", word=Word.LIMITED, rule="codex: limit", line="try again at 3 pm"),
        "engine",
        "a is rate-limited, its pane says (codex: limit): try again at 3 pm",
    ),
    (Snoozed(agent="a", until=900.0), "operator", "you put the call of a off for 15 min"),
    (
        SaidToAgent(agent="a", text="go on\nnow", outcome="submitted", why="its client says so"),
        "operator",
        "you said to a: go on",
    ),
    (
        SaidToAgent(agent="a", text="go on", outcome="held", why="a is not running"),
        "operator",
        "you did not say to a (a is not running): go on",
    ),
    (
        QuestionAnswered(agent="a", question="may Bash run?", answer="no", by="hook"),
        "operator",
        "you answered a no: may Bash run?",
    ),
    (
        LessonDismissed(edit=AddMayWrite("a", "src/**")),
        "operator",
        "you dismissed the lesson: a may write src/** without asking",
    ),
]


@pytest.mark.parametrize(("event", "actor", "words"), SENTENCES)
def test_every_event_is_one_sentence(event: e.Event, actor: str, words: str) -> None:
    assert sentence(e.Record(seq=1, time=0.0, run=1, actor=actor, event=event)) == words


def test_no_kind_of_event_is_without_a_sentence_here() -> None:
    union = e.Event.__args__[0]
    assert {type(event) for event, _, _ in SENTENCES} == set(union.__args__)


def test_every_agent_is_counted_once() -> None:
    from tui_scenes import scene

    state = scene().state
    assert counts(state, 0.0) == {"working": 2, "blocked": 1, "not started": 1, "done": 1, "failed": 1}
    assert sum(counts(state, 0.0).values()) == len(state.agents)
