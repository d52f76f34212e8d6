"""Bad input: each gets a clear message, no traceback, and loses nothing."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest
from session_play import PROGRAM, WAITING

from runebook_tui.core.printable import visible
from runebook_tui.place import PlaceError, runtime_folder

ONE = """
[plan]
name = "one"

[[phases]]
id = "build"

[[agents]]
id = "alpha"
phase = "build"
command = ["bash", "alpha.sh"]
claims = ["src/alpha/**"]
gate = "observe"

[[agents]]
id = "beta"
phase = "build"
command = ["sleep", "600"]
claims = ["src/beta/**"]
gate = "observe"
"""

# Root may write where permissions forbid it, but not on a mount that is read-only.
READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && cd "$0" && exec "$@"'


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    """What the command complained: one line, and no traceback."""
    assert "Traceback" not in done.stderr, done.stderr
    assert done.stderr.startswith("runebook-tui: "), done
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr.removeprefix("runebook-tui: ").strip()


def begin(session, script: str) -> None:
    (session.root / "src/beta").mkdir(parents=True)
    (session.root / "src/beta/keep").write_text("kept\n")
    (session.root / "alpha.sh").write_text(
        WAITING.format("go.1") + script + "touch done\n" + WAITING.format("go.2")
    )
    session.plan(ONE)
    session.start()
    session.until_gate("alpha")


def let_go(session) -> None:
    (session.root / "go.1").touch()
    session.until("the writes", lambda: (session.root / "done").exists())


def requested(session) -> dict[str, str]:
    """Path → requester, over all requests."""
    return {path: r["requester"] for r in session.requests() for path in r["paths"]}


def test_outside_a_repository(session, tmp_path):
    session.root = tmp_path
    for command in ("status", "check", "run", "init", "requests"):
        assert "is not in a git repository" in one_line(session.command(command))
        assert session.command(command).returncode == 2


def test_without_a_plan(session):
    for command in ("status", "check", "run", "down", "requests", "log"):
        done = session.command(command)
        assert "there is no runebook.toml here or above; write one with `runebook-tui init`" in one_line(done)
        assert done.returncode == 2


def test_a_broken_plan_names_its_line(session):
    (session.root / "runebook.toml").write_text('[plan]\nname = "x"\n\n[[phases]\n')
    done = session.command("run")
    assert one_line(done).startswith("runebook.toml:4: is not TOML: ")
    assert done.returncode == 2


def test_without_tmux_and_with_an_old_one(session, tmp_path):
    session.plan(ONE)
    empty = tmp_path / "bin"
    empty.mkdir()
    assert one_line(session.command("run", env={"PATH": str(empty)})).startswith("tmux is not installed")
    old = empty / "tmux"
    old.write_text("#!/bin/sh\necho tmux 2.9a\n")
    old.chmod(0o755)
    done = session.command("run", env={"PATH": f"{empty}:{os.environ['PATH']}"})
    assert "2.9" in one_line(done)
    assert done.returncode == 1


def test_a_read_only_folder(session):
    session.plan(ONE)
    command = [*PROGRAM, "run"]
    if os.geteuid() == 0:
        command = ["unshare", "-m", "sh", "-c", READ_ONLY, str(session.root), *command]
    else:
        session.root.chmod(0o555)
    done = subprocess.run(
        command, cwd=session.root, env=session.environment, capture_output=True, text=True, check=False
    )
    session.root.chmod(0o755)
    assert "cannot write in" in one_line(done)
    assert done.returncode == 1


def test_names_that_break_things_are_only_names(session):
    names = [
        b"a\nb.py",
        b"[slug].py",
        b"\x1b[31mred",
        b"\xff\xfe.bin",
        b"q" * 255,
        "\u202egpj.exe".encode(),
        b"-rf",
    ]
    folder = session.root / "src/beta"
    writer = session.root / "writer.py"
    writer.write_text(
        "import os\n"
        f"for name in {names!r}:\n    open(os.fsencode({str(folder)!r}) + b'/' + name, 'wb').write(b'x')\n"
        f"deep = os.fsencode({str(folder)!r})\n"
        "while len(deep) < 3000:\n    deep += b'/' + b'd' * 200\n"
        "os.makedirs(deep)\nopen(deep + b'/end', 'wb').write(b'x')\n"
    )
    begin(session, "python3 writer.py\n")
    let_go(session)
    wanted = {"src/beta/" + os.fsdecode(name) for name in names}
    session.until("every name", lambda: wanted <= set(requested(session)))
    session.until("the deep one", lambda: any(path.endswith("/end") for path in requested(session)))
    assert set(requested(session).values()) == {"alpha"}
    shown = session.command("requests", "--all").stdout
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    log = session.command("log").stdout
    for name in names:
        assert visible("src/beta/" + os.fsdecode(name)) in log
    for request in session.json("requests", "--all"):
        assert request["diff"]


def test_symlinks_that_leave_the_tree(session, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    begin(
        session,
        f"ln -s {outside} src/beta/way; echo out > src/beta/way/file\nln -s /etc/passwd src/beta/secret\n",
    )
    let_go(session)
    session.until("the links", lambda: {"src/beta/way", "src/beta/secret"} <= set(requested(session)))
    assert (outside / "file").read_text() == "out\n"
    assert not [path for path in requested(session) if path.startswith("src/beta/way/")]
    diffs = "".join(request["diff"] for request in session.requests())
    assert "root:" not in diffs
    assert "/etc/passwd" in diffs


def test_a_binary_and_a_huge_file(session):
    begin(
        session,
        "head -c 100000 /dev/urandom > src/beta/noise.bin\n"
        "truncate -s 100M src/beta/huge.bin; printf end >> src/beta/huge.bin\n",
    )
    let_go(session)
    session.until("both", lambda: {"src/beta/noise.bin", "src/beta/huge.bin"} <= set(requested(session)))
    diffs = "".join(request["diff"] for request in session.requests())
    assert len(diffs) < 10_000
    stored = sum(
        file.stat().st_size for file in (session.root / ".runebook/history").rglob("*") if file.is_file()
    )
    assert stored < 1_000_000


def test_a_full_disk_stops_nothing_but_the_log_and_loses_nothing(session):
    begin(session, "echo two >> src/beta/keep\n")
    resource.prlimit(session.engine.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
    let_go(session)
    said = session.root.parent / "engine.out"
    session.until("the complaint", lambda: "waiting for the log" in said.read_text())
    refused = one_line(session.command("stop", "alpha"))
    assert refused.startswith("nothing was changed: the log ")
    assert "disk is full" in refused
    assert session.requests() == []
    resource.prlimit(
        session.engine.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    )
    session.until("the request", lambda: requested(session) == {"src/beta/keep": "alpha"})
    assert "Traceback" not in said.read_text()


def test_a_log_that_is_no_log(session):
    session.plan(ONE)
    (session.root / ".runebook").mkdir()
    (session.root / ".runebook/log.sqlite").write_bytes(
        b"not a database at all, but long enough to be read as one" * 20
    )
    for command in ("status", "run"):
        assert "the file is not a log" in one_line(session.command(command))


def test_a_message_that_is_no_message(session):
    begin(session, "")
    path = (session.root / ".runebook/socket").read_text()
    for message in (
        b"\xff\xfe\n",
        b"[]\n",
        b'{"do": 7}\n',
        b'{"do": "nothing"}\n',
        b'{"do":"approve"}\n',
        b"x" * 5_000_000 + b"\n",
    ):
        with socket.socket(socket.AF_UNIX) as peer:
            peer.connect(path)
            with contextlib.suppress(BrokenPipeError):
                peer.sendall(message)
            assert b'"ok":false' in peer.makefile("rb").readline()
    assert session.command("status").returncode == 0


def test_a_runtime_folder_that_somebody_else_could_have_laid_is_refused(tmp_path, monkeypatch):
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        monkeypatch.setenv("XDG_RUNTIME_DIR", short)
        Path(short, "runebook").symlink_to(tmp_path)
        with pytest.raises(PlaceError, match="belongs to somebody else"):
            runtime_folder(tmp_path, create=True)
