"""What only a real tmux can show."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from panes_play import tmux, wait_for

from runebook_tui.tmux import configuration
from runebook_tui.tmux.attaching import BACK
from runebook_tui.tmux.panes import TmuxError
from runebook_tui.tmux.server import TmuxServer, check

HOSTILE_FOLDERS = [
    "a#[b",
    "c##[d",
    "e#{pid}",
    "f#(touch pwned)",
    "g;",
    "h%H#",
    "i\nj",
    os.fsdecode(b"k\xe9"),
    "l#H##,#}",
    "m '$HOME' \"`x`\\",
    "x" * 200,
]

# Tells in a file how it was started, then stays.
TELL = """
import json, os, sys, time
with open(sys.argv[1] + ".new", "w") as file:
    json.dump([os.getcwd(), sys.argv[2:], dict(os.environ)], file)
os.rename(sys.argv[1] + ".new", sys.argv[1])
time.sleep(600)
"""


def told(path: Path) -> tuple[str, list[str], dict[str, str]]:
    wait_for(path.exists, "the program's own account")
    cwd, argv, env = json.loads(path.read_text())
    path.unlink()
    return cwd, argv, env


def tell(path: Path, *more: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", TELL, str(path), *more]


def collect(server: TmuxServer, tmp_path: Path, prepare: str = "") -> tuple[str, Path]:
    """A pane whose program writes down every byte that is typed, and the file it writes to."""
    path = tmp_path / "typed"
    program = f"stty raw -echo; printf '{prepare}'; : > {path}; printf ready; exec cat >> {path}"
    pane = server.start_pane("alpha", ["sh", "-c", program], tmp_path, {})
    wait_for(lambda: "ready" in server.capture(pane.pane_id), "the program")
    return pane.pane_id, path


@pytest.mark.parametrize("name", HOSTILE_FOLDERS)
def test_a_folder_is_taken_as_it_stands(server: TmuxServer, tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    out = tmp_path / "out"
    pane = server.start_pane("alpha", tell(out), folder, {})
    assert told(out)[0] == str(folder)
    server.respawn(pane.pane_id, tell(out), tmp_path, {})
    assert told(out)[0] == str(tmp_path)
    server.respawn(pane.pane_id, tell(out), folder, {})
    assert told(out)[0] == str(folder)
    assert not list(tmp_path.rglob("pwned"))


def test_a_command_and_its_environment_are_taken_as_they_stand(server: TmuxServer, tmp_path: Path) -> None:
    words = [
        "a;",
        "b\\;",
        ";",
        "$HOME",
        "#{pid}",
        "#(id)",
        "'",
        '"',
        "\\",
        "",
        "-t",
        "--",
        "x y\nz",
        "`id`",
        "é",
    ]
    values = {"ONE": "a;", "TWO": "#{pid} $HOME", "THREE": "x\ny = z", "EMPTY": ""}
    out = tmp_path / "out"
    pane = server.start_pane("alpha", tell(out, *words), tmp_path, values)
    _, argv, env = told(out)
    assert argv == words
    assert {name: env[name] for name in values} == values
    server.respawn(pane.pane_id, tell(out, *words), tmp_path, values)
    _, argv, env = told(out)
    assert argv == words
    assert {name: env[name] for name in values} == values


def test_one_agents_environment_is_not_anothers(server: TmuxServer, tmp_path: Path) -> None:
    server.start_pane("alpha", tell(tmp_path / "out"), tmp_path, {"ONLY": "alpha"})
    assert told(tmp_path / "out")[2]["ONLY"] == "alpha"
    server.start_pane("beta", tell(tmp_path / "out"), tmp_path, {"ANOTHER": "beta"})
    env = told(tmp_path / "out")[2]
    assert env["ANOTHER"] == "beta"
    assert "ONLY" not in env
    server.start_pane("gamma", tell(tmp_path / "out"), tmp_path, {})
    assert not {"ONLY", "ANOTHER"} & told(tmp_path / "out")[2].keys()


def test_a_pane_takes_its_size_from_its_terminal_and_not_from_whoever_started_the_server(
    server: TmuxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shell that exports them would have every program in a pane draw for another terminal."""
    monkeypatch.setenv("COLUMNS", "17")
    monkeypatch.setenv("LINES", "5")
    for agent in ("alpha", "beta"):
        file = tmp_path / agent
        server.start_pane(agent, [sys.executable, "-c", TELL, os.fspath(file)], tmp_path, {})
        assert not {"COLUMNS", "LINES"} & told(file)[2].keys()


def test_a_command_of_one_word_is_not_read_by_a_shell(server: TmuxServer, tmp_path: Path) -> None:
    program = tmp_path / "a program; touch $0.pwned"
    program.write_text(f"#!/bin/sh\necho started > '{tmp_path}/out'\n")
    program.chmod(0o755)
    server.start_pane("alpha", [str(program)], tmp_path, {})
    wait_for(lambda: server.panes()[0].status == 0, "the program's end")
    assert (tmp_path / "out").read_text() == "started\n"


