"""The tree of files, and the news of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runebook_tui.core.events import Record, Touched
from runebook_tui.core.filenews import HALF_LIFE, News, folders
from runebook_tui.core.tree import File, Folder, Tree
from runebook_tui.core.types import OPERATOR, Author, Change, Version

PATHS = st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map("/".join)


def file(path: str, owner: str = "alpha") -> File:
    return File(path, owner, path)


def shown(tree: Tree, opened: set[str] | None) -> list[str]:
    return [row.node.path for row in tree.rows(opened)]


def test_folders_come_first_and_only_open_ones_show_what_is_in_them() -> None:
    tree = Tree(file(path) for path in ("z.py", "src/b.py", "src/a/x.py", "docs/y.md"))
    assert shown(tree, set()) == ["docs/", "src/", "z.py"]
    assert shown(tree, {"src/"}) == ["docs/", "src/", "src/a/", "src/b.py", "z.py"]
    assert shown(tree, None) == ["docs/", "docs/y.md", "src/", "src/a/", "src/a/x.py", "src/b.py", "z.py"]
    assert [row.depth for row in tree.rows({"src/"})] == [0, 0, 1, 1, 0]


def test_a_folder_knows_whose_its_files_are() -> None:
    tree = Tree([file("src/a/x", "alpha"), file("src/a/y", "alpha"), file("src/z", "")])
    inner, outer = tree.folder("src/a/"), tree.folder("src/")
    assert inner is not None
    assert outer is not None
    assert (inner.count, inner.owner) == (2, "alpha")
    assert (outer.count, outer.owner, outer.owners) == (3, None, {"alpha": 2, "": 1})


def test_a_path_too_deep_for_recursion_is_a_path_like_any() -> None:
    path = "a/" * 3_000 + "x"
    tree = Tree([file(path)])
    assert len(tree.rows(None)) == 3_001
    tree.remove(path)
    assert tree.rows(None) == []


@given(st.lists(PATHS, unique=True), st.lists(PATHS))
def test_a_tree_that_was_changed_is_like_one_made_anew(first: list[str], then: list[str]) -> None:
    tree, there = Tree(file(path) for path in first), set(first)
    for path in then:
        if path in there:
            there.remove(path)
            tree.remove(path)
        else:
            there.add(path)
            tree.add(file(path))
    anew = Tree(file(path) for path in sorted(there))
    assert shown(tree, None) == shown(anew, None)
    assert {each.path for each in tree} == there
    counts = [row.node.count for row in tree.rows(None) if isinstance(row.node, Folder)]
    assert counts == [row.node.count for row in anew.rows(None) if isinstance(row.node, Folder)]


def test_folders_of_a_path_from_the_nearest_on() -> None:
    assert list(folders("a/b/c.py")) == ["a/b/", "a/"]
    assert list(folders("c.py")) == []


def record(seq: int, path: str, author: Author, time: float) -> Record:
    version = Version(kind="file", digest="x")
    change = Change(path=path, before=version, after=version)
    return Record(seq=seq, time=time, run=1, actor="engine", event=Touched(change=change, author=author))


def test_heat_cools_by_half_and_folders_have_that_of_all_below_them() -> None:
    news = News()
    for seq in range(8):
        news.tell(record(seq, f"src/{seq % 2}.py", Author(name="alpha"), 1_000.0))
    one, folder = news.get("src/0.py"), news.get("src/")
    assert one is not None
    assert folder is not None
    assert (one.touches, folder.touches) == (4, 8)
    assert one.hot(1_000.0)
    assert not one.hot(1_000.0 + HALF_LIFE)
    assert folder.heat(1_000.0 + HALF_LIFE) == 4.0
    assert set(news.files()) == {"src/0.py", "src/1.py"}


def test_authors_are_told_by_name_and_not_for_ever() -> None:
    news = News()
    news.tell(record(1, "x", Author(name="alpha"), 0.0))
    news.tell(record(2, "x", Author(name=OPERATOR), 4_000.0))
    news.tell(record(3, "x", Author(candidates=("beta", OPERATOR)), 4_001.0))
    known = news.get("x")
    assert known is not None
    assert known.who == "beta or you?"
    assert known.lately(4_002.0) == ("beta or you?", "you")
