"""Tools: what a call of a client's tool would write.

The names and fields are those that the clients send (docs/hooks.md). Claude Code: `Write`, `Edit`,
`MultiEdit`, `NotebookEdit`, `Bash`. Codex: `apply_patch`, `Bash`. Gemini CLI and Qwen Code: `write_file`,
`replace`, `edit`, `run_shell_command`. opencode: `write`, `edit`, `patch`, `bash`. Copilot CLI: `create`,
`edit`, `bash`. Cursor: `Write`, `Delete`, `Shell`. Goose: `developer__text_editor`, `developer__shell`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from runebook_tui.hooks import patchtext, shell
from runebook_tui.hooks.edits import Edit, How, Reach, Removed, Replaced, Replacement, Untold, Whole
from runebook_tui.hooks.event import HookError
from runebook_tui.hooks.fields import Fields, object_in, text_in, whole_in

MOST_EDITS = 500
_MOST_PATH = 65_536

_SHELL = {
    "bash", "shell", "sh", "powershell", "exec", "execcommand", "runshellcommand", "runterminalcmd",
    "runcommand", "localshell", "shellcommand", "terminal", "unifiedexec",
}  # fmt: skip
_PATCH = {"applypatch", "patch", "applydiff"}
_WRITE = {"write", "writefile", "create", "createfile", "savefile", "writetofile", "writenewfile"}
_EDIT = {
    "edit", "multiedit", "replace", "strreplace", "editfile", "strreplaceeditor", "texteditor",
    "notebookedit", "searchreplace", "insert", "update", "editnotebook", "fileedit", "inserttext",
}  # fmt: skip
_REMOVE = {"delete", "deletefile", "remove", "removefile"}
_MOVE = {"move", "movefile", "rename", "renamefile"}
_LOOKING = ("view", "read", "list", "undo_edit")

_PATHS = (
    "file_path", "filePath", "path", "notebook_path", "notebookPath", "absolute_path", "target_file",
    "targetFile", "file", "filename", "fileName",
)  # fmt: skip
_CONTENT = ("content", "file_text", "fileText", "contents", "text", "new_content")
_OLD = ("old_string", "oldString", "old_str", "oldStr", "old_text", "oldText", "before")
_NEW = ("new_string", "newString", "new_str", "newStr", "new_text", "newText", "after")
_EVERY = ("replace_all", "replaceAll", "allow_multiple")


def plain_name(tool: str) -> str:
    """A tool's name without its server's and without what clients write differently."""
    last = re.split(r"__|[./:]", tool)[-1]
    return re.sub(r"[^a-z0-9]", "", last.lower())


def command_in(tool: str, given: Fields) -> str | None:
    """The shell command that a call of this tool runs; None when it is no shell."""
    if plain_name(tool) not in _SHELL:
        return None
    words = given.get("command", given.get("cmd", given.get("script")))
    if isinstance(words, list) and all(isinstance(word, str) for word in words):
        return words[-1] if len(words) == 3 and words[1] in ("-c", "-lc") else " ".join(map(_quoted, words))
    return words if isinstance(words, str) else ""


def _quoted(word: str) -> str:
    return word if re.fullmatch(r"[\w@%+=:,./-]+", word) else "'" + word.replace("'", "'\"'\"'") + "'"


def edits_of(tool: str, given: Fields) -> tuple[Edit, ...]:
    """What the call would write, as far as it can be told. Raises HookError for more than 500 files.

    A tool that nobody knows writes when it is given a path and a content.
    """
    found: list[Edit] = []
    for edit in _edits(plain_name(tool), tool, given):
        if len(found) >= MOST_EDITS:
            raise HookError(f"{tool[:80]} would write more than {MOST_EDITS} files at once")
        if not edit.path or "\0" in edit.path or len(edit.path) > _MOST_PATH:
            raise HookError(f"{tool[:80]} names a path that is none")
        found.append(edit)
    return tuple(found)


def _edits(name: str, tool: str, given: Fields) -> Iterator[Edit]:
    command = command_in(tool, given)
    if command is not None:
        folder = text_in(given, "workdir", "cwd", "directory", limit=_MOST_PATH)
        for edit in shell.edits_of(command):
            path = f"{folder}/{edit.path}" if folder and not edit.path.startswith("/") else edit.path
            yield Edit(path, edit.how, edit.reach, edit.names, edit.link)
        return
    if name in _PATCH:
        for text in _patches(given):
            yield from patchtext.edits_of(text) if patchtext.is_patch(text) else _diffed(text)
        return
    paths = _paths(given)
    step = text_in(given, "command").lower()
    if name in _MOVE:
        source = whole_in(given, "source", "from", "old_path", "oldPath")
        target = whole_in(given, "destination", "to", "new_path", "newPath")
        yield from (Edit(path, Removed(), Reach.TREE, link=True) for path in (source, *paths) if path)
        if target:
            yield Edit(target, link=True)
    elif name in _REMOVE:
        yield from (Edit(path, Removed(), Reach.TREE, link=True) for path in paths)
    elif name in _WRITE or (name in _EDIT and step not in _LOOKING) or _writes(given):
        for path in paths:
            yield Edit(path, _how(given))
    files = given.get("files")
    if name in _WRITE | _EDIT and isinstance(files, list):
        for each in files[: MOST_EDITS + 1]:
            if isinstance(each, dict):
                yield from (Edit(path, _how(each)) for path in _paths(each))


def _paths(given: Fields) -> list[str]:
    found = [value for name in _PATHS if isinstance(value := given.get(name), str) and value]
    return list(dict.fromkeys(found))


def _writes(given: Fields) -> bool:
    """Whether a call of an unknown tool is given what could be written."""
    return any(isinstance(given.get(name), str) for name in (*_CONTENT[:-2], *_NEW[:6]))


def _how(given: Fields) -> How:
    content = whole_in(given, *_CONTENT)
    parts = given.get("edits")
    if isinstance(parts, list):
        read = [_replacement(part) for part in parts if isinstance(part, dict)]
        whole = len(read) == len(parts) and all(part is not None for part in read)
        return Replaced(tuple(part for part in read if part is not None)) if whole else Untold()
    part = _replacement(given)
    if part is not None:
        return Replaced((part,))
    return Untold() if content is None else Whole(content)


def _replacement(given: Fields) -> Replacement | None:
    old, new = whole_in(given, *_OLD), whole_in(given, *_NEW)
    if old is None or new is None:
        return None
    expected = given.get("expected_replacements")
    many = isinstance(expected, int) and not isinstance(expected, bool) and expected > 1
    return Replacement(old, new, many or any(given.get(name) is True for name in _EVERY))


def _patches(given: Fields) -> Iterator[str]:
    inner = object_in(given, "args", "arguments")
    for fields in (given, inner):
        for name in ("command", "input", "patch", "patchText", "patch_text", "diff"):
            value = fields.get(name)
            if isinstance(value, list):
                value = "\n".join(each for each in value if isinstance(each, str))
            if isinstance(value, str):
                yield value


def _diffed(text: str) -> Iterator[Edit]:
    return (Edit(path) for path in patchtext.paths_of_diff(text))
