"""What ordinary programs write is recorded, under the real filter."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest
from conftest import Gate, until

SHELL = {
    "redirects": (
        "echo a > f; echo b > f; echo c >> f; cat f > /dev/null",
        [("create", "f", None), ("truncate", "f", None), ("open", "f", None)],
    ),
    "heredoc": ("cat > note.md <<EOF\ntext\nEOF", [("create", "note.md", None)]),
    "tee": ("echo x | tee out", [("create", "out", None)]),
    "dd in place": (
        "printf aaaa > f; dd if=/dev/zero of=f bs=1 count=1 conv=notrunc status=none",
        [("create", "f", None), ("open", "f", None)],
    ),
    "mv": ("touch a; mv a b", [("create", "a", None), ("rename", "a", "b")]),
    "cp": ("echo > a; cp a b", [("create", "a", None), ("create", "b", None)]),
    "rm -rf": (
        "mkdir -p d/e; touch d/e/f; rm -rf d; rm -f missing",
        [
            ("mkdir", "d", None),
            ("mkdir", "d/e", None),
            ("create", "d/e/f", None),
            ("unlink", "d/e/f", None),
            ("rmdir", "d/e", None),
            ("rmdir", "d", None),
        ],
    ),
    "links": (
        "touch a; ln a b; ln -s a c; ln -sfn . here",
        [("create", "a", None), ("link", "a", "b"), ("symlink", "c", None), ("symlink", "here", None)],
    ),
    "through a link": (
        "mkdir -p sub/deep; ln -s sub/deep way; echo > way/../x; touch t; ln -s t s; echo > s; echo > way/y",
        [
            ("mkdir", "sub", None),
            ("mkdir", "sub/deep", None),
            ("symlink", "way", None),
            ("create", "sub/x", None),
            ("create", "t", None),
            ("symlink", "s", None),
            ("truncate", "t", None),
            ("create", "sub/deep/y", None),
        ],
    ),
    "dangling link": ("ln -s new old; echo > old", [("symlink", "old", None), ("create", "new", None)]),
    "relative": (
        "mkdir d; cd d; echo > ../up; cd ..; echo > ./d/./../here",
        [("mkdir", "d", None), ("create", "up", None), ("create", "here", None)],
    ),
    "process links": (
        "exec 3> f; echo > /dev/fd/3; echo > /proc/self/cwd/g; echo > /proc/$$/cwd/h",
        [("create", "f", None), ("truncate", "f", None), ("create", "g", None), ("create", "h", None)],
    ),
    "across the edge": (
        "echo > ../outside/a; mv ../outside/a in; mv in ../outside/b; ln ../outside/b l",
        [("create", "in", None), ("rename", "in", None), ("create", "l", None)],
    ),
    "hidden folders": (
        "mkdir .git .runebook; echo > .git/x; echo > .runebook/y; echo > .gitignore",
        [("create", ".gitignore", None)],
    ),
    "calls that fail": (
        "mkdir d; mkdir d || :; rmdir none || :; unlink none || :; echo > none/x || :; echo > d || :",
        [("mkdir", "d", None)],
    ),
    "fifo": ("mkfifo p; exec 4<> p", [("mknod", "p", None)]),
    "truncate": ("echo > f; truncate -s 100 f", [("create", "f", None), ("open", "f", None)]),
}


@pytest.mark.parametrize("case", SHELL)
def test_a_shell_script(gate: Gate, case: str) -> None:
    script, expected = SHELL[case]
    assert gate.shell(script) == expected


def test_sed_in_place(gate: Gate) -> None:
    first, second, last = gate.shell("echo a > f; sed -i s/a/b/ f")
    assert first == ("create", "f", None)
    assert second[0] == "create"
    assert str(second[1]).startswith("sed")
    assert last == ("rename", second[1], "f")


def test_git_checkout_and_apply(gate: Gate) -> None:
    heard = gate.shell(
        "export HOME=$PWD GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a\n"
        "git init -q -b main; mkdir src; echo one > src/f; git add .; git commit -qm 1\n"
        "echo two > src/f; git diff > ../outside/p; git checkout -q -- src/f; git apply ../outside/p"
    )
    assert heard[:3] == [("mkdir", "src", None), ("create", "src/f", None), ("truncate", "src/f", None)]
    assert heard.count(("unlink", "src/f", None)) == 2
    assert heard.count(("create", "src/f", None)) == 3
    programs = {record["program"] for record in gate.engine.records() if record["path"] == "src/f"}
    assert programs == {"bash", "git"}


PYTHON = {
    "folder descriptors": (
        "import os\nos.mkdir('d'); d = os.open('d', os.O_RDONLY)\n"
        "os.close(os.open('f', os.O_WRONLY | os.O_CREAT, dir_fd=d))\n"
        "os.rename('f', 'g', src_dir_fd=d, dst_dir_fd=d); os.chdir('/')\n"
        "os.link('g', 'h', src_dir_fd=d, dst_dir_fd=d); os.unlink('g', dir_fd=d)\n"
        "os.fchdir(d); os.chdir('..')",
        [
            ("mkdir", "d", None),
            ("create", "d/f", None),
            ("rename", "d/f", "d/g"),
            ("link", "d/g", "d/h"),
            ("unlink", "d/g", None),
        ],
    ),
    "read-only opens that write": (
        "import os\nos.close(os.open('f', os.O_RDONLY | os.O_CREAT)); os.close(os.open('f', os.O_RDONLY))\n"
        "os.close(os.open('f', os.O_RDONLY | os.O_CREAT)); os.close(os.open('f', os.O_RDONLY | os.O_TRUNC))",
        [("create", "f", None), ("truncate", "f", None)],
    ),
    "an unnamed file": (
        "import os\nf = os.open('.', os.O_TMPFILE | os.O_WRONLY)\nos.write(f, b'x')\n"
        "os.link(f'/proc/self/fd/{f}', 'named', src_dir_fd=os.open('.', 0), follow_symlinks=True)",
        [("create", "named", None)],
    ),
    "a removed current folder": (
        "import os\nos.mkdir('d'); os.chdir('d'); os.rmdir('../d')\n"
        "try: open('x', 'w')\nexcept FileNotFoundError: os.chdir(os.environ['PWD'])",
        [("mkdir", "d", None), ("rmdir", "d", None)],
    ),
    "a path across two pages": (
        "import os\nos.mkdir('d')\n"
        "for n in range(3500, 4000, 7): os.close(os.open('./' * (n // 2) + 'd/f', os.O_CREAT | os.O_WRONLY))",
        None,
    ),
    "truncate by path": (
        "import os\nopen('f', 'x').close(); os.truncate('f', 10)",
        [("create", "f", None), ("truncate", "f", None)],
    ),
    "absent calls": (
        "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        "for call in (425, 437):\n    assert libc.syscall(call, 0, 0, 0, 0) == -1\n"
        "    assert ctypes.get_errno() == 38",
        [],
    ),
    "exchanged names": (
        "import ctypes, platform\nopen('a', 'x').close(); open('b', 'x').close()\n"
        "libc = ctypes.CDLL(None, use_errno=True)\nassert libc.renameat2(-100, b'a', -100, b'b', 2) == 0\n"
        "assert libc.renameat2(-100, b'a', -100, b'b', 1) == -1",
        [("create", "a", None), ("create", "b", None), ("rename", "a", "b"), ("rename", "b", "a")],
    ),
}


@pytest.mark.parametrize("case", PYTHON)
def test_a_python_script(gate: Gate, case: str) -> None:
    script, expected = PYTHON[case]
    heard = gate.python(script)
    if expected is None:
        assert heard[:2] == [("mkdir", "d", None), ("create", "d/f", None)]
        assert set(heard[2:]) <= {("open", "d/f", None)}
    else:
        assert heard == expected


def test_hostile_names(gate: Gate) -> None:
    names = [b"caf\xe9", b"two\nlines", b"[b] \x1b[31m", b"\xff" * 255, "ü".encode(), b" (deleted)", b'"\\']
    heard = gate.python(f"import os\nfor n in {names!r}: os.close(os.open(n, os.O_CREAT | os.O_WRONLY))")
    assert heard == [("create", os.fsdecode(name), None) for name in names]


def test_a_path_of_four_thousand_bytes(gate: Gate) -> None:
    heard = gate.python(
        "import os\nfor n in range(15): os.mkdir('x' * 250); os.chdir('x' * 250)\n"
        "open('f', 'x').close(); os.chdir(os.environ['PWD'])"
    )
    assert heard[-1] == ("create", "/".join(["x" * 250] * 15 + ["f"]), None)


def test_threads(gate: Gate) -> None:
    heard = gate.python(
        "from threading import Thread\n"
        "def go(t):\n    for n in range(20): open(f'{t}-{n}', 'x').close()\n"
        "threads = [Thread(target=go, args=(t,)) for t in range(8)]\n"
        "[t.start() for t in threads]; [t.join() for t in threads]"
    )
    assert sorted(heard) == sorted(("create", f"{t}-{n}", None) for t in range(8) for n in range(20))
    assert len({record["pid"] for record in gate.engine.records()}) == 1


def test_the_record_names_the_program(gate: Gate) -> None:
    gate.shell("exec 2>&1; touch a; env touch b")
    by_path = {record["path"]: record for record in gate.engine.records()}
    assert by_path["a"]["program"] == by_path["b"]["program"] == "touch"
    assert by_path["a"]["argv"] == "touch a"
    assert by_path["last"]["program"] == "bash"
    assert by_path["a"]["pid"] != by_path["b"]["pid"]
    assert [record["n"] for record in gate.engine.records()] == [1, 2, 3]


def test_unreadable_memory_is_recorded_and_passes(gate: Gate) -> None:
    heard = gate.python(
        "import ctypes\nctypes.CDLL(None).prctl(4, 0, 0, 0, 0)\nopen('shut', 'x').close()\n"
        "ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)"
    )
    expected = [("create", "shut", None)] if gate.uid == 0 else [("unreadable", None, None)]
    assert heard == expected
    assert (gate.root / "shut").exists()
    assert "python" in str(gate.engine.records()[0]["program"])


def test_a_daemon_that_outlives_its_parent_stays_observed(gate: Gate) -> None:
    done = gate.run(
        "bash",
        "-c",
        "setsid sh -c 'until [ -e go ]; do sleep 0.05; done; : > late' > /dev/null 2>&1 < /dev/null &",
    )
    assert done.returncode == 0
    gate.engine.wait(lambda: gate.engine.said("exited"))
    (gate.root / "go").touch()
    gate.engine.wait(lambda: ("create", "late", None) in gate.engine.writes())
    until((gate.root / "late").exists)


def _can(gate: Gate, *command: str) -> bool:
    if shutil.which(command[0]) is None:
        return False
    user = {} if gate.uid == os.getuid() else {"user": gate.uid, "group": gate.uid, "extra_groups": []}
    return subprocess.run(command, capture_output=True, check=False, cwd="/", **user).returncode == 0


NAMESPACES = {
    "a bind": (
        "mkdir sub ../outside/m; unshare -Urm sh -ec 'mount --bind sub ../outside/m; : > ../outside/m/x'"
    ),
    "a private mount": "mkdir sub; unshare -Urm sh -ec 'mount -t tmpfs none sub; : > sub/hidden'; : > sub/x",
    "a process namespace": "mkdir sub; unshare -Urpfm --mount-proc sh -ec 'cd sub; : > /proc/self/cwd/x'",
    "its own root": (
        "mkdir sub; unshare -Urm sh -ec 'cd ../outside; mkdir -p r/repo r/bin; mount --rbind / r;"
        'exec chroot r sh -c ": > $1/sub/x"\' sh "$PWD"'
    ),
}


@pytest.mark.parametrize("case", NAMESPACES)
def test_another_namespace(gate: Gate, case: str) -> None:
    if not _can(gate, "unshare", "-Urpfm", "--mount-proc", "true"):
        pytest.skip("no user namespaces here")
    heard = gate.shell(NAMESPACES[case])
    assert heard == [("mkdir", "sub", None), ("create", "sub/x", None)]


def test_a_record_says_when_what_was_there_had_changed(gate: Gate) -> None:
    for name in ("a", "b"):
        (gate.root / name).write_text(name)
        os.chmod(gate.root / name, 0o666)
    times = {name: os.stat(gate.root / name).st_ctime for name in ("a", "b")}
    gate.shell("echo > a; mv -f b c; rm c; touch new")
    was = {(each["op"], each["path"]): each["was"] for each in gate.engine.records()}
    assert was[("truncate", "a")] == [times["a"], None]
    assert was[("rename", "b")] == [times["b"], None]
    assert was[("create", "new")] == [None, None]


def test_a_file_that_is_opened_on_and_on_is_recorded_on_and_on(gate: Gate) -> None:
    """A repetition is left out for 50 ms only: who writes for long is not taken for somebody else later."""
    gate.python(
        "import time\n"
        "end = time.monotonic() + 0.5\n"
        "while time.monotonic() < end:\n"
        "    open('log', 'a').close()\n"
    )
    times = [each["time"] for each in gate.engine.records() if each["path"] == "log" and each["op"] == "open"]
    assert len(times) >= 3
    assert all(later - earlier >= 0.04 for earlier, later in zip(times, times[1:], strict=False))
