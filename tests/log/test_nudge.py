"""A nudge wakes every reader at once, and a reader that has gone is forgotten."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path

from runebook_tui.log.nudge import Bell, Ear

LONG = 60.0
REPOSITORY = Path(__file__).parents[2]


async def test_every_reader_hears_the_bell(tmp_path: Path) -> None:
    bell = Bell(tmp_path)
    ears = [Ear(tmp_path) for _ in range(3)]
    waiting = [asyncio.create_task(ear.wait(LONG)) for ear in ears]
    await asyncio.sleep(0)
    bell.ring()
    assert await asyncio.gather(*waiting) == [True, True, True]
    for ear in ears:
        ear.close()
    bell.close()


async def test_a_ring_before_the_wait_is_not_lost(tmp_path: Path) -> None:
    bell, ear = Bell(tmp_path), Ear(tmp_path)
    bell.ring()
    assert await ear.wait(LONG)
    assert not await ear.wait(0.01)
    bell.ring()
    assert await ear.wait(LONG)
    ear.close()
    bell.close()


async def test_many_rings_never_block_and_count_as_one(tmp_path: Path) -> None:
    bell, ear = Bell(tmp_path), Ear(tmp_path)
    for _ in range(5000):
        bell.ring()
    assert await ear.wait(LONG)
    assert not await ear.wait(0.01)
    ear.close()
    bell.close()


async def test_a_wait_that_is_given_up_takes_no_nudge_with_it(tmp_path: Path) -> None:
    bell, ear = Bell(tmp_path), Ear(tmp_path)
    waiting = asyncio.create_task(ear.wait(LONG))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    bell.ring()
    assert await ear.wait(LONG)
    ear.close()
    bell.close()


def test_a_dead_readers_socket_is_removed(tmp_path: Path) -> None:
    code = f"""
from pathlib import Path
from runebook_tui.log.nudge import Ear
ear = Ear(Path({str(tmp_path)!r}))
print("listening", flush=True)
input()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    ) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == b"listening\n"
        reader.kill()
    bell, ear = Bell(tmp_path), Ear(tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    bell.ring()
    assert len(list(tmp_path.iterdir())) == 1
    assert asyncio.run(ear.wait(LONG)), "the living one still hears"
    ear.close()
    assert list(tmp_path.iterdir()) == []
    bell.close()


def test_the_bell_rings_whatever_lies_in_the_folder(tmp_path: Path) -> None:
    bell = Bell(tmp_path / "none")
    bell.ring()
    bell.close()
    (tmp_path / "other").write_text("kept")
    (tmp_path / "nudge-folder").mkdir()
    (tmp_path / ("nudge-" + "x" * 200)).touch()
    stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    stream.bind(str(tmp_path / "nudge-stream"))
    stream.listen()
    bell = Bell(tmp_path)
    bell.ring()
    bell.close()
    stream.close()
    assert (tmp_path / "other").read_text() == "kept"
