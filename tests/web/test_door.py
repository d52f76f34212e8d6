"""The door of the served cockpit: who is let in, and why not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runebook_tui.web.door import Door, Knock

DOOR = Door(token="the-token", cookie="the-cookie")
HERE = "127.0.0.1:8777"


def status(knock: Knock) -> int:
    refusal = DOOR.refusal(knock)
    return refusal.status if refusal else 200


@pytest.mark.parametrize("host", [HERE, "localhost:9000", "localhost", "LOCALHOST:1"])
def test_the_token_and_the_cookie_open_it(host: str) -> None:
    assert status(Knock(host, token="the-token")) == 200
    assert status(Knock(host, cookie="the-cookie")) == 200


@pytest.mark.parametrize("word", ["", "the-toke", "the-token ", "the-cookie", "thé", "\ud800", "x" * 10_000])
def test_a_wrong_token_does_not(word: str) -> None:
    assert status(Knock(HERE, token=word)) == 401


@pytest.mark.parametrize("word", ["", "the-token", "the-cooki\udcff"])
def test_a_wrong_cookie_does_not(word: str) -> None:
    assert status(Knock(HERE, cookie=word)) == 401


@pytest.mark.parametrize(
    "host",
    [
        "", "evil.example", "evil.example:8777", "127.0.0.1.evil.example", "localhost.evil.example:80",
        "127.0.0.2", "me@127.0.0.1", "127.0.0.1@evil.example", "127.0.0.1/evil.example", "[::1", "[::1]:8777",
        "localhost#",
    ],
)  # fmt: skip
def test_a_rebound_name_does_not_even_with_everything_else(host: str) -> None:
    assert status(Knock(host, token="the-token", cookie="the-cookie", origin=f"http://{host}")) == 403


def test_a_websocket_needs_the_cookie_and_a_page_of_this_server() -> None:
    def live(**brings: str) -> int:
        return status(Knock(HERE, live=True, **brings))

    assert live(cookie="the-cookie", origin=f"http://{HERE}") == 200
    assert live(origin=f"http://{HERE}") == 401
    assert live(token="the-token", origin=f"http://{HERE}") == 401
    for origin in (
        "",
        "null",
        "http://evil.example",
        "http://127.0.0.1:5173",
        f"https://{HERE}",
        "http://localhost:8777",
    ):
        assert live(cookie="the-cookie", origin=origin) == 403


@given(st.text(), st.text(), st.text(), st.text(), st.booleans())
def test_nobody_gets_in_by_chance(host: str, token: str, cookie: str, origin: str, live: bool) -> None:
    assert status(Knock(host, token, cookie, origin, live)) in (401, 403)
