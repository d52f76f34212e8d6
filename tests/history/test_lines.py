"""Who wrote each line: by the changes that were seen, and by git for what is older."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from runebook_tui.core.events import Record, Touched
from runebook_tui.core.forgetting import Old
from runebook_tui.core.types import OPERATOR, Author, Change, Version
from runebook_tui.execution.lineage import NoLinesError, written_lines
from runebook_tui.history.blame import Commit, blame
from runebook_tui.history.differences import kept_lines, lines_of
from runebook_tui.history.lines import Origin, trace
from runebook_tui.history.store import ContentStore
from runebook_tui.log.memory import MemoryLog
from tests.history.repositories import Repository

ABSENT = Version(kind="absent")


def version(data: bytes | None) -> Version:
    if data is None:
        return ABSENT
    return Version(kind="file", digest=sha256(data).hexdigest(), size=len(data), stored=True)


class Past:
    """Contents of one file one after the other, and what is kept of them."""

    def __init__(self, first: bytes | None) -> None:
        self.base = version(first)
        self.content = first
        self.kept = {self.base.digest: first or b""}
        self.touches: list[Record] = []

    def write(self, who: str | tuple[str, ...], content: bytes | None, *, cause: str = "") -> None:
        change = Change(path="f", before=version(self.content), after=version(content))
        author = Author(name=who) if isinstance(who, str) else Author(candidates=who)
        event = Touched(change=change, author=author, cause=cause)
        seq = len(self.touches) + 1
        self.touches.insert(0, Record(seq=seq, time=float(seq), run=1, actor="engine", event=event))
        self.content = content
        self.kept[change.after.digest] = content or b""

    def forget(self, content: bytes) -> None:
        del self.kept[version(content).digest]

    def origins(self) -> list[Origin]:
        assert self.content is not None
        return trace(self.content, self.touches, self.base, lambda version: self.kept.get(version.digest))

    def told(self) -> list[str]:
        return [words(origin) for origin in self.origins()]


def words(origin: Origin) -> str:
    if origin.author is None:
        return f"base {origin.base}"
    return origin.author.name or " or ".join(origin.author.candidates) + "?"


def test_a_line_keeps_its_author_while_others_change_other_lines() -> None:
    past = Past(b"one\ntwo\nthree\n")
    past.write("alpha", b"one\nTWO\nthree\n")
    past.write("beta", b"zero\none\nTWO\nthree\n")
    past.write(OPERATOR, b"zero\none\nTWO\nthree")
    assert past.told() == ["beta", "base 0", "alpha", OPERATOR]
    assert past.origins()[2].touches[0].seq == 1


def test_a_created_file_is_its_creators_and_an_empty_one_has_no_lines() -> None:
    past = Past(None)
    past.write("alpha", b"a\nb\n")
    assert past.told() == ["alpha", "alpha"]
    past.write("beta", b"")
    assert past.told() == []
    past.write("beta", b"a\n")
    assert past.told() == ["beta"]


def test_a_change_with_candidates_gives_its_lines_candidates() -> None:
    past = Past(b"one\n")
    past.write(("alpha", OPERATOR), b"one\ntwo\n")
    past.write("beta", b"one\ntwo\nthree\n")
    assert past.told() == ["base 0", "alpha or operator?", "beta"]


def test_where_a_content_is_not_kept_every_writer_around_it_is_a_candidate() -> None:
    past = Past(b"one\n")
    past.write("alpha", b"one\ntwo\n")
    past.write("beta", b"one\ntwo\nthree\n")
    past.forget(b"one\ntwo\n")
    assert past.told() == ["base 0", "beta or alpha?", "beta or alpha?"]


def test_contents_that_are_lost_between_two_writes_of_one_author_cost_no_name() -> None:
    past = Past(b"one\n")
    past.write("alpha", b"one\ntwo\n")
    past.write("alpha", b"one\ntwo\nthree\n")
    past.forget(b"one\ntwo\n")
    assert past.told() == ["base 0", "alpha", "alpha"]


def test_a_lost_beginning_leaves_the_old_lines_without_a_name() -> None:
    past = Past(b"one\n")
    past.write("alpha", b"one\ntwo\n")
    past.write("beta", b"one\ntwo\nthree\n")
    past.forget(b"one\n")
    assert past.told() == ["alpha?", "alpha?", "beta"]


def test_what_nobody_saw_is_nobodys() -> None:
    past = Past(b"one\n")
    past.write("alpha", b"one\ntwo\n")
    past.content = b"one\ntwo\nlater\n"
    assert past.told() == ["base 0", "alpha", "?"]
    past.kept[version(past.content).digest] = past.content
    past.write("beta", b"one\ntwo\nlater\nlast\n")
    assert past.told() == ["base 0", "alpha", "?", "beta"]


def test_a_content_that_git_took_away_and_brought_back_keeps_its_authors() -> None:
    past = Past(b"one\n")
    past.write("alpha", b"one\ntwo\n")
    past.write(OPERATOR, b"one\n", cause="git stash")
    assert past.told() == ["base 0"]
    past.write(OPERATOR, b"one\ntwo\n", cause="git stash pop")
    past.write("beta", b"one\ntwo\nthree\n")
    assert past.told() == ["base 0", "alpha", "beta"]


def test_who_writes_by_hand_what_was_there_before_has_written_it() -> None:
    past = Past(b"off\n")
    past.write("alpha", b"on\n")
    past.write(OPERATOR, b"off\n")
    past.write("beta", b"on\n")
    assert past.told() == ["beta"]


def test_a_search_that_is_broken_off_names_nobody() -> None:
    past = Past(b"one\n")
    past.write("alpha", b"one\ntwo\n")
    past.write("beta", b"one\ntwo\nthree\n")
    turns = iter([True, False])
    origins = trace(
        past.content or b"", past.touches, past.base, lambda each: past.kept.get(each.digest),
        go_on=lambda: next(turns),
    )  # fmt: skip
    assert [words(each) for each in origins] == ["?", "?", "beta"]


@st.composite
def edits(draw: st.DrawFn) -> tuple[Past, list[str]]:
    """A past in which every line names its true author, and the authors of the lines there are now."""
    past = Past(b"".join(b"base %d\n" % line for line in range(draw(st.integers(0, 6)))))
    lines = lines_of(past.content or b"")
    for number in range(draw(st.integers(1, 8))):
        who = draw(st.sampled_from(["alpha", "beta", OPERATOR]))
        for _ in range(draw(st.integers(1, 3))):
            start = draw(st.integers(0, len(lines)))
            stop = draw(st.integers(start, min(len(lines), start + 3)))
            fresh = draw(st.integers(0, 3))
            mark = draw(st.integers(0, 1 << 30))
            lines[start:stop] = [b"%s %d.%d.%d\n" % (who.encode(), number, mark, n) for n in range(fresh)]
        past.write(who, b"".join(lines))
    for digest in draw(st.lists(st.sampled_from(sorted(past.kept, key=str)), max_size=3)):
        past.kept.pop(digest, None)
    return past, [line.split(b" ")[0].decode() for line in lines]


@given(edits())
def test_no_line_is_ever_given_to_another(drawn: tuple[Past, list[str]]) -> None:
    past, truth = drawn
    for origin, true in zip(past.origins(), truth, strict=True):
        author = origin.author
        if author is None:
            assert true == "base"
        elif author.certain:
            assert author.name == true
        else:
            assert true in author.candidates or origin.unseen


@st.composite
def returns(draw: st.DrawFn) -> Past:
    """A file that several write, of which git brings earlier contents back."""
    past = Past(None if draw(st.booleans()) else b"base\n")
    contents = []
    for number in range(draw(st.integers(1, 9))):
        who = draw(st.sampled_from(["alpha", "beta"]))
        if contents and draw(st.integers(0, 2)) == 0:
            past.write(OPERATOR, draw(st.sampled_from(contents)), cause="git checkout")
        elif draw(st.integers(0, 5)) == 0:
            past.write(who, None)
        else:
            kept = [line for line in lines_of(past.content or b"") if draw(st.booleans())]
            contents.append(b"".join([*kept, b"%s %d\n" % (who.encode(), number)]))
            past.write(who, contents[-1])
    past.write("gamma", b"".join([*lines_of(past.content or b""), b"gamma\n"]))
    return past


@given(returns(), st.integers(1, 9))
def test_a_log_that_has_forgotten_names_nobody_whom_the_whole_log_does_not(past: Past, left: int) -> None:
    assert past.content is not None
    whole = past.origins()
    touches = past.touches[:left]
    base = ABSENT if touches[-1].event.change.before == ABSENT else Version(kind="other")
    read = past.kept.get
    cut = len(touches) < len(past.touches)
    found = trace(past.content, touches, base if cut else past.base, lambda v: read(v.digest), forgotten=cut)
    for known, all_known in zip(found, whole, strict=True):
        if known.author is None:
            assert not cut
        elif known.author.certain:
            assert all_known.author is not None
            assert known.author.name == all_known.author.name
        elif cut:
            assert known.author.evidence == "older than the changes that the log keeps"


@given(st.lists(st.sampled_from("abc"), max_size=12), st.lists(st.sampled_from("abc"), max_size=12))
def test_kept_lines_are_equal_and_in_order(old: Sequence[str], new: Sequence[str]) -> None:
    before, after = ("\n".join(old) + "\n").encode(), "\n".join(new).encode()
    kept = kept_lines(before, after)
    assert kept is not None
    pairs = [(line, old_line) for line, old_line in enumerate(kept) if old_line is not None]
    assert all(lines_of(after)[line] == lines_of(before)[old_line] for line, old_line in pairs)
    assert [old_line for _, old_line in pairs] == sorted({old_line for _, old_line in pairs})


def test_kept_lines_of_a_large_rewrite_are_found_by_git() -> None:
    before = b"".join(b"%d\n" % n for n in range(5_000))
    after = b"".join(b"new %d\n" % n if n % 2 else b"%d\n" % n for n in range(5_000))
    assert kept_lines(before, after) == [None if n % 2 else n for n in range(5_000)]


# ── the log, the history and git together ───────────────────────────────────────────────────────


class Tree:
    """A real repository, with a log and a history that say what the test wants."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self.log = MemoryLog()
        self.store = ContentStore(repository.root / ".runebook" / "history")

    def touch(self, who: str, *changes: tuple[str, bytes | None, bytes | None]) -> None:
        events = []
        for path, before, after in changes:
            for data in (before, after):
                if data is not None:
                    self.store.put(data)
            change = Change(path=path, before=version(before), after=version(after))
            events.append(Touched(change=change, author=Author(name=who)))
            if after is not None:
                self.repository.write(path, after)
        self.log.append(events, run=1, actor="engine", expected=self.log.last_seq(), time=5.0)

    def told(self, path: str) -> list[str]:
        lines = written_lines(self.repository.root, path, self.log)
        return [line.commit.author if line.commit else words(line.origin) for line in lines]


