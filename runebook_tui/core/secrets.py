"""Secrets in a command line: what looks like one is left out before anything is stored.

It recognises what is named or shaped like a secret. It cannot know a password that stands there like a word.
"""

from __future__ import annotations

import re

HIDDEN = "[hidden]"
_NAME = (
    r"[\w.-]{0,80}(?:passw(?:or)?d|passwd|secret|token|api[_-]?key|private[_-]?key|access[_-]?key|"
    r"credential)[\w-]{0,40}"
)
_VALUE = r"""(?:"[^"]*"|'[^']*'|[^\s'"&|;]+)"""

_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL
        ),
        HIDDEN,
    ),
    (re.compile(r"(?i)\b((?:proxy-)?authorization\s*:\s*(?:\w+\s+)?)[^\s'\"]+"), rf"\1{HIDDEN}"),
    (re.compile(rf"(?i)(?<![\w-])(-{{0,2}}{_NAME}\s*[=:]\s*){_VALUE}"), rf"\1{HIDDEN}"),
    (re.compile(rf"(?i)(?<!\S)(--{_NAME}\s+)(?!-){_VALUE}"), rf"\1{HIDDEN}"),
    (re.compile(r"(?<=://)([^/\s:@]{0,200}):[^/\s@]{1,500}@"), rf"\1:{HIDDEN}@"),
    (re.compile(r"(?i)(?<!\S)((?:-u|--user)\s*=?\s*['\"]?[^\s:'\"]{1,200}):[^\s'\"]+"), rf"\1:{HIDDEN}"),
    (
        re.compile(
            r"\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|sk-[\w-]{16,}|xox[abprs]-[\w-]{10,}"
            r"|AKIA[0-9A-Z]{16}|AIza[\w-]{30,}|npm_\w{30,}|pypi-[\w-]{30,}|eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*)"
        ),
        HIDDEN,
    ),
)


def without_secrets(text: str, limit: int = 2000) -> str:
    """`text` with what looks like a secret replaced by `[hidden]`, at most `limit` characters of it."""
    text = text[: 4 * limit]
    for pattern, shown in _PATTERNS:
        text = pattern.sub(shown, text)
    return text if len(text) <= limit else text[:limit] + "…"
