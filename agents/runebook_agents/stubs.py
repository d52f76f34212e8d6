"""The stub of an interface: the least that its file may hold before its owner has begun."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

_COMMENTS = {
    "//": (".rs", ".ts", ".tsx", ".js", ".jsx", ".mjs", ".go", ".java", ".kt", ".c", ".h", ".cpp", ".swift"),
    "--": (".sql", ".lua", ".hs"),
    "#": (".py", ".pyi", ".rb", ".sh", ".toml", ".yml", ".yaml", ".nix", ".ex"),
}
_BODIES = {
    ".rs": (("fn ", "pub fn "), "{head}() {{\n    unimplemented!()\n}}"),
    ".py": (("def ", "async def "), "{head}(*args, **kwargs):\n    raise NotImplementedError"),
    ".ts": (("function ", "export function "), '{head}(): never {{\n  throw new Error("a stub");\n}}'),
    ".js": (("function ", "export function "), '{head}() {{\n  throw new Error("a stub");\n}}'),
    ".go": (("func ",), '{head}() {{\n\tpanic("a stub")\n}}'),
}


def stub(interface: Mapping[str, Any]) -> str:
    """A file with the texts and names that `interface` promises; patterns are named in a comment."""
    suffix = PurePosixPath(interface["path"]).suffix.lower()
    mark = next((mark for mark, suffixes in _COMMENTS.items() if suffix in suffixes), "")
    title = f": {interface['title']}" if interface["title"] else ""
    head = f"The interface {interface['name']}{title}. A stub: {interface['owner']} implements it."
    lines = [_comment(mark, suffix, head)]
    lines += [_comment(mark, suffix, f"It is to match: {each}") for each in interface["must_match"]]
    lines += [_declared(each, suffix) for each in interface["must_contain"]]
    lines += [_symbol(each, suffix) for each in interface["symbols"] if not _told(each, interface)]
    return "\n\n".join(each for each in lines if each) + "\n"


def addition(interface: Mapping[str, Any], text: str) -> str:
    """What a file that holds `text` lacks of the texts that `interface` promises, to be put at its end."""
    suffix = PurePosixPath(interface["path"]).suffix.lower()
    lacking = [_declared(each, suffix) for each in interface["must_contain"] if each not in text]
    begin = "" if not text or text.endswith("\n") else "\n"
    return begin + "".join(f"\n{each}\n" for each in lacking) if lacking else ""


def _comment(mark: str, suffix: str, text: str) -> str:
    line = " ".join(text.split())
    if suffix == ".md":
        return f"<!-- {line.replace('--', '- -')} -->"
    if suffix in (".json", ""):
        return ""
    return f"{mark or '#'} {line}"


def _declared(text: str, suffix: str) -> str:
    """A promised text with a body, where it is the head of a function."""
    heads, body = _BODIES.get(suffix, ((), ""))
    bare = text.strip()
    plain = bare.replace("_", "").replace(" ", "").isalnum()
    return body.format(head=bare) if plain and bare.startswith(heads) and heads else text


def _symbol(name: str, suffix: str) -> str:
    """A promised name, declared as a function; a member of something else is its owner's to shape."""
    heads, body = _BODIES.get(suffix, ((), ""))
    return body.format(head=heads[-1] + name) if heads and name.isidentifier() else ""


def _told(name: str, interface: Mapping[str, Any]) -> bool:
    return any(text.strip().endswith(name) for text in interface["must_contain"])
