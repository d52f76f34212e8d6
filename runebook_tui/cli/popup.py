"""What the key in tmux opens: the menu of open requests, and one request with its difference and keys.

In the user's own server a request opens in a popup. What runs in a popup of the private server is a
process of that server, where agents live, and may decide nothing; so there the terminal itself leaves tmux
for the decision, and comes back.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import termios
import tty
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from runebook_tui.cli.asking import ask_engine, request_number
from runebook_tui.cli.diffs import diff_of
from runebook_tui.cli.place import CommandError, root_of_plan
from runebook_tui.core.printable import visible
from runebook_tui.core.state import RequestState, State
from runebook_tui.execution.client import EngineError
from runebook_tui.execution.follow import open_log
from runebook_tui.log.loading import load
from runebook_tui.place import find_repository, tmux_socket_name
from runebook_tui.tmux.menu import MenuItem, show_menu

_MOST_ITEMS = 9
_KEYS = "a approve once   r reject   u reject and undo   n next   space, b scroll   q leave"
_COLOURS = {"+": "\x1b[32m", "-": "\x1b[31m", "@": "\x1b[36m"}


def menu(arguments: Namespace) -> int:
    """Open the menu of requests at a tmux client."""
    if arguments.socket is None or arguments.client is None:
        raise CommandError("menu is what the key in tmux runs: it needs --socket and --client", 2)
    root = _root(arguments)
    socket = Path(arguments.socket)
    program = [sys.executable, "-P", "-m", "runebook_tui", "surface", "decide"]
    items = []
    for at, request in enumerate(_state(root).open_requests[:_MOST_ITEMS]):
        words = [*program, str(request.id), "--folder", os.fspath(root)]
        items.append(MenuItem(_title(request), str(at + 1), _opening(root, socket, words)))
    show_menu(socket, arguments.client, "Runebook", items, "no request waits for a decision")
    return 0


def _root(arguments: Namespace) -> Path:
    if arguments.folder is None:
        return root_of_plan()
    root = find_repository(Path(arguments.folder))
    if root is None:
        raise CommandError(f"{arguments.folder} is not in a git repository", 2)
    return root


def _title(request: RequestState) -> str:
    more = f" and {len(request.paths) - 1} more" if len(request.paths) > 1 else ""
    words = f"{request.id}  {request.who} → {', '.join(request.owners)}  {request.paths[0]}{more}"
    return visible(words, 70)


def _opening(root: Path, socket: Path, words: Sequence[str]) -> list[str]:
    """The tmux command that lets the person at the client decide."""
    line = shlex.join(words)
    if socket.name == tmux_socket_name(root):
        back = shlex.join(["tmux", "-u", "-S", str(socket), "attach-session"])
        return ["detach-client", "-E", f"{line}; exec {back}"]
    return ["display-popup", "-E", "-w", "90%", "-h", "90%", line]


def decide(arguments: Namespace) -> int:
    """Show open requests one by one, and decide them by keys."""
    if arguments.json:
        raise CommandError("decide is for a person at a terminal; approve and reject have --json", 2)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise CommandError("decide needs a terminal; without one, use approve and reject", 2)
    root = _root(arguments)
    wanted = None if arguments.name is None else request_number(arguments.name)
    seen: set[int] = set()
    while True:
        state = _state(root)
        listed = [each for each in state.open_requests if each.id not in seen]
        chosen = next((each for each in listed if wanted is None or each.id == wanted), None)
        if chosen is None:
            return 0
        wanted = None
        seen.add(chosen.id)
        if not _one(root, state, chosen):
            return 0


def _state(root: Path) -> State:
    with open_log(root) as log:
        return load(log)


def _one(root: Path, state: State, request: RequestState) -> bool:
    """Show one request until a key decides it; whether to go on with the next."""
    lines = [visible(line) for line in diff_of(root, state, request).splitlines()] or ["(nothing to show)"]
    at = 0
    while True:
        size = shutil.get_terminal_size()
        page = max(1, size.lines - 5)
        _paint(request, lines[at : at + page], size.columns)
        key = _key()
        if key == " ":
            at = min(at + page, max(0, len(lines) - page))
        elif key == "b":
            at = max(0, at - page)
        elif key in ("q", "\x1b", "\x03", ""):
            return False
        elif key == "n" or key in ("a", "r", "u") and _decided(root, request.id, key):
            return True


def _decided(root: Path, request: int, key: str) -> bool:
    """Carry out a decision; whether it was. Why not is shown until a key is pressed."""
    try:
        if key == "a":
            ask_engine("approve", root, request=request, scope="once", means="", reason="")
        else:
            ask_engine("reject", root, patience=60.0, request=request, means="", reason="", undo=key == "u")
    except (EngineError, CommandError) as error:
        print(f"\r\n{visible(str(error))}\r\nany key goes on", end="", flush=True)
        _key()
        return False
    return True


def _paint(request: RequestState, lines: Sequence[str], columns: int) -> None:
    paths, owners = ", ".join(request.paths), ", ".join(request.owners)
    head = f"◆ {request.id}  {request.who} wants {paths}, owned by {owners}"
    shown = [f"\x1b[1m{visible(head, columns - 2)}\x1b[0m", visible(request.reason, columns - 2), ""]
    shown += [f"{_COLOURS.get(line[:1], '')}{line[: columns - 1]}\x1b[0m" for line in lines]
    sys.stdout.write("\x1b[2J\x1b[H" + "\r\n".join(shown) + f"\r\n\r\n\x1b[7m{_KEYS[: columns - 1]}\x1b[0m")
    sys.stdout.flush()


def _key() -> str:
    """The next key; "" when the terminal has gone."""
    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setraw(sys.stdin, termios.TCSADRAIN)
        return os.read(sys.stdin.fileno(), 1).decode("latin-1")
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
