"""Updates that come faster than anybody can read are shown together, and none is lost."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tui_scenes import scene

from runebook_tui.tui.backend import Update
from runebook_tui.tui.pacing import AT_ONCE, paced


async def storm(count: int) -> AsyncIterator[Update]:
    """One record an update, as fast as they are taken."""
    backend = scene()
    records = backend.records * (count // len(backend.records) + 1)
    for record in records[:count]:
        yield Update(backend.state, (record,), engine_alive=True)


async def test_a_few_updates_come_one_by_one() -> None:
    updates = [update async for update in paced(storm(1))]
    assert [len(update.records) for update in updates] == [1]


async def test_a_storm_comes_in_few_updates_with_every_record_in_order() -> None:
    updates = [update async for update in paced(storm(2000))]
    assert len(updates) <= AT_ONCE
    records = [record for update in updates for record in update.records]
    assert records == [record async for update in storm(2000) for record in update.records]


async def test_what_the_source_raises_is_raised() -> None:
    async def broken() -> AsyncIterator[Update]:
        async for update in storm(1):
            yield update
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        async for _ in paced(broken()):
            pass
