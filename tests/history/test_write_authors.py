"""Who is named for a change, and who is never named wrongly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from runebook_tui.core.types import OPERATOR, Author
from runebook_tui.history import authors as authors_module
from runebook_tui.history import ledger
from runebook_tui.history.authors import Authors


class Scene:
    """Two gated agents, alpha and beta, and what their processes have open."""

    def __init__(self) -> None:
        self.open: set[tuple[int, str]] = set()
        self.authors = Authors(lambda pid, path: (pid, path) in self.open)
        self.count = 0
        self.unobserved: list[str] = []
        self.observed = ["alpha", "beta"]

    def wrote(
        self, agent: str, time: float, path: str, op: str = "open", to: str | None = None, pid: int = 0
    ) -> None:
        self.count += 1
        pid = pid or {"alpha": 10, "beta": 20}.get(agent, 30)
        fields: dict[str, object] = {"n": self.count, "time": time, "pid": pid, "program": "sed", "op": op}
        self.authors.record(agent, fields | {"path": path, "to": to, "argv": "sed -i"})

    def author(self, path: str, now: float) -> Author:
        return self.authors.author(path, now, unobserved=self.unobserved, observed=self.observed)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def uncertain(author: Author, *candidates: str) -> bool:
    return not author.certain and author.candidates == candidates


def test_one_fresh_record_names_its_agent(scene: Scene) -> None:
    scene.wrote("alpha", 100.0, "a")
    author = scene.author("a", 100.2)
    assert author == Author(
        name="alpha", evidence="the kernel gate saw sed (pid 10) open it for writing", pid=10, program="sed"
    )


def test_the_gate_record_wins_over_unobserved_agents(scene: Scene) -> None:
    scene.unobserved = ["gamma", "delta"]
    scene.wrote("alpha", 100.0, "a")
    author = scene.author("a", 100.2)
    assert author.name == "alpha"
    assert "gamma and delta are not observed" in author.evidence


def test_no_record_is_the_operator_when_everybody_is_observed(scene: Scene) -> None:
    author = scene.author("a", 100.0)
    assert author.name == OPERATOR
    assert author.evidence == "no pane wrote it: every live agent is observed"
    scene.observed = []
    assert scene.author("a", 101.0).evidence == "no pane wrote it: no agent is running"


def test_no_record_is_uncertain_beside_an_unobserved_agent(scene: Scene) -> None:
    scene.unobserved = ["gamma"]
    assert uncertain(scene.author("a", 100.0), "gamma", OPERATOR)


def test_two_agents_are_candidates_the_latest_first(scene: Scene) -> None:
    scene.wrote("alpha", 100.0, "a")
    scene.wrote("beta", 100.1, "a")
    author = scene.author("a", 100.2)
    assert uncertain(author, "beta", "alpha")
    assert "beta's sed (pid 20)" in author.evidence
    assert "alpha's sed (pid 10)" in author.evidence
    scene.wrote("beta", 101.0, "a")
    assert scene.author("a", 101.1).name == "beta"


def test_a_stale_record_is_not_certain(scene: Scene) -> None:
    scene.wrote("alpha", 100.0, "a")
    author = scene.author("a", 103.0)
    assert uncertain(author, "alpha", OPERATOR)
    assert "3 s ago and has ended that since" in author.evidence
    scene.wrote("alpha", 200.0, "b")
    scene.open.add((10, "b"))
    assert "still has it open" in scene.author("b", 203.0).evidence


def test_a_second_event_for_one_write_takes_its_author(scene: Scene) -> None:
    scene.wrote("alpha", 100.0, "a")
    first = scene.author("a", 100.1)
    assert scene.author("a", 100.9) == first
    assert scene.author("a", 102.4) == first
    assert uncertain(scene.author("a", 104.0), "alpha", OPERATOR)
    assert scene.author("a", 110.0).name == OPERATOR


def test_a_used_record_does_not_name_anybody_again(scene: Scene) -> None:
    scene.wrote("alpha", 100.0, "a")
    scene.author("a", 100.1)
    assert scene.author("a", 160.0).name == OPERATOR


def test_who_still_has_it_open_stays_a_candidate(scene: Scene) -> None:
    scene.wrote("alpha", 100.0, "log", "create")
    scene.open.add((10, "log"))
    assert scene.author("log", 100.1).name == "alpha"
    assert uncertain(scene.author("log", 5_000.0), "alpha", OPERATOR)
    scene.wrote("beta", 9_000.0, "log")
    assert uncertain(scene.author("log", 9_000.1), "beta", "alpha")
    scene.open.clear()
    # It may have written right before it closed the file.
    assert uncertain(scene.author("log", 9_500.0), "alpha", OPERATOR)
    assert scene.author("log", 9_600.0).name == OPERATOR


def test_a_file_opened_long_ago_and_first_written_now(scene: Scene) -> None:
    scene.wrote("alpha", 100.0, "a")
    scene.open.add((10, "a"))
    for now in range(110, 2_000, 60):
        assert scene.author("other", float(now)).name == OPERATOR
    assert uncertain(scene.author("a", 2_000.0), "alpha", OPERATOR)


def test_an_atomic_save_names_who_renamed(scene: Scene) -> None:
    scene.wrote("alpha", 100.0, "a.tmp", "create")
    scene.wrote("alpha", 100.1, "a.tmp", "rename", to="a")
    author = scene.author("a", 100.2)
    assert author.name == "alpha"
    assert author.evidence.endswith("rename a file to it")
    assert scene.author("a.tmp", 100.2).name == "alpha"
    assert scene.author("a", 160.0).name == OPERATOR


def test_a_renamed_folder_explains_every_file_in_it(scene: Scene) -> None:
    scene.wrote("alpha", 100.0, "old", "rename", to="new/place")
    for path in ("old/x", "old/y/z", "new/place/x", "new/place/y/z"):
        assert scene.author(path, 100.5).name == "alpha"
    assert scene.author("older/x", 100.5).name == OPERATOR
    assert scene.author("new/x", 100.5).name == OPERATOR
    assert scene.author("old/x", 150.0).name == OPERATOR


def test_a_folder_replaced_by_a_link_still_explains_its_files(scene: Scene) -> None:
    scene.wrote("alpha", 100.0, "d", "rename", to="e")
    scene.wrote("alpha", 100.1, "d", "symlink")
    assert scene.author("d", 100.2).name == "alpha"
    assert scene.author("d/x", 100.2).name == "alpha"
    assert scene.author("e/x", 100.2).name == "alpha"


def test_removing_an_empty_folder_removes_no_file(scene: Scene) -> None:
    scene.wrote("alpha", 100.0, "d", "rmdir")
    assert scene.author("d/x", 100.1).name == OPERATOR
    scene.wrote("alpha", 200.0, "d/x", "unlink")
    scene.wrote("alpha", 200.0, "d", "rmdir")
    assert scene.author("d/x", 200.1).name == "alpha"


def test_a_link_changes_its_new_name_only(scene: Scene) -> None:
    scene.wrote("alpha", 100.0, "a", "link", to="b")
    assert scene.author("a", 100.1).name == OPERATOR
    assert scene.author("b", 100.1).name == "alpha"
    scene.wrote("alpha", 200.0, "a", "link")
    assert scene.author("a", 200.1).name == OPERATOR


@pytest.mark.parametrize("order", [("log", "log.1"), ("log.1", "log")])
def test_a_descriptor_follows_its_file_through_a_rename(scene: Scene, order: tuple[str, str]) -> None:
    scene.wrote("beta", 100.0, "log", "create")
    scene.open.add((20, "log"))
    assert scene.author("log", 100.1).name == "beta"
    scene.wrote("alpha", 200.0, "log", "rename", to="log.1")
    scene.open = {(20, "log.1")}
    for path in order:
        author = scene.author(path, 200.1)
        assert author.name is None
        assert set(author.candidates) == {"alpha", "beta"}
    assert uncertain(scene.author("log.1", 900.0), "beta", OPERATOR)


def test_a_descriptor_follows_its_file_through_a_folder_rename(scene: Scene) -> None:
    scene.wrote("beta", 100.0, "old/log", "create")
    scene.wrote("alpha", 200.0, "old", "rename", to="new")
    scene.open = {(20, "new/log")}
    assert set(scene.author("old/log", 200.1).candidates) == {"alpha", "beta"}
    assert set(scene.author("new/log", 200.1).candidates) == {"alpha", "beta"}
    assert uncertain(scene.author("new/log", 900.0), "beta", OPERATOR)


def test_missed_writes_make_an_agent_unobserved_for_a_while(scene: Scene) -> None:
    scene.authors.missed("beta")
    assert uncertain(scene.author("a", 100.0), "beta", OPERATOR)
    scene.authors.record("alpha", {"n": 1, "time": 200.0, "pid": 3, "program": "helper", "op": "unreadable"})
    assert uncertain(scene.author("b", 200.0), "beta", "alpha", OPERATOR)
    assert scene.author("b", 2_000.0).name == OPERATOR


def test_records_that_waited_for_the_engine_still_count(scene: Scene) -> None:
    scene.wrote("alpha", 100.0, "a")
    assert uncertain(scene.author("a", 5_000.0), "alpha", OPERATOR)


def test_a_record_sent_twice_counts_once(scene: Scene) -> None:
    fields: dict[str, Any] = {
        "n": 7,
        "time": 100.0,
        "pid": 4,
        "program": "sed",
        "op": "open",
        "path": "a",
        "to": None,
    }
    scene.authors.record("alpha", fields)
    assert scene.author("a", 100.1).name == "alpha"
    scene.authors.record("alpha", dict(fields))
    assert scene.author("a", 120.0).name == OPERATOR
    # A restarted agent counts from the beginning again: the same number, another record.
    scene.authors.record("alpha", fields | {"time": 130.0, "pid": 9})
    assert scene.author("a", 130.1).name == "alpha"


def test_a_clock_that_was_set_back_makes_nobody_certain(scene: Scene) -> None:
    scene.wrote("alpha", 5_000.0, "a")
    assert uncertain(scene.author("a", 1_000.0), "alpha", OPERATOR)


GOOD: dict[str, object] = {
    "n": 1,
    "time": 1.0,
    "pid": 2,
    "program": "p",
    "op": "open",
    "path": "a",
    "to": None,
}


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("n", [None, -1, True, 1.5, "1", 1 << 70]),
        ("time", [None, "1", float("nan"), float("inf"), -1.0, 10**400, True]),
        ("pid", [None, -4, 2.0, "2"]),
        ("program", [None, 7, b"x"]),
        ("op", [None, "", "format", 3]),
        ("path", [None, "", "/etc/passwd", "../x", "a/../b", "a//b", "a\0b", "./a", "a/", 5, "x" * 70_000]),
        ("to", ["", "/abs", 4, "a/.."]),
    ],
)
def test_malformed_records_are_refused(scene: Scene, field: str, values: Sequence[object]) -> None:
    for value in values:
        with pytest.raises(ValueError, match=field):
            scene.authors.record("alpha", GOOD | {field: value})
    for agent in ("", OPERATOR):
        with pytest.raises(ValueError, match="agent"):
            scene.authors.record(agent, GOOD)
    assert scene.author("a", 1.0).name == OPERATOR


def test_hostile_paths_and_programs_are_taken_as_they_are(scene: Scene) -> None:
    path = "[x]\n" + "\udcff" * 4_000 + "/y"
    scene.authors.record("alpha", GOOD | {"path": path, "program": "\x1b[31m" * 100})
    author = scene.author(path, 1.0)
    assert author.name == "alpha"
    assert len(author.evidence) < 200


def test_memory_is_bounded_and_forgetting_never_names_the_operator(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "RECORD_LIMIT", 100)
    monkeypatch.setattr(authors_module, "TOUCH_LIMIT", 100)
    for number in range(100):
        scene.wrote("alpha", 100.0, f"file {number}")
        scene.author(f"file {number}", 100.0)
    assert scene.author("other", 100.0).name == OPERATOR
    scene.wrote("beta", 100.0, "held")
    scene.open.add((20, "held"))
    for number in range(150):
        scene.wrote("alpha", 101.0, f"more {number}")
    assert len(scene.authors._ledger) <= 100
    assert len(scene.authors._touches) <= 100
    assert scene.author("more 149", 101.0).name == "alpha"
    assert uncertain(scene.author("more 0", 101.0), "alpha", OPERATOR)
    assert uncertain(scene.author("held", 101.0), "beta", "alpha", OPERATOR)
    assert scene.author("more 1", 1_000.0).name == OPERATOR


def test_long_paths_are_bounded_too(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "TEXT_LIMIT", 10_000)
    for number in range(50):
        scene.wrote("alpha", 100.0, f"{number}" + "x" * 1_000)
    assert len(scene.authors._ledger) < 10
    assert scene.author("49" + "x" * 1_000, 100.0).name == "alpha"


def test_thousands_of_saves_of_one_file(scene: Scene) -> None:
    for number in range(3_000):
        now = 100.0 + number / 100
        scene.wrote("alpha", now, f"a.{number}", "rename", to="a")
        if number % 10 == 0:
            assert scene.author("a", now).name == "alpha"


def test_a_file_opened_long_ago_that_is_closed_right_after_the_write(scene: Scene) -> None:
    scene.wrote("alpha", 100.0, "a")
    scene.open.add((10, "a"))
    assert scene.author("other", 101.0).name == OPERATOR
    scene.open.clear()  # it wrote "a" and closed it just before the next question, eleven minutes later
    assert scene.author("other", 800.0).name == OPERATOR
    assert uncertain(scene.author("a", 800.0), "alpha", OPERATOR)


def test_a_descriptor_closed_after_a_rename_leaves_a_candidate_at_the_new_name(scene: Scene) -> None:
    scene.wrote("beta", 100.0, "old/log")
    scene.wrote("alpha", 100.1, "old", "rename", to="new")
    for path in ("old/log", "new/log"):
        assert uncertain(scene.author(path, 100.2), "alpha", "beta")


# ── what the times of files tell ────────────────────────────────────────────────────────────────


class Timed(Scene):
    """The same where the file system tells when a file last changed."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 50.0
        self.authors = Authors(lambda pid, path: (pid, path) in self.open, lambda: self.now)

    def write(self, agent: str, time: float, path: str, *was: float | None, op: str = "open") -> None:
        self.count += 1
        pid = {"alpha": 10, "beta": 20}[agent]
        fields: dict[str, object] = {"n": self.count, "time": time, "pid": pid, "program": "sed", "op": op}
        self.authors.record(agent, fields | {"path": path, "to": None, "was": [*was, None]})

    def seen(self, path: str, changed: float | None, at: float) -> Author:
        self.now = at
        return self.authors.author(
            path, at, unobserved=self.unobserved, observed=self.observed, changed=changed,
            gone=changed is None,
        )  # fmt: skip


