"""Failures in a program's output: which line says that something went wrong."""

from __future__ import annotations

import re

_ERROR = re.compile(
    r"^(?:"
    r"error(?:\[\w+\])?: .+|Error: .+|ERROR: .+|fatal: .+|panic: .+|FAILED .+"
    r"|thread '[^']*' (?:\(\d+\) )?panicked at .*"
    r"|npm (?:ERR!|error) (?!A complete log|code |errno |\s).+"
    r"|make(?:\[\d+\])?: \*\*\* .+"
    r"|\S+:\d+(?::\d+)?: (?:fatal )?error: .+|\S+\(\d+,\d+\): error \w+: .+"
    r"|\S*(?:sh|bash|zsh|fish): .*(?:command not found|No such file or directory|Permission denied).*"
    r"|[^:]+:\d+: leftover conflict marker"
    r"|(?:Uncaught )?(?:Type|Reference|Syntax|Range)Error: .+"
    r")$"
)
_TRACEBACK = "Traceback (most recent call last):"
_RAISED = re.compile(r"^[A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit|Warning|Group|[a-z])(?:: .*)?$")


class Failures:
    """Looks through lines as they come."""

    def __init__(self) -> None:
        self._in_traceback = False

    def look(self, line: str) -> str:
        """The error that `line` tells; "" when it tells none. A traceback's is the line that ends it."""
        if line.startswith(_TRACEBACK):
            self._in_traceback = True
            return ""
        if self._in_traceback:
            if not line or line[0] in " \t|+":
                return ""
            self._in_traceback = False
            return line if _RAISED.match(line) else ""
        return line if len(line) <= 2000 and _ERROR.match(line) else ""