def test_lines_from_before_the_first_change_are_gits(repository: Repository) -> None:
    tree = Tree(repository)
    repository.write("f", b"one\ntwo\n")
    repository.commit()
    assert tree.told("f") == ["t", "t"]
    tree.touch("alpha", ("f", b"one\ntwo\n", b"one\nTWO\n"))
    assert tree.told("f") == ["t", "alpha"]
    repository.commit()
    assert tree.told("f") == ["t", "alpha"]  # an older commit than HEAD holds what there was at first


def test_lines_that_were_never_committed_are_only_old(repository: Repository) -> None:
    tree = Tree(repository)
    repository.commit()
    tree.touch("alpha", ("f", b"one\n", b"one\ntwo\n"))
    assert tree.told("f") == ["base 0", "alpha"]


def test_a_renamed_file_brings_its_authors_along(repository: Repository) -> None:
    tree = Tree(repository)
    repository.write("old", b"one\n")
    repository.commit()
    tree.touch("alpha", ("old", b"one\n", b"one\ntwo\n"))
    tree.touch("beta", ("new", None, b"one\ntwo\n"), ("old", b"one\ntwo\n", None))
    tree.touch("gamma", ("new", b"one\ntwo\n", b"one\ntwo\nthree\n"))
    assert tree.told("new") == ["t", "alpha", "gamma"]


