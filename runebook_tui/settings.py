"""Settings: what a person wants of the screens and of being called, from one file of theirs.

The file is `$XDG_CONFIG_HOME/runebook/settings.toml`; docs/settings.md describes it. Standard library only.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

_MOST_BYTES = 256 * 1024
_MOST_WORDS = 100
_LONGEST = 4096

OSC_FORMS = ("auto", "9", "777", "99", "off")
"""What `[notify] osc` may be: the escape sequence by which a terminal shows a notification."""

_Section = TypeVar("_Section")


@dataclass(frozen=True, slots=True)
class Notify:
    """How the person is called when something needs them."""

    bell: bool = True
    """Whether the terminal's bell rings."""
    osc: str = "auto"
    """One of OSC_FORMS; `auto` is told by what the terminal says that it is."""
    tmux: bool = True
    """Whether the person's tmux shows a message."""
    command: tuple[str, ...] = ()
    """A program of the person's and its first words; () for none. No shell reads it."""
    quiet_seconds: float = 5.0
    """For so long after a call there is no other; what comes meanwhile is told in one."""


@dataclass(frozen=True, slots=True)
class Screen:
    """How the screens look."""

    theme: str = ""
    """The name of a theme; "" for the usual one."""
    plain: bool = False
    """Whether the screens are lines of words, for screen readers."""
    ascii: bool = False
    """Whether every sign is one of ASCII's."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that the file says, and the default of what it does not say."""

    notify: Notify = Notify()
    screen: Screen = Screen()
    keys: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """The keys that the person chose, by the id of what they do: `{"request.next": "ctrl+n"}`."""
    problem: str = ""
    """One line that says what in the file cannot be used; "" when all can. The defaults stand in for it."""


def settings_path(environment: Mapping[str, str] = os.environ) -> Path:
    """Where the person's file is, whether or not there is one."""
    base = environment.get("XDG_CONFIG_HOME", "")
    folder = Path(base) if base.startswith("/") else Path(environment.get("HOME") or Path.home()) / ".config"
    return folder / "runebook" / "settings.toml"


def load_settings(path: Path | None = None) -> Settings:
    """The settings of the file at `path` (the person's by default); the defaults where there is none.

    Nothing is raised: what cannot be read or understood is named in `problem`.
    """
    file = settings_path() if path is None else path
    try:
        with file.open("rb") as opened:
            content = opened.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        return Settings()
    except OSError as error:
        return Settings(problem=f"the settings cannot be read: {error.strerror}")
    if len(content) > _MOST_BYTES:
        return Settings(problem=f"the settings are larger than {_MOST_BYTES // 1024} KiB")
    try:
        return parse_settings(tomllib.loads(content.decode()))
    except UnicodeDecodeError:
        return Settings(problem="the settings are not UTF-8")
    except (ValueError, RecursionError) as error:  # more than TOMLDecodeError: a number of 5,000 digits
        return Settings(problem=f"the settings are not TOML: {ascii(str(error))[1:-1]}")


def parse_settings(document: Mapping[str, Any]) -> Settings:
    """The settings of a TOML document; `problem` names the first value in it that cannot be used."""
    problems: list[str] = []
    for name in document:
        if name not in ("notify", "screen", "keys"):
            problems.append(f"the settings have no [{ascii(name)[1:-1]}]")
    notify = _section(Notify, _NOTIFY, document, problems)
    screen = _section(Screen, _SCREEN, document, problems)
    keys = {}
    for name, key in _table(document, "keys", problems).items():
        if isinstance(key, str) and key and key.isprintable() and len(key) <= 100:
            keys[name] = key
        else:
            problems.append(f"{_named('keys', name)} must be the name of a key")
    return Settings(notify, screen, MappingProxyType(keys), problems[0] if problems else "")


def _section(
    kind: Callable[..., _Section],
    readers: Mapping[str, Callable[[Any], Any]],
    document: Mapping[str, Any],
    problems: list[str],
) -> _Section:
    """The values of one table that can be used, in a `kind` of its own."""
    section = kind.__name__.lower()
    good = {}
    for name, value in _table(document, section, problems).items():
        if name not in readers:
            problems.append(f"{_named(section, name)} is no setting")
            continue
        try:
            good[name] = readers[name](value)
        except ValueError as error:
            problems.append(f"{_named(section, name)} must be {error}")
    return kind(**good)


def _table(document: Mapping[str, Any], section: str, problems: list[str]) -> Mapping[str, Any]:
    table = document.get(section, {})
    if isinstance(table, dict):
        return table
    problems.append(f"[{section}] of the settings must be a table")
    return {}


def _named(section: str, name: str) -> str:
    return f"[{section}] {ascii(name[:100])[1:-1]} of the settings"


def _truth(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError("true or false")


def _form(value: Any) -> str:
    if value in OSC_FORMS:
        return str(value)
    raise ValueError("one of " + ", ".join(f'"{form}"' for form in OSC_FORMS))


def _name(value: Any) -> str:
    if isinstance(value, str) and len(value) <= 100 and value.isprintable():
        return value
    raise ValueError("a name")


def _words(value: Any) -> tuple[str, ...]:
    if isinstance(value, list) and len(value) <= _MOST_WORDS and all(_is_word(word) for word in value):
        return tuple(value)
    raise ValueError("a list of words: the program and what it is given")


def _is_word(word: Any) -> bool:
    return isinstance(word, str) and 0 < len(word) <= _LONGEST and "\0" not in word


def _seconds(value: Any) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 3600:
        return float(value)
    raise ValueError("seconds from 0 to 3600")


_NOTIFY: Mapping[str, Callable[[Any], Any]] = {
    "bell": _truth,
    "osc": _form,
    "tmux": _truth,
    "command": _words,
    "quiet_seconds": _seconds,
}
_SCREEN: Mapping[str, Callable[[Any], Any]] = {"theme": _name, "plain": _truth, "ascii": _truth}
