"""The catalogue of surfaces: for each, its file, the one line that loads it, and where that line belongs."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path


@dataclass(frozen=True)
class Surface:
    """One place that shows what Runebook knows."""

    name: str
    title: str
    program: str
    """The program that has to be there."""
    source: str
    """The file of this package that it is made from."""
    file: str
    """What that is called below the surfaces' folder."""
    line: str
    """The line that loads it; `{file}` stands for its path."""
    into: tuple[str, ...]
    """Where the line belongs: the first that exists, else the first. `$CONFIG` is $XDG_CONFIG_HOME."""
    quotes: str = "shell"
    """How `line` writes a path: as a word of a shell, or as a string of `lua`, `tmux` or `vim`."""
    first: bool = False
    """Whether the line belongs at the top, because nothing may follow what ends the file."""


_ALL = (
    Surface(
        "tmux", "tmux", "tmux", "tmux.conf", "tmux.conf", "source-file {file}",
        ("~/.tmux.conf", "$CONFIG/tmux/tmux.conf"), "tmux",
    ),
    Surface(
        "wezterm", "WezTerm", "wezterm", "wezterm.lua", "wezterm.lua", "dofile({file})",
        ("~/.wezterm.lua", "$CONFIG/wezterm/wezterm.lua"), "lua", True,
    ),
    Surface("vim", "Vim", "vim", "vim.vim", "runebook.vim", "execute 'source' fnameescape({file})",
            ("~/.vimrc", "~/.vim/vimrc"), "vim"),
    Surface(
        "nvim", "Neovim", "nvim", "nvim.lua", "runebook.lua", "dofile({file})", ("$CONFIG/nvim/init.lua",),
        "lua", True,
    ),
    Surface("bash", "bash", "bash", "bash.sh", "prompt.bash", ". {file}", ("~/.bashrc",)),
    Surface("zsh", "zsh", "zsh", "zsh.zsh", "prompt.zsh", ". {file}", ("~/.zshrc",)),
    Surface(
        "fish", "fish", "fish", "fish.fish", "prompt.fish", "source {file}", ("$CONFIG/fish/config.fish",)
    ),
)  # fmt: skip

SURFACES: Mapping[str, Surface] = {each.name: each for each in _ALL}
"""By name, in the order in which they are listed."""


@dataclass(frozen=True)
class Installed:
    """A surface in somebody's home: where its file and its line are."""

    surface: Surface
    file: Path
    into: Path
    line: str


def placed(surface: Surface, home: Path, config: Path) -> Installed:
    """Where the file and the line of a surface belong, for a home and a folder of configuration."""
    file = config / "runebook" / "surfaces" / surface.file
    places = [Path(each.replace("$CONFIG", str(config)).replace("~", str(home), 1)) for each in surface.into]
    into = next((each for each in places if each.exists()), places[0])
    return Installed(surface, file, into, surface.line.format(file=_quoted(str(file), surface.quotes)))


def text_of(surface: Surface, program: Sequence[str]) -> str:
    """What the file of a surface holds; `program` runs the command line from anywhere."""
    text = (files("runebook_tui.surfaces") / "files" / surface.source).read_text(encoding="utf-8")
    line = shlex.join(program)
    for mark, words in {
        "@PROGRAM_LUA@": "{ " + ", ".join(_quoted(each, "lua") for each in program) + " }",
        "@PROGRAM_VIM@": "[" + ", ".join(_quoted(each, "vim") for each in program) + "]",
        "@PROGRAM_TMUX@": _quoted(line.replace("#", "##"), "tmux")[1:-1],
    }.items():
        text = text.replace(mark, words)
    return text


def _quoted(text: str, how: str) -> str:
    """A string as the language of a file writes it."""
    if how == "lua":
        return json.dumps(text, ensure_ascii=False)
    if how == "vim":
        return "'" + text.replace("'", "''") + "'"
    if how == "tmux":
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$") + '"'
    return shlex.quote(text)
