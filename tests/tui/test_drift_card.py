"""The card of a drift: what of an interface has changed, and what each key will do about it."""

from __future__ import annotations

from tui_scenes import NOW, by, scene, stage, touch

from runebook_tui.core import commands as c
from runebook_tui.core.contract import Clause
from runebook_tui.core.types import Author, Change
from runebook_tui.tui.memory import MemoryBackend

PATH = "src/storage/api.py"


def held(*lines: str) -> tuple[Clause, ...]:
    return (Clause(kind="symbol", wanted="append_event", lines=lines),)


def drifted(*lines: str) -> tuple[MemoryBackend, int]:
    """The storage API was published, and its file has changed so."""
    backend = scene()
    backend.do(c.PublishApi("storage", "storage", "d1", held("def append_event(event)")), at=NOW - 60)
    backend.do(c.CheckApi("storage", "d2", held(*lines), touches=(_changed(),)), at=NOW - 5)
    return backend, backend.state.last_request


def _changed() -> tuple[Change, Author]:
    made = touch(PATH, by("capture"))
    return made.change, made.author


async def test_the_card_shows_the_contracts_diff_and_publishes_the_next_version() -> None:
    backend, number = drifted("def append_event(event, limit)")
    async with stage(backend) as played:
        played.cockpit.requests.select(number)
        await played.press("o")
        await played.shows(
            f"Request {number} · drift",
            f"capture changed the published {PATH}, owned by storage",
            "storage v1 is not as it was published",
            "-def append_event(event)",
            "+def append_event(event, limit)",
            "publish as v2",
            "keep v1",
            "reject and undo",
        )
        assert "until the task ends" not in played.text()
        await played.press("a")
        await played.until(lambda: not backend.state.requests[number].open)
        api = backend.state.apis.get("storage")
        assert api is not None
        assert (api.version, api.drift) == (2, None)


async def test_a_broken_contract_cannot_be_published_from_the_card() -> None:
    backend, number = drifted()
    async with stage(backend) as played:
        played.cockpit.requests.select(number)
        await played.press("o")
        await played.shows("not now: src/storage/api.py does not declare 'append_event'")
        await played.press("a")
        assert backend.state.requests[number].open


async def test_a_contract_that_changes_again_needs_a_second_look() -> None:
    backend, number = drifted("def append_event(event, limit)")
    async with stage(backend) as played:
        played.cockpit.requests.select(number)
        await played.press("o")
        await played.shows("publish as v2")
        backend.do(c.CheckApi("storage", "d3", held("def append(event)")), at=NOW - 1)
        await played.shows("has changed since you opened it", "+def append(event)")
        await played.press("a")
        assert backend.state.requests[number].open
