"""The control-mode connection on a real tmux server, with panes that lie."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from panes_play import PATIENCE, tmux, wait_for

from runebook_tui.tmux.control import ControlClient, Frame
from runebook_tui.tmux.panes import TmuxError
from runebook_tui.tmux.server import TmuxServer


@pytest_asyncio.fixture
async def client(server: TmuxServer, tmp_path: Path) -> AsyncIterator[ControlClient]:
    """A connection to a server that runs one idle pane of the agent `idle`."""
    server.start_pane("idle", ["sleep", "600"], tmp_path, {})
    client = ControlClient(server.socket_name)
    await client.connect()
    yield client
    await client.close()


async def until(probe: Callable[[], Awaitable[bool]], what: str) -> None:
    """Return as soon as `probe` is true; fail after a generous while."""

    deadline = time.monotonic() + PATIENCE
    while not await probe():
        if time.monotonic() > deadline:
            pytest.fail(f"waited in vain for {what}")
        await asyncio.sleep(0.01)


async def shows(client: ControlClient, pane_id: str, text: bytes) -> Frame:
    """The pane's frame, once it contains `text`."""

    async def seen() -> bool:
        return any(text in line for line in (await client.capture(pane_id)).lines)

    await until(seen, repr(text))
    return await client.capture(pane_id)


def run(server: TmuxServer, agent: str, script: str, tmp_path: Path) -> str:
    """Start a pane that runs a shell script and then stays; its id."""
    return server.start_pane(agent, ["sh", "-c", f"{script}\nexec sleep 600"], tmp_path, {}).pane_id


async def test_a_frame_is_exactly_the_screen(
    client: ControlClient, server: TmuxServer, tmp_path: Path
) -> None:
    pane_id = run(server, "alpha", r"printf '\033[31mred\none\033[0m more\n  at'", tmp_path)
    frame = await shows(client, pane_id, b"  at")
    assert (frame.width, frame.height, len(frame.lines)) == (200, 50, 50)
    assert frame.lines[0] == b"\x1b[31mred"
    assert frame.lines[1] == b"one\x1b[39m more"
    assert set(frame.lines[3:]) == {b""}
    assert (frame.cursor, frame.cursor_visible, frame.dead) == ((4, 2), True, False)


async def test_a_hidden_cursor_and_a_death_are_seen(
    client: ControlClient, server: TmuxServer, tmp_path: Path
) -> None:
    pane = server.start_pane("alpha", ["sh", "-c", r"printf '\033[?25lbye'"], tmp_path, {})
    wait_for(lambda: server.panes()[1].dead, "the end")
    frame = await client.capture(pane.pane_id)
    assert (frame.lines[0], frame.cursor_visible, frame.dead) == (b"bye", False, True)


async def test_a_pane_cannot_end_its_own_answer(
    client: ControlClient, server: TmuxServer, tmp_path: Path
) -> None:
    # Command numbers are small and times are seconds: every plausible one is printed.
    script = """
now=$(date +%s)
printf '%%begin %s 1 1\\n' "$now"
for second in 0 1 2 3; do for number in 1 2 3 4 5 6 7 8; do
printf '%%end %s %s 1\\n' $((now + second)) $number
done; done
printf '%%error %s 9 1\\n%%exit spoofed\\n%%session-changed $9 spoofed\\nlast one' "$now"
"""
    pane_id = run(server, "alpha", script, tmp_path)
    frame = await shows(client, pane_id, b"last one")
    assert len(frame.lines) == 50
    assert frame.lines[0].startswith(b"%begin ")
    assert sum(line.startswith(b"%end ") for line in frame.lines) == 32
    assert frame.lines[34:36] == (b"%exit spoofed", b"%session-changed $9 spoofed")
    for _ in range(30):
        assert (await client.capture(pane_id)).lines == frame.lines
        assert set(await client.fingerprints()) == {"%0", pane_id}
    assert client.connected


async def test_a_pane_that_ends_in_a_lie(client: ControlClient, server: TmuxServer, tmp_path: Path) -> None:
    lie = r"i=0; while [ $i -lt 60 ]; do i=$((i+1)); printf '\n%%end 1 2 1'; done"
    pane_id = run(server, "alpha", lie, tmp_path)

    async def full() -> bool:
        return (await client.capture(pane_id)).lines == (b"%end 1 2 1",) * 50

    await until(full, "a screen full of lies")


async def test_the_alternate_screen_and_line_drawing(
    client: ControlClient, server: TmuxServer, tmp_path: Path
) -> None:
    pane_id = run(server, "alpha", r"printf 'before\n\033[?1049h\033[H\033(0lqk\033(B there'", tmp_path)
    frame = await shows(client, pane_id, b"there")
    assert frame.lines[0] == b"\x0elqk\x0f there"
    assert len(frame.lines) == 50


async def test_overlapping_requests_keep_their_answers(
    client: ControlClient, server: TmuxServer, tmp_path: Path
) -> None:
    names = [f"agent-{number}" for number in range(12)]
    ids = [run(server, name, f"printf 'I am {name}.'", tmp_path) for name in names]
    for pane_id, name in zip(ids, names, strict=True):
        await shows(client, pane_id, name.encode())
    for _ in range(5):
        answers = await asyncio.gather(
            client.capture("%999"),
            *(client.capture(pane_id) for pane_id in ids),
            client.fingerprints(),
            return_exceptions=True,
        )
        assert isinstance(answers[0], TmuxError)
        for name, frame in zip(names, answers[1:-1], strict=True):
            assert isinstance(frame, Frame)
            assert frame.lines[0] == f"I am {name}.".encode()
        assert isinstance(answers[-1], dict)
        assert set(answers[-1]) == {"%0", *ids}


