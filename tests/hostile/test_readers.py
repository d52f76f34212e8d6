"""Whatever comes from outside, its readers raise what they say, answer in harmless words, and take no time.

`HYPOTHESIS_PROFILE=long` tries a hundred times as much.
"""

from __future__ import annotations

import os

import pytest
from hostile_targets import TARGETS, Target
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

EXAMPLES = 4000 if os.environ.get("HYPOTHESIS_PROFILE") == "long" else 40
MOST = 1 << 16

any_text = st.text(st.characters(codec=None), max_size=40)


def mixtures(target: Target) -> st.SearchStrategy[str]:
    """Texts of the target's fragments and of anything, some of them repeated until they are long."""
    piece = st.sampled_from(target.fragments) | any_text
    some = st.lists(piece, max_size=12).map("".join)
    often = st.tuples(some, st.integers(1, 4000)).map(lambda given: (given[0] * given[1])[:MOST])
    return st.tuples(some, some | often, some).map("".join)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_reads_anything(target: Target) -> None:
    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
    @given(mixtures(target))
    def reads(text: str) -> None:
        target(text)

    reads()
