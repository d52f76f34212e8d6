"""What waits to be handled joins what waits before it, and nothing of it is lost."""

from __future__ import annotations

import asyncio
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from runebook_tui.watch.backlog import Backlog, Batch


def batch(number: int, cause: str, detail: str = "") -> Batch:
    return Batch(frozenset({f"f{number % 7}", f"g{number}"}), cause, detail, float(number))


@given(st.lists(st.sampled_from(["edit", "scan", "sweep", "git"]), max_size=30))
def test_batches_of_one_cause_that_wait_are_one_and_git_s_are_apart(causes: list[str]) -> None:
    given_batches = [batch(number, cause) for number, cause in enumerate(causes)]
    backlog = Backlog()
    for each in given_batches:
        backlog.put([each])
    found = backlog.take()
    assert len(backlog) == 0
    assert {path for each in found for path in each.paths} == {
        p for each in given_batches for p in each.paths
    }
    assert all(one.cause != other.cause or one.cause == "git" for one, other in pairwise(found))
    assert [each for each in found if each.cause == "git"] == [e for e in given_batches if e.cause == "git"]
    # A joined one began when its first did.
    assert [each.time for each in found] == sorted(each.time for each in found)


def test_other_details_stay_apart() -> None:
    backlog = Backlog()
    backlog.put([batch(1, "sweep", "start"), batch(2, "sweep"), batch(3, "sweep")])
    assert [each.detail for each in backlog.take()] == ["start", ""]


async def test_who_waits_gets_what_comes_and_then_the_end() -> None:
    backlog = Backlog()
    waiting = asyncio.create_task(backlog.get())
    await asyncio.sleep(0)
    backlog.put([batch(1, "edit")])
    assert await waiting == batch(1, "edit")
    backlog.put([batch(2, "edit")])
    backlog.end()
    assert await backlog.get() == batch(2, "edit")
    assert await backlog.get() is None
