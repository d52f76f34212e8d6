"""Copies: whether the checkouts of other hosts have an interface as it was published. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from runebook_tui.core.fact import Fact
from runebook_tui.core.names import host_words

if TYPE_CHECKING:
    from runebook_tui.core.state import State


class CopyChecked(Fact):
    """The engine of another host than the publisher's compared its file with the published one."""

    type: Literal["CopyChecked"] = "CopyChecked"
    api: str
    host: str
    version: int
    lacks: str = ""
    """What it lacks, in words; "" when the file is as it was published."""


@dataclass(frozen=True)
class CheckCopy:
    """A host's file was compared with the interface as it was published."""

    api: str
    host: str
    version: int
    lacks: str = ""


def checked(state: State, command: CheckCopy) -> tuple[CopyChecked, ...]:
    """What follows from a comparison; nothing where that is known, or another version is published by now."""
    api = state.apis.get(command.api)
    if api is None or api.version != command.version or api.lacking.get(command.host) == command.lacks:
        return ()
    return (CopyChecked(api=command.api, host=command.host, version=command.version, lacks=command.lacks),)


def applied(state: State, event: CopyChecked) -> State:
    """The state after a comparison."""
    api = state.apis.get(event.api)
    if api is None or api.version != event.version:
        return state
    known = replace(api, lacking=MappingProxyType({**api.lacking, event.host: event.lacks}))
    published = MappingProxyType({**state.apis.published, event.api: known})
    return replace(state, apis=replace(state.apis, published=published))


def copy_unmet(state: State, name: str, host: str) -> str:
    """Why agents on `host` cannot rely on a published interface yet, in words; "" when they can."""
    api = state.apis.get(name)
    publisher = None if api is None else state.agents.get(api.agent)
    if api is None or publisher is None or publisher.spec.host == host:
        return ""
    lacks = api.lacking.get(host)
    if lacks == "":
        return ""
    return f"API {name} ({host_words(host)} {lacks or 'has not looked for it yet'})"


def copy_words(event: CopyChecked) -> str:
    """What was found, for people."""
    return f"{host_words(event.host)} {event.lacks or f'has {event.api} v{event.version} as published'}"