@pytest.fixture
def timed() -> Timed:
    return Timed()


def test_an_old_record_is_certain_when_the_file_changed_right_after_it(timed: Timed) -> None:
    timed.write("alpha", 100.0, "a", 40.0)
    assert timed.seen("a", 100.1, 130.0).name == "alpha"


def test_an_old_record_is_not_when_the_file_changed_later(timed: Timed) -> None:
    timed.write("alpha", 100.0, "a", 40.0)
    assert uncertain(timed.seen("a", 101.0, 130.0), "alpha", OPERATOR)


def test_the_operator_is_named_half_a_second_after_an_agent(timed: Timed) -> None:
    timed.write("alpha", 100.0, "a", 40.0)
    assert timed.seen("a", 100.1, 100.2).name == "alpha"
    assert timed.seen("a", 100.5, 100.6).name == OPERATOR
    assert timed.seen("a", None, 100.8).name == OPERATOR


def test_what_the_operator_wrote_just_before_an_agent_is_not_the_agents(timed: Timed) -> None:
    timed.write("alpha", 100.0, "a", 99.9)
    assert uncertain(timed.seen("a", 100.1, 100.2), "alpha", OPERATOR)
    timed.write("alpha", 110.0, "a", 100.1)
    assert timed.seen("a", 110.1, 110.2).name == "alpha"


