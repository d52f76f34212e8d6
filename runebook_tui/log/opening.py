"""Where the log of a repository is, and opening it: the one place that knows which store is used.

The environment's RUNEBOOK_STORE comes first, then `[plan] store` of the plan's file, also where the rest of
the plan is broken; without either it is SQLite in the state folder.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from runebook_tui.core.storeaddress import store_address
from runebook_tui.log.errands import ErrandBox
from runebook_tui.log.eventlog import EventLog, LogError
from runebook_tui.log.lease import lease_name
from runebook_tui.log.nudge import Ear
from runebook_tui.log.sqlite import SqliteLog
from runebook_tui.place import LOG_NAME, PLAN_NAME, state_folder

if TYPE_CHECKING:
    from runebook_tui.log.schema import Made

STORE_VARIABLE = "RUNEBOOK_STORE"
_EXTRA = "the log is in PostgreSQL, which needs an extra: pip install 'runebook-tui[postgres]'"


class Hearing(Protocol):
    """What tells a reader of the log that it has grown."""

    async def wait(self, seconds: float) -> bool:
        """Wait for that, `seconds` at the most; whether it came. Several count as one."""

    def close(self) -> None:
        """Let go of it."""


@dataclass(frozen=True)
class Store:
    """Where the log of a repository is."""

    path: Path
    """SQLite's file; unused with an address."""
    url: str = ""
    """The address of a PostgreSQL database, "" for SQLite."""

    @property
    def place(self) -> str:
        """Where that is, for people: without user, password and options."""
        if not self.url:
            return str(self.path)
        try:
            from runebook_tui.log.link import place_of
        except ImportError:
            return "PostgreSQL"
        return place_of(self.url)

    @property
    def shared(self) -> bool:
        """Whether the engines of several hosts can use it together."""
        return bool(self.url)

    def lease_of(self, host: str) -> str:
        """What the lease of a host of the plan is called in it."""
        return lease_name(host, shared=self.shared)

    def box(self) -> ErrandBox:
        """Where the hosts of a shared store leave errands for each other. Raises LogError."""
        try:
            from runebook_tui.log.postgres_errands import PostgresErrands
        except ImportError as error:
            raise LogError(_EXTRA) from error
        return PostgresErrands(self.url)

    def exists(self) -> bool:
        """Whether there may be a log; one in PostgreSQL is not asked for here."""
        return bool(self.url) or self.path.exists()

    def open(self, *, read_only: bool = False) -> EventLog:
        """The log. SQLite's is made when it is absent, unless `read_only`. Raises LogError."""
        if not self.url:
            if read_only and not self.path.exists():
                raise LogError(f"nothing has run here yet: there is no {self.path}")
            return SqliteLog(self.path, read_only=read_only)
        try:
            from runebook_tui.log.postgres import PostgresLog
        except ImportError as error:
            raise LogError(_EXTRA) from error
        return PostgresLog(self.url, read_only=read_only)

    def make(self, *, role: str = "") -> Made:
        """Make the log in a PostgreSQL database, or bring it up to date, for `role`. Raises LogError."""
        try:
            from runebook_tui.log.schema import make
        except ImportError as error:
            raise LogError(_EXTRA) from error
        return make(self.url, role=role)

    def ear(self, folder: Path) -> Hearing:
        """What hears that the log has grown, in the runtime folder or from the server. Raises LogError."""
        if not self.url:
            return Ear(folder)
        try:
            from runebook_tui.log.listening import PostgresEar
        except ImportError as error:
            raise LogError(_EXTRA) from error
        return PostgresEar(self.url)


def store_of(root: Path, environment: Mapping[str, str] = os.environ) -> Store:
    """The store of the repository at `root`. Raises LogError for an address that is none."""
    url = environment.get(STORE_VARIABLE, "").strip() or _in_plan(root)
    try:
        return Store(state_folder(root) / LOG_NAME, store_address(url))
    except ValueError as error:
        raise LogError(f"the store's address {error}") from None


def _in_plan(root: Path) -> str:
    """What `[plan] store` says, "" for nothing."""
    try:
        text = (root / PLAN_NAME).read_text("utf-8", "surrogateescape")
    except OSError:
        return ""
    try:
        table = tomllib.loads(text).get("plan")
    except tomllib.TOMLDecodeError:
        table = _section(text)
    store = table.get("store", "") if isinstance(table, dict) else ""
    if not isinstance(store, str):
        raise LogError(f"{root / PLAN_NAME}: the store in [plan] is no text")
    return store


def _section(text: str) -> dict[str, object]:
    """The table [plan] of a file that is broken elsewhere. Raises LogError when its store cannot be read."""
    found = re.search(
        r"^[ \t]*\[plan\][ \t]*(?:#[^\n]*)?$(.*?)(?=^[ \t]*\[|\Z)", text, re.MULTILINE | re.DOTALL
    )
    if found is None:
        return {}
    for line in found[1].splitlines():
        if re.match(r"\s*store\s*=", line):
            try:
                return tomllib.loads(line)
            except tomllib.TOMLDecodeError as error:
                # Going on with SQLite would begin another log.
                raise LogError(f"{PLAN_NAME}: the store in [plan] cannot be read") from error
    return {}
