"""A shell command as words, as far as it can be read without running it.

The grammar is POSIX's (XCU 2.2, 2.3, 2.7), without what only a run can tell: an expansion makes its word
unreadable (`plain` False), never wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, field

MOST_CHARACTERS = 200_000
_OPERATORS = ("&&", "||", ";;", ";", "&", "|", "(", ")", "\n")
_REDIRECTIONS = ("<<<", "<<-", "<<", "<>", "<&", "<", "&>>", "&>", ">>", ">|", ">&", ">")
_WRITING = ("&>>", "&>", ">>", ">|", ">&", ">", "<>")


@dataclass(frozen=True)
class Word:
    """One word; `plain` says that it stands for exactly this text."""

    text: str
    plain: bool = True


@dataclass
class Simple:
    """One simple command: its words, the files that it is redirected into, the texts it is fed."""

    words: list[Word] = field(default_factory=list)
    targets: list[Word] = field(default_factory=list)
    documents: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Operator:
    """What stands between commands."""

    sign: str


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text[:MOST_CHARACTERS]
        self.at = 0

    def starts(self, signs: tuple[str, ...]) -> str | None:
        return next((sign for sign in signs if self.text.startswith(sign, self.at)), None)

    def blanks(self) -> None:
        while self.at < len(self.text):
            if self.text[self.at] in " \t\r":
                self.at += 1
            elif self.text.startswith("\\\n", self.at):
                self.at += 2
            else:
                return

    def comment(self) -> None:
        while self.at < len(self.text) and self.text[self.at] != "\n":
            self.at += 1

    def word(self) -> Word:
        """The word that begins here."""
        said: list[str] = []
        plain = True
        while self.at < len(self.text):
            each = self.text[self.at]
            if each in " \t\r\n;&|()<>":
                break
            if each == "\\":
                said.append(self.text[self.at + 1 : self.at + 2].replace("\n", ""))
                self.at += 2
            elif each == "'":
                end = self.text.find("'", self.at + 1)
                end = len(self.text) if end < 0 else end
                said.append(self.text[self.at + 1 : end])
                self.at = end + 1
            elif each == '"':
                text, exact = self._quoted()
                said.append(text)
                plain = plain and exact
            elif each in "$`":
                plain = False
                self._expansion()
            else:
                plain = plain and each not in "*?[{"
                said.append(each)
                self.at += 1
        text = "".join(said)
        return Word(text, (plain or text == "{") and not text.startswith("~"))

    def _quoted(self) -> tuple[str, bool]:
        said: list[str] = []
        plain = True
        self.at += 1
        while self.at < len(self.text):
            each = self.text[self.at]
            if each == '"':
                self.at += 1
                break
            if each == "\\" and self.text[self.at + 1 : self.at + 2] in ("$", "`", '"', "\\", "\n"):
                said.append(self.text[self.at + 1].replace("\n", ""))
                self.at += 2
            elif each in "$`":
                plain = False
                self._expansion()
            else:
                said.append(each)
                self.at += 1
        return "".join(said), plain

    def _expansion(self) -> None:
        """Pass over `$name`, `${…}`, `$(…)`, `$'…'` or a command in backquotes."""
        if self.text[self.at] == "`":
            end = self.text.find("`", self.at + 1)
            self.at = len(self.text) if end < 0 else end + 1
            return
        self.at += 1
        opening = self.text[self.at : self.at + 1]
        closing = {"(": ")", "{": "}"}.get(opening)
        if closing is None:
            self.at += 1 if opening and opening not in " \t\r\n;&|()<>\"'\\" else 0
            return
        depth = 0
        while self.at < len(self.text):
            depth += {opening: 1, closing: -1}.get(self.text[self.at], 0)
            self.at += 1
            if depth == 0:
                return

    def document(self, end: str, *, tabs: bool) -> str:
        """The lines of a here-document from the next line on."""
        lines: list[str] = []
        while self.at < len(self.text):
            stop = self.text.find("\n", self.at)
            stop = len(self.text) if stop < 0 else stop
            line = self.text[self.at : stop]
            self.at = stop + 1
            line = line.lstrip("\t") if tabs else line
            if line == end:
                break
            lines.append(line)
        return "".join(f"{line}\n" for line in lines)


def commands_of(text: str) -> list[Simple | Operator]:
    """The simple commands of `text` and the operators between them, in order. Never raises."""
    reader = _Reader(text)
    found: list[Simple | Operator] = []
    simple = Simple()
    due: list[tuple[Simple, str, bool]] = []

    def close() -> None:
        nonlocal simple
        if simple.words or simple.targets or simple.documents or any(each[0] is simple for each in due):
            found.append(simple)
        simple = Simple()

    while True:
        reader.blanks()
        if reader.at >= len(reader.text):
            break
        if reader.text[reader.at] == "#":
            reader.comment()
            continue
        redirection = reader.starts(_REDIRECTIONS)
        if redirection is not None:
            reader.at += len(redirection)
            _redirect(reader, simple, redirection, due)
            continue
        sign = reader.starts(_OPERATORS)
        if sign is not None:
            reader.at += len(sign)
            close()
            found.append(Operator(sign))
            if sign == "\n":
                for command, end, tabs in due:
                    command.documents.append(reader.document(end, tabs=tabs))
                due.clear()
            continue
        before = reader.at
        word = reader.word()
        if reader.at == before:  # nothing that a word can hold
            reader.at += 1
            continue
        number = reader.text[before : reader.at]
        if number.isdigit() and reader.text[reader.at : reader.at + 1] in ("<", ">"):
            continue  # the descriptor of a redirection
        simple.words.append(word)
    close()
    return found


def _redirect(reader: _Reader, simple: Simple, sign: str, due: list[tuple[Simple, str, bool]]) -> None:
    reader.blanks()
    word = reader.word()
    if sign in ("<<", "<<-"):
        due.append((simple, word.text, sign == "<<-"))
    elif sign == "<<<":
        simple.documents.append(word.text)
    elif sign in _WRITING and not (sign == ">&" and (word.text.isdigit() or word.text == "-")):
        simple.targets.append(word)
