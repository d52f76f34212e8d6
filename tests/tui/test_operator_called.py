"""The keys y and Z, and how the screen calls: what it shows is not told; the terminal rings once."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from tui_scenes import NOW, Stage, scene, stage

from runebook_tui.core import commands as c
from runebook_tui.core.activity import Activity
from runebook_tui.core.calls import Call
from runebook_tui.core.observed import Reading, ReportObserved
from runebook_tui.core.standing import Word
from runebook_tui.settings import Notify
from runebook_tui.tui.caller import LOOKS_SECONDS, Caller
from runebook_tui.tui.memory import MemoryBackend
from runebook_tui.tui.osc import form_of, sequence
from runebook_tui.tui.screens.why import WhyScreen
from runebook_tui.tui.view import View

ASKS = c.ReportActivity("storage", "Claude Code", Activity.WAITING, "may Bash run?")
QUESTION = "Overwrite [bold]x[/]? [y/N]"


def asked() -> MemoryBackend:
    """The scene, and the pane of storage asks something."""
    backend = scene()
    backend.do(ReportObserved("storage", Reading(Word.WAITING, "general: yes or no", QUESTION)), at=NOW - 60)
    return backend


async def storage(played: Stage) -> None:
    """Go to storage by the key for the next that needs you."""
    for _ in range(4):
        await played.press("n")
        if played.cockpit.plan.agent == "storage":
            return
    raise AssertionError(played.text())


async def test_the_plan_says_who_needs_you_and_the_header_counts() -> None:
    async with stage(asked()) as played:
        await played.shows("1 waiting for you", "◐ storage", "waiting for you: Over")


async def test_y_says_why() -> None:
    async with stage(asked()) as played:
        await storage(played)
        await played.press("y")
        assert isinstance(played.app.screen, WhyScreen)
        await played.shows(
            "Why is storage waiting for you?",
            "waiting for you for 1:00",
            "its pane",
            "general: yes or no",
            QUESTION,
            "Before that",
            "working for",
            "its program runs",
        )
        await played.press("space")
        assert played.app.screen is played.cockpit


async def test_z_puts_a_call_off_and_the_same_key_hears_it_again() -> None:
    async with stage(asked()) as played:
        await storage(played)
        await played.press("Z")
        await played.shows("1 snoozed", "snoozed for 15:00 more")
        await played.press("Z")
        await played.shows("1 waiting for you")
        assert played.backend.sent == [("snooze", {"agent": "storage"})] * 2


async def test_a_call_that_is_put_off_is_left_out_by_n() -> None:
    async with stage(asked()) as played:
        await storage(played)
        await played.press("Z")
        await played.shows("1 snoozed")
        went = []
        for _ in range(5):
            await played.press("n")
            went.append(played.cockpit.plan.agent)
        assert went[-3:].count("storage") == 0, went


async def test_z_on_one_that_does_not_call_says_so() -> None:
    async with stage() as played:
        while played.cockpit.plan.agent != "nix-ci":
            await played.press("j")
        await played.press("Z")
        await played.shows("nix-ci does not call for you")
        assert played.backend.sent == []


async def test_nobody_is_called_of_what_the_screen_shows() -> None:
    async with stage() as played:
        played.backend.do(
            c.ReportActivity("storage", "Claude Code", Activity.WAITING, "may Bash run?"), at=NOW
        )
        await played.shows("1 waiting for you")
        played.now += 30
        await played.app._call()
        played.now += 30
        await played.app._call()
        assert played.backend.called == []


async def test_whoever_looks_elsewhere_is_called_once() -> None:
    async with stage() as played:
        written: list[str] = []
        played.app._caller._write = written.append
        await played.app._call()
        played.app.app_focus = False
        played.backend.do(
            c.ReportActivity("storage", "Claude Code", Activity.WAITING, "may Bash run?"), at=NOW
        )
        await played.shows("1 waiting for you")
        for _ in range(5):
            await played.app._call()
            played.now += 3
        assert played.backend.called == ["storage is waiting for you: may Bash run?"]
        assert "".join(written).count("\a") == 1


# ── without a screen ────────────────────────────────────────────────────────────────────────────


def test_who_pressed_a_key_a_moment_ago_looks_where_the_terminal_says_nothing() -> None:
    now = [0.0]
    caller = Caller(Notify(), lambda: now[0], lambda text: None, {})
    assert caller.looks
    now[0] = LOOKS_SECONDS
    assert not caller.looks
    caller.touched()
    assert caller.looks


def test_a_terminal_that_says_it_is_believed() -> None:
    now = [0.0]
    caller = Caller(Notify(), lambda: now[0], lambda text: None, {})
    caller.looked_at(False)
    assert not caller.looks
    caller.looked_at(True)
    now[0] = 10 * LOOKS_SECONDS
    assert caller.looks


def test_nothing_is_told_before_the_first_update() -> None:
    assert Caller(Notify(), lambda: 0.0, lambda text: None, {}).hear(View(scene().state), "") == ()


@pytest.mark.parametrize(
    ("setting", "environment", "form"),
    [
        ("auto", {"TERM_PROGRAM": "iTerm.app"}, "9"),
        ("auto", {"TERM_PROGRAM": "ghostty"}, "9"),
        ("auto", {"TERM": "xterm-kitty"}, "99"),
        ("auto", {"TERM": "tmux-256color", "TERM_PROGRAM": "tmux", "KITTY_WINDOW_ID": "1"}, "99"),
        ("auto", {"TERM": "foot"}, "777"),
        ("auto", {"TERM": "xterm-256color", "VTE_VERSION": "7200"}, "777"),
        ("auto", {"TERM": "xterm-256color"}, ""),
        ("off", {"TERM_PROGRAM": "iTerm.app"}, ""),
        ("777", {}, "777"),
    ],
)
def test_the_terminal_says_what_it_understands(setting: str, environment: dict[str, str], form: str) -> None:
    assert form_of(setting, environment) == form


@pytest.mark.parametrize("form", ["9", "777", "99"])
@pytest.mark.parametrize("tmux", [False, True])
def test_nothing_that_others_wrote_ends_the_sequence(form: str, tmux: bool) -> None:
    hostile = "x\x1b\\\x07\x9c\n\x1b]52;c;!\x07"
    plain, evil = (sequence(form, words, tmux=tmux) for words in ("x", hostile))
    for byte in "\x1b\x07\x9c\n":
        assert evil.count(byte) == plain.count(byte)


RING = """
from runebook_tui.core.calls import Call
from runebook_tui.settings import Notify
from runebook_tui.tui.caller import Caller
import os, sys, time
write = lambda text: (sys.stdout.write(text), sys.stdout.flush())
call = Call(("agent", "a", 0.0), "a is idle")
Caller(Notify(osc="777"), time.time, write, {environment}).ring([call])
"""


def test_the_bytes_reach_a_terminal() -> None:
    """Through a pseudo-terminal, as a terminal reads them."""
    ours, theirs = pty.openpty()
    try:
        program = textwrap.dedent(RING.format(environment={}))
        subprocess.run([sys.executable, "-c", program], stdout=theirs, check=True, timeout=60)
        assert os.read(ours, 4096) == b"\x07\x1b]777;notify;Runebook;a is idle\x1b\\"
    finally:
        os.close(ours)
        os.close(theirs)


def test_the_sequence_passes_through_a_real_tmux(tmp_path: Path) -> None:
    """tmux gives what is wrapped to the terminal that it is attached to, as it stands."""
    server = ["tmux", "-L", f"runebook-osc-{os.getpid()}", "-f", os.devnull]
    program = tmp_path / "ring.py"
    program.write_text("import time\n" + RING.format(environment={"TMUX": "x"}) + "time.sleep(60)\n")
    script = f"while [ ! -e {tmp_path}/go ]; do sleep 0.05; done; {sys.executable} {program}"
    ours, theirs = pty.openpty()
    environment = {**{k: v for k, v in os.environ.items() if k != "TMUX"}, "TERM": "xterm-256color"}
    try:
        start = [*server, "new-session", "-d", "-s", "s", script, ";", "set", "-g", "allow-passthrough", "on"]
        subprocess.run(start, check=True, timeout=60, env=environment)
        client = subprocess.Popen(
            [*server, "attach", "-t", "s"],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environment,
            start_new_session=True,
        )
        try:
            seen, gone = b"", False
            while b"\x1b]777;notify;Runebook;a is idle\x1b\\" not in seen:
                seen += os.read(ours, 65_536)
                if not gone:
                    (tmp_path / "go").touch()
                    gone = True
        finally:
            client.kill()
            client.wait()
    finally:
        subprocess.run([*server, "kill-server"], check=False, capture_output=True)
        os.close(ours)
        os.close(theirs)


def test_a_call_without_a_form_only_rings() -> None:
    written: list[str] = []
    Caller(Notify(osc="off"), lambda: 0.0, written.append, {}).ring([Call(("a", "b", 0.0), "words")])
    assert written == ["\a"]
    Caller(Notify(osc="off", bell=False), lambda: 0.0, written.append, {}).ring([Call(("a", "b", 0.0), "w")])
    assert written == ["\a"]
