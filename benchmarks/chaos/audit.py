"""The audit: whether a log says what the ledger knows, and the tree holds what was approved."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import math
import os
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.chaos.ledger import Ledger, Outcome, Vote
from benchmarks.chaos.player import FILES
from benchmarks.soak.notes import Note
from runebook_tui.core.events import AgentStarted, CoordinationResponse, Record
from runebook_tui.core.fold import fold
from runebook_tui.core.messages import MessageSent
from runebook_tui.core.state import State
from runebook_tui.log.eventlog import EventLog, encode
from runebook_tui.log.lease import process_start
from runebook_tui.log.loading import load

_YES = ("taken", "approved")
AS_LAID = b"as it was\n"


_UNASKED = "no engine runs that could ask"


class Auditor:
    """Reads a log as it grows, and says what is wrong, a sentence each."""

    def __init__(self, ledger: Ledger) -> None:
        self.state = State()
        self.records = 0
        self._ledger = ledger
        self._digest = hashlib.sha256()
        self._texts: Counter[str] = Counter()
        self._decisions: dict[int, list[str]] = {}
        self._starts: Counter[str] = Counter()

    def read(self, log: EventLog) -> Iterator[str]:
        """What is wrong with the records that came since the last time."""
        fresh = log.read(after=self.records)
        expected = self.records
        for record in fresh:
            expected += 1
            if record.seq != expected:
                yield f"record {expected} is missing: {record.seq} comes after {expected - 1}"
                expected = record.seq
            self._digest.update(line(record))
            self._note(record)
        self.records = expected
        self.state = fold(fresh, self.state)

    def _note(self, record: Record) -> None:
        event = record.event
        if isinstance(event, MessageSent):
            self._texts[event.text] += 1
        elif isinstance(event, CoordinationResponse):
            self._decisions.setdefault(event.request, []).append(event.decision)
        elif isinstance(event, AgentStarted):
            self._starts[event.agent] += 1

    def whole(self, log: EventLog) -> Iterator[str]:
        """What is wrong with the log as a whole: it must begin as it did, and mean what it did."""
        records = log.read(before=self.records + 1)
        digest = hashlib.sha256()
        for record in records:
            digest.update(line(record))
        if digest.digest() != self._digest.digest():
            yield "records that were read before have changed"
        if fold(records) != self.state:
            yield "the log folds to another state than it did record by record"
        if log.last_seq() == self.records and load(log) != self.state:
            yield "the log is loaded as another state than it folds to"

    def said(self, said: Mapping[str, Outcome], notes: Iterable[Note]) -> Iterator[str]:
        """Every message that was taken is there once, and none twice."""
        told = {str(note["text"]) for note in notes if note["do"] == "told"}
        outcomes: dict[str, Outcome] = {**said, **dict.fromkeys(told, "taken")}
        for text, outcome in outcomes.items():
            found = self._texts[text]
            if outcome == "taken" and not found:
                yield f"the engine took {text!r}, and the log has not got it"
            elif outcome == "refused" and found:
                yield f"the engine refused {text!r}, and the log has got it"
        for text, found in self._texts.items():
            if found > 1:
                yield f"{text!r} is {found} times in the log"

    def decided(self, votes: Sequence[Vote]) -> Iterator[str]:
        """Every decision that was taken is there, none is there twice, and who came too late was told so."""
        for request, decisions in self._decisions.items():
            if len(decisions) > 1:
                yield f"request {request} was decided {len(decisions)} times: {', '.join(decisions)}"
        for vote in votes:
            decisions = self._decisions.get(vote.request, [])
            if vote.outcome == "taken" and decisions[:1] != [vote.decision]:
                yield f"{vote.operator} {vote.decision} request {vote.request}; the log says {decisions}"
            elif vote.outcome == "refused" and not self._rightly(vote, decisions):
                yield f"{vote.operator} was told of request {vote.request}: {vote.words!r}; it is {decisions}"
        heard = Counter(vote.request for vote in votes if vote.outcome == "taken")
        for request, times in heard.items():
            if times > 1:
                yield f"{times} operators were told that they had decided request {request}"

    def _rightly(self, vote: Vote, decisions: Sequence[str]) -> bool:
        if vote.words.startswith(("nothing was changed", "no engine of host ")):
            return True
        status = decisions[0] if decisions else self.state.requests[vote.request].status
        return vote.words == f"request {vote.request} is {status} already"

    def alive(self) -> Iterator[str]:
        """Every agent that must be alive is the process that it was, started as often as it was."""
        for name, life in self._ledger.lives.items():
            agent = self.state.agents[name]
            if process_start(life.pid) != life.started:
                yield f"{name} (pid {life.pid}) is not there any more"
            if not agent.alive or agent.pid != life.pid:
                told = f"{agent.pid}, {agent.status.value}: {agent.reason}"
                yield f"{name} is pid {life.pid}; the log says {told}"
            if (agent.attempt, self._starts[name]) != (life.attempt, life.attempt):
                told = f"{agent.attempt}, by {self._starts[name]} records"
                yield f"{name} was started {life.attempt} times; the log says {told}"

    def landed(
        self, agent: str, changed: Container[int], notes: Sequence[Note], votes: Sequence[Vote]
    ) -> Iterator[str]:
        """Every file that `agent` tries is as it was laid, but for approved changes, which are all there.

        `notes` are older than what was found `changed`, and that is older than what was read of the log.
        """
        ends = {note["number"]: note for note in notes if note["do"] == "end"}
        tries = {note["number"]: note["time"] for note in notes if note["do"] == "try"}
        approved = dict(self._approved(agent))
        heard = {vote.request: vote.time for vote in votes if (vote.outcome, vote.decision) == _YES}
        for number in range(FILES):
            end = ends.get(number)
            code = None if end is None else end["errno"]
            if number not in changed:
                if code == 0 and number in approved:
                    yield f"{agent}'s change {number} was approved and told to have landed, and did not"
                elif code == 0:
                    yield f"{agent}'s change {number} was told to have landed, and did not"
            elif number not in approved:
                yield f"{agent}'s change {number} landed without an approval (its program was told {code})"
            elif approved[number] not in self._ledger.meant:
                yield f"{agent}'s change {number} landed by request {approved[number]}, which nobody approved"
            if end is None or code != errno.EACCES or number not in approved:
                continue
            # Without an engine it is refused at once, and may be approved before its program is told.
            unasked = self.state.requests[approved[number]].reason == _UNASKED
            if (tries[number] if unasked else end["time"]) > heard.get(approved[number], math.inf):
                yield f"{agent}'s change {number} was approved by request {approved[number]}, and refused"

    def _approved(self, agent: str) -> Iterator[tuple[int, int]]:
        for request in self.state.requests.values():
            if request.status == "approved" and request.requester == agent:
                for path in request.paths:
                    digits = path.removeprefix("beta/").lstrip("abcdefghijklmnopqrstuvwxyz")
                    if digits.isdigit():
                        yield int(digits), request.id


def lay(root: Path) -> None:
    """Make the files that the player tries to change."""
    for number in range(FILES):
        (root / f"beta/old{number}").write_bytes(AS_LAID)


def changed(root: Path, most: int = FILES) -> set[int]:
    """The numbers below `most` of those files that are not as they were laid."""
    return {number for number in range(most) if not _as_laid(root, number)}


def _as_laid(root: Path, number: int) -> bool:
    old, new = root / f"beta/old{number}", root / f"beta/new{number}"
    with contextlib.suppress(FileNotFoundError):
        return old.read_bytes() == AS_LAID and not os.path.lexists(new)
    return False


def line(record: Record) -> bytes:
    """A record as a line, from which nothing is left out."""
    return f"{record.seq} {record.time!r} {record.run} {record.actor} {encode(record.event)}\n".encode()
