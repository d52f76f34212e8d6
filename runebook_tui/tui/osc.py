"""OSC: the escape sequences by which terminals show a notification.

9 is iTerm2's (also WezTerm's, Ghostty's), 777 rxvt-unicode's (also foot's, VTE's), 99 kitty's.
In tmux a sequence reaches the terminal only inside of tmux's own (tmux(1), allow-passthrough).
"""

from __future__ import annotations

from collections.abc import Mapping

from runebook_tui.core.printable import visible

_TITLE = "Runebook"
_MOST_CHARACTERS = 240
_PROGRAMS = {"iTerm.app": "9", "WezTerm": "9", "ghostty": "9", "kitty": "99", "foot": "777"}
_VARIABLES = {
    "KITTY_WINDOW_ID": "99",
    "WEZTERM_PANE": "9",
    "ITERM_SESSION_ID": "9",
    "GHOSTTY_RESOURCES_DIR": "9",
}


def form_of(setting: str, environment: Mapping[str, str]) -> str:
    """The form to use, "9", "777" or "99"; "" for none. `setting` is that of `[notify] osc`."""
    if setting != "auto":
        return "" if setting == "off" else setting
    program = environment.get("TERM_PROGRAM", "")
    if program in _PROGRAMS:
        return _PROGRAMS[program]
    for variable, form in _VARIABLES.items():
        if environment.get(variable):
            return form
    term = environment.get("TERM", "")
    if term == "xterm-kitty":
        return "99"
    if term.startswith(("foot", "rxvt-unicode")) or environment.get("VTE_VERSION"):
        return "777"
    return ""


def sequence(form: str, words: str, *, tmux: bool) -> str:
    """The bytes, as text, that show `words`; "" without a form. `tmux`: they pass through it."""
    shown = visible(words, _MOST_CHARACTERS)
    said = {
        "9": f"\x1b]9;{_TITLE}: {shown}\x1b\\",
        "777": f"\x1b]777;notify;{_TITLE};{shown}\x1b\\",
        "99": f"\x1b]99;i=runebook:d=0;{_TITLE}\x1b\\\x1b]99;i=runebook:p=body;{shown}\x1b\\",
    }.get(form, "")
    if said and tmux:
        return "\x1bPtmux;" + said.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    return said
