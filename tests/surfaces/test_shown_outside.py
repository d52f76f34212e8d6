"""What is read from the snapshot outside the screens: prompts of real shells, and WezTerm's Lua."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from runebook_tui.surfaces import snapshot
from runebook_tui.surfaces.catalogue import SURFACES, text_of

PROGRAM = ["runebook-tui"]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "a repo's"
    (root / ".runebook").mkdir(parents=True)
    (root / "src" / "deep").mkdir(parents=True)
    return root


def write(root: Path, prompt: str, mood: str = "asking") -> None:
    snapshot.write(root, snapshot.text_of({"format": 1, "prompt": prompt, "mood": mood, "plan": "x"}))


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None and "CI" not in os.environ:
        pytest.skip(f"{name} is not installed")
    assert found is not None, f"{name} is not installed: see .ci/run"
    return found


def said(shell: str, folder: Path, tmp_path: Path, hook: str) -> str:
    """What the shell's variable holds after one prompt, said between marks."""
    file = tmp_path / SURFACES[shell].file
    file.write_text(text_of(SURFACES[shell], PROGRAM))
    words = {"bash": ["--norc", "--noprofile"], "zsh": ["-f"], "fish": ["--no-config"]}[shell]
    line = f'source "{file}"; {hook}; echo "<$RUNEBOOK_MOOD|$RUNEBOOK_PROMPT>"'
    done = subprocess.run(
        [program(shell), *words, "-c", line],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "HOME": str(tmp_path)},
    )
    assert not done.stderr
    return done.stdout.strip()


HOOKS = [("bash", "__runebook_prompt"), ("zsh", "__runebook_prompt"), ("fish", "emit fish_prompt")]


@pytest.mark.parametrize(("shell", "hook"), HOOKS)
def test_a_prompt_says_what_waits_from_anywhere_below(
    repository: Path, tmp_path: Path, shell: str, hook: str
) -> None:
    write(repository, "2 requests (1 held), 3 working")
    found = said(shell, repository / "src" / "deep", tmp_path, hook)
    assert found == "<asking|2 requests (1 held), 3 working>"


@pytest.mark.parametrize(("shell", "hook"), HOOKS)
def test_a_prompt_says_nothing_where_nothing_runs(tmp_path: Path, shell: str, hook: str) -> None:
    assert said(shell, tmp_path, tmp_path, hook) == "<|>"


@pytest.mark.parametrize(("shell", "hook"), HOOKS)
def test_a_prompt_takes_plain_words_only(repository: Path, tmp_path: Path, shell: str, hook: str) -> None:
    write(repository, "$(touch pwned) `touch pwned` %F{red}")
    assert said(shell, repository, tmp_path, hook) == "<|>"
    assert not (repository / "pwned").exists()


def test_a_prompt_in_tmux_tells_wezterm_through_it(repository: Path, tmp_path: Path) -> None:
    """As in a terminal: bash behind a pseudo-terminal, TMUX set, the bytes that tmux would pass on."""
    write(repository, "1 request, 2 working")
    file = tmp_path / "prompt.bash"
    file.write_text(text_of(SURFACES["bash"], PROGRAM))
    script = tmp_path / "say.sh"
    script.write_text(f'TMUX=x; . "{file}"; __runebook_prompt; __runebook_prompt\n')
    run = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)"
    done = subprocess.run(
        [sys.executable, "-c", run, program("bash"), "--norc", str(script)],
        cwd=repository,
        capture_output=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )
    value = base64.b64encode(b"asking 1 request, 2 working").decode()
    expected = f"\x1bPtmux;\x1b\x1b]1337;SetUserVar=runebook={value}\x07\x1b\\"
    assert done.stdout.decode() == expected, done.stderr


WEZTERM = r"""
local handlers = {}
package.preload.wezterm = function()
  return {
    on = function(name, handler) handlers[name] = handler end,
    format = function(items)
      local words = {}
      for _, item in ipairs(items) do
        if item.Foreground then table.insert(words, '[' .. item.Foreground.AnsiColor .. ']') end
        if item.Text then table.insert(words, item.Text) end
      end
      return table.concat(words)
    end,
  }
end
dofile(arg[1])
local shown
local window = { set_right_status = function(_, text) shown = text end }
local function pane(vars, folder)
  return {
    get_user_vars = function() return vars end,
    get_current_working_dir = function() return folder end,
  }
end
local function see(vars, folder)
  shown = nil
  handlers['update-status'](window, pane(vars, folder))
  print(shown)
end
see({}, { file_path = arg[2] .. '/src/deep' })
see({}, 'file://host' .. arg[2]:gsub(' ', '%%20'))
see({}, { file_path = '/nowhere' })
see({}, nil)
see({ runebook = 'held 4 requests (1 held), 2 working' }, nil)
see({ runebook = 'held \27]0;pwned\7' }, nil)
shown = 'unchanged'
handlers['user-var-changed'](window, pane({ runebook = 'calm 1 working' }, nil), 'other', 'x')
print(shown)
handlers['user-var-changed'](window, pane({ runebook = 'calm 1 working' }, nil), 'runebook', 'x')
print(shown)
"""


def test_wezterm_shows_the_best_suggestion_from_the_file(repository: Path, tmp_path: Path) -> None:
    head = {"format": 1, "prompt": "1 working", "mood": "calm", "advice": "put 'a' (#1) & <b>", "plan": "x"}
    snapshot.write(repository, snapshot.text_of(head))
    file, script = tmp_path / "wezterm.lua", tmp_path / "play.lua"
    file.write_text(text_of(SURFACES["wezterm"], PROGRAM))
    script.write_text(WEZTERM)
    words = [program("lua5.4"), str(script), str(file), str(repository)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert not done.stderr
    assert done.stdout.splitlines()[0] == "[Green]◆ 1 working [Aqua]▲ put 'a' (#1) & <b> "


def test_wezterms_right_status_under_lua(repository: Path, tmp_path: Path) -> None:
    write(repository, "1 request, 2 working")
    file, script = tmp_path / "wezterm.lua", tmp_path / "play.lua"
    file.write_text(text_of(SURFACES["wezterm"], PROGRAM))
    script.write_text(WEZTERM)
    done = subprocess.run(
        [program("lua5.4"), str(script), str(file), str(repository)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert not done.stderr
    assert done.stdout.splitlines() == [
        "[Yellow]◆ 1 request, 2 working ",
        "[Yellow]◆ 1 request, 2 working ",
        "",
        "",
        "[Red]◆ 4 requests (1 held), 2 working ",
        "",
        "unchanged",
        "[Green]◆ 1 working ",
    ]
