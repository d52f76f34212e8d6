"""The address of a store: where several hosts keep the log of one plan."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import unquote

from pydantic import AfterValidator

SCHEMES = ("postgresql://", "postgres://")
_SECRET = frozenset(
    ("password", "sslpassword", "scram_client_key", "scram_server_key", "oauth_client_secret")
)


def store_address(text: str) -> str:
    """`text`, when it is an address that may be shown to anyone, or "". Raises ValueError, without its text.

    Agents read the plan, and their environment is the engine's: a password there would be theirs.
    """
    if not text:
        return text
    if not text.startswith(SCHEMES) or any(ord(each) < 32 for each in text):
        raise ValueError("must be the address of a database, postgresql://HOST/DATABASE")
    where, _, query = text.partition("://")[2].partition("?")
    names = {unquote(each.partition("=")[0]).lower() for each in query.split("&")}
    if ":" in where.rpartition("@")[0] or names & _SECRET or "@" in query.partition("=")[0]:
        raise ValueError("holds a password; keep it in a password file or a service file (docs/store.md)")
    return text


StoreAddress = Annotated[str, AfterValidator(store_address)]
