"""The event log's screen, and the help."""

from __future__ import annotations

from tui_scenes import NOW, by, running, scene, stage, touch

from runebook_tui.core import commands as c
from runebook_tui.tui import commands, modes
from runebook_tui.tui.bindings import bindings
from runebook_tui.tui.screens.cockpit import CockpitScreen
from runebook_tui.tui.screens.log import LIMIT, PAGE, LogScreen


async def test_the_log_tells_events_as_sentences_newest_first() -> None:
    async with stage() as played:
        await played.press("l")
        await played.shows("you started run 1 of checkout-rewrite")
        text = played.text()
        assert text.index("request 2: capture asks to write") < text.index("surfaces failed: exit 3")
        assert "0:40:53" in text


async def test_what_happens_while_the_log_is_open_comes_on_top() -> None:
    async with stage() as played:
        await played.press("l")
        await played.shows("request 2")
        played.backend.do(c.CompleteTask("storage", "storage-2"), at=NOW)
        await played.shows("storage completed task storage-2")


async def test_the_filter_shows_only_what_holds_a_text() -> None:
    async with stage() as played:
        await played.press("l")
        await played.shows("phase build started")
        await played.press("slash", *"took up", "enter")
        await played.until(lambda: "phase build started" not in played.text())
        assert "capture took up task capture-1" in played.text()
        await played.press("escape")
        await played.shows("phase build started")
        await played.press("escape")
        assert played.app.screen is played.cockpit


async def test_a_long_log_is_read_page_by_page_and_bounded() -> None:
    backend = scene()
    for number in range(LIMIT + 3 * PAGE):
        event = c.Observe((touch(f"src/storage/{number}.py", by("storage")),))
        backend.do(event, at=NOW)
    async with stage(backend) as played:
        await played.press("l")
        log = played.app.screen
        assert isinstance(log, LogScreen)
        await played.until(lambda: len(log.rows.entries) == PAGE)
        for _ in range(30):
            known = len(log.rows.entries), log._records[-1].seq
            if log._complete:
                break
            await played.press("end")
            await played.until(lambda known=known: log._complete or log._records[-1].seq != known[1])
        await played.press("end")
        await played.shows("engine started on host")
        assert len(log.rows.entries) <= LIMIT + PAGE


async def test_help_names_every_key_of_the_table() -> None:
    async with stage(size=(120, 260)) as played:
        await played.press("question_mark")
        await played.shows("Keys", "Signs")
        text = " ".join(played.text().replace("│", " ").split())
        for command in modes.everything():
            assert command.help in text
            assert commands.key_signs(command.key) in text


def test_ids_of_commands_are_unique_and_every_key_of_a_screen_does_one_thing() -> None:
    ids = [command.id for command in modes.everything()]
    assert len(ids) == len(set(ids))
    for table in (
        CockpitScreen.TABLE,
        commands.CARD,
        commands.LOG,
        commands.ROWS,
        *(mode.table for mode in modes.MODES),
    ):
        keys = [key for command in table for key in command.key.split(",") if key]
        assert len(keys) == len(set(keys))
        assert not any(binding.priority for binding in bindings(table))


async def test_a_new_run_is_offered_when_the_run_is_over() -> None:
    backend = scene()
    async with stage(backend) as played:
        await played.press("ctrl+p", *"new run")
        await played.shows("start the plan again")
        await played.press("enter")
        await played.shows("the run is not over")
        backend.do(c.EndRun("failed", "surfaces failed"), at=NOW)
        await played.shows("run failed")
        await played.press("ctrl+p", *"new run")
        await played.shows("start the plan again")
        await played.press("enter")
        await played.until(lambda: backend.state.run == 2)
        running(backend, "core", NOW)
        await played.shows("1 working")


async def test_an_engine_that_is_gone_is_started_by_a_key() -> None:
    backend = scene()
    async with stage(backend) as played:
        backend.engine_alive = False
        await played.shows("engine ✗ not running")
        assert "E start the engine" in played.bar()
        await played.press("E")
        await played.until(lambda: backend.engine_alive)
        await played.until(lambda: "start the engine" not in played.bar())