@pytest.mark.parametrize(("panes", "rows"), [(0, 20_000), (20, 20_000), (100, 4_000), (900, 2_000)])
def test_many_panes_share_the_rows_that_are_kept(panes: int, rows: int) -> None:
    assert f"\nset -g history-limit {rows}\n" in configuration.text(panes)


def test_the_users_configuration_is_not_read(
    server: TmuxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    (home / ".config" / "tmux").mkdir(parents=True)
    for path in (home / ".tmux.conf", home / ".config" / "tmux" / "tmux.conf"):
        path.write_text("set -g status-left hijacked\nset -g base-index 7\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    server.start_pane("alpha", ["sh"], tmp_path, {})
    assert "hijacked" not in tmux(server, "show-options", "-g", "status-left")
    assert tmux(server, "list-windows", "-a", "-F", "#{window_index} #{window_name}") == "0 alpha"


def test_every_option_is_understood(server: TmuxServer, tmp_path: Path) -> None:
    server.start_pane("alpha", ["sh"], tmp_path, {})
    options = [line for line in configuration.text().splitlines() if line.startswith("set ")]
    assert options
    for line in options:
        _, flags, name, value = line.split(" ", 3)
        scope = "-wgv" if "w" in flags else "-sv" if "s" in flags else "-gv"
        assert tmux(server, "show-options", scope, name) == value.strip('"'), line
    assert (
        tmux(server, "display-message", "-p", "-t", "=runebook:", "#{pane_width}x#{pane_height}") == "200x50"
    )


def test_one_key_without_a_prefix_goes_back(server: TmuxServer, tmp_path: Path) -> None:
    server.start_pane("alpha", ["sh"], tmp_path, {})
    assert "detach-client" in tmux(server, "list-keys", "-T", "root", BACK)


def test_programs_cannot_rename_their_window(server: TmuxServer, tmp_path: Path) -> None:
    pane = server.start_pane("alpha", ["sh", "-c", "printf '\\033kbeta\\033\\\\done'; cat"], tmp_path, {})
    wait_for(lambda: "done" in "".join(server.capture(pane.pane_id)), "the program")
    assert tmux(server, "list-windows", "-a", "-F", "#{window_name}") == "alpha"


def test_hostile_window_names_and_titles_move_nothing(server: TmuxServer, tmp_path: Path) -> None:
    pane = server.start_pane("alpha", ["sh"], tmp_path, {})
    tmux(server, "rename-window", "-t", pane.pane_id, "%7 0 1 1 0   80 24 evil x\n%8")
    tmux(server, "select-pane", "-t", pane.pane_id, "-T", "two\nlines\t")
    tmux(server, "split-window", "-d", "-t", pane.pane_id, "sleep 600")
    assert [(info.pane_id, info.agent) for info in server.panes()] == [(pane.pane_id, "alpha")]
    assert server.start_pane("beta", ["sh"], tmp_path, {}).agent == "beta"


def test_a_second_view_of_the_session_lists_nothing_twice(server: TmuxServer, tmp_path: Path) -> None:
    for agent in ("alpha", "beta"):
        server.start_pane(agent, ["sh"], tmp_path, {})
    tmux(server, "new-session", "-d", "-t", "runebook", "-s", "mine")
    assert [info.agent for info in server.panes()] == ["alpha", "beta"]
    server.start_pane("gamma", ["sh"], tmp_path, {})
    assert [info.agent for info in server.panes()] == ["alpha", "beta", "gamma"]


def test_another_object_adopts_the_panes(server: TmuxServer, tmp_path: Path) -> None:
    pane = server.start_pane("alpha", ["sh"], tmp_path, {})
    heir = TmuxServer(server.socket_name, server.folder)
    assert [(info.pane_id, info.agent, info.pid) for info in heir.panes()] == [
        (pane.pane_id, "alpha", pane.pid)
    ]
    heir.kill_server()
    assert server.panes() == []


def test_agents_may_be_started_from_several_threads(server: TmuxServer, tmp_path: Path) -> None:
    names = [f"agent-{number}" for number in range(8)]

    def start(name: str) -> None:
        server.start_pane(name, ["sh"], tmp_path, {})

    threads = [threading.Thread(target=start, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(info.agent for info in server.panes()) == names


def test_a_hundred_panes_are_listed(server: TmuxServer, tmp_path: Path) -> None:
    names = [f"agent-{number}" for number in range(100)]
    for name in names:
        server.start_pane(name, ["sleep", "600"], tmp_path, {})
    assert [info.agent for info in server.panes()] == names


def test_text_of_any_length_arrives_as_it_is(server: TmuxServer, tmp_path: Path) -> None:
    pane_id, typed = collect(server, tmp_path)
    text = "".join(f"{number}: 'quotes' \"and\" $HOME #{{pid}} ; é漢\n" for number in range(1200))
    assert len(text) > 40_000
    server.send_text(pane_id, text, submit=True)
    wanted = text.replace("\n", "\r").encode() + b"\r"
    wait_for(lambda: typed.stat().st_size >= len(wanted), "all of the text")
    assert typed.read_bytes() == wanted


def test_a_paste_is_bracketed_and_cannot_break_out(server: TmuxServer, tmp_path: Path) -> None:
    pane_id, typed = collect(server, tmp_path, prepare=r"\033[?2004h")
    server.send_text(pane_id, "one\n\x1b[201~two", submit=True)
    wait_for(lambda: typed.read_bytes().endswith(b"\r"), "the text")
    assert typed.read_bytes() == b"\x1b[200~one\r[201~two\x1b[201~\r"


def test_text_without_submit_presses_nothing(server: TmuxServer, tmp_path: Path) -> None:
    pane_id, typed = collect(server, tmp_path)
    server.send_text(pane_id, "", submit=False)
    server.send_text(pane_id, "ab", submit=False)
    server.send_text(pane_id, "", submit=True)
    wait_for(lambda: typed.read_bytes().endswith(b"\r"), "the text")
    assert typed.read_bytes() == b"ab\r"


def test_text_and_interrupts_leave_copy_mode(server: TmuxServer, tmp_path: Path) -> None:
    pane_id, typed = collect(server, tmp_path)
    for send in (lambda: server.send_text(pane_id, "x", submit=True), lambda: server.interrupt(pane_id)):
        tmux(server, "copy-mode", "-t", pane_id)
        send()
        assert tmux(server, "display-message", "-p", "-t", pane_id, "#{pane_in_mode}") == "0"
    wait_for(lambda: typed.read_bytes() == b"x\r\x03", "the keys")


def test_an_interrupt_interrupts(server: TmuxServer, tmp_path: Path) -> None:
    script = "trap 'exit 42' INT; echo ready; while :; do sleep 600 & wait; done"
    pane = server.start_pane("alpha", ["sh", "-c", script], tmp_path, {})
    wait_for(lambda: "ready" in server.capture(pane.pane_id), "the program")
    server.interrupt(pane.pane_id)
    wait_for(lambda: server.panes()[0].status == 42, "the end")


def server_pid(server: TmuxServer) -> int:
    return int(tmux(server, "display-message", "-p", "#{pid}"))


def test_a_stuck_server_is_an_error_and_not_a_hang(server: TmuxServer, tmp_path: Path) -> None:
    pane = server.start_pane("alpha", ["sh"], tmp_path, {})
    hasty = TmuxServer(server.socket_name, server.folder, deadline=0.3)
    pid = server_pid(server)
    os.kill(pid, signal.SIGSTOP)
    try:
        for call in (
            hasty.panes,
            lambda: hasty.capture(pane.pane_id),
            lambda: hasty.send_text(pane.pane_id, "x", submit=True),
            lambda: hasty.start_pane("beta", ["sh"], tmp_path, {}),
            hasty.kill_server,
        ):
            with pytest.raises(TmuxError, match=r"did not answer within 0\.3 seconds"):
                call()
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_dead_server_has_no_panes(server: TmuxServer, tmp_path: Path) -> None:
    pane = server.start_pane("alpha", ["sh"], tmp_path, {})
    os.kill(server_pid(server), signal.SIGKILL)
    wait_for(lambda: server.panes() == [], "the server's end")
    with pytest.raises(TmuxError, match="cannot read pane"):
        server.capture(pane.pane_id)
    server.kill_pane(pane.pane_id)
    server.kill_server()
    assert server.start_pane("alpha", ["sh"], tmp_path, {}).agent == "alpha"


def test_a_folder_for_the_configuration_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TmuxError, match=r"cannot write .*tmux\.conf"):
        TmuxServer("runebook-test-never", tmp_path / "file" / "folder").start_pane(
            "alpha", ["sh"], tmp_path, {}
        )


def fake_tmux(folder: Path, says: str) -> None:
    program = folder / "tmux"
    program.write_text(f"#!/bin/sh\necho '{says}'\n")
    program.chmod(0o755)


def test_the_installed_tmux_will_do() -> None:
    check()


@pytest.mark.parametrize(
    "says", ["tmux 3.2", "tmux 3.7a", "tmux next-3.9", "tmux master", "tmux openbsd-7.4", "tmux 10.0"]
)
def test_these_versions_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str) -> None:
    fake_tmux(tmp_path, says)
    monkeypatch.setenv("PATH", str(tmp_path))
    check()


@pytest.mark.parametrize(
    ("says", "complaint"),
    [
        ("tmux 3.1c", "tmux 3.1c is too old"),
        ("tmux 2.9", "tmux 2.9 is too old"),
        ("nonsense", "does not tell its version"),
    ],
)
def test_these_versions_will_not_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, complaint: str
) -> None:
    fake_tmux(tmp_path, says)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TmuxError, match=complaint):
        check()


def test_without_tmux_there_is_a_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    calls: Sequence[object] = (check, TmuxServer("runebook-test-never", tmp_path).panes)
    for call in calls:
        assert callable(call)
        with pytest.raises(TmuxError, match="tmux is not installed"):
            call()