def forget(tree: Tree, before: int, *gone: int) -> None:
    last = tree.log.last_seq()
    old = Old(before, gone=frozenset(gone))
    assert tree.log.forget(old, touches=last, run=1, actor="engine", expected=last, time=6.0)


def test_what_is_older_than_the_log_keeps_has_no_author_and_no_commit(repository: Repository) -> None:
    tree = Tree(repository)
    repository.write("f", b"one\n")
    repository.commit()
    tree.touch("alpha", ("f", b"one\n", b"one\ntwo\n"))
    tree.touch("beta", ("f", b"one\ntwo\n", b"one\ntwo\nthree\n"))
    tree.touch("gamma", ("f", b"one\ntwo\nthree\n", b"zero\none\ntwo\nthree\n"))
    assert tree.told("f") == ["gamma", "t", "alpha", "beta"]
    forget(tree, 3)
    assert tree.told("f") == ["gamma", "?", "?", "beta"]


def test_a_rename_of_which_half_is_forgotten_names_nobody_for_certain(repository: Repository) -> None:
    tree = Tree(repository)
    tree.touch("alpha", ("old", None, b"one\n"))
    tree.touch("beta", ("new", None, b"one\n"), ("old", b"one\n", None))
    assert tree.told("new") == ["alpha"]
    forget(tree, 4)
    assert tree.told("new") == ["?"], "what old was before is forgotten"
    forget_all = Tree(repository)
    forget_all.touch("alpha", ("old", None, b"one\n"))
    forget_all.touch("beta", ("new", None, b"one\n"), ("old", b"one\n", None))
    forget(forget_all, 4, 3)
    assert forget_all.told("new") == ["beta?"], "it may have come from elsewhere"


