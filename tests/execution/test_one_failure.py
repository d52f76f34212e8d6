"""One failure, end to end: from the command that failed in a pane to every place that says what helps.

The plan is the seed's, as it ships; the repository is an open-source project as its authors publish it.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from session_play import DEADLINE, PROGRAM

from runebook_tui.cli import demo
from runebook_tui.core.activity import CommandRan
from runebook_tui.core.state import RequestState
from runebook_tui.core.types import RequestKind
from runebook_tui.execution.follow import open_log
from runebook_tui.memory.reader import Reader
from runebook_tui.memory.store import FILE_NAME, Store
from runebook_tui.place import tmux_socket_name
from runebook_tui.surfaces import snapshot
from runebook_tui.surfaces.catalogue import SURFACES, text_of

PROJECT = "itsdangerous"
FILE = "src/itsdangerous/signer.py"
LINE = "import collections.abc as cabc\n"
TITLE = f"Conflict markers are left in {FILE}"

NVIM = r"""
vim.cmd('edit FILE')
local function drawn()
  local words = {}
  local id = vim.api.nvim_get_namespaces().runebook
  for _, mark in ipairs(id and vim.api.nvim_buf_get_extmarks(0, id, 0, -1, { details = true }) or {}) do
    for _, chunk in ipairs(mark[4].virt_text) do table.insert(words, mark[2] + 1 .. ' ' .. chunk[1]) end
  end
  return table.concat(words, '\\n')
end
vim.wait(SECONDS * 1000, function() return drawn():find('Conflict markers', 1, true) end, 20)
vim.fn.writefile({ drawn() }, 'SEEN', 'b')
vim.cmd('qall!')
"""

VIM = r"""
vim9script
def Drawn(): string
  const words = get(b:, 'runebook_notes', [])
  return prop_list(1, {end_lnum: -1})->map((at, each) => each.lnum .. ' ' .. get(words, at, ''))->join("\n")
enddef
edit FILE
const begun = reltime()
while Drawn() !~ 'Conflict markers' && reltimefloat(reltime(begun)) < SECONDS
  sleep 20m
endwhile
writefile([Drawn()], 'SEEN')
qall!
"""

WEZTERM = """
local handlers, shown = {}, ''
package.preload.wezterm = function()
  return {
    on = function(name, handler) handlers[name] = handler end,
    format = function(items)
      local words = {}
      for _, item in ipairs(items) do table.insert(words, item.Text or '') end
      return table.concat(words)
    end,
  }
end
dofile(arg[1])
handlers['update-status']({ set_right_status = function(_, text) shown = text end }, {
  get_user_vars = function() return {} end,
  get_current_working_dir = function() return { file_path = arg[2] } end,
})
print(shown)
"""


@pytest.fixture
def scratch(monkeypatch: pytest.MonkeyPatch, plain_git: None) -> Iterator[Path]:
    """A short temporary folder of its own for everything, sockets too."""
    with tempfile.TemporaryDirectory(prefix="rb-", dir="/tmp") as folder:
        for name in [name for name in os.environ if name.startswith("RUNEBOOK_")]:
            monkeypatch.delenv(name)
        for name in ("RUNEBOOK_DEMO", "RUNEBOOK_DEMO_PACE"):
            monkeypatch.setenv(name, "")
        monkeypatch.setattr(tempfile, "tempdir", folder)
        monkeypatch.setenv("TMPDIR", folder)
        monkeypatch.setenv("XDG_RUNTIME_DIR", "")
        monkeypatch.setenv("TMUX_TMPDIR", folder)
        monkeypatch.delenv("TMUX", raising=False)
        before = signal.getsignal(signal.SIGTERM)
        yield Path(folder)
        signal.signal(signal.SIGTERM, before)


@pytest.fixture
def checkout(scratch: Path) -> Path:
    """The project's source package as a repository, with two later changes of the same line."""
    words = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", "-d"]
    done = subprocess.run([*words, str(scratch / "package"), PROJECT], capture_output=True, text=True)
    if done.returncode:
        pytest.fail(
            f"the source package of {PROJECT} cannot be fetched from the package index: {done.stderr[-300:]}",
            pytrace=False,
        )
    (package,) = (scratch / "package").glob("*.tar.gz")
    with tarfile.open(package) as archive:
        archive.extractall(scratch, filter="data")
    root = scratch / package.name.removesuffix(".tar.gz")
    file = root / FILE
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "As published")
    published = file.read_text()
    for number, after in enumerate(
        ("import collections.abc as abc\n", "from collections import abc as cabc\n")
    ):
        assert LINE in published
        file.write_text(published.replace(LINE, after))
        git(root, "commit", "-q", "-a", "-m", f"Change {number}")
    return root


def git(root: Path, *words: str, status: int = 0) -> None:
    done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True)
    assert done.returncode == status, done.stdout + done.stderr


