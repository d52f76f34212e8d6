"""Whereabouts: where the operator looks, as a text that is kept, so that a killed screen comes back to it.

What is read back may be anything: what cannot be understood is left out.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field

MOST_CHARACTERS = 32_000
"""How long the text may be."""
_MOST_WORD = 4_096
"""Characters of one name, key or filter: a path is no longer."""

Spot = tuple[Hashable | None, int]
"""In a list: the selected entry's key, and the number of the first line that is seen."""


@dataclass(frozen=True)
class Place:
    """How one screen is looked at."""

    filter: str = ""
    focus: str = ""
    """The id of the widget with the focus."""
    spots: Mapping[str, Spot] = field(default_factory=dict)
    """By the id of each list."""
    turned: Mapping[str, str] = field(default_factory=dict)
    """What else was switched on the screen, in its own words."""


@dataclass(frozen=True)
class Whereabouts:
    """The mode that is looked at, and how each is that was."""

    mode: str = ""
    places: Mapping[str, Place] = field(default_factory=dict)

    def text(self) -> str:
        """As a text to keep; where it would be too long, of the mode that is looked at only."""
        for places in (self.places, {mode: at for mode, at in self.places.items() if mode == self.mode}, {}):
            shapes = {
                mode: {"filter": at.filter, "focus": at.focus, "spots": at.spots, "turned": at.turned}
                for mode, at in places.items()
            }
            text = json.dumps({"mode": self.mode, "places": shapes})
            if len(text) <= MOST_CHARACTERS:
                return text
        return ""


def read(text: str) -> Whereabouts:
    """The whereabouts that `text` holds."""
    try:
        found = json.loads(text) if len(text) <= MOST_CHARACTERS else {}
    except (ValueError, RecursionError):
        found = {}
    shape = _members(found)
    places = {_word(mode): _place(_members(each)) for mode, each in _members(shape.get("places")).items()}
    return Whereabouts(_word(shape.get("mode")), places)


def _members(found: object) -> dict[str, object]:
    return found if isinstance(found, dict) else {}


def _place(shape: Mapping[str, object]) -> Place:
    spots = {_word(name): _spot(each) for name, each in _members(shape.get("spots")).items()}
    return Place(
        _word(shape.get("filter")),
        _word(shape.get("focus")),
        {name: spot for name, spot in spots.items() if spot is not None},
        {_word(name): _word(each) for name, each in _members(shape.get("turned")).items()},
    )


def _spot(found: object) -> Spot | None:
    if not isinstance(found, list) or len(found) != 2:
        return None
    key, top = found
    if isinstance(key, list):
        key = tuple(each for each in key if isinstance(each, str | int))
    if not isinstance(key, str | int | tuple | None) or type(top) is not int:
        return None
    return key, max(0, top)


def _word(found: object) -> str:
    return found[:_MOST_WORD] if isinstance(found, str) else ""
