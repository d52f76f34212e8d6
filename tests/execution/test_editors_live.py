"""Vim and Neovim, running headless beside a real engine: owners, requests, a question, a decision."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from session_play import DEADLINE, PROGRAM, WAITING, Session, rb

from runebook_tui.surfaces import snapshot
from runebook_tui.surfaces.catalogue import SURFACES, text_of

PLAN = """
[plan]
name = "editors"

[[phases]]
id = "build"

[[agents]]
id = "alpha"
phase = "build"
command = ["bash", "alpha.sh"]
claims = ["src/alpha/**"]

[[agents]]
id = "beta"
phase = "build"
command = ["sleep", "600"]
claims = ["src/beta/**"]
"""

# Each script waits for what it wants to see, and writes down what it saw.
NVIM = """
local M = require('runebook')
local seen = {}
local function notes()
  local words = {}
  for name, id in pairs(vim.api.nvim_get_namespaces()) do
    if name == 'runebook' then
      for _, mark in ipairs(vim.api.nvim_buf_get_extmarks(0, id, 0, -1, { details = true })) do
        for _, chunk in ipairs(mark[4].virt_text) do table.insert(words, chunk[1]) end
      end
    end
  end
  return table.concat(words, '')
end
local function until_(what, condition)
  if not vim.wait(SECONDS, condition, 20) then
    vim.fn.writefile({ 'never came: ' .. what, notes(), vim.fn.execute('messages') }, 'seen.txt')
    vim.cmd('cquit')
  end
end
vim.cmd('edit src/beta/api.py')
until_('the owner', function() return notes():find("beta's", 1, true) end)
seen.owner = notes()
vim.cmd('RunebookAsk to page through it')
until_('the answer', function() return M.asked end)
seen.asked = M.asked.id
until_('the request', function() return notes():find('to page through it', 1, true) end)
seen.request = notes()
seen.statusline = M.statusline()
vim.cmd('RunebookDecide')
until_('the request in a window', function() return M.shown end)
seen.shown = vim.api.nvim_buf_get_lines(0, 0, 3, false)
vim.api.nvim_feedkeys('a', 'x', false)
until_('the decision', function() return M.decided end)
seen.decided = M.decided
until_('one less', function() return M.snapshot.counts.requests == OTHERS end)
vim.fn.writefile({ vim.json.encode(seen) }, 'seen.txt')
vim.cmd('qall!')
"""

VIM = """
vim9script
def Notes(): string
  const words = get(b:, 'runebook_notes', [])
  return len(prop_list(1, {end_lnum: -1})) == len(words) ? join(words) : 'other than is drawn'
enddef
def Until(what: string, Condition: func(): bool)
  const begun = reltime()
  while !Condition()
    if reltimefloat(reltime(begun)) > SECONDS
      writefile(['never came: ' .. what, Notes(), execute('messages')], 'seen.txt')
      cquit
    endif
    sleep 20m
  endwhile
