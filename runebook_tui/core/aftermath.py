"""Aftermath: what may follow a decision. It is taken back, or its work is handed over to the owner."""

from __future__ import annotations

from typing import Literal

from runebook_tui.core.fact import Fact

Means = Literal["", "widened", "transferred", "handed over"]
"""What else a decision did: the plan was widened, files were transferred, the owner got it as a task."""


class DecisionTakenBack(Fact):
    """The operator took a decision back: the request is open again."""

    type: Literal["DecisionTakenBack"] = "DecisionTakenBack"
    request: int
    was: Literal["approved", "rejected"]


class TaskHandedOver(Fact):
    """An owner got as a task what another agent wanted in its files."""

    type: Literal["TaskHandedOver"] = "TaskHandedOver"
    agent: str
    task: str
    title: str
    request: int
    patch: str = ""
    """The file that has the diff; "" where none was known."""
