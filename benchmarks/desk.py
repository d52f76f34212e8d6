"""The desk: as much of an engine as a gate talks to, answering as a test wants it to."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import threading
from collections.abc import Callable
from typing import Any

Message = dict[str, Any]


def rules(agent: str, claims: list[tuple[str, str]], hold_seconds: float) -> Message:
    """Rules as the engine gives them, with nothing granted yet."""
    return {
        "agent": agent,
        "claims": [[pattern, owner, False] for pattern, owner in claims],
        "unowned": "allow",
        "away": "hold",
        "hold_seconds": hold_seconds,
        "grants": [],
        "git": [],
        "tmux": [],
    }


class Desk:
    """Listens at `path`; holds every foreign call until `decide`, by the number at the end of its path."""

    def __init__(self, path: str, order: Message) -> None:
        self.messages: list[Message] = []
        self.decisions: dict[int, bool] = {}
        """Of each number: whether it was approved."""
        self.changed = threading.Condition()
        self._order = order
        self._waiting: dict[int, list[tuple[socket.socket, int]]] = {}
        self._connections: list[socket.socket] = []
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(path)
        os.chmod(path, 0o777)
        self._listening.listen(16)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Hang up on everybody."""
        for each in (self._listening, *self._connections):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def said(self, do: str) -> list[Message]:
        """What gates said of one kind, oldest first."""
        with self.changed:
            return [message for message in self.messages if message["do"] == do]

    @property
    def waiting(self) -> list[int]:
        """The numbers that are held and not decided."""
        with self.changed:
            return [number for number in self._waiting if number not in self.decisions]

    def decide(self, number: int, *, approved: bool) -> None:
        """Answer a held call, now and whenever it is asked about again."""
        with self.changed:
            self.decisions[number] = approved
            for connection, held in self._waiting.pop(number, []):
                push = {"push": "settle", "id": held, **self._verdict(number)}
                with contextlib.suppress(OSError):
                    connection.sendall(json.dumps(push).encode() + b"\n")
            self.changed.notify_all()

    def until(self, holds: Callable[[], object], seconds: float) -> bool:
        """Wait until `holds`, looking after every message; False after `seconds`."""
        with self.changed:
            return bool(self.changed.wait_for(holds, seconds))

    def _verdict(self, number: int) -> Message:
        approved = self.decisions[number]
        words = "" if approved else f"the operator rejected request {number}"
        return {"request": number, "verdict": "continue" if approved else "refuse", "words": words}

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self._connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), connection.makefile("rb") as lines:
            for line in lines:
                message = json.loads(line)
                with self.changed:
                    self.messages.append(message)
                    answer = self._answer(message, connection)
                    connection.sendall(json.dumps({"ok": True, **answer}).encode() + b"\n")
                    self.changed.notify_all()

    def _answer(self, message: Message, connection: socket.socket) -> Message:
        if message["do"] == "exec":
            return {"agent": message["agent"], "command": message["command"], **self._order}
        if message["do"] == "attach":
            return {"rules": self._order["rules"]}
        if message["do"] != "held":
            return {}
        found = re.search(r"\d+$", str(message["record"]["path"]))
        number = int(found[0]) if found else -1
        if number in self.decisions:
            return self._verdict(number)
        if not message["waits"]:
            return {"request": number, "verdict": "refuse", "words": "it does not wait"}
        self._waiting.setdefault(number, []).append((connection, message["id"]))
        return {"request": number, "verdict": "hold", "words": ""}
