"""Door: who may come in to the served cockpit, judged by what a request says of itself. No I/O."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from urllib.parse import urlsplit

_NAMES = frozenset({"127.0.0.1", "localhost"})
"""The names under which a page on this machine is asked for; any other is a rebound one (DNS rebinding)."""


@dataclass(frozen=True)
class Knock:
    """What a request brings along; "" for what it does not."""

    host: str
    """The header Host, with its port."""
    token: str = ""
    """What the address holds."""
    cookie: str = ""
    origin: str = ""
    live: bool = False
    """Whether it asks for a websocket, over which keys are pressed."""


@dataclass(frozen=True)
class Refusal:
    """Why a request is refused: an HTTP status, and one line for people."""

    status: int
    words: str


@dataclass(frozen=True)
class Door:
    """Lets in whoever knows the token, and from then on whoever brings the cookie that they were given."""

    token: str
    cookie: str

    def refusal(self, knock: Knock) -> Refusal | None:
        """Why the request may not come in, or None.

        A browser sends cookies to every port of a host, and opens websockets from any page: so a websocket
        comes from a page of this very server only (RFC 6455, 10.2).
        """
        if _name(knock.host) not in _NAMES:
            return Refusal(403, "this cockpit is served to 127.0.0.1 and localhost only")
        if knock.live and knock.origin != f"http://{knock.host}":
            return Refusal(403, "a page of another origin may not open this cockpit")
        if not (self.welcomes(knock) or (knock.cookie and _same(knock.cookie, self.cookie))):
            return Refusal(401, "open the whole address that `runebook-tui serve` printed")
        return None

    def welcomes(self, knock: Knock) -> bool:
        """Whether the request brings the token itself, for which it gets the cookie."""
        return not knock.live and bool(knock.token) and _same(knock.token, self.token)


def _same(given: str, expected: str) -> bool:
    """Whether both are the same, in a time that does not say how much of them is."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


def _name(host: str) -> str:
    """The host without its port; "" for what is none."""
    try:
        parts = urlsplit(f"//{host}")
        return parts.hostname or "" if parts.netloc == host and not parts.username else ""
    except ValueError:
        return ""