def test_a_record_from_after_the_look_explains_the_next_change_only(timed: Timed) -> None:
    timed.write("beta", 100.3, "a", 100.0)
    assert timed.seen("a", 100.0, 100.4).name == OPERATOR
    assert timed.seen("a", 100.35, 100.5).name == "beta"


def test_a_removal_is_the_agents_that_recorded_it_and_else_the_operators(timed: Timed) -> None:
    timed.write("alpha", 100.0, "a", 40.0, op="unlink")
    assert timed.seen("a", None, 120.0).name == "alpha"
    timed.write("alpha", 130.0, "b", 40.0)
    assert timed.seen("b", 130.1, 130.2).name == "alpha"
    assert timed.seen("b", None, 131.0).name == OPERATOR


def test_a_file_that_was_only_touched_in_between_keeps_its_next_author(timed: Timed) -> None:
    timed.write("alpha", 100.0, "a", 40.0)
    timed.seen("a", 100.1, 100.2)
    timed.authors.unchanged("a", 105.0)
    timed.write("beta", 110.0, "a", 105.0)
    assert timed.seen("a", 110.1, 110.2).name == "beta"


def test_an_agent_without_a_gate_is_a_candidate_while_another_has_the_file_open(timed: Timed) -> None:
    timed.unobserved = ["gamma"]
    timed.open.add((10, "a"))
    timed.write("alpha", 100.0, "a", 40.0)
    assert timed.seen("a", 100.1, 100.2).name == "alpha"
    assert uncertain(timed.seen("a", 100.6, 100.7), "alpha", "gamma", OPERATOR)


