"""The calls that wait: for the operator, or a moment for the words of a refusal."""

from __future__ import annotations

from collections.abc import Iterator

from runebook_tui.gate.judge import Foreign
from runebook_tui.gate.notify import SLOTS, Notification
from runebook_tui.gate.process import Process
from runebook_tui.gate.record import Record

# The ledger's other slots stay free, so that everything else flows.
MOST_HELD = SLOTS - 8
_ID_BITS = (1 << 53) - 1  # a number that every JSON reader keeps exact


class Held:
    """One question and the calls that wait for its answer.

    `spent` are approvals for once that do not cover it any more, which the engine may not know yet.
    `id` comes from the kernel's number of the first call, so whoever takes over asks under the same one.
    `deadline`, `gone` (when the engine went, or None) and `emptied` (when the last call went, or None) are
    monotonic seconds.
    """

    def __init__(
        self, notification: Notification, process: Process, foreign: Foreign, record: Record, deadline: float
    ) -> None:
        self.id = notification.id & _ID_BITS
        self.calls = [notification]
        self.process = process
        self.path = foreign.path
        self.owner = foreign.owner
        self.waits = foreign.waits
        self.why = foreign.why
        self.record = record
        self.spent: list[int] = []
        self.deadline = deadline
        self.connection = 0  # on which the question was asked
        self.gone: float | None = None
        self.emptied: float | None = None

    def line(self) -> dict[str, object]:
        """The question as a line for the engine."""
        return {
            "do": "held",
            "id": self.id,
            "record": self.record,
            "waits": self.waits,
            "reason": self.why,
            "spent": self.spent,
        }


class Holds:
    """Every question that is open, by its id."""

    def __init__(self) -> None:
        self._by_id: dict[int, Held] = {}

    def __len__(self) -> int:
        """The number of calls that wait."""
        return sum(len(held.calls) for held in self._by_id.values())

    def __iter__(self) -> Iterator[Held]:
        return iter(list(self._by_id.values()))

    @property
    def full(self) -> bool:
        """Whether no further call may wait."""
        return len(self) >= MOST_HELD

    def get(self, number: int) -> Held | None:
        """The open question with this id."""
        return self._by_id.get(number)

    def same(self, process: Process, path: str) -> Held | None:
        """The open question of this process about this path."""
        for held in self._by_id.values():
            if held.path == path and held.process.key == process.key:
                return held
        return None

    def add(self, held: Held) -> None:
        """Keep a question."""
        self._by_id[held.id] = held

    def remove(self, held: Held) -> None:
        """Forget a question that has its answer."""
        self._by_id.pop(held.id, None)
