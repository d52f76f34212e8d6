"""Inputs that once broke a reader, or took it hours: each by its name."""

from __future__ import annotations

from pathlib import Path

import pytest
from hostile_targets import TARGETS
from hypothesis import given
from hypothesis import strategies as st

from runebook_tui.core.secrets import Secrets
from runebook_tui.execution import wire
from runebook_tui.log.eventlog import LogError, decode
from runebook_tui.settings import load_settings
from runebook_tui.surfaces import snapshot
from runebook_tui.web.door import Door, Knock

BY_NAME = {target.name: target for target in TARGETS}

KNOWN = {
    "a CODEOWNERS pattern of many stars": ("codeowners", "/" + 8 * "*a" + "*b @o\n"),
    "a CODEOWNERS pattern of many folders": ("codeowners", "/" + 30 * "**/*/" + "b @o\n"),
    "a patch of blank lines": ("tool", "*** Update File: a\n@@\n" + 60_000 * "\n" + "x\n"),
    "tokens that never end": ("secrets", 5000 * "eyJaaaaaaaa-"),
    "an event nested without end": ("event", 100_000 * "["),
    "a message nested without end": ("message", 100_000 * '{"a":'),
    "a number of 5,000 digits in the plan": ("plan", "x = " + 5000 * "9"),
}


@pytest.mark.parametrize("name", KNOWN)
def test_is_read_or_refused_at_once(name: str) -> None:
    target, text = KNOWN[name]
    BY_NAME[target](text)


def test_settings_with_a_number_of_5000_digits_are_no_settings(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("x = " + 5000 * "9")
    assert load_settings(file).problem.startswith("the settings are not TOML")


def test_a_snapshot_that_somebody_nested_without_end_is_none(tmp_path: Path) -> None:
    snapshot.path_of(tmp_path).parent.mkdir(parents=True)
    snapshot.path_of(tmp_path).write_text(100_000 * "[")
    assert snapshot.read(tmp_path) is None


def test_a_record_nested_without_end_is_said_to_be_unreadable() -> None:
    with pytest.raises(LogError, match="a record of the log cannot be read"):
        decode(100_000 * "[")


@pytest.mark.parametrize("value", ["NaN", "-1", "1e400", '"x"', "[]", "true", "9" * 4000])
def test_seconds_of_a_message_are_seconds(value: str) -> None:
    with pytest.raises(wire.WireError, match="must be a number of seconds"):
        wire.seconds_field(wire.unpack(b'{"seconds":%s}' % value.encode()), "seconds", default=0.0)
    assert wire.seconds_field({"seconds": None}, "seconds", default=2.0) == 2.0


@pytest.mark.parametrize("number", [1 << 63, -(1 << 70), 10**4000])
def test_numbers_of_a_message_fit_the_log(number: int) -> None:
    message = {"request": number, "requests": [number]}
    with pytest.raises(wire.WireError):
        wire.number_field(message, "request")
    with pytest.raises(wire.WireError):
        wire.numbers_field(message, "requests")


def test_a_token_of_three_parts_is_hidden_still() -> None:
    token = "eyJ" + 700 * "a" + "." + 3000 * "b" + ".c"
    assert Secrets().hide(f"x {token} y") == "x [hidden] y"


async def test_what_a_browser_says_that_is_no_word_of_its_page_is_left_unheard() -> None:
    pytest.importorskip("textual_serve")
    from runebook_tui.web.tab import Tab, cells

    tab = Tab("true", None)  # type: ignore[arg-type]
    for said in (
        7,
        None,
        [],
        ["stdin"],
        ["stdin", 7],
        ["resize"],
        ["resize", {"width": 1}],
        ["ping"],
        {"a": 1},
    ):
        await tab._hear(said)
    for size in (None, [], "²", "-1", "9" * 5000, 10**400, -5, True, 1.5):
        assert 1 <= cells(size, 80) <= 1000


@given(st.text(), st.text(), st.text(), st.text(), st.booleans())
def test_nobody_comes_in_to_the_served_page_by_what_they_make_up(
    host: str, token: str, cookie: str, origin: str, live: bool
) -> None:
    door = Door("the-token", "the-cookie")
    for name in (host, "127.0.0.1:80", f"127.0.0.1@{host}", f"localhost.{host}"):
        refusal = door.refusal(Knock(name, token, cookie, origin, live))
        assert refusal is not None
        assert refusal.status in (401, 403)
        assert "\n" not in refusal.words
