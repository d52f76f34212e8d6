"""What is whose in a file that several people changed: HEAD's version, and one agent's changes on top."""

from __future__ import annotations

import hashlib

from hypothesis import given, settings
from hypothesis import strategies as st

from runebook_tui.core.types import Author, Change, Version
from runebook_tui.history.share import Committed, Held, LeftOut, Step, same, share, steps_of

ABSENT = Version(kind="absent")


class File:
    """A file in a tree, its history, and what was committed of it."""

    def __init__(self, *lines: str) -> None:
        self.contents: dict[str, bytes] = {}
        self.lines = list(lines)
        self.now = self.version()
        self.steps: list[Step] = []
        self.commits = [Committed(self.now, None)]

    def version(self) -> Version:
        data = "".join(f"{line}\n" for line in self.lines).encode()
        digest = hashlib.sha256(data).hexdigest()
        self.contents[digest] = data
        return Version(kind="file", digest=digest, size=len(data), mode=0o644, stored=True)

    def edit(self, who: str, at: int, how: str, text: str) -> None:
        at = min(at, len(self.lines) - (how != "insert"))
        if how != "insert" and self.lines:
            del self.lines[at]
        if how != "delete":
            self.lines.insert(max(at, 0), text)
        after = self.version()
        self.steps.append(Step(self.now, after, Author(name=who)))
        self.now = after

    def share(self, agent: str) -> Held | LeftOut | None:
        def content(version: Version) -> bytes | None:
            return self.contents.get(version.digest or "")

        if not self.steps:
            return None
        return share(agent, self.head, self.steps, content, lambda: self.commits, owned=False)

    def commit(self, agent: str) -> Held | LeftOut | None:
        found = self.share(agent)
        if isinstance(found, Held):
            assert found.data is not None
            assert found.version.digest is not None
            self.contents[found.version.digest] = found.data
            self.commits.insert(0, Committed(found.version, agent))
        return found

    @property
    def head(self) -> Version:
        return self.commits[0].version

    def committed(self) -> list[str]:
        return self.contents[self.head.digest or ""].decode().split("\n")[:-1]


EDIT = st.tuples(
    st.sampled_from(["alpha", "beta", "operator"]),
    st.integers(0, 14),
    st.sampled_from(["insert", "delete", "change"]),
    st.sampled_from(["", "same", "new"]),
)
COMMIT = st.sampled_from(["alpha", "beta"])


@settings(max_examples=30)
@given(plays=st.lists(EDIT | COMMIT, min_size=2, max_size=14))
def test_a_commit_of_one_holds_no_line_that_another_wrote_since(
    plays: list[tuple[str, int, str, str] | str],
) -> None:
    file = File(*(f"line {number}" for number in range(12)))
    wrote: dict[str, set[str]] = {"alpha": set(), "beta": set(), "operator": set()}
    for count, play in enumerate(plays):
        if not isinstance(play, str):
            who, at, how, text = play
            line = f"{who} {count}" if text == "new" else text
            wrote[who].add(line)
            file.edit(who, at, how, line)
            continue
        before = set(file.committed())
        found = file.commit(play)
        if isinstance(found, Held):
            others = set().union(*(lines for who, lines in wrote.items() if who != play)) - wrote[play]
            assert not (set(file.committed()) - before) & others
            mine = {line for line in file.lines if line.startswith(f"{play} ")}
            assert mine <= set(file.committed())
            # Of equal lines by two, one agent's may count as the other's; nothing else is left to commit.
            assert file.share(play) is None or {"", "same"} & set(file.lines)
    for agent in ("alpha", "beta", "alpha", "beta"):
        file.commit(agent)
    if not wrote["operator"] and not any(
        isinstance(file.share(agent), LeftOut) for agent in ("alpha", "beta")
    ):
        assert file.committed() == file.lines


def test_a_change_that_nobody_saw_is_not_the_agents() -> None:
    one, two, three = (Version(kind="file", digest=name, stored=True) for name in ("a", "b", "c"))
    touches = [
        (Change(path="x", before=ABSENT, after=one), Author(name="alpha")),
        (Change(path="x", before=two, after=three), Author(name="alpha")),
    ]
    steps = steps_of(touches)
    assert [step.author.name for step in steps] == ["alpha", None, "alpha"]
    contents = {"a": b"1\n2\n3\n4\n", "b": b"1\n2\n3\nunseen\n", "c": b"alpha\n2\n3\nunseen\n"}
    found = share(
        "alpha", ABSENT, steps, lambda version: contents.get(version.digest or ""), list, owned=True
    )
    assert isinstance(found, Held)
    assert found.data == b"alpha\n2\n3\n4\n"


def test_where_older_changes_are_forgotten_nothing_is_taken_for_anybodys() -> None:
    one, two = (Version(kind="file", digest=name, stored=True) for name in ("a", "b"))
    head = Version(kind="file", digest="head", stored=True)
    steps = steps_of([(Change(path="x", before=one, after=two), Author(name="alpha"))])
    contents = {"a": b"1\n", "b": b"1\nalpha\n", "head": b"other\n"}

    def shared(agent: str, head: Version, *, owned: bool) -> Held | LeftOut | None:
        def content(version: Version) -> bytes | None:
            return contents.get(version.digest or "")

        return share(agent, head, steps, content, list, owned=owned, forgotten=True)

    found = shared("alpha", head, owned=True)
    assert isinstance(found, LeftOut)
    assert "no longer has its older changes" in found.reason
    assert isinstance(shared("beta", head, owned=True), LeftOut)
    assert shared("beta", head, owned=False) is None
    # What came since the last commit is all there.
    assert shared("alpha", one, owned=True) == Held(two, b"1\nalpha\n")


def test_modes_links_and_contents_that_are_not_kept() -> None:
    plain = Version(kind="file", digest="a", mode=0o644)
    run = plain.model_copy(update={"mode": 0o755})
    assert not same(plain, run)
    assert same(plain, plain.model_copy(update={"mode": 0o600}))
    assert not same(Version(kind="file"), Version(kind="file"))
    link = Version(kind="symlink", digest="b")

    def of(agent: str, *steps: tuple[Version, Version, str], head: Version = plain) -> Held | LeftOut | None:
        found = [Step(before, after, Author(name=who)) for before, after, who in steps]
        return share(agent, head, found, lambda _: None, list, owned=False)

    assert of("alpha", (plain, run, "alpha")) == Held(run, None)
    assert of("alpha", (plain, ABSENT, "alpha"), (ABSENT, link, "beta")) == Held(ABSENT, None)
    assert isinstance(of("beta", (plain, ABSENT, "alpha"), (ABSENT, link, "beta")), LeftOut)
    assert isinstance(of("alpha", (run, link, "alpha"), head=Version(kind="file", digest="z")), LeftOut)
    assert of("alpha", (run, link, "beta"), head=Version(kind="file", digest="z")) is None
