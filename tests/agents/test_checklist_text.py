"""The checklist: Runebook's lines are true, and people's lines are theirs."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from runebook_agents.finalization.checklist import HEADING, Item, updated

TESTS = Item("tests", "The tests pass", "make test", True, "exit 0")
LINT = Item("lint", "", "ruff check", False, "exit 1")

LINES = st.sampled_from(
    [
        b"",
        b"# Ours",
        b"- [ ] look at it yourself",
        b"- [x] done <!-- runebook:tests --> by hand",
        b"<!-- runebook: -->",
        b"\xff\xfe",
        b"a\rb\x0bc\x85",
        b"- [ ] old <!-- runebook:tests -->",
        b"- [x] older <!-- runebook:gone --> ",
    ]
)
ITEMS = st.lists(st.sampled_from([TESTS, LINT]), unique=True)


def foreign(content: bytes) -> list[bytes]:
    """The lines that are nobody's but people's, without the ends and the blank ones."""
    lines = (line.removesuffix(b"\r") for line in content.split(b"\n"))
    ours = re.compile(rb"<!-- runebook:[a-z0-9_-]+ -->[ \t]*\Z")
    return [line for line in lines if line.strip() and not ours.search(line)]


def test_a_new_file_has_a_heading_and_the_items() -> None:
    assert updated(b"", [TESTS, LINT]) == HEADING + (
        b"- [x] The tests pass: `make test`, exit 0 <!-- runebook:tests -->\n"
        b"- [ ] lint: `ruff check`, exit 1 <!-- runebook:lint -->\n"
    )


def test_items_stay_where_people_move_them() -> None:
    content = b"intro\n\n* mine\n- [ ] x <!-- runebook:tests -->\n* mine, too\n\nend"
    after = updated(content, [LINT, TESTS])
    assert after.split(b"\n") == [
        b"intro",
        b"",
        b"* mine",
        b"- [x] The tests pass: `make test`, exit 0 <!-- runebook:tests -->",
        b"- [ ] lint: `ruff check`, exit 1 <!-- runebook:lint -->",
        b"* mine, too",
        b"",
        b"end",
    ]
    assert updated(after, [LINT, TESTS]) == after


def test_a_file_without_items_gets_them_at_its_end() -> None:
    assert updated(b"mine\r\nmore", [TESTS]) == (
        b"mine\r\nmore\r\n\r\n- [x] The tests pass: `make test`, exit 0 <!-- runebook:tests -->\r\n"
    )


@given(st.lists(LINES), st.sampled_from([b"\n", b"\r\n"]), st.booleans(), ITEMS, ITEMS)
def test_peoples_lines_survive_byte_for_byte(
    lines: list[bytes], ends: bytes, ended: bool, first: list[Item], second: list[Item]
) -> None:
    content = ends.join(lines) + (ends if ended else b"")
    once = updated(content, first)
    twice = updated(once, second)
    heading = [HEADING.strip()]  # only where there was no text at all
    assert foreign(once) == foreign(content) or (not content and foreign(once) == heading)
    assert foreign(twice) == foreign(once) or (not once and foreign(twice) == heading)
    assert updated(twice, second) == twice
    for item in second:
        assert twice.count(b"<!-- runebook:%s -->" % item.id.encode()) >= 1


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_no_title_or_command_breaks_its_line(title: str, command: str, evidence: str) -> None:
    after = updated(b"", [Item("tests", title, command, True, evidence)])
    assert after.count(b"\n") == HEADING.count(b"\n") + 1
    html = MarkdownIt("commonmark").render(after.decode())
    assert set(re.findall(r"<(\w+)", html)) <= {"h1", "ul", "li", "code"}
    assert updated(after, []) == HEADING
