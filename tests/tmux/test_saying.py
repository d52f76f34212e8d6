"""What is typed into a real pane is submitted, or it is said that it is not."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from panes_play import tmux, wait_for

from runebook_tui.execution import typist as typing
from runebook_tui.execution.typist import Said, Typist
from runebook_tui.tmux.server import TmuxServer

SUBMITTED = Said("submitted", "it has left the input line")

READS = """
printf 'ready> '
while IFS= read -r line; do printf '%s\\n' "$line" >> got; printf 'ready> '; done
"""

# A full-screen program with one input line in a frame and a status line below it, as agents' clients have
# them. It asks for bracketed pastes, shows long ones by a sign, and keeps what was entered in the file `got`.
# Words: `swallow` ignores the first Enter; `deaf` shows nothing of what is typed; `busy` never stands still;
# `newline` takes every Enter for a newline.
BOXED = r"""
import os, re, select, sys, termios, tty
words = sys.argv[1:]
tty.setraw(0)
text, said, enters, ticks = "", [], 0, 0
shown = lambda: f"[Pasted text #1 +{text.count(chr(10))} lines]" if text.count("\n") > 3 else text
def draw():
    out = ["\x1b[?2004h\x1b[H\x1b[2J"]
    out += [f"said: {each[:60]!r}\r\n" for each in said[-5:]]
    body = "" if "deaf" in words else shown().replace("\n", " | ")
    if "busy" in words:
        out.append(f"working {'.' * (ticks % 9)}\r\n")
    out.append("\u256d" + "\u2500" * 70 + "\u256e\r\n\u2502 > " + body[:66].ljust(67) + "\u2502\r\n")
    out.append("\u2570" + "\u2500" * 70 + f"\u256f\r\n  ? for help {ticks if 'busy' in words else ''}\r\n")
    os.write(1, "".join(out).encode())
draw()
data = b""
while True:
    ready = select.select([0], [], [], 0.05)[0]
    ticks += 1
    if not ready:
        if "busy" in words: draw()
        continue
    data += os.read(0, 65536)
    while data:
        if data.startswith(b"\x1b[200~"):
            end = data.find(b"\x1b[201~")
            if end < 0: break
            text += data[6:end].decode().replace("\r", "\n")
            data = data[end + 6:]
        elif data[:1] == b"\r":
            data = data[1:]
            enters += 1
            if "newline" in words:
                text += "\n"
            elif not ("swallow" in words and enters == 1):
                said.append(text)
                with open("got", "a") as file: file.write(text + "\0")
                text = ""
        else:
            text += data[:1].decode("latin-1")
            data = data[1:]
    draw()
"""


def begin(server: TmuxServer, folder: Path, *argv: str, shows: str) -> str:
    pane = server.start_pane("alpha", list(argv), folder, {})
    wait_for(lambda: shows in "\n".join(server.look(pane.pane_id).lines), "the program")
    return pane.pane_id


def boxed(server: TmuxServer, folder: Path, *words: str) -> str:
    return begin(server, folder, sys.executable, "-I", "-S", "-c", BOXED, *words, shows="? for help")


def type_into(
    server: TmuxServer, pane_id: str, text: str, prompts: Callable[[], int] = lambda: 0, client: str = ""
) -> Said:
    return asyncio.run(Typist(server).type_into(pane_id, text, prompts=prompts, client=client))


def got(folder: Path) -> str:
    file = folder / "got"
    return file.read_text() if file.exists() else ""


@pytest.mark.parametrize(
    "text", ["hello", "y", "ready>", "a long line " * 40, "-l 'x' \"$HOME\" #{pid} ; é漢"]
)
def test_a_program_that_reads_lines_has_what_was_said(server: TmuxServer, tmp_path: Path, text: str) -> None:
    pane_id = begin(server, tmp_path, "bash", "-c", READS, shows="ready>")
    assert type_into(server, pane_id, text) == SUBMITTED
    assert (
        type_into(server, pane_id, text) == SUBMITTED
    )  # the same again, while the first is still to be seen
    assert got(tmp_path) == f"{text}\n" * 2


def test_python_has_three_hundred_lines_as_one_paste(server: TmuxServer, tmp_path: Path) -> None:
    pane_id = begin(server, tmp_path, sys.executable, "-i", "-q", "-c", "", shows=">>>")
    lines = "".join(f"{number},\n" for number in range(300))
    assert type_into(server, pane_id, f"open('got', 'w').write(str(sum([\n{lines}])))") == SUBMITTED
    wait_for(lambda: got(tmp_path) == str(sum(range(300))), "the sum")


@pytest.mark.parametrize("words", [(), ("swallow",), ("busy",), ("busy", "swallow")])
@pytest.mark.parametrize("text", ["one line", "two\nlines", "x = 1\n" * 300])
def test_a_full_screen_program_has_it_as_one_text(
    server: TmuxServer, tmp_path: Path, words: tuple[str, ...], text: str
) -> None:
    pane_id = boxed(server, tmp_path, *words)
    assert type_into(server, pane_id, text) == SUBMITTED
    assert got(tmp_path) == f"{text}\0"


def test_a_person_who_looks_at_the_history_does_not_swallow_it(server: TmuxServer, tmp_path: Path) -> None:
    pane_id = boxed(server, tmp_path)
    tmux(server, "copy-mode", "-t", pane_id)
    tmux(server, "send-keys", "-t", pane_id, "-X", "history-top")
    assert type_into(server, pane_id, "hello") == SUBMITTED
    assert tmux(server, "display-message", "-p", "-t", pane_id, "#{pane_in_mode}") == "0"
    assert got(tmp_path) == "hello\0"


def test_what_is_not_seen_is_not_entered(
    server: TmuxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(typing, "LAND_SECONDS", 1.0)
    for words in (("deaf",), ("deaf", "busy")):
        pane_id = boxed(server, tmp_path, *words)
        said = type_into(server, pane_id, "hello")
        assert (said.outcome, "Enter was not pressed" in said.why) == ("typed", True)
        server.kill_pane(pane_id)
    assert got(tmp_path) == ""


def test_the_clients_own_word_counts_where_it_gives_one(
    server: TmuxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(typing, "SUBMIT_SECONDS", 1.0)
    pane_id = boxed(server, tmp_path)
    said = type_into(server, pane_id, "hello", lambda: got(tmp_path).count("\0"), "Boxed")
    assert said == Said("submitted", "its client says so")
    server.kill_pane(pane_id)
    pane_id = boxed(server, tmp_path, "newline")
    said = type_into(server, pane_id, "taken for a line", lambda: 0, "Boxed")
    assert (said.outcome, "Boxed has not said" in said.why) == ("typed", True)


def test_two_who_speak_at_once_are_heard_one_after_the_other(server: TmuxServer, tmp_path: Path) -> None:
    pane_id = boxed(server, tmp_path)
    typist = Typist(server)

    async def both() -> list[Said]:
        return await asyncio.gather(*(typist.type_into(pane_id, each) for each in ("one", "two")))

    assert asyncio.run(both()) == [SUBMITTED, SUBMITTED]
    assert sorted(got(tmp_path).split("\0")) == ["", "one", "two"]
