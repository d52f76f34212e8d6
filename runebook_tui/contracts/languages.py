"""Languages: what a file's name says of how its symbols are read, and whether that can be done here."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import PurePosixPath

PYTHON = "python"

_GRAMMARS = {
    ".js": "javascript",
    ".jsx": "javascript",
    ".mjs": "javascript",
    ".cjs": "javascript",
    ".ts": "typescript",
    ".mts": "typescript",
    ".cts": "typescript",
    ".tsx": "tsx",
    ".rs": "rust",
}
_MODULES = {
    "javascript": "tree_sitter_javascript",
    "typescript": "tree_sitter_typescript",
    "tsx": "tree_sitter_typescript",
    "rust": "tree_sitter_rust",
}
EXTRA = "pip install 'runebook-tui[symbols]'"


def language_of(path: str) -> str | None:
    """The language of a file by its name; None where symbols are not found in it."""
    suffix = PurePosixPath(path).suffix
    return PYTHON if suffix in (".py", ".pyi") else _GRAMMARS.get(suffix)


def why_no_symbols(path: str) -> str:
    """Why no symbols can be found in such a file, in one line; "" where they can."""
    language = language_of(path)
    if language is None:
        return f"symbols are found in {', '.join(('.py', '.pyi', *_GRAMMARS))} only"
    return why_not_installed(path)


def why_not_installed(path: str) -> str:
    """Why the symbols of a known language cannot be found here, in one line; "" where they can."""
    module = _MODULES.get(language_of(path) or "")
    lost = [each for each in ("tree_sitter", module) if each is not None and find_spec(each) is None]
    if module is None or not lost:
        return ""
    return f"the symbols of {PurePosixPath(path).suffix} files need the extra 'symbols': {EXTRA}"
