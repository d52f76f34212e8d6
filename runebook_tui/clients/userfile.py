"""A file in the user's home that a client reads and no flag or variable can replace: what becomes of it.

`runebook-tui doctor --install` writes it when asked to, and `--uninstall` takes exactly that back. Outside of
a pane (no RUNEBOOK_AGENT) the hook that it names has no opinion.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

HOOK = "HOOK"
"""Where the hook's command line goes."""

_OURS = "/runebook_tui/hooks/entry.py"
"""By this a hook is known as Runebook's, whichever installation wrote it."""


@dataclass(frozen=True)
class UserFile:
    """A JSON file with hooks by event."""

    path: str
    """Where, below the home folder."""
    events: Mapping[str, Sequence[Mapping[str, Any]]]
    """What is added, by event, with `HOOK` for the hook's command line."""
    version: int | None = None
    """The `version` that the file carries beside `hooks`, where it carries one."""
    beside: Mapping[str, str] = field(default_factory=dict)
    """Further files, by path below the home folder, that are nobody's but Runebook's."""

    def installed(self, text: str | None, line: str) -> str:
        """The file's text with our hooks, which run `line`; `text` is what it holds, None for no file.

        Ours are replaced, everybody else's stay. Raises ValueError when nothing can be added to it.
        """
        whole = self._without_ours(text)
        if self.version is not None:
            whole.setdefault("version", self.version)
        hooks = whole.setdefault("hooks", {})
        for event, added in self.events.items():
            hooks.setdefault(event, []).extend(_filled(each, line) for each in added)
        return json.dumps(whole, ensure_ascii=False, indent=2) + "\n"

    def uninstalled(self, text: str, original: str | None = None) -> str | None:
        """The file's text without our hooks; None when nobody else's are left in it.

        `original` is what it held before: it comes back to the byte, unless something else has changed.
        Raises ValueError when it cannot be read.
        """
        whole = self._without_ours(text)
        if original is not None and self._without_ours(original) == whole:
            return original
        if not whole["hooks"] and set(whole) <= {"hooks", "version"}:
            return None
        return json.dumps(whole, ensure_ascii=False, indent=2) + "\n"

    def is_installed(self, text: str | None) -> bool:
        """Whether our hooks are in the file."""
        return text is not None and _OURS in text

    def _without_ours(self, text: str | None) -> dict[str, Any]:
        try:
            whole = json.loads(text) if text is not None and text.strip() else {}
        except (ValueError, RecursionError) as error:
            raise ValueError("is not plain JSON, so nothing is added to it or taken from it") from error
        hooks = whole.get("hooks", {}) if isinstance(whole, dict) else None
        if not isinstance(hooks, dict) or not all(isinstance(each, list) for each in hooks.values()):
            raise ValueError("has another form than the client documents, so it is left alone")
        kept = {event: [_pruned(each) for each in listed] for event, listed in hooks.items()}
        kept = {event: [each for each in listed if each is not None] for event, listed in kept.items()}
        emptied = {event for event, listed in kept.items() if not listed and hooks[event]}
        return {**whole, "hooks": {event: each for event, each in kept.items() if event not in emptied}}


def _filled(value: Any, line: str) -> Any:
    """`value` with the hook's command line where it goes."""
    if isinstance(value, Mapping):
        return {key: _filled(each, line) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, line) for each in value]
    return line if value == HOOK else value


def _pruned(entry: Any) -> Any:
    """An entry of an event without our hooks; None when it was nothing but ours."""
    if not isinstance(entry, dict):
        return entry
    if _OURS in str(entry.get("command", "")):
        return None
    inner = entry.get("hooks")
    if not isinstance(inner, list) or not inner:
        return entry
    kept = [each for each in inner if _pruned(each) is not None]
    return {**entry, "hooks": kept} if kept else None
