"""Dialogs: the keys that answer a client's own question in its pane, where they are known.

Seen with Claude Code 2.1.330, Gemini CLI 0.61.0, Qwen Code 0.24.4, Copilot CLI 1.0.102: a list whose chosen
line says yes, Enter takes it, Escape is no. Codex CLI 0.169.0: each line names its key. aider 0.86.2 and
programs that ask "(y/n)" read a line. By the rule that knows the dialog (`clients/panes/`), so nothing is
pressed in a pane that shows anything else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Dialog:
    """How one kind of question is answered; `yes` only while a line of the screen holds `chosen`."""

    yes: tuple[str, ...]
    no: tuple[str, ...]
    chosen: re.Pattern[str] | None = None

    def keys(self, answer: str, lines: Sequence[str]) -> tuple[str, ...]:
        """The keys for "yes" or "no", () when the screen is not as it must be."""
        if answer != "yes":
            return self.no
        sure = self.chosen is None or any(self.chosen.search(line) for line in lines)
        return self.yes if sure else ()


_LIST = Dialog(("Enter",), ("Escape",), re.compile(r"[❯›●>]\s*1\.\s*(Yes|Allow once)\b"))
_KEYED = Dialog(("y",), ("Escape",), re.compile(r"1\.\s*Yes\b.*\(y\)"))
_LINE = Dialog(("y", "Enter"), ("n", "Enter"))

DIALOGS: Mapping[str, Dialog] = {
    "claude: dialog": _LIST,
    "gemini: dialog": _LIST,
    "qwen: dialog": _LIST,
    "copilot: dialog": _LIST,
    "codex: dialog": _KEYED,
    "aider: confirm": _LINE,
    "general: yes or no": _LINE,
}
"""By the name of the rule that sees the question on the screen."""
