"""The wire to the engine: JSON objects, one a line, at most 4 MiB; every line gets one line in reply."""

from __future__ import annotations

import json
import socket
import time

from runebook_tui import mark

MOST_BYTES = 4 << 20


class LinkError(Exception):
    """The engine cannot be reached, or what it says makes no sense; the words say which."""


class HungUp(LinkError):
    """The engine that we were connected to is gone."""


class Question:
    """A blocking connection to the engine for one request at a time."""

    def __init__(self, path: str, *, patience: float) -> None:
        """Connects, trying again for `patience` seconds. Raises LinkError."""
        end = time.monotonic() + patience
        while True:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._socket.settimeout(max(patience, 0.2))
            try:
                self._socket.connect(path)
                if not mark.leads(self._socket.getsockopt):
                    raise OSError("what answers there is an agent's process")
                return
            except OSError as error:
                self._socket.close()
                if time.monotonic() >= end:
                    words = error.strerror or str(error)
                    raise LinkError(f"no engine answers at {path}: {words}") from error
                time.sleep(0.05)  # nothing announces a socket that does not exist yet

    def ask(self, request: dict[str, object], *, seconds: float) -> dict[str, object]:
        """Sends one request and returns the reply. Raises LinkError."""
        end = time.monotonic() + seconds
        answer = bytearray()
        try:
            self._socket.settimeout(seconds)
            self._socket.sendall(frame(request))
            while not answer.endswith(b"\n"):
                self._socket.settimeout(max(0.001, end - time.monotonic()))
                chunk = self._socket.recv(65536)
                if not chunk:
                    raise HungUp("the engine hung up without an answer")
                answer += chunk
                if len(answer) > MOST_BYTES:
                    raise LinkError("the engine's answer is longer than 4 MiB")
            reply = json.loads(answer)
        except TimeoutError as error:
            raise LinkError(f"the engine did not answer within {seconds:g} s") from error
        except OSError as error:
            raise HungUp(f"the engine hung up: {error.strerror or error}") from error
        except ValueError as error:
            raise LinkError(f"the engine's answer is not JSON: {error}") from error
        if not isinstance(reply, dict):
            raise LinkError("the engine's answer is not an object")
        return reply

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


_encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode


def frame(message: dict[str, object]) -> bytes:
    """One message as a line; lone surrogates (bytes that are not UTF-8) stay as escapes."""
    return _encode(message).encode("ascii") + b"\n"
