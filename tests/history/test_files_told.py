"""What is told of a repository's files: which there are, what happened to each, and which claim decides."""

from __future__ import annotations

from runebook_tui.core.events import Touched
from runebook_tui.core.types import Author, Change
from runebook_tui.execution import files
from runebook_tui.execution.follow import log_path
from runebook_tui.history.store import ContentStore
from runebook_tui.log.memory import MemoryLog
from runebook_tui.log.sqlite import SqliteLog
from tests.history.repositories import Repository
from tests.history.test_lines import version


def touched(path: str, after: bytes = b"new\n", before: bytes | None = b"old\n", lane: str = "") -> Touched:
    """A change by alpha."""
    change = Change(path=path, before=version(before), after=version(after))
    return Touched(change=change, author=Author(name="alpha"), lane=lane)


def test_files_are_gits_and_new_ones_but_not_ignored_or_removed_ones(repository: Repository) -> None:
    root = repository.root
    for path in ("kept.py", "gone.py", "a/deep/one.py", "\udcff\n [x].py"):
        repository.write(path, b"text\n")
    repository.write(".gitignore", b"*.log\n")
    repository.commit()
    repository.write("fresh.py", b"text\n")
    repository.write("noise.log", b"text\n")
    (root / "gone.py").unlink()
    found = files.files(root)
    assert {"kept.py", "a/deep/one.py", "fresh.py", "\udcff\n [x].py"} <= set(found)
    assert not {"gone.py", "noise.log"} & set(found)


def test_the_newest_changes_are_read_oldest_first_and_bounded() -> None:
    log = MemoryLog()
    many = [touched(f"{number}.py") for number in range(files.TOUCH_LIMIT + 50)]
    log.append(many, run=1, actor="engine", expected=0, time=1.0)
    found = files.touches(log, 0)
    assert len(found) == files.TOUCH_LIMIT
    assert [found[0].seq, found[-1].seq] == [51, files.TOUCH_LIMIT + 50]
    assert [record.seq for record in files.touches(log, files.TOUCH_LIMIT + 48)] == [20_049, 20_050]


def test_a_files_story_has_its_changes_in_every_tree_the_diff_and_the_claims_line(
    repository: Repository,
) -> None:
    root = repository.root
    (root / ".runebook").mkdir(exist_ok=True)
    repository.write("runebook.toml", b'[plan]\nname = "x"\n\nclaims = ["src/a/**", "src/**"]\n')
    assert files.story(root, "src/x.py", "src/**", ()).touches == ()
    store = ContentStore(root / ".runebook" / "history")
    for data in (b"old\n", b"new\n", b"newest\n"):
        store.put(data)
    with SqliteLog(log_path(root)) as log:
        events = [
            touched("src/x.py"),
            touched("other.py"),
            touched("src/x.py", b"newest\n", b"new\n", "beta"),
        ]
        log.append(events, run=1, actor="engine", expected=0, time=1.0)
    told = files.story(root, "src/x.py", "src/**", ("beta",))
    assert [record.seq for record in told.touches] == [3, 1]
    assert "-new\n+newest\n" in told.diff
    assert told.claim_line == 4
    assert [record.seq for record in files.story(root, "src/x.py", None, ()).touches] == [1]


def test_lines_are_told_with_their_authors(repository: Repository) -> None:
    repository.write("f", b"one\ntwo\n")
    repository.commit()
    (line, _) = files.lines(repository.root, "f")
    assert (line.text, line.time) == ("one", None)
    assert line.who.endswith(" t"), "the name of git's author"
