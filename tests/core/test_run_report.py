"""The report of a run: counted from its log, and shown as text and as a page that fetches nothing."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

from core_play import Play, agent, plan
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from runebook_tui.core import commands as c
from runebook_tui.core.activity import Activity
from runebook_tui.core.forgetting import TouchesForgotten
from runebook_tui.core.printable import as_code, as_markdown, visible
from runebook_tui.core.suggestions import DismissSuggestion, Suggest
from runebook_tui.core.types import OPERATOR, AcceptanceCheck, InterfaceStub
from runebook_tui.report.account import Account
from runebook_tui.report.counting import account
from runebook_tui.report.markdown import markdown
from runebook_tui.report.page import page
from runebook_tui.report.picture import picture

HOSTILE = st.text(max_size=60) | st.sampled_from(
    [
        "<script>alert(1)</script>",
        "](http://x)",
        "| a |\n# b",
        "\x1b[2J",
        "a\udcff",
        "`x` **y**",
        "&lt;",
        "--",
    ]
)


def played() -> Play:
    check = AcceptanceCheck(id="tests", title="The tests pass", command=("make", "test"))
    interface = InterfaceStub(name="storage", owner="beta", path="beta/api")
    play = Play(
        plan(agent("alpha", tasks=["a-1"]), agent("beta"), interfaces=(interface,), acceptance=(check,))
    )
    play.start("alpha", "beta")
    play.now += 60
    for path in ("alpha/x", "alpha/x", "alpha/y"):
        play.write(path, "alpha")
    play.write("alpha/x", OPERATOR)
    play.do(c.Ask("alpha", ("beta/x",), "I need it", None))
    play.now += 30
    play.do(c.Decide(1, "rejected", reason="not now"))
    play.do(c.Ask("beta", ("alpha/z",), "", None))
    play.do(c.PublishApi("beta", "storage", "d1"))
    play.do(c.ReportCommand("alpha", "Claude Code", "make lint", 2, True))
    play.do(c.ReportCommand("alpha", "Claude Code", "ls", 0))
    working, idle = Activity.WORKING, Activity.IDLE
    for doing, tokens, cost in ((working, 100, 0.5), (idle, 300, 1.0), (working, 50, 0.25)):
        play.do(c.ReportActivity("alpha", "Claude Code", doing, tokens=tokens, cost=cost))
    play.do(c.ReportAcceptance("beta", "tests", False, 2, 1.5, "1a2b3c4+"))
    play.do(c.ReportAcceptance("beta", "tests", True, 0, 2.0, "1a2b3c4"))
    play.do(Suggest("beta", "fix", "try the other one"))
    play.now += 10
    play.do(Suggest("beta", "fix", "try the other one"))
    play.do(DismissSuggestion(1, OPERATOR))
    play.do(c.CompleteTask("alpha", "a-1"))
    play.now += 30
    play.exit("beta", code=3)
    return play


def counted() -> Account:
    return account(played().records, 1)


def test_what_happened_is_counted() -> None:
    found = counted()
    alpha, beta = found.agents["alpha"], found.agents["beta"]
    assert {path: each.edits for path, each in alpha.files.items()} == {"alpha/x": 2, "alpha/y": 1}
    assert list(found.files["alpha/x"]) == ["alpha", OPERATOR]
    assert alpha.requests == [1]
    assert (alpha.commands, alpha.failed) == (2, 1)
    assert [(each.command, each.code) for each in alpha.failures] == [("make lint", 2)]
    # 300 by the first counter, then 50 by one that began anew.
    assert (alpha.tokens, alpha.cost) == (350, 1.25)
    assert alpha.tasks["a-1"] is not None
    assert beta.status == "failed"
    assert [each.status for each in beta.spans] == ["failed"]
    first, second = found.requests.values()
    assert (first.status, first.by, first.answer) == ("rejected", "engine", "not now")  # as the play has it
    assert first.paths == ["beta/x"]
    assert first.decided is not None
    assert first.decided - first.opened >= 30
    assert second.status == "open"
    (suggestion,) = found.suggestions.values()
    assert (suggestion.title, suggestion.count, suggestion.status) == ("try the other one", 2, "dismissed")
    check = found.checks["tests"]
    assert (check.passed, check.code, check.commit, check.runs) == (True, 0, "1a2b3c4", 2)
    assert [(each.api, each.version) for each in found.published] == [("storage", 1)]


def test_a_run_has_its_own_records_and_the_requests_that_were_still_open() -> None:
    play = played()
    play.write("beta/late", "alpha")
    crossed = play.state.last_request
    play.do(c.EndRun("stopped", "enough"))
    play.do(c.StartRun(play.state.plan))
    play.do(c.Decide(crossed, "approved"))
    first, second = account(play.records, 1), account(play.records, 2)
    assert (first.outcome, first.reason) == ("stopped", "enough")
    assert first.requests[crossed].status == "open"
    assert list(second.requests) == [crossed]
    assert second.requests[crossed].status == "approved"
    assert not second.agents["alpha"].files


def test_the_text_says_it() -> None:
    text = markdown(counted())
    assert text.startswith("# play: run 1\n")
    html = MarkdownIt("commonmark").enable("table").render(text)
    said = Texts.of(html)
    for words in (
        "rejected by the engine: not now",
        "make lint",
        "350 tokens, $1.25",
        "passed, exit 0, 2.0 s, commit 1a2b3c4, run 2 times",
        "alpha: 2 edits, +0 -0; the operator: 1 edit, +0 -0",
        "storage v1",
    ):
        assert words in said, words


class Texts(HTMLParser):
    """The texts of a page, and the tags and attributes that it has."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @classmethod
    def read(cls, html: str) -> Texts:
        texts = cls()
        texts.feed(html)
        texts.close()
        return texts

    @classmethod
    def of(cls, html: str) -> str:
        return " ".join(cls.read(html).texts)


