"""FileNews: what happened to each file and folder lately, kept up to date touch by touch. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from runebook_tui.core.events import Record, Touched
from runebook_tui.core.types import OPERATOR, Author

HALF_LIFE = 900.0
"""Seconds in which the heat of a file becomes half of what it was."""
HOT = 4.0
"""A file is hot from this heat on: so many changes just now, or more over a longer time."""
LATELY = 3_600.0
"""Seconds that an author counts as one of those who work on a file."""

_AUTHORS = 16


def author_words(author: Author) -> str:
    """Who it was: "alpha", "you", or "alpha or you?" where it is not certain."""
    if author.name is not None:
        return _name(author.name)
    names = [_name(each) for each in author.candidates]
    return f"{' or '.join(names)}?" if names else "unknown"


@dataclass(slots=True)
class FileNews:
    """What is known of one path. Times are unix seconds."""

    who: str = ""
    """The last author, in words."""
    time: float = 0.0
    """When it was changed last."""
    touches: int = 0
    lane: str = ""
    """The agent in whose lane it was changed last; "" for the repository's own tree."""
    authors: dict[str, float] = field(default_factory=dict)
    """When each of them changed it last."""
    _warmth: float = 0.0

    def heat(self, now: float) -> float:
        """How often it was changed, where a change counts less the longer ago it is."""
        return self._warmth * math.exp2(-max(0.0, now - self.time) / HALF_LIFE)

    def hot(self, now: float) -> bool:
        """Whether it changes a lot at present."""
        return self.heat(now) >= HOT

    def lately(self, now: float) -> tuple[str, ...]:
        """Who changed it within the last hour, the latest first."""
        recent = [(when, who) for who, when in self.authors.items() if now - when <= LATELY]
        return tuple(who for _, who in sorted(recent, reverse=True))

    def tell(self, who: str, time: float, lane: str) -> None:
        """It was changed once more."""
        self._warmth = self.heat(time) + 1.0
        self.who, self.time, self.lane = who, max(time, self.time), lane
        self.touches += 1
        self.authors.pop(who, None)
        self.authors[who] = time
        if len(self.authors) > _AUTHORS:
            del self.authors[next(iter(self.authors))]


class News:
    """The news of all paths; those of a folder, whose key ends in a slash, are those of all below it."""

    def __init__(self) -> None:
        self._known: dict[str, FileNews] = {}

    def get(self, path: str) -> FileNews | None:
        """The news of a path, or of a folder with a slash at its end; None without any."""
        return self._known.get(path)

    def files(self) -> Mapping[str, FileNews]:
        """The news of every file that has any, folders left out."""
        return {path: news for path, news in self._known.items() if not path.endswith("/")}

    def tell(self, record: Record) -> None:
        """Take up what a record says of a file; others than `Touched` say nothing."""
        event = record.event
        if not isinstance(event, Touched):
            return
        who = author_words(event.author)
        for path in (event.change.path, *folders(event.change.path)):
            news = self._known.get(path)
            if news is None:
                news = self._known[path] = FileNews()
            news.tell(who, record.time, event.lane)


def folders(path: str) -> Iterator[str]:
    """The folders that a path is in, the nearest first, each with a slash at its end."""
    end = path.rfind("/")
    while end > 0:
        yield path[: end + 1]
        end = path.rfind("/", 0, end)


def _name(name: str) -> str:
    return "you" if name == OPERATOR else name
