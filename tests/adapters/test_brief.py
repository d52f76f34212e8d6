"""The brief tells an agent who it is, what is its own, and how to ask."""

from __future__ import annotations

from runebook_tui.clients.brief import brief
from runebook_tui.core.events import ApiPublished, RunStarted
from runebook_tui.core.fold import fold
from runebook_tui.core.state import State
from runebook_tui.core.types import ExecutionPlan
