"""Patches and replacements: which paths they name, and what the files would hold."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runebook_tui.hooks.edits import Edit, Patched, Removed, Replaced, Replacement, Untold, Whole, content
from runebook_tui.hooks.patchtext import edits_of, is_patch, paths_of_diff

PATCH = """*** Begin Patch
*** Add File: new.txt
+one
+two
*** Update File: src/a.py
*** Move to: src/b.py
@@ def f():
-    return 1
+    return 2
@@
 end
+more
*** Delete File: old.txt
*** End Patch
"""


def test_a_patch_is_read_file_by_file() -> None:
    assert is_patch(PATCH)
    new, gone, moved, old = edits_of(PATCH)
    assert new == Edit("new.txt", Whole("one\ntwo\n"))
    assert (gone.path, gone.how, moved.path) == ("src/a.py", Removed(), "src/b.py")
    assert old == Edit("old.txt", Removed(), link=True)
    before = b"def g():\n    return 1\ndef f():\n    return 1\nend\n"
    assert content(moved.how, before) == b"def g():\n    return 1\ndef f():\n    return 2\nend\nmore\n"


def test_context_that_looks_like_a_head_is_context() -> None:
    patch = "*** Update File: a\n@@\n *** Delete File: b\n-x\n+y\n"
    assert [edit.path for edit in edits_of(patch)] == ["a"]


def test_a_patch_that_does_not_fit_tells_no_content() -> None:
    (edit,) = edits_of("*** Update File: a\n@@\n-nowhere\n+y\n")
    assert isinstance(edit.how, Patched)
    assert content(edit.how, b"something else\n") is None
    assert content(edit.how, None) is None


def test_blanks_at_line_ends_do_not_matter() -> None:
    (edit,) = edits_of("*** Update File: a\n@@\n-x\n+y\n*** End of File\n")
    assert content(edit.how, b"x\nx  \n") == b"x\ny\n"


def test_a_replacement_must_be_found_and_be_the_only_one() -> None:
    once = Replaced((Replacement("a", "b"),))
    assert content(once, b"xay") == b"xby"
    assert content(once, b"aa") is None
    assert content(once, b"x") is None
    assert content(Replaced((Replacement("a", "b", every=True),)), b"aa") == b"bb"
    assert content(Replaced((Replacement("", "new"),)), None) == b"new"
    assert content(Replaced((Replacement("a", "b"), Replacement("b", "c"))), b"a") == b"c"
    assert content(Replaced((Replacement("a", "b"),)), b"\xff a") == b"\xff b"


def test_what_cannot_be_told_is_not_made_up() -> None:
    assert content(Untold(), b"x") is None
    assert content(Whole("\ud800"), None) is None
    assert content(Whole("x" * 3_000_000), None) is None


def test_a_diff_names_its_paths() -> None:
    diff = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@\n--- /dev/null\n+++ b/new\nrename from p\nrename to q\n"
    assert paths_of_diff(diff) == ["x", "new", "p", "q"]


LINES = st.sampled_from([
    "*** Begin Patch", "*** Add File: a", "*** Update File: b", "*** Delete File: c", "*** Move to: d",
    "*** End of File", "@@", "@@ x", " x", "-x", "+y", "", "x", "*** ", "\udc80",
])  # fmt: skip


@given(st.lists(LINES, max_size=30).map("\n".join), st.none() | st.binary(max_size=30))
def test_no_patch_is_too_much(patch: str, before: bytes | None) -> None:
    for edit in edits_of(patch):
        assert edit.path
        after = content(edit.how, before)
        assert after is None or isinstance(after, bytes)


def test_a_hostile_patch_takes_bounded_time() -> None:
    lines = b"x\n" * 100_000
    (edit,) = edits_of("*** Update File: a\n" + "@@\n-y\n+z\n" * 10_000)
    assert content(edit.how, lines) is None
