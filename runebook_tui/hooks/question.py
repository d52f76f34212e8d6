"""The question that a hook puts to the engine: one line to its socket, and its answer printed as it is.

It is asked before every edit, so this loads nothing but `os` and the C half of `socket` until it has to, for
`socket` takes longer to load than Python to start (CPython 3.11). What goes wrong is answered by `fallback`.
"""

from __future__ import annotations

import _socket
import os

MOST_BYTES = 3 << 20
"""Of a payload: what the engine's socket takes as one line."""
QUIET_SECONDS = 2.0
"""After this time without an answer the hook looks up how patient its client is."""
_SEND_SECONDS = 20.0
RETURN_SECONDS = 10.0
"""An engine that ended while it was asked has so long to come back."""

_NO_OPINION = b'{"ok":true,"stdout":"","stderr":"","status":0}\n'
_ESCAPES = {number: f"\\u{number:04x}" for number in range(32)} | {34: '\\"', 92: "\\\\"}


class Trouble(Exception):
    """The engine could not be asked; the words say why."""


def answer(words: list[str]) -> int:
    """Answer one run of the hook of the client that `words` begin with; the exit status."""
    payload = b""
    try:
        payload = _payload()
        if len(payload) > MOST_BYTES:
            return _fallback(words, payload, "it is too large for Runebook to look at")
        answer = ask(_line(words, payload), words[0] if words else "")
        return 0 if answer == _NO_OPINION else _said(answer)
    except Trouble as trouble:
        return _fallback(words, payload, str(trouble))
    except BaseException as error:  # noqa: BLE001  top-level guard: an error never lets an edit through
        return _fallback(words, payload, f"Runebook's hook failed ({type(error).__name__}: {error})")


def _payload() -> bytes:
    """What the client says, up to one byte more than is read as a whole."""
    pieces, size = [], 0
    while piece := os.read(0, 1 << 16):
        size += len(piece)
        if size <= MOST_BYTES + (1 << 16):  # the rest is taken, so that the client can write to its end
            pieces.append(piece)
    return b"".join(pieces)


def _line(words: list[str], payload: bytes) -> bytes:
    """The question as one line of JSON, ASCII or UTF-8; bytes that are not UTF-8 become lone surrogates."""
    try:
        cwd = os.getcwd()
    except OSError:
        cwd = ""
    fields = {
        "do": "hook",
        "agent": os.environ["RUNEBOOK_AGENT"],
        "client": words[0] if words else "",
        "event": words[1] if len(words) > 1 else "",
        "cwd": cwd,
        "payload": payload.decode("utf-8", "surrogateescape"),
    }
    said = ",".join(f'"{name}":"{value.translate(_ESCAPES)}"' for name, value in fields.items())
    return ("{" + said + "}\n").encode("utf-8", "backslashreplace")


def ask(line: bytes, client: str) -> bytes:
    """The engine's answer, one line, within the client's patience. Raises Trouble."""
    connection = _connected()
    if connection is None:
        raise Trouble("no engine runs that could ask")
    try:
        answer = _exchanged(connection, line, QUIET_SECONDS)
        if answer is not None and answer.endswith(b"\n"):
            return answer
        return _awaited(connection, answer, line, client)
    finally:
        connection.close()


def _exchanged(connection: _socket.socket, line: bytes, seconds: float) -> bytes | None:
    """What came within so many seconds, a whole line or less; None when the engine hung up."""
    try:
        connection.settimeout(_SEND_SECONDS)
        connection.sendall(line)
    except OSError:
        return None
    return _received(connection, b"", seconds)


def _received(connection: _socket.socket, begun: bytes, seconds: float) -> bytes | None:
    """`begun` and what came after it within so many seconds; None when the engine hung up."""
    pieces = [begun]
    connection.settimeout(max(0.001, seconds))
    try:
        while not pieces[-1].endswith(b"\n"):
            piece = connection.recv(1 << 16)
            if not piece:
                return None
            pieces.append(piece)
    except TimeoutError:
        pass
    except OSError:
        return None
    return b"".join(pieces)


def _awaited(connection: _socket.socket, begun: bytes | None, line: bytes, client: str) -> bytes:
    """The answer that takes its time: the operator is asked. Raises Trouble.

    An engine that ends meanwhile may come back within ten seconds; then it is asked again.
    """
    from time import monotonic, sleep

    from runebook_tui.hooks.patience import give_up_seconds

    end = monotonic() - QUIET_SECONDS + give_up_seconds(client)
    answer = None if begun is None else _received(connection, begun, end - monotonic())
    back = monotonic() + RETURN_SECONDS
    while answer is None and monotonic() < min(back, end):
        sleep(0.1)
        again = _connected()
        if again is not None:
            answer = _exchanged(again, line, end - monotonic())
            again.close()
            back = monotonic() + RETURN_SECONDS
    if answer is None:
        raise Trouble("no engine runs that could ask")
    if not answer.endswith(b"\n"):
        raise Trouble("the engine has not answered in time")
    return answer


def _connected() -> _socket.socket | None:
    for path in _sockets():
        connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        connection.settimeout(_SEND_SECONDS)
        try:
            connection.connect(path)
            return connection
        except OSError:
            connection.close()
    return None


def _sockets() -> list[bytes]:
    """Where the engine may listen: as the environment says, and as the pointer in the state folder says."""
    given = os.environ.get("RUNEBOOK_SOCKET", "")
    found = [os.fsencode(given)] if given else []
    root = os.environ.get("RUNEBOOK_ROOT", "")
    if root:
        try:
            with open(os.path.join(root, ".runebook", "socket"), "rb") as file:
                found.append(file.read(4096).strip())
        except OSError:
            pass
    return [path for path in dict.fromkeys(found) if path.startswith(b"/")]


# ── what is loaded only when it is needed ───────────────────────────────────────────────────────


def _said(answer: bytes) -> int:
    """Print what the engine says. Raises Trouble when it refuses."""
    import json

    said = json.loads(answer)
    if not said.get("ok"):
        raise Trouble(str(said.get("error") or "the engine refuses, and does not say why"))
    stdout, stderr, status = said["stdout"], said["stderr"], said["status"]
    return _print(str(stdout), str(stderr), int(status))


def _print(stdout: str, stderr: str, status: int) -> int:
    for descriptor, text in ((1, stdout), (2, stderr)):
        rest = text.encode("utf-8", "backslashreplace")
        try:
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        except OSError:  # the client does not listen any more
            return status
    return status


def _fallback(words: list[str], payload: bytes, why: str) -> int:
    """Answer without the engine: what the rules that it left allow, and words for everything else."""
    try:
        from runebook_tui.hooks.fallback import answered

        reply = answered(words, payload.decode("utf-8", "surrogateescape"), os.environ, os.getcwd, why)
        return _print(reply.stdout, reply.stderr, reply.status)
    except BaseException as error:  # noqa: BLE001  nothing is left that could answer: every client takes 2 as no
        words_left = f"Runebook: {why}; the hook cannot answer ({type(error).__name__}: {error})"
        return _print("", f"{words_left}: not done\n", 2)
