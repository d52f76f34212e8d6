"""`runebook-tui surface`: what it writes, what it asks first, and that nothing of it is left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runebook_tui.surfaces.catalogue import SURFACES

COMMAND = [sys.executable, "-P", "-m", "runebook_tui", "surface"]


class Home:
    """A home of its own, and the command run in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        names = ("RUNEBOOK_AGENT", "RUNEBOOK_ROOT", "XDG_CONFIG_HOME", "TMUX")
        self.environment = {name: value for name, value in os.environ.items() if name not in names}
        self.environment |= {"HOME": str(folder), "TMUX_TMPDIR": str(folder)}

    def run(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *words],
            cwd=self.folder,
            env={**self.environment, **more},
            capture_output=True,
            text=True,
            timeout=60,
            stdin=subprocess.DEVNULL,
        )

    def json(self, *words: str) -> Any:
        done = self.run(*words, "--json")
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    def files(self) -> dict[str, str]:
        found = (each for each in self.folder.rglob("*") if each.is_file())
        return {str(each.relative_to(self.folder)): each.read_text() for each in found}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    folder = tmp_path / "ho'me"
    folder.mkdir()
    return Home(folder)


def test_without_a_yes_nothing_of_the_users_is_edited(home: Home) -> None:
    (home.folder / ".vimrc").write_text("set nu\n")
    done = home.run("install", "vim")
    assert done.returncode == 0, done.stderr
    assert "execute 'source' fnameescape(" in done.stdout
    assert (home.folder / ".vimrc").read_text() == "set nu\n"
    assert (home.folder / ".config/runebook/surfaces/runebook.vim").exists()
    assert home.json("list")[2]["status"] == "without its line"


@pytest.mark.parametrize("name", SURFACES)
def test_installed_twice_and_taken_out_it_leaves_everything_as_it_was(home: Home, name: str) -> None:
    shape = next(each for each in home.json("list") if each["name"] == name)
    into = Path(shape["into"])
    into.parent.mkdir(parents=True, exist_ok=True)
    into.write_text("mine\n")
    before = home.files()
    assert home.json("install", name, "--yes")["status"] == "installed"
    once = home.files()
    assert home.json("install", name, "--yes")["status"] == "installed"
    assert home.files() == once
    added = [line for line in into.read_text().splitlines() if line != "mine"]
    assert added == [shape["line"]]
    assert home.run("uninstall", name).returncode == 1, "its line stays without a yes"
    assert home.files() == once
    assert home.json("uninstall", name, "--yes")["status"] == "not installed"
    assert home.files() == before


def test_the_lines_load_the_files(home: Home) -> None:
    """In a home whose name has a quote, as the programs read them."""
    home.run("install", "tmux", "--yes")
    home.run("install", "nvim", "--yes")
    home.run("install", "vim", "--yes")
    home.run("install", "bash", "--yes")
    seen = home.folder / "seen"

    def run(*words: str) -> None:
        done = subprocess.run(
            words, env=home.environment, capture_output=True, text=True, timeout=60, cwd=home.folder
        )
        assert done.returncode == 0, done.stderr

    run("bash", "--rcfile", ".bashrc", "-i", "-c", "type __runebook_prompt >seen")
    assert "is a function" in seen.read_text()
    run("vim", "-es", "-u", ".vimrc", "-c", "call writefile([exists(':RunebookAsk')], 'seen')", "-c", "qa!")
    assert seen.read_text() == "2\n"
    line = "call writefile([exists(':RunebookDecide')], 'seen')"
    run("nvim", "--headless", "-n", "-i", "NONE", "-c", line, "-c", "qa!")
    assert seen.read_text() == "2\n"
    tmux = ["tmux", "-f", str(home.folder / ".tmux.conf")]
    try:
        run(*tmux, "new-session", "-d", "sleep 60")
        assert tmux_says(home, "show", "-gv", "@runebook_surface") == "on"
        assert "surface menu" in tmux_says(home, "list-keys", "-T", "prefix", "R")
        home.run("uninstall", "tmux", "--yes")
        assert tmux_says(home, "show", "-gv", "@runebook_surface") == ""
        assert tmux_says(home, "list-keys", "-T", "prefix", "R") == ""
    finally:
        tmux_says(home, "kill-server")


def tmux_says(home: Home, *words: str) -> str:
    done = subprocess.run(
        ["tmux", *words], env=home.environment, capture_output=True, text=True, timeout=60, check=False
    )
    return done.stdout.strip()


def test_an_agent_installs_nothing(home: Home) -> None:
    done = home.run("install", "vim", "--yes", RUNEBOOK_AGENT="alpha")
    assert done.returncode == 1
    assert "ask the operator" in done.stderr
    assert home.files() == {}


def test_an_unknown_surface_is_named_in_one_line(home: Home) -> None:
    done = home.run("install", "emacs")
    assert done.returncode == 2
    assert done.stderr.startswith("runebook-tui: name a surface: tmux, wezterm, vim, nvim")


def test_a_decision_needs_a_terminal(home: Home) -> None:
    assert home.run("decide").returncode == 2