def test_the_picture_is_well_formed_and_shows_every_row() -> None:
    root = ElementTree.fromstring(picture(counted()))
    name = "{http://www.w3.org/2000/svg}"
    assert len(root.findall(f"{name}circle")) == 2
    assert len(root.findall(f"{name}polygon")) == 1
    assert {each.text for each in root.findall(f"{name}text")} >= {"alpha", "beta", "build"}
    bars = root.findall(f"{name}rect")
    assert {each.get("class") for each in bars} == {"phase", "running", "failed"}
    assert all(0 <= float(each.get("x", "-1")) <= 1000 for each in bars)


@given(st.lists(HOSTILE, min_size=3, max_size=3))
def test_nothing_that_others_wrote_is_markup(texts: list[str]) -> None:
    found = counted()
    found.plan, found.requests[1].reason, found.agents["alpha"].reason = texts
    found.agents["alpha"].files[texts[0]] = found.agents["alpha"].files["alpha/x"]
    found.phases["build"].title = texts[1]
    read = Texts.read(page(found))
    plain = Texts.read(page(counted()))
    assert read.tags == plain.tags
    assert read.attributes == plain.attributes
    assert not read.attributes & {"src", "href", "style", "onload"}
    assert visible(texts[1]) in "".join(read.texts)


@given(HOSTILE)
def test_a_text_in_the_markdown_shows_as_it_is(text: str) -> None:
    shown = " ".join(visible(text).split())
    html = MarkdownIt("commonmark").enable("table").render(f"x {as_markdown(text)} x")
    read = Texts.read(html)
    assert read.tags == {"p"}
    assert " ".join("".join(read.texts).split()) == f"x {shown} x".replace("x  x", "x x")


@given(HOSTILE)
def test_a_command_in_the_markdown_shows_as_it_is(text: str) -> None:
    read = Texts.read(MarkdownIt("commonmark").render(f"x {as_code(text)} x"))
    assert read.tags == {"p", "code"}
    assert "".join(read.texts).split() == ["x", *visible(text).split(), "x"]


def test_what_the_log_no_longer_has_is_said() -> None:
    play = played()
    whole = account(play.records, 1)
    assert "no longer kept" not in markdown(whole)
    play.append(TouchesForgotten(before=9, touches=4, runs={1: 3, 2: 8}))
    found = account(play.records, 1)
    assert found.forgotten == 3
    assert "3 older changes are no longer kept in the log, and not counted here." in markdown(found)
    assert "3 older changes are no longer kept" in page(found)
