"""What `status` and `requests` say of the gate and of writes that wait."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runebook_tui.cli import shapes, words
from runebook_tui.core.sentences import gate_words
from runebook_tui.core.state import AgentState, RequestState, State
from runebook_tui.core.types import AgentSpec, Crossing, GateMode, RequestKind

REQUEST = RequestState(
    id=3,
    kind=RequestKind.HELD,
    requester="alpha",
    candidates=(),
    crossings={"beta/x": Crossing(path="beta/x", owner="beta")},
    reason="",
    evidence="the kernel gate stopped sed (pid 7)",
    pid=7,
    program="sed",
    opened_at=1000.0,
    updated_at=1000.0,
    held_since=1000.0,
    held_until=1120.0,
)


def gated(
    mode: GateMode | None, wanted: GateMode = GateMode.ENFORCE, reason: str = "", holds: bool | None = True
) -> AgentState:
    spec = AgentSpec(id="alpha", phase="build", command=("true",), gate=wanted)
    return AgentState(spec, alive=True, gate=reason, gate_mode=mode, gate_holds=holds)


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        (gated(None, holds=None), ""),
        (gated(GateMode.ENFORCE), ""),
        (gated(GateMode.OBSERVE, GateMode.OBSERVE, "the plan says so"), ""),
        (gated(GateMode.OBSERVE, reason="kernel 5.15"), "gate observes: kernel 5.15"),
        (gated(GateMode.OFF, reason="no seccomp", holds=False), "gate off: no seccomp"),
        (gated(None, reason="an older log", holds=False), "gate off: an older log"),
    ],
)
def test_the_gate_is_told_when_it_does_less_than_the_plan_asks_for(agent: AgentState, said: str) -> None:
    assert gate_words(agent) == said


@pytest.mark.parametrize(
    ("mode", "end"),
    [(GateMode.ENFORCE, "  enforce"), (GateMode.OFF, "  gate off: no seccomp"), (None, "no longer has it")],
)
def test_status_says_the_mode_of_each_gate(mode: GateMode | None, end: str) -> None:
    agent = gated(mode, reason="no seccomp")
    assert words._agent_words(State(agents={"alpha": agent}), agent).rstrip().endswith(end)
    found = shapes.agent_shape(State(agents={"alpha": agent}), agent)["gate"]
    assert found == {
        "mode": None if mode is None else mode.value,
        "holds": True,
        "reason": "no seccomp",
        "proven": False,
    }


def test_a_write_that_waits_says_until_when() -> None:
    said = words.request_words(REQUEST, 1014.0)
    assert f"waits until {words.clock(1120.0)} (106 s more): sed, pid 7" in said
    assert shapes.request_shape(REQUEST)["held_until"] == "1970-01-01T00:18:40.000Z"


def test_a_write_that_waits_no_more_says_why() -> None:
    over = replace(REQUEST, held_until=None, hold_over="refused, because nobody answered within 120 s")
    said = words.request_words(over, 1200.0)
    assert (
        "no write waits: refused, because nobody answered within 120 s; approving lets the next try" in said
    )
    assert "waits until" not in said
