"""A Markdown plan as sections with labelled fields and lists, each with its line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.token import Token

from runebook_tui.core.types import Task


@dataclass(frozen=True)
class Phrase:
    """A line of text: as it reads, and the parts of it that are set as code."""

    text: str
    line: int
    code: tuple[str, ...] = ()
    label: str = ""
    """The bold words that it begins with, without the colon."""

    @property
    def value(self) -> str:
        """The text after the label."""
        return self.text[len(self.label) :].lstrip(" :").strip() if self.label else self.text


@dataclass
class Part:
    """One paragraph line with the list below it."""

    phrase: Phrase
    items: list[Phrase] = field(default_factory=list)


@dataclass
class Section:
    """A heading and what stands below it, up to the next heading."""

    title: Phrase
    level: int
    parts: list[Part] = field(default_factory=list)
    above: tuple[str, ...] = ()
    """The titles of the sections that hold this one."""

    @property
    def text(self) -> str:
        """Everything below the heading, as it reads."""
        return "\n".join(p.text for part in self.parts for p in (part.phrase, *part.items))


@dataclass
class WrittenAgent:
    """An agent as the document has it."""

    id: str
    title: str
    number: str
    """What follows "Agent" in its name, or an empty text."""
    phase: str
    line: int
    tasks: list[Task] = field(default_factory=list)
    phrases: list[Phrase] = field(default_factory=list)
    """The tasks as written, in the order of `tasks`."""
    owns: list[Phrase] = field(default_factory=list)


def sections(text: str) -> list[Section]:
    """The sections of a CommonMark text; what stands before the first heading is left out."""
    tokens = MarkdownIt("commonmark").parse(text)
    found: list[Section] = []
    lists = 0
    for number, token in enumerate(tokens):
        if token.type == "heading_open":
            level = int(token.tag[1:])
            title = next(_phrases(tokens[number + 1]), Phrase("", _line(token)))
            above = _above(found, level)
            found.append(Section(title, level, above=above))
        elif token.type in ("bullet_list_open", "ordered_list_open"):
            lists += 1
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            lists -= 1
        elif token.type == "inline" and found and tokens[number - 1].type == "paragraph_open":
            _place(found[-1], list(_phrases(token)), listed=lists > 0)
    return found


def _place(section: Section, phrases: list[Phrase], *, listed: bool) -> None:
    if not listed:
        section.parts += [Part(phrase) for phrase in phrases]
        return
    if not section.parts:
        section.parts.append(Part(Phrase("", section.title.line)))
    # A list item that goes on over several lines is one phrase; but a bold label that follows a list
    # without a blank line was meant to end it, whatever CommonMark says.
    end = next((n for n, phrase in enumerate(phrases) if n and phrase.label), len(phrases))
    item, rest = phrases[:end], phrases[end:]
    if item:
        text = " ".join(phrase.text for phrase in item)
        code = tuple(name for phrase in item for name in phrase.code)
        section.parts[-1].items.append(Phrase(text, item[0].line, code, item[0].label))
    section.parts += [Part(phrase) for phrase in rest]


def _above(found: list[Section], level: int) -> tuple[str, ...]:
    titles: list[str] = []
    for section in reversed(found):
        if section.level < level:
            titles.append(section.title.text)
            level = section.level
    return tuple(reversed(titles))


def _phrases(token: Token) -> Iterator[Phrase]:
    """The lines of an inline token."""
    line = _line(token)
    code: list[str] = []
    text, label, bold = "", "", 0
    for child in token.children or ():
        if child.type in ("softbreak", "hardbreak"):
            if text.strip():
                yield Phrase(text.strip(), line, tuple(code), label)
            text, code, label, line = "", [], "", line + 1
        elif child.type == "strong_open":
            bold += 1
        elif child.type == "strong_close":
            bold -= 1
        else:
            if bold and text.strip() == label:
                label = (text + child.content).strip().rstrip(":").strip()
            if child.type == "code_inline":
                code.append(child.content)
            text += re.sub(r"\s+", " ", child.content)
    if text.strip():
        yield Phrase(text.strip(), line, tuple(code), label)


def _line(token: Token) -> int:
    return (token.map[0] if token.map else 0) + 1