def until(what: str, condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(f"never came: {what}")


class Person:
    """The operator of the run: answers as the demonstration does, but looks everywhere before one answer."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.seen: dict[str, Any] = {}

    async def __call__(self, root: Path, request: RequestState) -> None:
        if request.kind is RequestKind.ASKED and not self.seen:
            await asyncio.to_thread(self._look, root)
        await demo.answer(root, request)

    def _look(self, root: Path) -> None:
        """Leave a conflict, look at all that says so, and take it back."""
        git(root, "revert", "--no-edit", "HEAD~1", status=1)
        seen = self.seen
        seen["captured"] = until("the failure", lambda: captured(root))
        seen["snapshot"] = until("the suggestion", lambda: advised(root))
        seen["printed"] = (root / seen["captured"].output).read_text()
        seen["errors"] = until("the failure in the memory", lambda: remembered(root, "error"))
        seen["suggested"] = until("the suggestion in the memory", lambda: remembered(root, "suggestion"))
        seen["tmux"] = self._status_line(root)
        seen["nvim"] = self._edited(root, "nvim")
        seen["vim"] = self._edited(root, "vim")
        seen["wezterm"] = self._terminal(root)
        seen["top"] = command(root, "suggest", "top")
        seen["found"] = command(root, "memory", "search", "leftover", "conflict")
        git(root, "revert", "--abort")

    def _status_line(self, root: Path) -> str:
        """What a person sees who attaches to the run's tmux server, in a terminal of 200 columns."""
        name = f"person-{uuid.uuid4().hex}"
        attach = f"env -u TMUX tmux -L {tmux_socket_name(root)} attach"
        outer = ["tmux", "-L", name, "-f", "/dev/null"]
        subprocess.run([*outer, "new-session", "-d", "-x", "200", "-y", "40", attach], check=True)

        def line() -> str:
            drawn = subprocess.run([*outer, "capture-pane", "-p"], capture_output=True, text=True)
            last = ([""] + drawn.stdout.strip().split("\n"))[-1]
            return last if "▲" in last else ""

        try:
            found: str = until("the status line", line)
            return found
        finally:
            subprocess.run([*outer, "kill-server"], capture_output=True)

    def _edited(self, root: Path, editor: str) -> str:
        """What the editor draws beside the file's lines; nothing but Runebook's file is loaded."""
        plugin, script, seen = (self._folder / f"{each}-{editor}" for each in ("plugin", "see", "seen"))
        plugin.write_text(text_of(SURFACES[editor], PROGRAM))
        text = NVIM if editor == "nvim" else VIM
        script.write_text(
            text.replace("FILE", FILE).replace("SECONDS", str(int(DEADLINE))).replace("SEEN", str(seen))
        )
        load = "luafile" if editor == "nvim" else "source"
        words = ["--headless", "--clean"] if editor == "nvim" else ["-N", "-u", "NONE", "-es", "--not-a-term"]
        words += ["-i", "NONE", "-n", "-c", f"{load} {plugin}", "-c", f"{load} {script}"]
        done = run(root, program(editor), *words)
        assert seen.exists(), done.stdout + done.stderr
        return seen.read_text()

    def _terminal(self, root: Path) -> str:
        file, script = self._folder / "wezterm.lua", self._folder / "play.lua"
        file.write_text(text_of(SURFACES["wezterm"], PROGRAM))
        script.write_text(WEZTERM)
        return run(root, program("lua5.4"), str(script), str(file), str(root / "src")).stdout


def program(name: str) -> str:
    found = shutil.which(name)
    assert found is not None, f"{name} is not installed: see .ci/run"
    return found


def run(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, cwd=root, capture_output=True, text=True, timeout=2 * DEADLINE, stdin=subprocess.DEVNULL
    )


def command(root: Path, *words: str) -> Any:
    done = run(root, *PROGRAM, *words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def captured(root: Path) -> CommandRan | None:
    with open_log(root) as log:
        events = [record.event for record in log.read(types=["CommandRan"])]
    return next((each for each in events if isinstance(each, CommandRan) and FILE in each.error), None)


def advised(root: Path) -> dict[str, Any] | None:
    now = snapshot.read(root) or {}
    return now if now.get("advice") == TITLE else None


def remembered(root: Path, kind: str) -> list[dict[str, Any]]:
    with Store(root / ".runebook/agents/storage" / FILE_NAME) as store:
        return [each for each in Reader(store).everything((kind,)) if FILE in json.dumps(each)]


def test_a_failure_is_captured_stored_analysed_and_shown_everywhere(
    checkout: Path, scratch: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = subprocess.run(["git", "status", "--porcelain"], cwd=checkout, capture_output=True).stdout
    person = Person(scratch)
    status = demo.run_demo(automatic=True, checkout=checkout, operator=person)
    said = capsys.readouterr()
    assert status == 0, said.out + said.err
    assert "5 of 5 phases completed" in said.out
    seen = person.seen

    # Captured: the command that failed, in whose pane, and what it printed.
    assert (seen["captured"].agent, seen["captured"].source) == ("finalization", "pane")
    assert seen["captured"].error.startswith(f"{FILE}:")
    assert "leftover conflict marker" in seen["printed"]

    # Stored: found by its words.
    assert {each["agent"] for each in seen["errors"]} == {"finalization"}
    assert any(FILE in json.dumps(each) for each in seen["found"])

    # Analysed: with the file and the line, and where it comes from.
    (top,) = seen["top"]
    where = top["provenance"]
    assert (top["title"], top["agent"], top["priority"]) == (TITLE, "analysis", "high")
    assert (where["rule"], where["agent"], where["file"]) == ("git-conflict-marker", "finalization", FILE)
    assert f"{FILE}:{where['line']}: leftover conflict marker" in seen["printed"]
    assert any(each["title"] == TITLE for each in seen["suggested"])

    # Shown: in every place.
    assert f"▲ {TITLE}"[:50] in seen["tmux"]
    assert f"{where['line']}   ▲ {TITLE}" in seen["nvim"]
    assert f"{where['line']} ▲ {TITLE}" in seen["vim"]
    assert f"▲ {TITLE}"[:50] in seen["wezterm"]

    # The folder itself was only read.
    after = subprocess.run(["git", "status", "--porcelain"], cwd=checkout, capture_output=True).stdout
    assert (before, after) == (b"", b"")
    assert not (checkout / "runebook.toml").exists()
