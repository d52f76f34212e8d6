"""Writes what pages of docs/ say of modes and keys from what the program declares: `python scripts/guide.py`.

What lies between two marks is made here; the rest of the page is written by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from runebook_tui.tui import commands, modes
from runebook_tui.tui.commands import Command
from runebook_tui.tui.plain import orders
from runebook_tui.tui.plain.orders import Form

_DOCS = Path(__file__).parent.parent / "docs"
PAGES = {
    _DOCS / "guide.md": ("modes", "keys", "card"),
    _DOCS / "settings.md": ("ids",),
    _DOCS / "plain.md": ("plain",),
}
"""The pages, and the parts of each that are made here."""
_PART = re.compile(r"(<!-- (?P<name>\w+), by scripts/guide\.py -->\n).*?(<!-- end -->)", re.DOTALL)
_PLAIN = {"⏎": "Enter", "⇥": "Tab", "⇤": "Shift-Tab", "space": "Space", "esc": "Esc"}


def _named(key: str) -> str:
    """All of a command's keys, as a page names them."""
    signs = (
        f"Ctrl-{sign[1:].upper()}" if sign[:1] == "^" else sign for sign in commands.key_signs(key).split(" ")
    )
    return " ".join(f"`{_PLAIN.get(sign, sign)}`" for sign in signs)


def _table(table: Iterable[Command]) -> str:
    rows = "".join(f"| {_named(each.key)} | {each.help} |\n" for each in table if each.key)
    return f"| key | does |\n|---|---|\n{rows}"


def _modes() -> str:
    """Each mode: its key, what it is for, a picture, and the keys that only it has."""
    parts = []
    for mode in modes.MODES:
        name, about = mode.id.capitalize(), mode.help[0].upper() + mode.help[1:]
        picture = f"\n![{name}](pictures/{mode.id}.svg)\n" if mode is not modes.COCKPIT else ""
        keys = f"\n{_table(mode.table)}" if mode.table else ""
        parts.append(f"### `{mode.key}` {name}\n\n{about}.\n{picture}{keys}")
    return "\n" + "\n".join(parts) + "\n"


def _keys() -> str:
    """The keys of the cockpit and of every mode, group by group."""
    first = (*commands.COCKPIT, *commands.EVERYWHERE, *modes.going(), *commands.FILTER)
    return "\n" + "".join(f"**{name}**\n\n{_table(group)}\n" for name, group in commands.groups(first))


def _card() -> str:
    return f"\n{_table(commands.CARD)}\n"


def _ids() -> str:
    rows = "".join(
        f"| `{each.id}` | {' '.join(f'`{key}`' for key in each.key.split(',') if key)} | {each.help} |\n"
        for each in modes.everything()
    )
    return f"\n| id | keys | what it does |\n|---|---|---|\n{rows}\n"


def _plain() -> str:
    """What can be typed in plain mode, with the letter of each."""
    known = orders.declared()
    rows = "".join(f"| {_typed(form, known[form.id])} | {known[form.id].help} |\n" for form in orders.FORMS)
    return f"\n| type | does |\n|---|---|\n{rows}\n"


def _typed(form: Form, command: Command) -> str:
    takes = f" {form.takes}" if form.takes else ""
    others = (orders.letter(command, {}), *form.names)
    return " or ".join([f"`{command.word}`{takes}", *(f"`{each}`" for each in others if each)])


PARTS = {"plain": _plain, "ids": _ids, "modes": _modes, "keys": _keys, "card": _card}


def made(page: str) -> str:
    """The page with its made parts as the program is now."""
    return _PART.sub(lambda found: found[1] + PARTS[found["name"]]() + found[3], page)


if __name__ == "__main__":
    for path in PAGES:
        path.write_text(made(path.read_text()))
