"""The answer without an engine: by the rules that the last one left in `.runebook/rules.json`.

Owned, ignored and unowned paths pass, and what lies outside the repository; anything else is refused in
words, and so is what cannot be understood. What approvals gave does not count: nobody is there to keep it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from runebook_tui.core.ownership import FileOwnership, OwnershipManager, operators_own
from runebook_tui.core.printable import visible
from runebook_tui.git.ignore import Ignore, is_private
from runebook_tui.hooks.event import HookError, HookEvent
from runebook_tui.hooks.places import Place, places_of
from runebook_tui.hooks.reading import guessed_kind, read
from runebook_tui.hooks.replies import NO_OPINION, Reply, denial
from runebook_tui.place import lane_of, state_folder

_MOST_BYTES = 16 << 20
_MOST_PATHS = 5


def answered(
    words: Sequence[str], payload: str, environment: Mapping[str, str], folder: Callable[[], str], why: str
) -> Reply:
    """What the client is told when the engine cannot be asked; `why` says why not."""
    client, name = [*words, "", ""][:2]
    try:
        event = read(payload, name)
    except HookError as error:
        return denial(client, guessed_kind(payload, name), f"Runebook: not done, because {error}; {why}")
    if not event.kind.asks or not event.edits:
        return NO_OPINION
    try:
        refused = refused_by_rules(event, environment, event.cwd or folder())
    except (HookError, OSError, ValueError) as error:
        return denial(client, event.kind, f"Runebook: not done, because {error}; {why}")
    if not refused:
        return NO_OPINION
    return denial(client, event.kind, f"Runebook: {'; '.join(refused)}; {why}: go on with other work")


def refused_by_rules(event: HookEvent, environment: Mapping[str, str], cwd: str) -> list[str]:
    """Why the edits may not be made, path by path, at most five; [] when they may.

    Raises HookError, OSError or ValueError when that cannot be told.
    """
    agent, root = environment.get("RUNEBOOK_AGENT", ""), environment.get("RUNEBOOK_ROOT", "")
    if not root:
        raise HookError("RUNEBOOK_ROOT is not set")
    lane = lane_of(Path(cwd or root))
    own = os.fspath(lane[2]) if lane is not None and lane[1] == agent else root
    places = places_of(event.edits, cwd, own, root if own != root else "")
    return [words for words in _judged(places, agent, Path(own), _rules(Path(root), agent)) if words][
        :_MOST_PATHS
    ]


def _rules(root: Path, agent: str) -> Mapping[str, Any]:
    with open(state_folder(root) / "rules.json", "rb") as file:
        whole = json.loads(file.read(_MOST_BYTES))
    found = whole.get(agent) if isinstance(whole, dict) else None
    rules = found.get("rules") if isinstance(found, dict) else None
    if not isinstance(rules, dict):
        raise HookError(f"no rules are known for {agent}")
    return rules


def _judged(places: Sequence[Place], agent: str, root: Path, rules: Mapping[str, Any]) -> list[str]:
    try:
        claims = [FileOwnership(str(claim[0]), str(claim[1]), bool(claim[2])) for claim in rules["claims"]]
        may_write = [(agent, str(pattern)) for pattern in rules.get("may_write", ())]
    except (KeyError, TypeError, IndexError) as error:
        raise HookError("the rules cannot be read") from error
    owners = OwnershipManager(claims, may_write)
    asks = rules.get("unowned", "allow") != "allow"
    found = []
    crossing: list[str] = []
    for place in places:
        shown = visible(place.path, 200)
        if place.anothers:
            found.append(f"{shown} is in another's working tree")
        elif operators_own(place.path, agent):
            found.append(f"{shown} belongs to the operator")
        elif not is_private(place.path) and owners.may_modify(agent, place.path, unowned_asks=asks).crosses:
            crossing.append(place.path)
    if crossing:
        ignore = Ignore(root)
        try:
            crossing = [path for path in crossing if path not in ignore.among(crossing)]
        finally:
            ignore.close()
    for path in crossing:
        claim = owners.owner_of(path)
        found.append(f"{visible(path, 200)} is {'nobody' if claim is None else claim.owner}'s")
    return found
