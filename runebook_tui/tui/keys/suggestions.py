"""The commands of the suggestions."""

from __future__ import annotations

from runebook_tui.tui.commands import Command

_GROUP = "Suggestions"

TABLE = (
    Command(
        "suggestion.take",
        "enter",
        "take",
        "copy the suggested text and close it; runs nothing",
        "take",
        _GROUP,
    ),
    Command("suggestion.file", "e", "edit", "open the file that it is about in your editor", "file", _GROUP),
    Command("suggestion.cause", "o", "failure", "see what failed, in the log", "cause", _GROUP),
    Command("suggestion.dismiss", "d", "dismiss", "dismiss the selected suggestion", "drop", _GROUP),
    Command(
        "suggestion.old", "c", "with closed ones", "show the taken and dismissed ones, too", "old", _GROUP
    ),
)
