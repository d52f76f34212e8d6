"""A message that is sent while a client works reaches its model with the next tool call, once."""

from __future__ import annotations

import pytest
from drivers import DRIVERS, Driver
from live_play import Live

from runebook_tui.core.events import MessageDelivered
from runebook_tui.execution.follow import open_log

BY_NAME = True
HEARING = ("claude", "codex", "gemini", "opencode", "qwen")
"""The clients whose model reads what their hook adds."""
PROMPTED = ("claude", "codex", "gemini", "qwen")
"""Those whose hook can add to a prompt; the others have it with the first tool call."""

pytestmark = pytest.mark.parametrize(
    "live",
    [pytest.param(name, marks=pytest.mark.xdist_group(f"{name} messages")) for name in HEARING],
    indirect=True,
)


def deliveries(live: Live[Driver]) -> list[tuple[str, tuple[int, ...], str]]:
    with open_log(live.root) as log:
        found = [record.event for record in log.read(types=["MessageDelivered"])]
    return [(each.reader, each.messages, each.by) for each in found if isinstance(each, MessageDelivered)]


def test_a_message_reaches_the_models_next_request_once(live: Live[Driver]) -> None:
    assert set(HEARING) <= set(DRIVERS)
    live.does(live.client.shell("echo begun > alpha/begun"))
    words = "the schema moved to alpha/schema-9.sql"
    assert live.command("tell", "alpha", words).returncode == 0
    live.does(live.client.shell("echo on > alpha/on"))
    live.until("a request with the message", lambda: words in live.script.heard)
    live.does(live.client.shell("echo and > alpha/and"))
    assert live.script.heard.count(words) == 1
    assert deliveries(live) == [("alpha", (1,), "hook")]


def test_what_was_sent_before_a_prompt_comes_with_it(live: Live[Driver]) -> None:
    assert live.command("stop", "alpha").returncode == 0
    live.until("the end of alpha", lambda: not live.agent("alpha")["alive"])
    words = "begin with alpha/schema-10.sql"
    assert live.command("tell", "alpha", words).returncode == 0
    heard = live.script.asked
    assert live.command("restart", "alpha").returncode == 0
    live.until("a request of the new session", lambda: live.script.asked > heard)
    assert live.script.heard.count(words) == 1 or live.client.name not in PROMPTED
    live.until("a request with the message", lambda: live.script.heard.count(words) == 1)
    assert deliveries(live)[-1] == ("alpha", (2,), "hook")
