"""A screen that was killed comes back to where the operator looked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tui_scenes import Stage, scene, stage

from runebook_tui.tui.memory import MemoryBackend
from runebook_tui.tui.whereabouts import MOST_CHARACTERS, Place, Whereabouts, read


def world() -> MemoryBackend:
    """The scene, and more files than a screen has lines."""
    backend = scene()
    backend.paths = [f"src/part{n % 5}/file{n:02}.py" for n in range(100)]
    return backend


@asynccontextmanager
async def again(backend: MemoryBackend) -> AsyncIterator[Stage]:
    """The app, opened anew."""
    played = Stage(backend)
    async with played.app.run_test(size=(120, 36), notifications=True) as pilot:
        played.pilot = pilot
        await played.until(lambda: played.app.view.loaded)
        yield played


async def killed(played: Stage, backend: MemoryBackend, *keys: str) -> tuple[str, str]:
    """Press keys; what is shown then, and what a kill leaves of it."""
    await played.press(*keys)
    await played.until(lambda: read(backend.place).mode == played.app.current_mode)
    await played.pilot.pause(0.5)  # what was typed and read last is there, too
    return played.text(), backend.place


@pytest.mark.parametrize(
    "keys",
    [
        ("2", "down"),
        ("2", "c"),
        ("2", "slash", *"storage", "enter"),
        ("3", "o", "down", "down", "down"),
        ("3", "slash", *"part3", "enter", *["down"] * 15),
        ("6", "down", "down", "down", "i"),
        ("3", "down", "6", "down", "down"),
    ],
    ids=" ".join,
)
async def test_it_comes_back_to_the_same_screen(keys: tuple[str, ...]) -> None:
    backend = world()
    async with stage(backend) as played:
        before, place = await killed(played, backend, *keys)
    assert backend.place == ""  # who leaves in order begins anew
    backend.place = place
    async with again(backend) as played:
        await played.until(lambda: played.text() == before)


async def test_every_mode_that_was_opened_is_as_it_was() -> None:
    backend = world()
    async with stage(backend) as played:
        await played.press("3", "slash", *"part3", "enter", *["down"] * 15)
        await played.pilot.pause(0.5)
        files = played.text()
        _, place = await killed(played, backend, "6", "down")
    backend.place = place
    async with again(backend) as played:
        await played.until(lambda: played.app.current_mode == "plan")
        await played.press("3")
        await played.until(lambda: played.text() == files)


async def test_who_left_in_order_begins_at_the_cockpit() -> None:
    backend = world()
    async with stage(backend) as played:
        await killed(played, backend, "3")
    async with again(backend) as played:
        await played.pilot.pause()
        assert played.app.current_mode == "cockpit"


async def test_what_is_gone_is_not_waited_for() -> None:
    place = Place("", "nowhere", {"list": ("gone.py", 7), "no list": (None, 2)}, {"order": "odd"})
    backend = world()
    backend.place = Whereabouts("files", {"files": place, "no mode": place}).text()
    async with again(backend) as played:
        await played.until(lambda: played.app.current_mode == "files" and "▸ src/" in played.text())
        await played.press("enter", "down")
        await played.shows("▌  ▸ part0/")


names = st.text(max_size=12)
keys = st.none() | st.integers() | names | st.tuples(names, names)
places = st.builds(
    Place,
    names,
    names,
    st.dictionaries(names, st.tuples(keys, st.integers(0, 10**6)), max_size=3),
    st.dictionaries(names, names, max_size=3),
)


@given(st.builds(Whereabouts, names, st.dictionaries(names, places, max_size=3)))
def test_what_is_kept_is_read_back(whereabouts: Whereabouts) -> None:
    assert read(whereabouts.text()) == whereabouts


@given(st.text() | st.recursive(st.none() | st.integers() | names, lambda each: st.lists(each)).map(repr))
def test_whatever_stands_there_is_read(text: str) -> None:
    assert isinstance(read(text), Whereabouts)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[" * 100_000,
        '{"mode": 3, "places": []}',
        '{"mode": "files", "places": {"files": 3, "plan": {"spots": {"a": 1, "b": [{}, 1], "c": [1, "x"]}}}}',
    ],
)
def test_nonsense_is_left_out(text: str) -> None:
    assert not any(place.spots for place in read(text).places.values())


def test_it_does_not_grow_without_bound() -> None:
    long = Place(turned={"unfolded": "x" * MOST_CHARACTERS})
    assert read(Whereabouts("plan", {"files": long, "plan": Place("a")}).text()).places == {
        "plan": Place("a")
    }
    assert read(Whereabouts("files", {"files": long}).text()) == Whereabouts("files")
