"""The rules that the engine gives a gate: claims, policy and grants, read from JSON."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from runebook_tui.core.away import GeneralRule, PathRule, Treatment, policy_for
from runebook_tui.core.grants import JOIN_SECONDS, Grant, Scope
from runebook_tui.core.ownership import FileOwnership, OwnershipManager
from runebook_tui.core.pattern import compile_pattern


class RulesError(ValueError):
    """What the engine gave as rules cannot be read; the words say why."""


class Rules:
    """What one agent may write, as the engine said it last.

    `unowned_asks`: whether a path that nobody claims is asked about. `git`, `tmux`: absolute folders, as
    bytes; `keep`: files outside of the repository that are the operator's.
    """

    def __init__(self, given: object) -> None:
        """Reads the object that docs/gate.md shows. Raises RulesError."""
        if not isinstance(given, Mapping):
            raise RulesError("the rules are not an object")
        try:
            self.agent = _text(given["agent"])
            may_write = [(self.agent, _text(pattern)) for pattern in given.get("may_write") or ()]
            self.owners = OwnershipManager((_claim(claim) for claim in given["claims"]), may_write)
            self.unowned_asks = given.get("unowned", "allow") != "allow"
            self._policy = GeneralRule(
                _away(given.get("away", "hold")),
                float(given.get("hold_seconds", 120.0)),
                paths=tuple(_path_rule(each) for each in given.get("paths") or ()),
            )
            self.grants = [_grant(grant) for grant in given.get("grants") or ()]
            self.git = tuple(_folder(folder) for folder in given.get("git") or ())
            self.keep = tuple(_folder(file) for file in given.get("keep") or ())
            self.tmux = tuple(_folder(folder) for folder in given.get("tmux") or ())
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise RulesError(f"the rules cannot be read: {type(error).__name__}: {error}") from error
        self._own: list[Grant] = []

    def treatment(self, path: str) -> Treatment:
        """What an unanswered call about `path` gets, and how long it waits."""
        return policy_for(self._policy, path)

    def inherit(self, before: Rules | None) -> None:
        """Keep what was used under the rules `before`, and when: the engine hears of it later."""
        if before is None:
            return
        own = {grant.request: grant for grant in before._own}
        known = {(old.request, old.pid): old for old in before.all_grants()}
        for index, grant in enumerate(self.grants):
            old = known.get((grant.request, grant.pid))
            if old is None and grant.pid is None:  # asked for by a hook, and settled here for a process, too
                old = own.get(grant.request)
            if old is not None:
                used = MappingProxyType({**grant.used, **old.used})
                self.grants[index] = replace(grant, used=used, used_at=old.used_at)
        given = {(grant.request, grant.pid) for grant in self.grants}
        self._own = [
            grant for grant in before._own if not {(grant.request, grant.pid), (grant.request, None)} & given
        ]

    def all_grants(self) -> list[Grant]:
        """Every grant, those that were settled here a moment ago too."""
        return self.grants + self._own

    def add(self, request: int, path: str, owner: str | None, pid: int, now: float) -> None:
        """The operator let process `pid` write `path`, which is `owner`'s; the engine says so too.

        Its new rules may come before or after its answer to the call: what they grant is not granted twice.
        """
        self._own = [grant for grant in self._own if now - grant.used_at <= JOIN_SECONDS]
        if any(
            each.request == request
            and path in each.paths
            and path not in each.used
            and each.pid in (None, pid)
            for each in self.grants
        ):
            return
        owners = frozenset((owner,))
        self._own.append(
            Grant(request, self.agent, frozenset((path,)), Scope.ONCE, None, pid, owners, used_at=now)
        )

    def spent(self, path: str) -> list[int]:
        """The requests whose approval for once has been used for `path` here, whatever the engine knows."""
        grants = self.all_grants()
        return sorted({each.request for each in grants if path in each.paths and not each.unused(path)})

    def use(self, grant: Grant, path: str, pid: int, now: float) -> None:
        """Note that `path` is written under `grant`."""
        for held in (self.grants, self._own):
            for index, each in enumerate(held):
                if each is grant:
                    held[index] = each.use(path, pid, now)
                    return


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.40} is no text")
    return value


def _away(value: object) -> str:
    if value not in ("hold", "refuse", "flag"):
        raise ValueError(f"no policy that is known: {value!r:.40}")
    return _text(value)


def _path_rule(given: Any) -> PathRule:
    pattern, away, seconds = given
    compile_pattern(_text(pattern))
    return PathRule(
        pattern, None if away is None else _away(away), None if seconds is None else float(seconds)
    )


def _folder(value: object) -> bytes:
    return os.fsencode(_text(value)).rstrip(b"/")


def _claim(given: Any) -> FileOwnership:
    pattern, owner, shared = given
    return FileOwnership(_text(pattern), _text(owner), bool(shared))


def _grant(given: Any) -> Grant:
    pid, task = given.get("pid"), given.get("task")
    return Grant(
        request=int(given["request"]),
        agent=_text(given["agent"]),
        paths=frozenset(_text(path) for path in given["paths"]),
        scope=Scope(_text(given["scope"])),
        task=None if task is None else _text(task),
        pid=None if pid is None else int(pid),
        owners=frozenset(None if owner is None else _text(owner) for owner in given.get("owners") or ()),
        used={_text(path): (float(when), who) for path, (when, who) in (given.get("used") or {}).items()},
        used_at=float(given.get("used_at") or 0.0),
        base={_text(path): _text(digest) for path, digest in (given.get("base") or {}).items()},
    )
