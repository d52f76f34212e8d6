"""What one peer of the engine's socket may take: time, memory, connections; and whom it is taken for."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runebook_tui.core.commands import RecordAttempt
from runebook_tui.execution.attempts import MOST_RECORDS, WINDOW_SECONDS, Attempts
from runebook_tui.execution.lines import SHORT, Lines, Room
from runebook_tui.execution.pauses import Pauses
from runebook_tui.execution.peers import Peer
from runebook_tui.execution.server import Connection, SocketServer
from runebook_tui.execution.speakers import Supervisors
from runebook_tui.execution.wire import MAX_LINE, WireError
from runebook_tui.log.eventlog import LogError

LAST_PID = Path("/proc/sys/kernel/ns_last_pid")


def lines_of(*pieces: bytes, room: Room | None = None, patience: float = 60.0, end: bool = True) -> Lines:
    reader = asyncio.StreamReader()
    for piece in pieces:
        reader.feed_data(piece)
    if end:
        reader.feed_eof()
    return Lines(reader, room or Room(), patience)


async def test_lines_come_whole_whatever_pieces_they_come_in() -> None:
    lines = lines_of(b"on", b"e\ntwo\n\nth", b"ree\nhalf")
    assert [await lines.next() for _ in range(5)] == [b"one\n", b"two\n", b"\n", b"three\n", None]
    long = lines_of(b"x" * (MAX_LINE - 1), b"\n", b"y\n")
    assert len(await long.next() or b"") == MAX_LINE
    assert await long.next() == b"y\n"


async def test_a_line_that_is_too_long_is_refused_as_soon_as_that_is_known() -> None:
    with pytest.raises(WireError, match="too long"):
        await lines_of(b"x" * (MAX_LINE + SHORT), end=False).next()


async def test_a_line_that_does_not_come_to_its_end_is_waited_for_so_long_and_no_longer() -> None:
    with pytest.raises(WireError, match="did not come to its end within 0.05 s"):
        await lines_of(b"half", patience=0.05, end=False).next()
    idle = asyncio.ensure_future(lines_of(patience=0.05, end=False).next())
    done, _ = await asyncio.wait([idle], timeout=0.2)
    assert not done  # who says nothing keeps nothing busy
    idle.cancel()


async def test_long_lines_share_their_room_and_give_it_back() -> None:
    room = Room(3 * SHORT)
    first = lines_of(b"x" * 2 * SHORT, room=room, end=False)
    waiting = asyncio.ensure_future(first.next())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    with pytest.raises(WireError, match="too many long messages at once"):
        await lines_of(b"y" * 2 * SHORT, room=room).next()
    assert await lines_of(b"z" * (SHORT - 1) + b"\n", room=room).next()
    waiting.cancel()
    await asyncio.wait([waiting])
    first.close()
    assert await lines_of(b"y" * 2 * SHORT + b"\n", room=room).next()


def handed_over(path: Path, child: Callable[[], None] = lambda: None) -> tuple[socket.socket, int]:
    """A connection that a process made, handed over and ended; and that process's number."""
    mine, theirs = socket.socketpair()
    with mine, theirs:
        pid = os.fork()
        if pid == 0:
            peer = socket.socket(socket.AF_UNIX)
            peer.connect(str(path))
            socket.send_fds(theirs, [b"x"], [peer.fileno()])
            os._exit(0)
        _, descriptors, _, _ = socket.recv_fds(mine, 1, 1)
        os.waitpid(pid, 0)
    return socket.socket(fileno=descriptors[0]), pid


def reborn(pid: int) -> int:
    """A process that was given the number of one that has ended."""
    for _ in range(200):
        try:
            LAST_PID.write_text(str(pid - 1))
        except OSError:
            pytest.skip("only root can choose the next process's number")
        child = os.fork()
        if child == 0:
            signal.pause()
            os._exit(0)
        if child == pid:
            return child
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    pytest.skip("somebody else always has the number first")


@pytest.mark.skipif(not LAST_PID.exists(), reason="the kernel does not let a number be chosen")
async def test_a_later_process_with_the_same_number_does_not_lend_its_name(tmp_path: Path) -> None:
    supervisors = Supervisors(tmp_path)
    said: list[str | None] = []

    async def take(connection: Connection, message: dict[str, Any]) -> dict[str, Any]:
        said.append(connection.speaker.name)
        return {"why": connection.speaker.why}

    server = SocketServer(tmp_path / "e.sock", supervisors, take, Pauses())
    await server.start()
    peer, pid = await asyncio.to_thread(handed_over, tmp_path / "e.sock")
    later = reborn(pid)
    try:
        reader, writer = await asyncio.open_unix_connection(sock=peer)
        writer.write(b'{"do":"approve"}\n')
        assert b"a process that has gone already" in await reader.readline()
        assert said == [None]
        writer.close()
    finally:
        os.kill(later, signal.SIGKILL)
        await asyncio.to_thread(os.waitpid, later, 0)
        await server.close()


def test_a_peer_is_believed_for_as_long_as_it_lives(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s"))
        listening.listen()
        with socket.socket(socket.AF_UNIX) as own:
            own.connect(str(tmp_path / "s"))
            accepted, _ = listening.accept()
            with accepted:
                peer = Peer(accepted)
            assert (peer.pid, peer.uid) == (os.getpid(), os.getuid())
            assert peer.lives()
            peer.close()
            assert not peer.lives()


class Book:
    """Keeps what was to be written down, or is a disk that is full."""

    def __init__(self) -> None:
        self.kept: list[RecordAttempt] = []
        self.full = False
        self.refused = 0
        self.asked = asyncio.Condition()

    async def record(self, attempt: RecordAttempt) -> None:
        async with self.asked:
            self.asked.notify_all()
            if self.full:
                self.refused += 1
                raise LogError("the disk is full")
            self.kept.append(attempt)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something that is to be written down makes it so."""
        async with asyncio.timeout(30), self.asked:
            await self.asked.wait_for(condition)


async def test_attempts_of_one_speaker_are_written_down_so_often_and_then_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("runebook_tui.execution.attempts.WINDOW_SECONDS", 0.2)
    assert WINDOW_SECONDS == 60
    book = Book()
    attempts = Attempts(book.record)
    for _ in range(3):
        await attempts.note("alpha", "approve 1", "no")
    for number in range(MOST_RECORDS + 40):
        await attempts.note("alpha", f"approve {number}", "no")
        await attempts.note(f"pid {number}", f"stop {number}", "who?")
    await attempts.note("beta", "down", "no")
    said = [each.speaker.split()[0] for each in book.kept]
    assert (said.count("alpha"), said.count("pid"), said.count("beta")) == (MOST_RECORDS, MOST_RECORDS, 1)
    await book.until(lambda: len(book.kept) == 2 * MOST_RECORDS + 3)
    more = {each.speaker.split()[0]: (each.attempt, each.count) for each in book.kept[-2:]}
    assert more == {"alpha": ("approve 99", 40), "pid": ("stop 99", 40)}
    await attempts.note("alpha", "down", "no")
    assert book.kept[-1] == RecordAttempt("alpha", "down", "no")
    attempts.close()


async def test_what_a_full_disk_did_not_take_is_counted_with_the_next_minutes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("runebook_tui.execution.attempts.WINDOW_SECONDS", 0.05)
    book = Book()
    attempts = Attempts(book.record)
    for number in range(MOST_RECORDS + 5):
        await attempts.note("alpha", f"approve {number}", "no")
    book.full = True
    await book.until(lambda: book.refused > 0)
    book.full = False
    await book.until(lambda: book.kept[-1].count == 5)
    attempts.close()
