"""Which files are never kept: those that are named like secrets."""

from __future__ import annotations

from fnmatch import fnmatchcase

PATTERNS = (
    ".env", ".env.*", "*.pem", "*.key", "id_rsa*", "id_ed25519*", "*.p12", "*.pfx", "*.kdbx",
    ".netrc", ".npmrc", ".pypirc", "credentials*.json", "secrets.*",
)  # fmt: skip
"""Names of such files, as globs in lower case."""
_PUBLIC = (".env.example", ".env.sample", ".env.template")


def secret_named(path: str) -> bool:
    """Whether the last part of `path` is named like a secret; letter case does not matter."""
    name = path.rsplit("/", 1)[-1].lower()
    if name in _PUBLIC:
        return False
    return any(fnmatchcase(name, pattern) for pattern in PATTERNS)
