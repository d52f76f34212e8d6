"""The hook answers before the timer that its generated configuration gives it."""

from __future__ import annotations

from runebook_tui.clients.registry import ADAPTERS
from runebook_tui.hooks.patience import PATIENCE


def test_no_hook_counts_on_more_time_than_its_client_gives() -> None:
    hooked = {name: adapter.hook_seconds for name, adapter in ADAPTERS.items() if "hook" in adapter.nets}
    assert hooked.keys() == PATIENCE.keys()
    assert {name: seconds for name, seconds in PATIENCE.items() if seconds > hooked[name]} == {}
