"""Before the agent's command runs, its pane tries whether the gate holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from runebook_tui.gate.command import _try_the_gate


def test_a_gate_that_lets_a_write_of_the_plan_pass_starts_nothing(tmp_path: Path) -> None:
    plan = tmp_path / "runebook.toml"
    plan.write_text("kept")
    with pytest.raises(ValueError, match="so it was not started"):
        _try_the_gate(bytes(tmp_path))
    assert plan.read_text() == "kept"


def test_without_a_plan_there_is_nothing_to_try(tmp_path: Path) -> None:
    _try_the_gate(bytes(tmp_path))
    assert not list(tmp_path.iterdir())
