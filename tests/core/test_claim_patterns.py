"""What one claim matches: gitignore's meaning, by pathspec and git as oracles, for hostile names too."""

from __future__ import annotations

import os
import re
import subprocess
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import pathspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runebook_tui.core.pattern import MAX_STARS, ClaimPattern, PatternError, compile_pattern

SEGMENTS = st.one_of(
    st.sampled_from(["**", "*", "***", "a", "b", "a*", "*b", "?", "a*b*", "[ab]", "[!b]", "a**", ""]),
    st.text("ab*?[]!-.\\^", max_size=5),
)
PATTERNS = st.lists(SEGMENTS, min_size=1, max_size=5).map("/".join)
NAMES = st.text("aab.]-[!", min_size=1, max_size=4).filter(lambda name: name.strip("."))
PATHS = st.lists(NAMES, min_size=1, max_size=5).map("/".join)


def by_pathspec(pattern: str) -> Callable[[str], bool] | None:
    """What pathspec says that one pattern matches; None when it takes it for none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        try:
            spec = pathspec.PathSpec.from_lines("gitignore", [pattern])
        except (ValueError, re.error):
            return None
    return spec.match_file if [each for each in spec.patterns if each.include] else None


@settings(max_examples=400, deadline=None)
@given(PATTERNS, st.lists(PATHS, min_size=4, max_size=8))
@example("*/", ["a", "a/b", "a/b/c"])
@example("**/", ["a", "a/b", "a/b/c"])
@example("/**/", ["a", "a/b", "a/b/c"])
@example("/*", ["a", "a/b"])
@example("a/**/b", ["a/b", "a/x/b", "a/x/y/b/z", "ab"])
@example("**/a/**", ["a", "a/b", "x/a", "x/a/b"])
@example("a//b", ["a/b", "a"])
@example("[", ["[", "a"])
@example("[]-a]", ["]", "^", "a", "b"])
@example("a*b*a", ["aba", "abba", "abab", "aabbaa"])
def test_one_pattern_means_what_it_means_in_gitignore(pattern: str, paths: list[str]) -> None:
    oracle = by_pathspec(pattern)
    try:
        claim = ClaimPattern(pattern)
    except PatternError:
        assert oracle is None or re.search(r"\[.*(\\|\[:)", pattern), pattern
        return
    assert oracle is not None, pattern
    for path in paths:
        # pathspec lets a set such as [!a] stand for a slash, git does not: see the test with git.
        seen = path.replace("/", "") if "[" in pattern else path
        assert claim.matches(seen) == oracle(seen), (pattern, seen)


SLASHES = [("[!a]b", "x/b"), ("a[!x]b", "a/b"), ("a[!x]b", "ayb"), ("a[.-0]b", "a/b"), ("a[.-0]b", "a.b")]


def test_a_set_never_stands_for_a_slash_as_in_git(tmp_path: Path, plain_git: None) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    for n, (pattern, _) in enumerate(SLASHES):
        (tmp_path / str(n)).mkdir()
        (tmp_path / str(n) / ".gitignore").write_text(pattern + "\n")
    asked = "".join(f"{n}/{path}\0" for n, (_, path) in enumerate(SLASHES))
    answer = subprocess.run(
        ["git", "-C", tmp_path, "check-ignore", "--no-index", "--stdin", "-z"],
        input=asked.encode(),
        capture_output=True,
        check=True,
    )
    ignored = {name for name in answer.stdout.decode().split("\0") if name}
    mine = {f"{n}/{path}" for n, (pattern, path) in enumerate(SLASHES) if ClaimPattern(pattern).matches(path)}
    assert mine == ignored == {"2/ayb", "4/a.b"}


HOSTILE = [
    "line\nbreak",
    "\n",
    "return\r",
    os.fsdecode(b"\xff\xfe"),
    "\ud800",
    "[slug]",
    "a" * 4000,
    "*",
    "?",
    " ",
    "é\u202e",
    "\u2028",
]


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: ascii(name)[:20])
def test_every_name_is_one_name_whatever_it_holds(name: str) -> None:
    assert ClaimPattern("src/**").matches(f"src/{name}")
    assert ClaimPattern("src/*").matches(f"src/{name}")
    assert ClaimPattern("src").matches(f"src/{name}/x")
    assert ClaimPattern("*").matches(name)
    assert ClaimPattern("x*y").matches(f"x{name}y")
    assert ClaimPattern("**/z").matches(f"{name}/z")
    assert not ClaimPattern("src/*").matches(f"src/{name}/x")
    assert not ClaimPattern("src").matches(f"src{name}")
    assert not ClaimPattern("src/x").matches(f"src/x{name}")
    assert not ClaimPattern("src/x").matches(f"src/x\n{name}")


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: ascii(name)[:20])
def test_an_escaped_name_is_claimed_exactly(name: str) -> None:
    escaped = re.sub(r"([*?\[\\ ])", r"\\\1", name)
    if name.rstrip() != name and name != " ":
        escaped += "x"
        name += "x"
    claim = ClaimPattern(f"/{escaped}")
    assert claim.matches(name)
    assert claim.matches(f"{name}/below")
    assert not claim.matches(f"{name}z")
    assert not claim.matches(f"below/{name}")
    assert claim.prefix == name


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "names no path"),
        ("   ", "names no path"),
        ("!a", "names no path"),
        ("# a", "names no path"),
        ("a\\", "nothing to escape"),
        ("a\\/b", "nothing to escape"),
        ("[z-a]", "z-a is upside down"),
        ("[[:alpha:]]", "cannot stand between"),
        (r"[\]]", "cannot stand between"),
        ("*a" * 100, f"more than {MAX_STARS} '*'"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_an_error_in_words(text: str, words: str) -> None:
    with pytest.raises(PatternError, match=re.escape(words)) as caught:
        compile_pattern(text)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, ValueError)


LONG_PATTERNS = [
    "*a" * MAX_STARS + "b",
    "*?" * MAX_STARS + "b",
    "a*" * (MAX_STARS - 2) + "c/**",
    "[a-b]*" * MAX_STARS + "c",
    "**/" * (MAX_STARS // 2) + "b",
    "**/a/" * (MAX_STARS // 2) + "b",
    "**/*a*/" * (MAX_STARS // 5) + "b",
    "a/" * 511 + "*",
    "a" * 1024,
    "?" * 1024,
    "[ab]" * 256,
]
LONG_PATHS = [
    "a" * 255,
    "a" * 4096,
    "ab" * 2048,
    "a/" * 2047 + "a",
    "a\n" * 2048,
    "/".join(["a" * 255] * 16),
    "/".join(["ab" * 20] * 100),
]


def test_no_pattern_and_name_take_long_together() -> None:
    """Linear: pathspec's own expressions need 2 s for five wildcards and 120 letters."""
    claims = [ClaimPattern(pattern) for pattern in LONG_PATTERNS]
    began = time.process_time()
    for claim in claims:
        for path in LONG_PATHS:
            claim.matches(path)
    assert time.process_time() - began < 5, "77 pairs take some 10 ms; with backtracking, years"


