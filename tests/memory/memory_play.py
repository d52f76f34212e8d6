"""Records as the verb `records` gives them, and a memory to write them into."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from runebook_tui.memory.outputs import Output
from runebook_tui.memory.reader import Reader
from runebook_tui.memory.store import Store
from runebook_tui.memory.writer import Fields, Writer

BEGAN = 1000.0
"""The time of the first record of the log."""


def record(seq: int, type: str, **fields: Any) -> dict[str, Any]:
    return {"type": type, "seq": seq, "time": BEGAN + seq, "run": 1, "actor": "engine", **fields}


def ran(seq: int, command: str, agent: str = "alpha", **fields: Any) -> dict[str, Any]:
    return record(seq, "CommandRan", agent=agent, client="Claude Code", command=command, **fields)


def suggested(seq: int, number: int = 1, **fields: Any) -> dict[str, Any]:
    given = {
        "suggestion": number,
        "agent": "analysis",
        "kind": "fix",
        "priority": "normal",
        "title": "Install the module requests",
        "words": "the module is missing",
        "snippet": "pip install requests",
        "confidence": 0.9,
        "fingerprint": "f",
        "provenance": {
            "rule": "python-module",
            "layer": "heuristics",
            "command": 2,
            "agent": "alpha",
            "file": "src/api.py",
            "line": 3,
        },
    }
    return record(seq, "SuggestionAdded", **{**given, **fields})


class Memory:
    """A memory in a file, and who writes and reads it."""

    def __init__(self, path: Path, outputs: dict[int, str] | None = None) -> None:
        self.path = path
        self.outputs = outputs or {}
        self.store = Store(path, write=True)
        self.writer = Writer(self.store, self._output)

    def _output(self, record: Fields) -> Output | None:
        text = self.outputs.get(int(record["seq"]))
        return None if text is None else Output(text, cut=False)

    def take(self, *records: dict[str, Any], began: float = BEGAN) -> int:
        return self.writer.take(began, records, max(int(each["seq"]) for each in records))

    def all(self, kind: str) -> list[dict[str, Any]]:
        with Store(self.path) as store:
            return list(Reader(store).everything((kind,)))

    def search(self, words: str, kinds: Sequence[str] = (), **fields: Any) -> list[str]:
        with Store(self.path) as store:
            given = (tuple(kinds),) if kinds else ()
            return [each.id for each in Reader(store).search(words, *given, **fields)]
