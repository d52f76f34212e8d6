"""What ordinary programs cannot write, and what they still can, under the real filter.

All scripts of one user run in one pane, each as a process of its own; then each is looked at.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from conftest import NOBODY, Gate, new_gate, until, users

P = "src/billing/pay.py"
GUARDED = ("src/billing", "runebook.toml", ".git/config", ".git/hooks", ".git/info/exclude", ".runebook")

FOREIGN = {
    "redirection": f"echo x > {P}",
    "appending": f"echo x >> {P}",
    "heredoc": f"cat > {P} <<EOF\ntext\nEOF",
    "a new file": "echo x > src/billing/new.py",
    "sed -i": f"sed -i s/1/2/ {P}",
    "mv onto it": f"mv mine/a.py {P}",
    "mv away": f"mv {P} mine/stolen.py",
    "cp onto it": f"cp mine/a.py {P}",
    "rm -rf": "rm -rf src/billing",
    "rm": f"rm {P}",
    "git apply": "git apply ../outside/change.patch",
    "git checkout": "git checkout -q second -- src",
    "tee": f"echo x | tee {P}",
    "patch": f"patch -s {P} ../outside/change.patch",
    "dd": f"dd if=/dev/zero of={P} bs=1 count=1 conv=notrunc status=none",
    "truncate": f"truncate -s 1 {P}",
    "touch": "touch src/billing/new",
    "hard link to it": f"ln {P} mine/alias",
    "hard link there": "ln mine/a.py src/billing/new",
    "symbolic link there": "ln -s nothing src/billing/new",
    "fifo there": "mkfifo src/billing/new",
    "rename its folder": "mv src/billing mine/billing",
    "rename its parent": "mv src source",
    "put a folder there": "mkdir -p mine/d/e; touch mine/d/e/f; mv mine/d src/billing/d",
    "a daemon": f"setsid -f sh -c 'sleep 0.1; echo x > {P}; : > ../outside/late'; "
    "until [ -e ../outside/late ]; do sleep 0.05; done; false",
    "through a symbolic link": f"ln -s ../src/billing mine/way; echo x > mine/way/{Path(P).name}",
    "through a link at the end": f"ln -s ../{P} mine/end; echo x > mine/end",
    "dots": f"echo x > mine/../src/./billing/../billing//{Path(P).name}",
    "from a deleted folder": "mkdir mine/gone; cd mine/gone; rmdir ../gone; "
    f"echo x > /proc/self/cwd/../../{P}; echo x > ../../{P}",
    "through the process's root": f"echo x > /proc/self/root$PWD/{P}",
    "through the process's folder": f"cd src; echo x > /proc/$$/cwd/billing/{Path(P).name}",
    "a bind mount": f"unshare -rm sh -c 'mount --bind src mine; echo x > mine/billing/{Path(P).name}'",
    "a new root": "mkdir mine/root; unshare -rm sh -c 'mount --bind . mine/root; python3 -I -c "
    f'"import os; os.chroot(b\\"mine/root\\"); open(b\\"/{P}\\", \\"w\\")"\'',
    "a detached mount": "mkdir mine/m; unshare -rm python3 -I -c 'import ctypes, os; c = ctypes.CDLL(None); "
    'c.mount(b".", b"mine/m", None, 4096, None); d = os.open("mine/m", 0); c.umount2(b"mine/m", 2); '
    f'os.open("{P}", os.O_WRONLY | os.O_TRUNC, dir_fd=d)\'',
    "a process namespace": f"unshare -rpf --mount-proc sh -c 'echo x > /proc/self/cwd/{P}'",
    "the plan": "echo > runebook.toml",
    "the plan, replaced": "mv mine/a.py runebook.toml",
    "the plan, linked": "ln runebook.toml mine/plan",
    "the plan, removed": "rm -f runebook.toml",
    "a hook": "echo > .git/hooks/pre-commit",
    "the folder of hooks": "mv .git/hooks .git/hooks2",
    "git config": "git config core.hooksPath mine",
    "the settings": "echo >> .git/config",
    "what is ignored": "echo '*' >> .git/info/exclude",
    "git's folder": "mv .git git",
    "Runebook's state": "echo > .runebook/rules.json",
    "another agent's folder": "mkdir .runebook/agents/beta",
}

PYTHON = {
    "write": f"open({P!r}, 'w')",
    "folder descriptor": "d = os.open('src/billing', 0); os.open('pay.py', os.O_RDWR, dir_fd=d)",
    "changed folder": "os.chdir('src/billing'); open('pay.py', 'a')",
    "unnamed file": "f = os.open('mine', os.O_TMPFILE | os.O_RDWR); "
    "os.link(f'/proc/self/fd/{f}', 'src/billing/new', follow_symlinks=True)",
    "read-only creation": "os.open('src/billing/new', os.O_RDONLY | os.O_CREAT)",
    "read-only truncation": f"os.open({P!r}, os.O_RDONLY | os.O_TRUNC)",
    "exchange": f"check(libc.renameat2(-100, b'mine/a.py', -100, {P.encode()!r}, 2))",
    "openat2": f"how = struct.pack('QQQ', 1, 0, 0); check(libc.syscall(437, -100, {P.encode()!r}, how, 24))",
    "io_uring": "check(libc.syscall(425, 8, bytes(120)))",
    "a closed program": "libc.prctl(4, 0, 0, 0, 0); open('src/billing/new', 'x')",
    "another thread": "t = threading.Thread(target=lambda: seen.append(attempt())); t.start(); t.join(); "
    "raise seen[0]",
    "a mapped path": "m = mmap.mmap(-1, 8192); m[4090:4109] = b'src/billing/pay.py\\0'; "
    "check(libc.truncate(ctypes.addressof(ctypes.c_char.from_buffer(m)) + 4090, 0))",
}
BEFORE = f"""
import ctypes, mmap, os, struct, threading
libc = ctypes.CDLL(None, use_errno=True); seen = []
libc.truncate.argtypes = (ctypes.c_void_p, ctypes.c_long)
def check(result):
    if result < 0: raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