def test_after_an_absence_what_was_written_meanwhile_is_nobodys_for_certain(timed: Timed) -> None:
    timed.authors.resume(20.0)
    timed.write("alpha", 48.0, "a", 45.0)
    assert uncertain(timed.seen("a", 48.1, 51.0), "alpha", OPERATOR)
    timed.write("alpha", 48.0, "b", 15.0)
    assert timed.seen("b", 48.1, 51.0).name == "alpha"


@pytest.mark.parametrize("was", ["x", [True], ["1"], [1.0, 2.0, 3.0], [float("nan")]])
def test_times_that_make_no_sense_are_refused(scene: Scene, was: object) -> None:
    fields = {"n": 1, "time": 1.0, "pid": 1, "program": "", "op": "open", "path": "a", "to": None}
    with pytest.raises(ValueError, match="time"):
        scene.authors.record("alpha", fields | {"was": was})


def test_what_is_remembered_of_renames_does_not_grow_for_ever(scene: Scene) -> None:
    def remembered() -> int:
        return sum(len(each) for each in scene.authors._holders.values())

    counts = []
    for minute in range(60):
        for turn in range(10):
            now, pid = 100.0 + 60 * minute + turn, 1_000 + 10 * minute + turn
            scene.wrote("alpha", now, "new", op="create", pid=pid)
            scene.wrote("alpha", now, "new", op="rename", to=f"f{turn % 3}", pid=pid)
            scene.wrote("alpha", now, f"f{turn % 3}", pid=pid + 100_000)
            assert scene.author(f"f{turn % 3}", now).name == "alpha"
        counts.append(remembered())
    assert 0 < max(counts[30:]) <= max(counts[:30])