def test_a_folder_and_all_below_it_are_claimed_by_its_name() -> None:
    for pattern in ("src/app", "src/app/", "src/app/**", "/src/app"):
        assert compile_pattern(pattern).matches("src/app/deep/down.py"), pattern
        assert not compile_pattern(pattern).matches("src/apple/x.py"), pattern
    assert compile_pattern("src/app").matches("src/app")
    assert not compile_pattern("src/app/").matches("src/app")


@pytest.mark.parametrize(
    ("pattern", "prefix", "characters"),
    [
        ("src/app/**", "src/app", 6),
        ("src/app/*.py", "src/app", 9),
        ("src/a*", "src/a", 4),
        ("*.md", "", 3),
        ("docs", "", 4),
        ("/docs", "docs", 4),
        ("**/docs/x", "", 5),
        ("**", "", 0),
        (r"app/\[slug\]/**", "app/[slug]", 9),
        ("app/[slug]/**", "app", 3),
        ("app/[slug", "app/[slug", 8),
        ("app/[]a]b", "app", 4),
        (r"a\*b/c", "a*b/c", 4),
        ("src/?x/y", "src", 5),
    ],
)
def test_a_pattern_is_as_specific_as_its_literal_part(pattern: str, prefix: str, characters: int) -> None:
    claim = compile_pattern(pattern)
    assert (claim.prefix, claim.rank) == (prefix, (len(prefix), characters))


@settings(max_examples=150, deadline=None)
@given(PATTERNS, PATHS)
def test_what_a_pattern_matches_lies_below_its_anchor(pattern: str, path: str) -> None:
    try:
        claim = ClaimPattern(pattern)
    except PatternError:
        return
    if claim.matches(path):
        assert path.startswith(claim.prefix)
        assert claim.anchor in ("", path) or path.startswith(claim.anchor + "/")