def attempt():
    try: open({P!r}, 'w')
    except OSError as error: return error
"""

OWN = {
    "redirection": "echo x > mine/new; echo y >> mine/new",
    "sed -i": "echo a > mine/s; sed -i s/a/b/ mine/s; grep -q b mine/s",
    "an agent's own folder in Runebook's": "echo > .runebook/agents/alpha/settings.json",
    "an ignored file in a foreign folder": "echo > src/billing/debug.log; rm src/billing/debug.log",
    "byte code": "mkdir src/billing/__pycache__; echo > src/billing/__pycache__/a.pyc; "
    "rm -r src/billing/__pycache__",
    "an empty foreign folder": "mkdir src/billing/empty; rmdir src/billing/empty",
    "what nobody claims": "echo > notes.md; mv notes.md other.md; rm other.md",
    "outside": "echo > ../outside/x; mv ../outside/x mine/x; mv mine/x ../outside/y",
    "a folder": "mkdir -p mine/f/g; echo > mine/f/g/h; mv mine/f mine/k; rm -r mine/k",
    "git commit": "echo > mine/c; git add mine; git commit -qm own; git stash list; git branch side",
    "git checkout of its own": "echo changed > mine/a.py; git checkout -q -- mine/a.py; git reset -q",
    "git gc": "git gc -q",
    "a clone inside": "git clone -q . mine/clone; git -C mine/clone config a.b c; rm -rf mine/clone",
    "a temporary file beside": "printf 'import os\nopen(\"mine/t.tmp\", \"w\").close()\n"
    "os.replace(\"mine/t.tmp\", \"mine/t\")' | python3 -I -",
    "reading": f"cat {P} > /dev/null; grep -r pay src > /dev/null; git status --short > /dev/null",
}  # fmt: skip


class Outcome(NamedTuple):
    """What became of one script: its exit status, its errors, and whether everything foreign is as before."""

    status: int
    errors: str
    untouched: bool


def fingerprint(root: Path) -> str:
    """Every name, kind, link count and content of what alpha must not change."""
    seen = []
    for top in GUARDED:
        for file in sorted([root / top, *(root / top).rglob("*")]):
            if ".runebook/agents/alpha" in str(file):
                continue
            info = file.lstat()
            content = file.read_bytes() if file.is_file() else b""
            seen.append((str(file), info.st_mode, info.st_nlink if file.is_file() else 0, content))
    return hashlib.sha256(repr(seen).encode()).hexdigest()


class Pane:
    """One pane in which one script after the other is run, and the repository looked at between them."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.turn = gate.home / "turn"
        self.turn.mkdir()
        os.chown(self.turn, gate.uid, gate.uid)
        self.count = 0
        loop = (
            'cd "$2"; n=0; while :; do n=$((n+1)); until [ -e "$1/$n.go" ]; do sleep 0.01; done; '
            '[ -s "$1/$n.go" ] || exit 0; '
            'bash "$1/$n.go" 2> "$1/$n.err" > /dev/null < /dev/null; echo $? > "$1/$n.new"; '
            'mv "$1/$n.new" "$1/$n.end"; done'
        )
        self.process = gate.start("bash", "-c", loop, "loop", str(self.turn), str(gate.root))

    def run(self, script: str) -> Outcome:
        self.count += 1
        place = self.turn / str(self.count)
        before = fingerprint(self.gate.root)
        fresh = place.with_suffix(".sh")
        fresh.write_text(f"set -e\n{script}\n")
        fresh.rename(place.with_suffix(".go"))
        until(place.with_suffix(".end").exists, lambda: (script, self.gate.engine.messages[-5:]))
        status = int(place.with_suffix(".end").read_text())
        errors = place.with_suffix(".err").read_text(errors="replace")
        return Outcome(status, errors, fingerprint(self.gate.root) == before)

    def close(self) -> None:
        (self.turn / f"{self.count + 1}.go").touch()
        assert self.process.wait(40) == 0


