"""What every kind of Panes promises, tried on tmux and on the twin in memory."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from panes_play import MemoryPlay, TmuxPlay, wait_for

from runebook_tui.tmux.panes import TmuxError, typable

Play = TmuxPlay | MemoryPlay


def test_no_panes_before_the_first(play: Play) -> None:
    assert play.panes.panes() == []


def test_started_panes_are_listed_in_order(play: Play, tmp_path: Path) -> None:
    started = [play.panes.start_pane(agent, ["sh"], tmp_path, {}) for agent in ("beta", "alpha", "nix-ci")]
    assert [info.agent for info in started] == ["beta", "alpha", "nix-ci"]
    assert len({info.pane_id for info in started}) == 3
    assert len({info.pid for info in started}) == 3
    listed = play.panes.panes()
    assert [(info.pane_id, info.agent, info.pid) for info in listed] == [
        (info.pane_id, info.agent, info.pid) for info in started
    ]
    for info in listed:
        assert (info.dead, info.status, info.signal) == (False, None, None)
        assert (info.width, info.height) == (200, 50)


def test_an_agent_has_one_pane(play: Play, tmp_path: Path) -> None:
    first = play.panes.start_pane("alpha", ["sh"], tmp_path, {})
    with pytest.raises(TmuxError, match=f"alpha already has pane {first.pane_id}"):
        play.panes.start_pane("alpha", ["sh"], tmp_path, {})
    assert [info.pane_id for info in play.panes.panes()] == [first.pane_id]


def test_a_dead_pane_stays_with_its_status_and_last_words(play: Play, tmp_path: Path) -> None:
    pane = play.panes.start_pane("alpha", ["sh"], tmp_path, {})
    play.print(pane.pane_id, "first line\nlast words")
    wait_for(lambda: "last words" in play.panes.capture(pane.pane_id), "the text")
    play.end(pane.pane_id, 7)
    wait_for(lambda: play.info(pane.pane_id).status is not None, "the exit status")
    info = play.info(pane.pane_id)
    assert (info.dead, info.status, info.signal, info.agent) == (True, 7, None, "alpha")
    assert "last words" in play.panes.capture(pane.pane_id)


def test_death_by_signal_is_told(play: Play, tmp_path: Path) -> None:
    pane = play.panes.start_pane("alpha", ["sh"], tmp_path, {})
    play.kill(pane.pane_id, signal.SIGKILL)
    wait_for(lambda: play.info(pane.pane_id).signal is not None, "the signal")
    info = play.info(pane.pane_id)
    assert (info.dead, info.status, info.signal) == (True, None, 9)


def test_capture_gives_the_last_lines(play: Play, tmp_path: Path) -> None:
    pane = play.panes.start_pane("alpha", ["sh"], tmp_path, {"PS1": "", "ENV": ""})
    text = "\n".join(f"line {number}" for number in range(90)) + "\nnaïve 漢字"
    play.print(pane.pane_id, text)
    wait_for(lambda: "naïve 漢字" in play.panes.capture(pane.pane_id), "the text")
    lines = play.panes.capture(pane.pane_id, 75)
    assert len(lines) <= 75
    end = lines.index("naïve 漢字")
    assert lines[end - 60 : end] == [f"line {number}" for number in range(30, 90)]
    assert play.panes.capture(pane.pane_id, 0) == []


def test_respawn_keeps_the_pane_and_its_agent(play: Play, tmp_path: Path) -> None:
    pane = play.panes.start_pane("alpha", ["sh"], tmp_path, {})
    play.end(pane.pane_id, 1)
    wait_for(lambda: play.info(pane.pane_id).dead, "the end")
    again = play.panes.respawn(pane.pane_id, ["sh"], tmp_path, {})
    assert (again.pane_id, again.agent, again.dead, again.status) == (pane.pane_id, "alpha", False, None)
    assert again.pid != pane.pid
    running = play.panes.respawn(pane.pane_id, ["sh"], tmp_path, {})
    assert running.pid != again.pid
    assert [info.pid for info in play.panes.panes()] == [running.pid]


def test_titles_are_free_text(play: Play, tmp_path: Path) -> None:
    pane = play.panes.start_pane("alpha", ["sh"], tmp_path, {})
    other = play.panes.start_pane("beta", ["sh"], tmp_path, {})
    title = "%99 0 1 1 0   80 24 evil [/x] #{pid} #(touch it) ÄÖ"
    play.retitle(pane.pane_id, title)
    wait_for(lambda: play.info(pane.pane_id).title == title, "the title")
    assert [(info.pane_id, info.agent) for info in play.panes.panes()] == [
        (pane.pane_id, "alpha"),
        (other.pane_id, "beta"),
    ]


def test_nothing_is_sent_to_a_dead_pane(play: Play, tmp_path: Path) -> None:
    pane = play.panes.start_pane("alpha", ["sh"], tmp_path, {})
    play.end(pane.pane_id, 0)
    wait_for(lambda: play.info(pane.pane_id).dead, "the end")
    with pytest.raises(TmuxError, match="has ended"):
        play.panes.send_text(pane.pane_id, "hello", submit=True)
    play.panes.interrupt(pane.pane_id)
    assert play.info(pane.pane_id).dead


def test_a_killed_pane_is_gone(play: Play, tmp_path: Path) -> None:
    pane = play.panes.start_pane("alpha", ["sh"], tmp_path, {})
    other = play.panes.start_pane("beta", ["sh"], tmp_path, {})
    play.panes.kill_pane(pane.pane_id)
    assert [info.pane_id for info in play.panes.panes()] == [other.pane_id]
    play.panes.kill_pane(pane.pane_id)
    for refused in (
        lambda: play.panes.capture(pane.pane_id),
        lambda: play.panes.send_text(pane.pane_id, "x", submit=False),
        lambda: play.panes.interrupt(pane.pane_id),
        lambda: play.panes.respawn(pane.pane_id, ["sh"], tmp_path, {}),
    ):
        with pytest.raises(TmuxError, match=pane.pane_id):
            refused()
    assert play.panes.start_pane("alpha", ["sh"], tmp_path, {}).pane_id != pane.pane_id


def test_the_server_can_end_and_start_again(play: Play, tmp_path: Path) -> None:
    play.panes.kill_server()
    for _ in range(3):
        pane = play.panes.start_pane("alpha", ["sh"], tmp_path, {})
        play.panes.kill_server()
        play.panes.kill_server()
        assert play.panes.panes() == []
        play.panes.kill_pane(pane.pane_id)


def test_impossible_launches_are_refused(play: Play, tmp_path: Path) -> None:
    with pytest.raises(TmuxError, match="no such folder"):
        play.panes.start_pane("alpha", ["sh"], tmp_path / "missing", {})
    for argv in ([], [""]):
        with pytest.raises(ValueError, match="empty"):
            play.panes.start_pane("alpha", argv, tmp_path, {})
    for agent in ("", "-x", "Alpha", "a b", "a\n", "a;", "#{pid}"):
        with pytest.raises(ValueError, match="not an agent id"):
            play.panes.start_pane(agent, ["sh"], tmp_path, {})
    for pane_id in ("", "1", "%", "%1\n", "%1;kill-server", "-t"):
        with pytest.raises(ValueError, match="not a pane id"):
            play.panes.kill_pane(pane_id)
    assert play.panes.panes() == []


def test_memory_fails_on_demand() -> None:
    play = MemoryPlay()
    play.memory.failure = "tmux did not answer"
    with pytest.raises(TmuxError, match="did not answer"):
        play.panes.panes()


def test_memory_remembers_what_it_was_told(tmp_path: Path) -> None:
    play = MemoryPlay()
    pane = play.panes.start_pane("alpha", ["sh", "-c", "x"], tmp_path, {"A": "1"})
    play.panes.send_text(pane.pane_id, "do it\x1b[201~", submit=True)
    play.panes.interrupt(pane.pane_id)
    program = play.memory.program(pane.pane_id)
    assert (program.argv, program.cwd, program.env) == (["sh", "-c", "x"], tmp_path, {"A": "1"})
    assert (program.sent, program.interrupts) == (["do it[201~\n"], 1)


def test_typable_keeps_only_what_a_keyboard_types() -> None:
    assert typable("a\tb\nc\r\x00\x03\x1b[201~\x7f\x9b漢é") == "a\tb\nc[201~漢é"
