"""The guide, the README, the script that makes the pictures, and the keys of the program say the same."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

from runebook_tui.tui import commands, modes

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))

WORDS = {"Enter": "enter", "Space": "space", "Esc": "escape", "Tab": "tab", "*": "asterisk", "/": "slash",
         "?": "question_mark", "Ctrl-P": "ctrl+p"}  # fmt: skip
"""How the README names keys that Textual names otherwise."""


def test_the_documents_show_the_pictures_that_the_script_makes() -> None:
    """After a change of modes: `python scripts/pictures.py`, then `python scripts/guide.py`."""
    made = {picture.name for picture in runpy.run_path(str(ROOT / "scripts/pictures.py"))["PICTURES"]}
    shown = {name for page in PAGES for name in re.findall(r"pictures/([\w-]+)\.svg", page.read_text())}
    assert shown == made
    assert shown == {path.stem for path in (ROOT / "docs/pictures").iterdir()}


def test_the_guide_says_which_modes_and_keys_there_are() -> None:
    """After a change of keys: `python scripts/guide.py`."""
    script = runpy.run_path(str(ROOT / "scripts/guide.py"))
    for path, parts in script["PAGES"].items():
        page = path.read_text()
        assert set(re.findall(r"<!-- (\w+), by scripts/guide\.py -->", page)) == set(parts)
        assert script["made"](page) == page
        for command in commands.COCKPIT:
            assert not command.key or "plain" in parts or f" | {command.help} |" in page


def test_every_key_in_the_readme_is_a_key_of_the_first_screen() -> None:
    readme = (ROOT / "README.md").read_text()
    (table,) = re.findall(r"^\| key \| does \|\n\|---\|---\|\n((?:\|.*\n)+)", readme, flags=re.MULTILINE)
    named = {word for line in table.splitlines() for word in re.findall(r"`([^`]+)`", line.split(" | ")[0])}
    everything = (*commands.COCKPIT, *commands.EVERYWHERE, *modes.going(), *commands.FILTER)
    keys = {key for command in everything for key in command.key.split(",")}
    assert {WORDS.get(word, word) for word in named} <= keys
    assert len(named) > 5
