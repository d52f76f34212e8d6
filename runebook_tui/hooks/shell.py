"""What a shell command would write, as far as that can be told without running it.

Redirections, `tee`, `cp`, `mv`, `rm`, `touch`, `ln`, `install`, `truncate`, `dd of=`, `sed -i`, `perl -i`,
`git mv|rm|checkout|restore|apply`, `patch`, `apply_patch` and the commands of `sh -c`. What is not here, what
an expansion decides and what programs and scripts do by themselves is left to the kernel gate.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Sequence

from runebook_tui.hooks import patchtext
from runebook_tui.hooks.edits import Edit, Reach, Removed
from runebook_tui.hooks.words import Operator, Simple, Word, commands_of

MOST_DEPTH = 3
MOST_EDITS = 500

_PREFIXES = {
    "command",
    "builtin",
    "exec",
    "nohup",
    "time",
    "nice",
    "env",
    "sudo",
    "!",
    "then",
    "do",
    "else",
    "{",
}
_SHELLS = {"sh", "bash", "dash", "zsh", "ksh", "ash"}


def edits_of(text: str, *, depth: int = 0) -> list[Edit]:
    """What `text` would write; paths are relative to where the command runs. Never raises."""
    found: list[Edit] = []
    folder: str | None = ""  # relative to where the command runs; None when nobody can tell
    outer: list[str | None] = []
    for part in commands_of(text):
        if isinstance(part, Operator):
            if part.sign == "(":
                outer.append(folder)
            elif part.sign == ")" and outer:
                folder = outer.pop()
            continue
        words = _command(part.words)
        for edit in (*_targets(part), *_written(words, part, depth)):
            placed = _placed(edit, folder)
            if placed is not None:
                found.append(placed)
            if len(found) >= MOST_EDITS:
                return found
        if words and words[0].text in ("cd", "pushd", "popd"):
            folder = _entered(words, folder)
    return found


def _placed(edit: Edit, folder: str | None) -> Edit | None:
    """The edit with its path as seen from where the whole command runs; None when that is not known."""
    if not edit.path or edit.path == "-":
        return None
    if edit.path.startswith("/") or folder == "":
        return edit
    if folder is None:
        return None
    path = posixpath.join(folder, edit.path)
    return Edit(path, edit.how, edit.reach, edit.names, edit.link)


def _entered(words: Sequence[Word], folder: str | None) -> str | None:
    operands = [word for word in words[1:] if not word.text.startswith("-")]
    if words[0].text != "cd" or len(operands) != 1 or len(words) != 2 or not operands[0].plain:
        return None
    where = operands[0].text
    if where.startswith("/"):
        return where
    return None if folder is None else posixpath.join(folder, where)


def _command(words: Sequence[Word]) -> list[Word]:
    """The words from the program's name on, without what only stands before it."""
    rest = list(words)
    while rest:
        first = rest[0]
        name, sign, _ = first.text.partition("=")
        if (sign and name.isidentifier()) or (first.plain and first.text in _PREFIXES):
            rest.pop(0)
            while first.text in _PREFIXES and rest and rest[0].text.startswith("-"):
                rest.pop(0)
            continue
        break
    if rest and rest[0].plain:
        rest[0] = Word(posixpath.basename(rest[0].text))
    return rest


def _targets(part: Simple) -> Iterator[Edit]:
    for word in part.targets:
        if word.plain and not word.text.startswith("/dev/"):
            yield Edit(word.text)


def _written(words: Sequence[Word], part: Simple, depth: int) -> Iterator[Edit]:
    if not words or not words[0].plain:
        return
    name, arguments = words[0].text, words[1:]
    if name in _SHELLS and depth < MOST_DEPTH:
        script = _script(arguments)
        for text in (script,) if script is not None else part.documents:
            yield from edits_of(text, depth=depth + 1)
    elif name in ("apply_patch", "applypatch"):
        for text in (*(word.text for word in arguments if word.plain), *part.documents):
            yield from patchtext.edits_of(text)
    elif name in ("git", "patch") and (name == "patch" or _git_step(arguments) == "apply"):
        for text in part.documents:
            for path in patchtext.paths_of_diff(text):
                yield Edit(path)
        if name == "git":
            yield from (Edit(word.text, reach=Reach.DIFF) for word in _operands(arguments)[1:] if word.plain)
    elif name == "git":
        yield from _by_git(arguments)
    elif name in _WRITERS:
        yield from _WRITERS[name](arguments)


def _script(arguments: Sequence[Word]) -> str | None:
    """The script of `sh -c SCRIPT`, also as in `bash -lc SCRIPT`; "" when it cannot be read."""
    for at, word in enumerate(arguments):
        if not word.text.startswith("-"):
            return ""
        if not word.text.startswith("--") and "c" in word.text:
            script = arguments[at + 1] if at + 1 < len(arguments) else Word("")
            return script.text if script.plain else ""
    return None


# ── programs ────────────────────────────────────────────────────────────────────────────────────


