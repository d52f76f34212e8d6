"""Where each key and value of a TOML text stands, since `tomllib` does not say.

Follows TOML 1.0. The text must already have been accepted by `tomllib`; on any other text the
answer is meaningless, but finite.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping

Path = tuple[str | int, ...]
"""Keys and list indexes from the top of the document, such as `("agents", 2, "claims", 0)`."""

_BLANK = re.compile(r"[ \t]*")
_BLANK_AND_COMMENTS = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BASIC = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_LITERAL = re.compile(r"'[^'\n]*'")
_LONG_BASIC = re.compile(r'"""(?:[^\\]|\\.)*?"""(?:"{0,2})', re.DOTALL)
_LONG_LITERAL = re.compile(r"'''.*?'''(?:'{0,2})", re.DOTALL)
_BARE_VALUE = re.compile(r"[^,\]}\n#]+")


class PositionError(ValueError):
    """The text is not what the scanner understands."""


def positions(text: str) -> Mapping[Path, int]:
    """The line (from 1) of every key, table header and list item of `text`.

    Raises PositionError for a text that is not TOML, RecursionError for one nested too deeply.
    """
    return _Scanner(text.replace("\r\n", "\n")).run()


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line = 1
        self._counted = 0
        self._lines: dict[Path, int] = {}
        self._tables: dict[Path, int] = {}
        """How many `[[header]]` of each path were seen."""

    def run(self) -> Mapping[Path, int]:
        table: Path = ()
        while True:
            self._skip(_BLANK_AND_COMMENTS)
            if self._at >= len(self._text):
                return self._lines
            line = self._line_here()
            if self._text.startswith("[", self._at):
                table = self._header(line)
            else:
                self._pair(table)

    def _header(self, line: int) -> Path:
        many = self._text.startswith("[[", self._at)
        self._at += 2 if many else 1
        path: Path = ()
        keys = self._key()
        for key in keys[:-1]:
            path = self._inside((*path, key))
        path = (*path, keys[-1])
        self._expect("]]" if many else "]")
        if many:
            number = self._tables.get(path, 0)
            self._tables[path] = number + 1
            self._lines.setdefault(path, line)
            path = (*path, number)
        self._lines.setdefault(path, line)
        return path

    def _inside(self, path: Path) -> Path:
        """`path`, or its newest table when it is a list of tables."""
        number = self._tables.get(path)
        self._lines.setdefault(path, self._line_here())
        return path if number is None else (*path, number - 1)

    def _pair(self, table: Path) -> None:
        line = self._line_here()
        path = table
        for key in self._key():
            path = (*path, key)
            self._lines.setdefault(path, line)
        self._expect("=")
        self._skip(_BLANK)
        self._value(path)

    def _key(self) -> list[str]:
        keys = []
        while True:
            self._skip(_BLANK)
            keys.append(self._key_part())
            self._skip(_BLANK)
            if not self._text.startswith(".", self._at):
                return keys
            self._at += 1

    def _key_part(self) -> str:
        for pattern in (_BARE_KEY, _BASIC, _LITERAL):
            found = pattern.match(self._text, self._at)
            if found:
                self._at = found.end()
                return found[0] if pattern is _BARE_KEY else _text_of(found[0])
        raise PositionError(f"no key at character {self._at}")

    def _value(self, path: Path) -> None:
        if self._text.startswith("[", self._at):
            self._array(path)
        elif self._text.startswith("{", self._at):
            self._inline_table(path)
        else:
            for pattern in (_LONG_BASIC, _LONG_LITERAL, _BASIC, _LITERAL, _BARE_VALUE):
                found = pattern.match(self._text, self._at)
                if found:
                    self._at = found.end()
                    return
            raise PositionError(f"no value at character {self._at}")

    def _array(self, path: Path) -> None:
        self._at += 1
        number = 0
        while True:
            self._skip(_BLANK_AND_COMMENTS)
            if self._text.startswith("]", self._at):
                self._at += 1
                return
            self._lines[(*path, number)] = self._line_here()
            self._value((*path, number))
            number += 1
            self._skip(_BLANK_AND_COMMENTS)
            if self._text.startswith(",", self._at):
                self._at += 1

    def _inline_table(self, path: Path) -> None:
        self._at += 1
        while True:
            self._skip(_BLANK)
            if self._text.startswith("}", self._at):
                self._at += 1
                return
            self._pair(path)
            self._skip(_BLANK)
            if self._text.startswith(",", self._at):
                self._at += 1

    def _skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self._text, self._at)
        if found:
            self._at = found.end()

    def _expect(self, mark: str) -> None:
        self._skip(_BLANK)
        if not self._text.startswith(mark, self._at):
            raise PositionError(f"no {mark!r} at character {self._at}")
        self._at += len(mark)

    def _line_here(self) -> int:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line


def _text_of(quoted: str) -> str:
    if quoted.startswith("'"):
        return quoted[1:-1]
    value = tomllib.loads(f"key = {quoted}")["key"]
    assert isinstance(value, str)
    return value