@pytest.fixture(scope="module", params=users(), ids=lambda uid: f"uid{uid}")
def pane(request: pytest.FixtureRequest) -> Iterator[Pane]:
    with new_gate(request.param) as gate:
        gate.enforce()
        git(gate, "checkout", "-qb", "second")
        (gate.root / P).write_text("pay = 2\n")
        git(gate, "commit", "-qam", "2")
        patch = git(gate, "diff", "HEAD^")
        (gate.home / "outside/change.patch").write_bytes(patch)
        git(gate, "checkout", "-q", "main")
        git(gate, "config", "user.name", "a")
        git(gate, "config", "user.email", "a@b")
        gate.own()
        pane = Pane(gate)
        yield pane
        pane.close()


def git(gate: Gate, *words: str) -> bytes:
    who = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "safe.directory=*")
    done = subprocess.run(["git", *who, *words], cwd=gate.root, check=True, stdout=subprocess.PIPE)
    return done.stdout


@pytest.mark.parametrize("case", FOREIGN)
def test_a_program_cannot_write_what_is_foreign(pane: Pane, case: str) -> None:
    outcome = pane.run(FOREIGN[case])
    assert outcome.untouched, outcome
    assert outcome.status != 0
    assert "Permission denied" in outcome.errors or "runebook: " in outcome.errors, outcome


@pytest.mark.parametrize("case", PYTHON)
def test_no_other_call_does_it_either(pane: Pane, case: str) -> None:
    if case == "a closed program" and pane.gate.uid != NOBODY and os.getuid() == 0:
        return  # nothing is closed to root: the ordinary user's run is the test
    outcome = pane.run(f"{pane.gate.interpreter()} -I -c {shlex.quote(BEFORE + PYTHON[case])}")
    assert outcome.untouched, outcome
    assert outcome.status == 1
    wanted = "Function not implemented" if case in ("openat2", "io_uring") else "Permission denied"
    assert wanted in outcome.errors, outcome


@pytest.mark.parametrize("case", OWN)
def test_what_an_agent_may_do_goes_on_as_without_a_gate(pane: Pane, case: str) -> None:
    outcome = pane.run(OWN[case])
    assert outcome.status == 0, outcome
    assert outcome.untouched
    assert "runebook:" not in outcome.errors


def test_a_worktrees_common_folder_is_the_operators(gate: Gate) -> None:
    gate.enforce()
    git(gate, "worktree", "add", "-q", "../outside/tree")
    tree, common = gate.home / "outside/tree", gate.root / ".git"
    for place in (common, tree):
        subprocess.run(["chown", "-R", f"{gate.uid}:{gate.uid}", place], check=True)
    assert gate.engine.rules is not None
    gate.engine.rules["git"] = [str(common / "worktrees/tree"), str(common)]
    gate.engine.reply |= {"root": str(tree), "cwd": str(tree)}
    before = fingerprint(gate.root)
    script = (
        f"G={common}; mkdir ../m; echo x > mine/a.py && git add mine && git -c user.name=a -c user.email=b "
        "commit -qm 2 || exit 9\n"
        "echo > $G/hooks/post-commit && exit 3; git config a.b c && exit 4; mv ../../repo ../r && exit 5\n"
        "echo > .git && exit 6; unshare -rm sh -c 'mount --bind $0 ../m; echo > ../m/config' $G && exit 7\n"
        "echo >> $G/worktrees/tree/config.worktree && exit 8; exit 0"
    )
    done = gate.run("bash", "-c", script)
    assert done.returncode == 0, done.stderr
    assert fingerprint(gate.root) == before
    assert done.stderr.count(b"belongs to the operator") == 6
