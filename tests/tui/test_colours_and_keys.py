"""Themes that can be read, and keys that the person chose."""

from __future__ import annotations

from importlib import import_module
from itertools import pairwise
from pathlib import Path

import pytest
from textual.color import Color
from textual.command import CommandPalette
from textual.theme import BUILTIN_THEMES, Theme
from tui_scenes import stage

from runebook_tui.settings import settings_path
from runebook_tui.tui import modes
from runebook_tui.tui.choices import choices_path, choose, chosen
from runebook_tui.tui.screens.card import CardScreen
from runebook_tui.tui.screens.cockpit import CockpitScreen
from runebook_tui.tui.theme import HIGH_CONTRAST, OWNERS, THEMES, readable, variables
from runebook_tui.tui.widgets.strip import KeyBar

_WORDS = ("text-success", "text-primary", "text-warning", "text-error", "text-accent")

_TEXTUALS = tuple(theme for theme in BUILTIN_THEMES.values() if readable(theme))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person with no settings yet."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def told(text: str) -> None:
    """The person writes their settings."""
    path = settings_path()
    path.parent.mkdir(parents=True)
    path.write_text(text)


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_every_word_can_be_read_on_every_ground(theme: Theme) -> None:
    colours = theme.to_color_system().generate() | theme.variables
    grounds = [colours[name] for name in ("background", "surface", "panel", "block-cursor-background")]
    least = 7.0 if theme is HIGH_CONTRAST else 4.5
    for ground in map(Color.parse, grounds):
        for word in (colours["foreground"], *(colours[name] for name in _WORDS)):
            assert _ratio(_on(word, ground), ground) >= least, (theme.name, word, ground.hex)
        muted = ground.blend(Color.parse(colours["foreground"]), 0.72)
        assert _ratio(muted, ground) >= min(least, 4.5), (theme.name, "muted", ground.hex)


@pytest.mark.parametrize("theme", [*THEMES, *_TEXTUALS], ids=lambda theme: theme.name)
def test_owners_are_told_apart_and_can_be_read_in_every_theme(theme: Theme) -> None:
    colours = {**variables(theme), **theme.to_color_system().generate(), **theme.variables}
    owners = [Color.parse(colours[name.removeprefix("$")]) for name in OWNERS]
    ours = theme in THEMES
    least = 7.0 if theme is HIGH_CONTRAST else 4.5 if ours else 3.0
    for name in ("background", "surface", "row-selected", "row-blurred"):
        ground = Color.parse(colours[name])
        assert min(_ratio(owner, ground) for owner in owners) >= least, (theme.name, name)
    assert len({owner.hex for owner in owners}) == len(OWNERS) == 10
    for one, other in pairwise(owners):
        assert max(abs(a - b) for a, b in zip(one.rgb, other.rgb, strict=True)) > 40, (one.hex, other.hex)


def _on(word: str, ground: Color) -> Color:
    """A colour as it is drawn: `auto 87%` is what contrasts with the ground."""
    if word.startswith("auto"):
        return ground.get_contrast_text(0.87)
    return Color.parse(word)