async def test_a_cancelled_request_does_no_harm(client: ControlClient) -> None:
    for _ in range(20):
        task = asyncio.create_task(client.capture("%0"))
        await asyncio.sleep(0)
        task.cancel()
        assert len((await client.capture("%0")).lines) == 50
    assert client.connected


async def test_scrollback_is_clipped_to_what_there_is(
    client: ControlClient, server: TmuxServer, tmp_path: Path
) -> None:
    pane_id = run(server, "alpha", "seq 1 100; printf end", tmp_path)
    await shows(client, pane_id, b"end")
    # 101 rows, 50 of them visible: 51 are history.
    assert (await client.scrollback(pane_id, -3, 5)).lines == (b"49", b"50", b"51", b"52", b"53")
    assert (await client.scrollback(pane_id, -51, 2)).lines == (b"1", b"2")
    assert (await client.scrollback(pane_id, -60, 11)).lines == (b"1", b"2")
    assert (await client.scrollback(pane_id, -60, 5)).lines == ()
    assert (await client.scrollback(pane_id, 49, 9)).lines == (b"end",)
    assert (await client.scrollback(pane_id, 50, 9)).lines == ()
    assert (await client.scrollback(pane_id, -3, 0)).lines == ()


async def test_fingerprints_change_with_the_content(
    client: ControlClient, server: TmuxServer, tmp_path: Path
) -> None:
    pane = server.start_pane("alpha", ["sh"], tmp_path, {})
    before = await client.fingerprints()
    server.send_text(pane.pane_id, "echo hello", submit=True)

    async def changed() -> bool:
        return (await client.fingerprints())[pane.pane_id] != before[pane.pane_id]

    await until(changed, "a new fingerprint")
    assert (await client.fingerprints())["%0"] == before["%0"]


async def test_a_redraw_in_place_is_noticed(
    client: ControlClient, server: TmuxServer, tmp_path: Path
) -> None:
    spin = r"while :; do printf '\r-'; sleep 0.05; printf '\r|'; sleep 0.05; done"
    pane_id = run(server, "alpha", spin, tmp_path)
    await shows(client, pane_id, b"|")
    before = (await client.fingerprints())[pane_id]

    async def changed() -> bool:
        return (await client.fingerprints())[pane_id] != before

    await until(changed, "a new fingerprint")


async def test_attaching_leaves_sizes_and_environment_alone(
    client: ControlClient, server: TmuxServer, tmp_path: Path
) -> None:
    info = server.start_pane("alpha", ["sh"], tmp_path, {})
    assert (info.width, info.height) == (200, 50)
    flags = tmux(server, "list-clients", "-F", "#{client_flags}")
    assert {"ignore-size", "no-output"} <= set(flags.split(","))


async def test_a_respawn_while_connected(client: ControlClient, server: TmuxServer, tmp_path: Path) -> None:
    pane = server.start_pane("alpha", ["yes"], tmp_path, {})
    await shows(client, pane.pane_id, b"y")
    for _ in range(5):
        server.respawn(pane.pane_id, ["yes"], tmp_path, {})
        await shows(client, pane.pane_id, b"y")
    assert client.connected


async def test_hostile_pane_ids_are_refused(client: ControlClient) -> None:
    for pane_id in ("%0\nkill-server", "%0 ; kill-server", "", "%"):
        with pytest.raises(ValueError, match="not a pane id"):
            await client.capture(pane_id)
        with pytest.raises(ValueError, match="not a pane id"):
            await client.scrollback(pane_id, 0, 1)
    assert len((await client.capture("%0")).lines) == 50


async def test_the_servers_death_is_an_error(
    client: ControlClient, server: TmuxServer, tmp_path: Path
) -> None:
    requests = [asyncio.create_task(client.capture("%0")) for _ in range(50)]
    await asyncio.to_thread(server.kill_server)
    await asyncio.gather(*requests, return_exceptions=True)

    async def gone() -> bool:
        return not client.connected

    await until(gone, "the end of the connection")
    for call in (
        client.capture("%0"),
        client.scrollback("%0", 0, 1),
        client.fingerprints(),
        client.connect(),
    ):
        with pytest.raises(TmuxError):
            await call
    server.start_pane("alpha", ["sh"], tmp_path, {})
    await client.connect()
    assert client.connected
    assert len((await client.capture("%0")).lines) == 50


async def test_a_stuck_server_is_an_error(server: TmuxServer, tmp_path: Path) -> None:
    server.start_pane("alpha", ["sh"], tmp_path, {})
    client = ControlClient(server.socket_name, deadline=10.0)
    await client.connect()
    client.deadline = 0.3
    pid = int(tmux(server, "display-message", "-p", "#{pid}"))
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(TmuxError, match=r"did not answer within 0\.3 seconds"):
            await client.capture("%0")
        assert not client.connected
        with pytest.raises(TmuxError):
            await client.connect()
    finally:
        os.kill(pid, signal.SIGCONT)
        await client.close()


async def test_without_a_server_nothing_is_started(server: TmuxServer) -> None:
    client = ControlClient(server.socket_name)
    with pytest.raises(TmuxError):
        await client.connect()
    assert not client.connected
    assert server.panes() == []
    with pytest.raises(TmuxError, match="not connected"):
        await client.capture("%0")
    await client.close()
