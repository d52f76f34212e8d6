"""Symbols of a JavaScript, TypeScript or Rust file by tree-sitter: each with its signature."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module

from tree_sitter import Language, Node, Parser

from runebook_tui.contracts.python import Unreadable

_ENTRIES = {
    "javascript": ("tree_sitter_javascript", "language"),
    "typescript": ("tree_sitter_typescript", "language_typescript"),
    "tsx": ("tree_sitter_typescript", "language_tsx"),
    "rust": ("tree_sitter_rust", "language"),
}
_BODIES = {"block", "statement_block"}
"""What functions do: no part of what they are."""
_WHOLE = {"string", "string_literal", "raw_string_literal", "template_string", "char_literal", "regex"}
_COMMENTS = {"comment", "line_comment", "block_comment"}
_WRAPPERS = {
    "export_statement",
    "ambient_declaration",
    "lexical_declaration",
    "variable_declaration",
    "expression_statement",
}
_FOLDERS = {
    "class_declaration",
    "abstract_class_declaration",
    "class",
    "interface_declaration",
    "enum_declaration",
    "internal_module",
    "module",
    "mod_item",
    "trait_item",
    "impl_item",
    "enum_item",
}
"""What holds further names."""
_BY_MEMBERS = {
    "class_declaration",
    "abstract_class_declaration",
    "class",
    "internal_module",
    "module",
    "mod_item",
}
"""What is told by its members, one line each; the rest of what holds names is told whole."""
_CLOSING = set(")]}>")
_TIGHT_BEFORE = _CLOSING | set(",:.?!([<") | {"?.", "::"}
_TIGHT_AFTER = ("(", "[", "<", ".", "#", "!", "&", "@", "::")
_MAX_DEPTH = 200


def tree_symbols(language: str, content: str, names: Iterable[str]) -> dict[str, list[str]]:
    """For each of `names` ("appendEvent", "Store.list") what `content` says of it; [] where it has none.

    Raises Unreadable when the file does not parse, ImportError where the grammar is missing.
    """
    module, entry = _ENTRIES[language]
    parser = Parser(Language(getattr(import_module(module), entry)()))
    root = parser.parse(content.encode("utf-8", "replace")).root_node
    if root.has_error:
        line = _first_error(root)
        raise Unreadable(f"is not {language.capitalize()} as far as tree-sitter tells: line {line}")
    return {name: _found(root, name.replace("::", ".").split(".")) for name in names}


def _first_error(root: Node) -> int:
    """The line of the first mistake, from 1."""
    node = root
    while True:
        bad = next((each for each in node.children if each.has_error or each.is_missing), None)
        if bad is None or bad.is_error or bad.is_missing:
            return (bad or node).start_point[0] + 1
        node = bad


def _found(scope: Node, names: Sequence[str]) -> list[str]:
    """What the declarations of a file or of a body say of the nested name."""
    first, *rest = names
    found: list[str] = []
    for outer, node in _declarations(scope):
        if _name(node) != first:
            continue
        body = _body(node)
        if rest:
            found += _found(body, rest) if body is not None else []
        elif node.type in _BY_MEMBERS:
            found += [_written(outer, without=body), *_members(first, body)]
        elif node.type == "impl_item":
            found += [] if node.child_by_field_name("trait") is None else [_written(outer, without=body)]
            found += _members(first, body) if node.child_by_field_name("trait") is None else []
        else:
            found.append(_written(outer))
    return found


def _declarations(scope: Node) -> Iterator[tuple[Node, Node]]:
    """What declares a name in a file or body, with the statement around it that exports it."""
    for child in scope.named_children:
        yield from _unwrapped(child, child)


def _unwrapped(outer: Node, node: Node) -> Iterator[tuple[Node, Node]]:
    if node.type in _WRAPPERS:
        for child in node.named_children:
            yield from _unwrapped(outer, child)
    elif _name(node) is not None:
        yield outer, node


def _name(node: Node) -> str | None:
    """The name that a node declares, or None when it declares none."""
    if node.type == "impl_item":
        named = node.child_by_field_name("type")
        if named is not None and named.type == "generic_type":
            named = named.child_by_field_name("type")
    elif node.type in ("property_identifier", "enum_variant"):
        named = node.child_by_field_name("name") or node
    else:
        named = node.child_by_field_name("name") or node.child_by_field_name("property")
    if named is None or named.text is None:
        return None
    return named.text.decode("utf-8", "replace").strip("\"'")


def _body(node: Node) -> Node | None:
    """Where further names stand, if the node holds any."""
    if node.type == "variable_declarator":
        value = node.child_by_field_name("value")
        return value.child_by_field_name("body") if value is not None and value.type == "class" else None
    return node.child_by_field_name("body") if node.type in (*_FOLDERS, "struct_item") else None


def _members(name: str, body: Node | None) -> list[str]:
    """The public members in alphabetical order."""
    if body is None:
        return []
    found = [outer for outer, node in _declarations(body) if _is_public(outer, node)]
    return sorted({f"{name}: {_written(each)}" for each in found})


def _is_public(outer: Node, node: Node) -> bool:
    """Whether others see it: `pub`, `export` in a namespace, neither `private` nor `#name` in a class."""
    if outer.type.endswith("_item"):
        return any(child.type == "visibility_modifier" for child in outer.children)
    if outer.parent is not None and outer.parent.type == "statement_block":
        return outer.type == "export_statement"
    hidden = any(
        child.type == "accessibility_modifier" and child.text == b"private" for child in node.children
    )
    return not hidden and not (_name(node) or "").startswith("#")


def _written(node: Node, *, without: Node | None = None) -> str:
    """The node on one line, without comments and bodies of functions; the same however it was laid out."""
    tokens = list(_tokens(node, without, 0))
    kept = [
        token
        for token, then in zip(tokens, [*tokens[1:], ""], strict=True)
        if token != ";" and not (token == "," and (then in _CLOSING or not then))
    ]
    line = ""
    for token in kept:
        tight = not line or token in _TIGHT_BEFORE or line.endswith(_TIGHT_AFTER)
        line += token if tight else f" {token}"
    return line


def _tokens(node: Node, without: Node | None, depth: int) -> Iterator[str]:
    if node.type in _COMMENTS or (without is not None and node.id == without.id):
        return
    if depth and node.type in _BODIES and node.parent is not None and node.parent.type != "internal_module":
        return
    if depth and _is_hidden_field(node):
        return
    if depth > _MAX_DEPTH or node.type in _WHOLE or not node.children:
        yield " ".join((node.text or b"").decode("utf-8", "replace").split())
        return
    for child in node.children:
        yield from _tokens(child, without, depth + 1)


def _is_hidden_field(node: Node) -> bool:
    """A field of a Rust struct that only its own module sees."""
    above = None if node.parent is None else node.parent.parent
    if node.type != "field_declaration" or above is None or above.type != "struct_item":
        return False
    return all(child.type != "visibility_modifier" for child in node.children)