def _ratio(one: Color, other: Color) -> float:
    """The contrast of two colours by WCAG 2.2, from 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: Color) -> float:
    parts = [part / 255 for part in colour.rgb]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


async def test_a_chosen_theme_is_there_the_next_time() -> None:
    async with stage() as played:
        assert played.app.theme == "runebook"
        played.app.theme = "runebook-light"
        await played.until(lambda: chosen("theme") == "runebook-light")
    async with stage() as played:
        assert played.app.theme == "runebook-light"


async def test_the_settings_come_before_what_was_chosen() -> None:
    choose("theme", "runebook-light")
    told('[screen]\ntheme = "runebook-high-contrast"\n')
    async with stage() as played:
        assert played.app.theme == "runebook-high-contrast"
        assert chosen("theme") == "runebook-light"


async def test_no_colour_leaves_signs_words_and_the_mark_of_the_selection() -> None:
    told('[screen]\ntheme = "none"\n')
    async with stage() as played:
        await played.shows("✗ surfaces", "failed", "▌", "◆ 2 requests")
        strips = played.app.screen._compositor.render_strips()
        filters = played.app.get_line_filters()
        for strip in strips:
            for segment in strip.apply_filter(filters[-1], Color(0, 0, 0)):
                style = segment.style
                colours = (style.color, style.bgcolor) if style else ()
                assert all(colour is None or colour.is_default for colour in colours)


async def test_a_theme_of_the_terminals_own_colours_is_refused_in_words() -> None:
    told('[screen]\ntheme = "ansi-dark"\n')
    async with stage() as played:
        await played.shows("ansi-dark cannot show")
        assert played.app.theme == "runebook"
        assert not any(theme.ansi for theme in played.app.available_themes.values())


async def test_a_word_of_the_key_bar_does_what_its_key_does() -> None:
    async with stage() as played:
        await played.look()
        await played.pilot.click(KeyBar, offset=(played.bar().index("all commands"), 0))
        await played.until(lambda: isinstance(played.app.screen, CommandPalette))
        await played.press("escape")
        await played.pilot.click(KeyBar, offset=(played.bar().index("open 1"), 0))
        await played.until(lambda: isinstance(played.app.screen, CardScreen))
        await played.press("escape")
        await played.look()
        await played.pilot.click(KeyBar, offset=(played.bar().index("a approve"), 0))
        await played.until(lambda: not played.backend.state.requests[1].open)


async def test_an_unknown_theme_is_one_line() -> None:
    told('[screen]\ntheme = "[/x]"\n')
    async with stage() as played:
        await played.shows("there is no [/x]")
        assert played.app.theme == "runebook"


async def test_a_chosen_key_works_and_is_shown_everywhere() -> None:
    told('[keys]\n"request.next" = "ctrl+n"\n"mode.suggestions" = "f5"\n')
    async with stage() as played:
        await played.shows("^n next")
        await played.press("n")
        assert played.cockpit.requests.selected == 1
        played.cockpit.requests.select(2)
        await played.press("ctrl+n")
        assert played.cockpit.requests.selected == 1
        await played.press("f5")
        await played.until(lambda: played.app.current_mode == "suggestions")
        await played.press("question_mark")
        await played.shows("^n")


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ('"request.next" = "a"', "[keys] request.next: a is the key of request.approve"),
        ('"requests.decided" = "w"', "[keys] requests.decided: w is the key of card.widen"),
        ('"card.transfer" = "U"', "[keys] card.transfer: U is the key of requests.restore"),
        ('"request.nxet" = "N"', "[keys] request.nxet: nothing has that id"),
    ],
)
async def test_a_key_that_cannot_be_is_one_line_and_changes_nothing(keys: str, words: str) -> None:
    told(f"[keys]\n{keys}\n")
    async with stage() as played:
        await played.shows(words)
        assert " n next" in played.bar()


def test_two_commands_may_change_places() -> None:
    used, problem = modes.keymap({"request.next": "N", "request.open": "n"})
    assert (used, problem) == ({"request.next": "N", "request.open": "n"}, "")


def test_where_keys_may_clash_is_what_the_screens_are_bound_to() -> None:
    for mode in modes.MODES:
        screen = (
            CockpitScreen
            if mode is modes.COCKPIT
            else import_module(f"runebook_tui.tui.screens.{mode.id}").__dict__[mode.screen]
        )
        bound = {each.id for each in screen.BINDINGS}
        assert bound == {each.id for each in modes.commands_of(mode.id) if each.key}
        assert modes.commands_of(mode.id) in modes.tables()


def test_choices_that_cannot_be_read_or_kept_are_none(tmp_path: Path) -> None:
    path = choices_path()
    path.parent.mkdir(parents=True)
    for content in (b"{", b"[]", b'{"theme": 3}', b"\xff"):
        path.write_bytes(content)
        assert chosen("theme") == ""
    choose("theme", "x", tmp_path / "choices.json" / "below")
    choose("theme", "x", tmp_path / "kept.json")
    choose("tour", "seen", tmp_path / "kept.json")
    assert (chosen("theme", tmp_path / "kept.json"), chosen("tour", tmp_path / "kept.json")) == ("x", "seen")