def _operands(arguments: Sequence[Word], valued: str = "") -> list[Word]:
    """The arguments that are no options; `valued` are the letters of options whose value follows."""
    found: list[Word] = []
    rest = iter(arguments)
    for word in rest:
        if word.text == "--":
            found.extend(rest)
        elif word.text.startswith("-") and len(word.text) > 1:
            if not word.text.startswith("--") and word.text[-1] in valued:
                next(rest, None)
        else:
            found.append(word)
    return found


def _files(words: Sequence[Word], **more: object) -> Iterator[Edit]:
    return (Edit(word.text, **more) for word in words if word.plain)  # type: ignore[arg-type]


def _touch(arguments: Sequence[Word]) -> Iterator[Edit]:
    return _files(_operands(arguments, "drt"))


def _tee(arguments: Sequence[Word]) -> Iterator[Edit]:
    return _files(_operands(arguments))


def _truncate(arguments: Sequence[Word]) -> Iterator[Edit]:
    return _files(_operands(arguments, "sr"))


def _rm(arguments: Sequence[Word]) -> Iterator[Edit]:
    letters = "".join(word.text for word in arguments if word.text.startswith("-"))
    reach = Reach.TREE if "r" in letters or "R" in letters else Reach.FILE
    return _files(_operands(arguments), how=Removed(), reach=reach, link=True)


def _copied(arguments: Sequence[Word]) -> Iterator[Edit]:
    folder, sources = _target_folder(arguments, "tSmog")
    names = tuple(posixpath.basename(word.text.rstrip("/")) for word in sources if word.plain)
    if folder is not None and folder.plain:
        yield Edit(folder.text, reach=Reach.INTO, names=names)


def _moved(arguments: Sequence[Word]) -> Iterator[Edit]:
    _, sources = _target_folder(arguments, "tS")
    yield from _files(sources, how=Removed(), reach=Reach.TREE, link=True)
    for edit in _copied(arguments):
        yield Edit(edit.path, edit.how, edit.reach, edit.names, link=True)


def _target_folder(arguments: Sequence[Word], valued: str) -> tuple[Word | None, list[Word]]:
    """Where files go and which, as in `cp [-t FOLDER] SOURCE... [TARGET]`."""
    operands = _operands(arguments, valued)
    for at, word in enumerate(arguments):
        if word.text == "-t" and at + 1 < len(arguments):
            return arguments[at + 1], operands
        if word.text.startswith("--target-directory="):
            return Word(word.text.partition("=")[2], word.plain), operands
    return (operands[-1], operands[:-1]) if len(operands) > 1 else (None, operands)


def _dd(arguments: Sequence[Word]) -> Iterator[Edit]:
    for word in arguments:
        if word.plain and word.text.startswith("of=") and not word.text.startswith("of=/dev/"):
            yield Edit(word.text[3:])


def _in_place(arguments: Sequence[Word]) -> Iterator[Edit]:
    """`sed -i`, `perl -i`: the files, after the script where no option gives one."""
    options = [word.text for word in arguments if word.text.startswith("-") and len(word.text) > 1]
    short = [option for option in options if not option.startswith("--")]
    inside = any(option.startswith("--in-place") for option in options) or any("i" in o for o in short)
    if not inside:
        return
    given = any(o in ("-e", "-f", "-E") or o[-1] == "e" for o in short) or any(
        o.startswith(("--expression", "--file")) for o in options
    )
    operands = _operands(arguments, "ef")
    yield from _files(operands if given else operands[1:])


def _git_step(arguments: Sequence[Word]) -> str:
    operands = _operands(arguments, "Cc")
    return operands[0].text if operands and operands[0].plain else ""


def _by_git(arguments: Sequence[Word]) -> Iterator[Edit]:
    if any(word.text == "-C" or word.text.startswith(("--git-dir", "--work-tree")) for word in arguments):
        return
    step, rest = _git_step(arguments), arguments
    while rest and rest[0].text != step:
        rest = rest[1:]
    rest = rest[1:]
    if step == "mv":
        yield from _moved(rest)
    elif step == "rm":
        if not any(word.text == "--cached" for word in rest):
            yield from _files(_operands(rest), how=Removed(), reach=Reach.TREE, link=True)
    elif step == "restore":
        if not any(word.text in ("--staged", "-S") for word in rest):
            yield from _files(_operands(rest, "s"), reach=Reach.TREE)
    elif step == "checkout":
        after = next((at for at, word in enumerate(rest) if word.text == "--"), None)
        if after is not None:
            yield from _files(rest[after + 1 :], reach=Reach.TREE)


_Writer = Callable[[Sequence[Word]], Iterator[Edit]]
_WRITERS: dict[str, _Writer] = {
    "tee": _tee,
    "touch": _touch,
    "truncate": _truncate,
    "rm": _rm,
    "unlink": _rm,
    "shred": _rm,
    "cp": _copied,
    "install": _copied,
    "ln": _copied,
    "mv": _moved,
    "dd": _dd,
    "sed": _in_place,
    "perl": _in_place,
    "ruby": _in_place,
}
