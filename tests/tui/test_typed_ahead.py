"""Keys that arrive together: each goes where the ones before it lead."""

from __future__ import annotations

from textual.events import Key, Paste
from textual.keys import _character_to_key
from tui_scenes import Stage, scene, stage

from runebook_tui.tui.screens.edit import EditPrompt
from runebook_tui.tui.screens.help import HelpScreen
from runebook_tui.tui.screens.requests import RequestsScreen
from runebook_tui.tui.screens.say import SayScreen


def together(played: Stage, *keys: str) -> None:
    """Press them before the app has looked at the first."""
    for each in keys:
        name, text = (_character_to_key(each), each) if len(each) == 1 else (each, None)
        played.app.post_message(Key(name, text))


async def test_the_letters_of_a_filter_decide_nothing() -> None:
    backend = scene()
    async with stage(backend) as played:
        together(played, "2", "/", *"patxr", "enter")
        await played.until(lambda: played.app.current_mode == "requests")
        screen = played.app.screen
        assert isinstance(screen, RequestsScreen)
        await played.until(lambda: screen.wanted == "patxr")
        await played.until(lambda: screen.focused is not screen.filter)
        assert backend.sent == []


async def test_what_is_said_is_typed_where_it_is_said() -> None:
    async with stage() as played:
        together(played, "S", *"axrq?")
        await played.until(lambda: isinstance(played.app.screen, SayScreen))
        screen = played.app.screen
        assert isinstance(screen, SayScreen)
        await played.until(lambda: screen.draft.text == "axrq?")


async def test_dialogs_may_be_opened_and_left_at_once() -> None:
    async with stage() as played:
        together(played, "?", "escape", "6", "e")
        await played.until(lambda: isinstance(played.app.screen, EditPrompt))
        together(played, "escape", "?")
        await played.until(lambda: isinstance(played.app.screen, HelpScreen))


async def test_a_paste_waits_for_the_key_before_it() -> None:
    async with stage() as played:
        together(played, "2", "/")
        played.app.post_message(Paste("beta"))
        together(played, "x")
        await played.until(lambda: played.app.current_mode == "requests")
        screen = played.app.screen
        assert isinstance(screen, RequestsScreen)
        await played.until(lambda: screen.filter.value == "betax")