def test_a_copy_or_the_work_of_two_is_no_rename(repository: Repository) -> None:
    tree = Tree(repository)
    tree.touch("alpha", ("old", None, b"one\n"))
    tree.touch("beta", ("copy", None, b"one\n"))
    tree.touch("alpha", ("old", b"one\n", None))
    assert tree.told("copy") == ["beta"]


def test_what_has_no_lines_says_why(repository: Repository) -> None:
    tree = Tree(repository)
    repository.write("binary", b"a\0b\n")
    repository.write("huge", b"\n" * 20_001)
    (repository.root / "link").symlink_to("binary")
    reasons = {}
    for path in ("binary", "huge", "link", ".git", "none"):
        try:
            tree.told(path)
        except NoLinesError as error:
            reasons[path] = str(error)
    assert reasons == {
        "binary": "it is binary",
        "huge": "it is larger than 20,000 lines or 2 MB",
        "link": "it is a symbolic link",
        ".git": "it is no regular file that can be read",
        "none": "there is no such file",
    }


def test_blame_runs_no_program_and_knows_crlf_and_hostile_names(repository: Repository) -> None:
    ran = repository.root / "ran"
    repository.git("config", "diff.evil.textconv", f"touch {ran};cat")
    repository.write(".gitattributes", b"* diff=evil\n")
    path = ":(glob)*\n\udcff"
    repository.write(path, b"one\ntwo\n")
    repository.commit()
    found = blame(repository.root, path, b"one\r\ntwo\r\n")
    assert found is not None
    assert [commit.author for commit in found if isinstance(commit, Commit)] == ["t", "t"]
    assert blame(repository.root, path, b"three\n") is None
    assert not ran.exists()


def test_blame_without_a_commit_says_nothing(repository: Repository) -> None:
    repository.write("f", b"one\n")
    assert blame(repository.root, "f", b"one\n") is None
