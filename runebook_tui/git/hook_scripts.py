"""The texts of the commit guard's hooks: small POSIX sh that calls the interpreter only where it must.

A script knows itself: its second line holds the SHA-256 of everything after that line.
"""

from __future__ import annotations

import hashlib
import os
import shlex
from collections.abc import Sequence

from runebook_tui.git.guard import REFUSED

_MARK = b"#!/bin/sh\n# runebook guard "

_HEAD = """\
# Hooks that were here before run first. `runebook-tui guard uninstall` puts everything back.
name={name}
root={root}
before={before}
"""

_CHECK = """\
[ -d .git ] && root=.

# Nobody but the operator commits here: no agent's environment, and no engine that could tell of one.
idle() {{
    [ -z "$RUNEBOOK_AGENT" ] && [ -e "$root/.git" ] || return 1
    socket=
    {{ read -r socket <"$root/.runebook/socket"; }} 2>/dev/null
    ! [ -S "$socket" ]
}}

check() {{
    {command} guard check "$name" >&2 2>/dev/null
    case $? in
    0) return 0 ;;
    {refused}) return 1 ;;
    esac
    [ "$name" = pre-commit ] &&
        echo "runebook: the commit guard does not work, and lets this pass (runebook-tui guard status)" >&2
    return 0
}}

chained() {{
    [ -f "$before" ] && [ -x "$before" ] && [ "$RUNEBOOK_GUARD_IN" != "$PWD $0" ]
}}

"""

_PRE_COMMIT = """\
if chained; then
    RUNEBOOK_GUARD_IN="$PWD $0" "$before" "$@" || exit
fi
idle || check || exit 1
exit 0
"""

_REFERENCE_TRANSACTION = """\
# From the first line that names a branch, a tag or HEAD on: what is fetched does not start the interpreter.
search() {
    while read -r old new ref; do
        case $ref in
        refs/remotes/* | refs/stash | refs/notes/*) ;;
        refs/* | HEAD)
            { printf '%s %s %s\\n' "$old" "$new" "$ref"; cat; } | check
            return
            ;;
        esac
    done
}

if chained; then
    lines=$(cat; echo .)
    printf %s "${lines%.}" | RUNEBOOK_GUARD_IN="$PWD $0" "$before" "$@" || exit
    [ "$1" = prepared ] || exit 0
    idle || printf %s "${lines%.}" | search || exit 1
    exit 0
fi
[ "$1" = prepared ] || exit 0
idle || search || exit 1
exit 0
"""

_PASS = """\
[ -f "$before" ] && [ -x "$before" ] && exec "$before" "$@"
exit 0
"""

_BODIES = {"pre-commit": _PRE_COMMIT, "reference-transaction": _REFERENCE_TRANSACTION}
GUARDED = tuple(_BODIES)
"""The hooks in which the guard checks something."""


def script(name: str, interpreter: Sequence[str], root: str, *, before: str | None) -> bytes:
    """The hook `name` of the repository at `root`.

    `before` is the hook that runs first; None: the one beside it, called `name` + KEPT. `interpreter` are the
    words that run the program.
    """
    place = '"${0%/*}/' + name + KEPT + '"' if before is None else shlex.quote(before)
    text = _HEAD.format(name=name, root=shlex.quote(root), before=place)
    if name in _BODIES:
        command = " ".join(shlex.quote(word) for word in interpreter)
        text += _CHECK.format(command=command, refused=REFUSED) + _BODIES[name]
    else:
        text += _PASS
    body = os.fsencode(text)
    return _MARK + hashlib.sha256(body).hexdigest().encode() + b"\n" + body


KEPT = ".before-runebook"
"""What is put behind the name of a hook that was there before."""


def is_ours(content: bytes) -> bool:
    """Whether `content` is a script of the guard, changed or not."""
    return content.startswith(_MARK)


def is_intact(content: bytes) -> bool:
    """Whether `content` is a script of the guard as it was written."""
    digest, _, body = content.removeprefix(_MARK).partition(b"\n")
    return is_ours(content) and hashlib.sha256(body).hexdigest().encode() == digest
