"""The commands of the files."""

from __future__ import annotations

from runebook_tui.tui.commands import Command

_GROUP = "Files"

TABLE = (
    Command("file.open", "enter", "open", "open the file's request; fold or unfold a folder", "open", _GROUP),
    Command("file.unfold", "right", "unfold", "unfold the folder, or go into it", "unfold", _GROUP),
    Command("file.fold", "left", "fold", "fold the folder, or go to the one around it", "fold", _GROUP),
    Command("file.order", "t", "order", "by name, by latest change, or by heat", "order", _GROUP),
    Command("file.lines", "i", "who wrote it", "see who wrote each line of the file", "lines", _GROUP),
    Command("file.edit", "e", "edit", "open the file in your editor ($EDITOR)", "edit", _GROUP),
)
