"""What of a contract a file holds: texts, patterns and symbols, whatever the file is."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runebook_tui.contracts import languages
from runebook_tui.contracts.python import Unreadable, python_symbols
from runebook_tui.contracts.reader import MOST_SEARCHED_BYTES, Reading, read
from runebook_tui.contracts.trees import tree_symbols
from runebook_tui.core.contract import InterfaceStub, lacking
from runebook_tui.execution.contracts import read_contract

# ── symbols ─────────────────────────────────────────────────────────────────────────────────────

PYTHON = '''
from .base import Base as Root
LIMIT: int = 5
if LIMIT:
    A = B = 3
@wraps
def read(a, b: int = 3, *, c="x") -> int:  # note
    """What it does."""
    return 1
class Store(Root):
    size: int = 3
    _hidden = 4
    def __init__(self) -> None: ...
    @property
    def name(self) -> str: return ""
    async def list(
        self, first: int,
    ) -> None:
        def inner(): ...
    def _helper(self): ...
@overload
def both(a: int): ...
@overload
def both(a: str): ...
'''

TYPESCRIPT = """
export async function appendEvent(event: Event, limit?: number): Promise<number> { return 1; }
export const limit: number = 5;
export const go = (a: string): void => { go(a); };
export interface Shape<T> { name: string; area(): number, "odd key": T }
export type Id = string | { a: number };
export abstract class Store<T> extends Base implements I {
  private hidden = 1; #own = 2; z: string = "a";
  constructor(a: number) { super(); }
  private helper(): void {}
  static list(a: number, /* why */
     b: string, // and
  ): T[] { return []; }
  abstract get(): void;
}
export namespace N { export function inner(): void {} function own(): void {} }
export enum E { A, B = 3 }
function over(a: string): void;
function over(a: number): void;
function over(a: any): void {}
"""

JAVASCRIPT = """
export default class Store { list(a, b = 2) { return 1 } get p() { return 2 } #own() {} }
function* gen(a) { yield 1 }
const K = class { n() {} };
"""

RUST = """
/// What it is.
#[derive(Debug)]
pub struct Store<T> { pub a: u32, b: u8 }
impl<T> Store<T> {
  pub fn list(&self, a: &str, b: Option<u8>,) -> Vec<T> where T: Clone { vec![] }
  fn hidden(&mut self) {}
}
impl<T> Display for Store<T> { fn fmt(&self) {} }
pub enum E { A, B(u8), C { x: u8 } }
pub trait Tr { const N: u8; fn a(&self); fn b(&self) -> u8 { 3 } type X; }
pub(crate) async fn append_event(e: Event) -> Result<(), Error> { Ok(()) }
pub mod inner { pub fn deep() {} fn shy() {} }
"""


@pytest.mark.parametrize(
    ("name", "signatures"),
    [
        ("read", ["@wraps def read(a, b: int=3, *, c='x') -> int"]),
        ("LIMIT", ["LIMIT: int = 5"]),
        ("A", ["A = B = 3"]),
        ("Root", ["from .base import Base as Root"]),
        ("both", ["@overload def both(a: int)", "@overload def both(a: str)"]),
        ("Store.list", ["async def list(self, first: int) -> None"]),
        ("Store::list", ["async def list(self, first: int) -> None"]),
        ("Store._helper", ["def _helper(self)"]),
        (
            "Store",
            [
                "class Store(Root)",
                "Store: @property def name(self) -> str",
                "Store: async def list(self, first: int) -> None",
                "Store: def __init__(self) -> None",
                "Store: size: int = 3",
            ],
        ),
        ("list", []),
        ("Store.list.inner", []),
        ("Base", []),
    ],
)
def test_symbols_of_python(name: str, signatures: list[str]) -> None:
    assert python_symbols(PYTHON, [name]) == {name: signatures}


@pytest.mark.parametrize(
    ("language", "content", "name", "signatures"),
    [
        (
            "typescript",
            TYPESCRIPT,
            "appendEvent",
            ["export async function appendEvent(event: Event, limit?: number): Promise<number>"],
        ),
        ("typescript", TYPESCRIPT, "limit", ["export const limit: number = 5"]),
        ("typescript", TYPESCRIPT, "go", ["export const go =(a: string): void =>"]),
        (
            "typescript",
            TYPESCRIPT,
            "Shape",
            ['export interface Shape<T> { name: string area(): number, "odd key": T}'],
        ),
        ("typescript", TYPESCRIPT, "Id", ["export type Id = string | { a: number}"]),
        ("typescript", TYPESCRIPT, "Store.list", ["static list(a: number, b: string): T[]"]),
        (
            "tsx",
            TYPESCRIPT,
            "Store",
            [
                "export abstract class Store<T> extends Base implements I",
                "Store: abstract get(): void",
                "Store: constructor(a: number)",
                "Store: static list(a: number, b: string): T[]",
                'Store: z: string = "a"',
            ],
        ),
        ("typescript", TYPESCRIPT, "N", ["export namespace N", "N: export function inner(): void"]),
        ("typescript", TYPESCRIPT, "E.B", ["B = 3"]),
        (
            "typescript",
            TYPESCRIPT,
            "over",
            [
                "function over(a: string): void",
                "function over(a: number): void",
                "function over(a: any): void",
            ],
        ),
        ("typescript", TYPESCRIPT, "list", []),
        (
            "javascript",
            JAVASCRIPT,
            "Store",
            ["export default class Store", "Store: get p()", "Store: list(a, b = 2)"],
        ),
        ("javascript", JAVASCRIPT, "gen", ["function * gen(a)"]),
        ("javascript", JAVASCRIPT, "K.n", ["n()"]),
        (
            "rust",
            RUST,
            "Store",
            [
                "pub struct Store<T> { pub a: u32}",
                "Store: pub fn list(&self, a: &str, b: Option<u8>) -> Vec<T> where T: Clone",
                "impl<T> Display for Store<T>",
            ],
        ),
        ("rust", RUST, "Store::hidden", ["fn hidden(&mut self)"]),
        ("rust", RUST, "E", ["pub enum E { A, B(u8), C { x: u8}}"]),
        ("rust", RUST, "Tr", ["pub trait Tr { const N: u8 fn a(&self) fn b(&self) -> u8 type X}"]),
        (
            "rust",
            RUST,
            "append_event",
            ["pub(crate) async fn append_event(e: Event) -> Result<(), Error>"],
        ),
        ("rust", RUST, "inner", ["pub mod inner", "inner: pub fn deep()"]),
        ("rust", RUST, "deep", []),
    ],
)
def test_symbols_by_tree_sitter(language: str, content: str, name: str, signatures: list[str]) -> None:
    assert tree_symbols(language, content, [name]) == {name: signatures}


def test_what_does_not_parse_is_said_with_its_line() -> None:
    with pytest.raises(Unreadable, match="is not Python 3.*: line 2: "):
        python_symbols("a = 1\ndef (:\n", ["a"])
    with pytest.raises(Unreadable, match="is not Rust as far as tree-sitter tells: line 2"):
        tree_symbols("rust", "pub fn a() {}\nfn (\n", ["a"])
    with pytest.raises(Unreadable, match="is not Python 3.*null bytes"):
        python_symbols("a = 1\0", ["a"])


# ── edits that leave a contract as it is, and edits that do not ─────────────────────────────────

NAMES = st.lists(st.sampled_from(["one", "two", "three", "four"]), min_size=1, unique=True)
PARAMETERS = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, unique=True)
Functions = dict[str, list[str]]
FUNCTIONS = NAMES.flatmap(lambda names: st.fixed_dictionaries(dict.fromkeys(names, PARAMETERS)))
LAYOUTS = st.randoms(use_true_random=False)

SHAPES = {
    "python": ("def {name}({parameters}) -> int:{body}", "{0}: int", "\n    return {0}", "# {0}\n"),
    "typescript": (
        "export function {name}({parameters}): number {body}",
        "{0}: number",
        "{{ return {0}; }}",
        "/* {0} */\n",
    ),
    "rust": ("pub fn {name}({parameters}) -> u32 {body}", "{0}: u32", "{{ {0} }}", "// {0}\n"),
}


def laid_out(language: str, functions: Functions, random: Any) -> str:
    """The functions as somebody may have written them: order, comments, bodies and line breaks vary."""
    shape, parameter, body, comment = SHAPES[language]
    parts = []
    for name, parameters in random.sample(sorted(functions.items()), len(functions)):
        if random.random() < 0.5:
            parts.append(comment.format(random.randrange(100)))
        written = [parameter.format(each) for each in parameters]
        if random.random() < 0.5:
            text = "\n        " + ",\n        ".join(written) + random.choice([",", ""]) + "\n    "
        else:
            text = random.choice([",", ", ", " ,  "]).join(written)
        parts.append(shape.format(name=name, parameters=text, body=body.format(random.randrange(100))))
        parts.append("\n" * random.randrange(1, 4))
    return "".join(parts)


def contract(language: str, content: str, names: list[str]) -> dict[str, list[str]]:
    if language == "python":
        return python_symbols(content, names)
    return tree_symbols(language, content, names)


@pytest.mark.parametrize("language", sorted(SHAPES))
@settings(max_examples=40)
@given(FUNCTIONS, LAYOUTS)
def test_no_edit_that_keeps_the_signatures_changes_the_contract(
    language: str, functions: Functions, random: Any
) -> None:
    names = sorted(functions)
    first = contract(language, laid_out(language, functions, random), names)
    assert all(len(each) == 1 for each in first.values())
    assert contract(language, laid_out(language, functions, random), names) == first


@pytest.mark.parametrize("language", sorted(SHAPES))
@settings(max_examples=40)
@given(FUNCTIONS, LAYOUTS)
def test_every_edit_of_a_signature_changes_the_contract(
    language: str, functions: Functions, random: Any
) -> None:
    names = sorted(functions)
    changed = random.choice(names)
    edited = functions | {changed: [*functions[changed], "added"]}
    before = contract(language, laid_out(language, functions, random), names)
    after = contract(language, laid_out(language, edited, random), names)
    assert {name for name in names if before[name] != after[name]} == {changed}


# ── files ───────────────────────────────────────────────────────────────────────────────────────


def test_texts_and_patterns_stand_for_their_whole_lines(tmp_path: Path) -> None:
    text = "\ufefftop\r\n  def  one(a):\r\n\tdef two():\r\n# def one\r\ndef one (b): pass"
    (tmp_path / "a.txt").write_bytes(text.encode())
    wanted = [("text", "def "), ("text", "nothing"), ("pattern", "^top$"), ("pattern", r"(?s)top.*one\(")]
    assert read(tmp_path, "a.txt", wanted).clauses == (
        ("text", "def ", ("# def one", "def one (b): pass", "def one(a):", "def two():")),
        ("text", "nothing", ()),
        ("pattern", "^top$", ("top",)),
        ("pattern", r"(?s)top.*one\(", ("top def one(a):",)),
    )


def test_a_long_contract_is_kept_within_bounds_and_its_changes_are_seen(tmp_path: Path) -> None:
    def lines(text: str) -> tuple[str, ...]:
        (tmp_path / "a.txt").write_text(text)
        ((_, _, found),) = read(tmp_path, "a.txt", [("text", "x")]).clauses
        return found

    many = "".join(f"x {n:06}\n" for n in range(5_000))
    assert len(lines(many)) == 101
    assert lines(many)[-1].startswith("… and 4900 more (SHA-256 ")
    assert lines(many) != lines(many.replace("x 004999", "x 00499x"))
    long = "x" * 100_000
    assert len(lines(long)[0]) < 500
    assert lines(long) != lines(long + "y")


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        (lambda path: None, ""),
        (lambda path: path.mkdir(), ""),
        (lambda path: path.symlink_to("/etc/passwd"), ""),
        (os.mkfifo, ""),
        (
            lambda path: path.write_bytes(b"x" * (MOST_SEARCHED_BYTES + 1)),
            "api.py is larger than 2 MiB",
        ),
    ],
)
def test_what_is_no_file_of_the_repository_holds_nothing(tmp_path: Path, make: Any, fault: str) -> None:
    make(tmp_path / "api.py")
    assert read(tmp_path, "api.py", [("pattern", "x")]) == Reading(None, (), fault)


def test_symbols_without_the_extra_are_never_passed_in_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "api.rs").write_text("pub fn a() {}")
    assert read(tmp_path, "api.rs", [("symbol", "a")]).fault == ""
    monkeypatch.setattr(languages, "find_spec", lambda name: None)
    found = read(tmp_path, "api.rs", [("symbol", "a")])
    assert found.clauses == (("symbol", "a", ()),)
    assert found.fault == (
        "api.rs cannot be checked: the symbols of .rs files need the extra 'symbols': "
        "pip install 'runebook-tui[symbols]'"
    )


def interface(**asked: Any) -> InterfaceStub:
    return InterfaceStub(name="api", owner="alpha", path="api.py", **asked)


def test_the_engine_reads_patterns_and_symbols_apart(tmp_path: Path) -> None:
    (tmp_path / "api.py").write_text("def one(a): ...\n")
    asked = interface(must_contain=("one", "two"), must_match=("^def .*",), symbols=("one", "three"))
    digest, found, fault = asyncio.run(read_contract(tmp_path, asked))
    assert (len(digest or ""), fault) == (64, "")
    assert [clause.lines for clause in found] == [
        ("def one(a): ...",),
        (),
        ("def one(a): ...",),
        ("def one(a)",),
        (),
    ]
    assert lacking(found) == "does not contain 'two' and does not declare 'three'"


def test_a_pattern_that_would_take_for_ever_is_ended(tmp_path: Path) -> None:
    (tmp_path / "api.py").write_text("a" * 60 + "!\n")
    digest, found, fault = asyncio.run(read_contract(tmp_path, interface(must_match=("(a+)+$",))))
    assert (digest, [clause.lines for clause in found]) == (None, [()])
    assert fault.startswith("api.py cannot be checked: its reader ended (signal ")


def test_a_file_that_is_nested_too_deeply_is_a_fault_and_not_the_end(tmp_path: Path) -> None:
    (tmp_path / "api.py").write_text("a = " + "(" * 90_000 + ")" * 90_000)
    _, _, fault = asyncio.run(read_contract(tmp_path, interface(symbols=("a",))))
    assert fault.startswith("api.py ")