enddef
var seen: dict<any> = {}
edit src/beta/api.py
Until('the owner', () => Notes() =~ "beta's")
seen.owner = Notes()
RunebookAsk to page through it
Until('the answer', () => exists('g:runebook_asked'))
seen.asked = g:runebook_asked.id
Until('the request', () => Notes() =~ 'to page through it')
seen.request = Notes()
seen.statusline = g:RunebookStatusline()
RunebookDecide
Until('the request in a window', () => exists('g:runebook_shown'))
seen.shown = getline(1, 3)
feedkeys('a', 'xt')
Until('the decision', () => exists('g:runebook_decided'))
seen.decided = json_decode(g:runebook_decided).status == 'approved' ? 0 : 1
Until('one less', () => g:RunebookStatusline() =~ PROMPT)
writefile([json_encode(seen)], 'seen.txt')
qall!
"""


def program(editor: str) -> str:
    found = shutil.which(editor)
    if found is None and "CI" not in os.environ:
        pytest.skip(f"{editor} is not installed")
    assert found is not None, f"{editor} is not installed: see .ci/run"
    return found


def edited(session: Session, editor: str, home: Path, others: int = 0) -> dict[str, Any]:
    """What the editor saw, run in the repository with nothing but Runebook's file."""
    plugin = home / SURFACES[editor].file
    plugin.write_text(text_of(SURFACES[editor], PROGRAM))
    if editor == "nvim":
        script = home / "see.lua"
        script.write_text(NVIM.replace("SECONDS", str(int(DEADLINE * 1000))).replace("OTHERS", str(others)))
        load, see = f"luafile {plugin}", f"luafile {script}"
        words = ["--headless", "--clean", "-i", "NONE", "-n"]
    else:
        script = home / "see.vim"
        prompt = f"{others} requests" if others else "· 2 working"
        script.write_text(VIM.replace("SECONDS", f"{DEADLINE:.1f}").replace("PROMPT", f"'{prompt}'"))
        load, see = f"source {plugin}", f"source {script}"
        words = ["-N", "-u", "NONE", "-i", "NONE", "-n", "-c", "set nomore cmdheight=9 lines=40"]
    # Vim takes keys at a terminal only.
    terminal = [sys.executable, "-c", "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)"]
    done = subprocess.run(
        [
            *(terminal if editor == "vim" else ()),
            program(editor),
            *words,
            "-c",
            "let g:runebook_agent = 'alpha'",
            "-c",
            load,
            "-c",
            see,
        ],
        cwd=session.root,
        env={**session.environment, "HOME": str(home), "TERM": "xterm"},
        capture_output=True,
        text=True,
        timeout=3 * DEADLINE,
        stdin=subprocess.DEVNULL,
    )
    seen = session.root / "seen.txt"
    assert seen.exists(), done.stdout + done.stderr
    text = seen.read_text()
    assert text.startswith("{"), text + done.stdout + done.stderr
    found: dict[str, Any] = json.loads(text)
    return found


@pytest.mark.parametrize("editor", ["nvim", "vim"])
def test_an_editor_shows_the_owner_asks_and_decides(session: Session, tmp_path: Path, editor: str) -> None:
    session.plan(PLAN)
    (session.root / "alpha.sh").write_text("sleep 600\n")
    (session.root / "src/beta").mkdir(parents=True)
    (session.root / "src/beta/api.py").write_text("one\ntwo\nthree\n")
    session.start()
    session.until("a snapshot", lambda: (snapshot.read(session.root) or {}).get("prompt") == "2 working")
    home = tmp_path / "home"
    home.mkdir()
    seen = edited(session, editor, home)
    assert "beta's" in seen["owner"]
    assert seen["asked"] == 1
    assert "◆ 1: alpha asks to page through it" in seen["request"]
    assert seen["statusline"] == "beta's · 1 request, 1 working"
    assert seen["shown"][:2] == ["1: alpha wants src/beta/api.py, owned by beta", "to page through it"]
    assert seen["decided"] == 0
    assert session.requests()[0]["status"] == "approved"


@pytest.mark.parametrize("editor", ["nvim", "vim"])
def test_hostile_names_and_words_do_no_harm_in_an_editor(
    session: Session, tmp_path: Path, editor: str
) -> None:
    session.plan(PLAN)
    path = "'src/beta/`touch pwned`$(touch pwned)|quit.py'"
    reason = "$'end\\x1b]0;x\\a |!touch pwned'"
    ask = rb("ask", path, "--no-wait", "--reason", reason)
    (session.root / "alpha.sh").write_text(
        WAITING.format("go") + ask + rb("ask src/beta/two.py --no-wait") + "sleep 600\n"
    )
    (session.root / "src/beta").mkdir(parents=True)
    (session.root / "src/beta/api.py").write_text("one\n")
    session.start()
    session.until("alpha at work", lambda: session.agent("alpha").get("alive"))
    (session.root / "go").touch()
    session.until("both requests", lambda: len((snapshot.read(session.root) or {}).get("requests", ())) == 2)
    home = tmp_path / "home"
    home.mkdir()
    seen = edited(session, editor, home, others=2)
    assert seen["shown"][0].startswith("1: alpha wants src/beta/`touch pwned`")
    assert not (session.root / "pwned").exists()
