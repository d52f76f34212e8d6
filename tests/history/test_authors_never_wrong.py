"""Any order of writes by agents and operator, with truthful records: no certain name is ever wrong."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from runebook_tui.core.types import OPERATOR, Author
from runebook_tui.history.authors import FRESH_SECONDS, Authors

AGENTS = st.sampled_from(["alpha", "beta", "gamma"])
PATHS = st.sampled_from(["a", "b", "d/x", "e/x"])


class World(RuleBasedStateMachine):
    """Files, the processes that have them open, and who truly wrote since each path was last looked at.

    gamma has no gate: its writes leave no record, as the operator's do.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_000.0
        self.count = 0
        self.open: dict[int, tuple[str, str]] = {}
        """Agent and present path by process."""
        self.writers: defaultdict[str, list[str]] = defaultdict(list)
        self.recorded: dict[str, float] = {}
        """When each path was last written under a gate, or recorded."""
        self.ungated: dict[str, float] = {}
        self.gamma_lives = False
        self.authors = Authors(lambda pid, path: pid in self.open and self.open[pid][1] == path)

    def gate(self, agent: str, pid: int, op: str, path: str, to: str | None = None) -> None:
        if agent == "gamma":
            return
        self.count += 1
        self.authors.record(
            agent,
            {"n": self.count, "time": self.now, "pid": pid, "program": "p", "op": op, "path": path, "to": to},
        )
        for each in (path, to):
            if each is not None:
                self.recorded[each] = self.now

    def allowed(self, agent: str, *paths: str) -> bool:
        """The assumption: within 2.5 s of a recorded write nobody without a gate writes the same path."""
        others = self.recorded if agent in (OPERATOR, "gamma") else self.ungated
        return all(self.now - others.get(path, 0.0) > FRESH_SECONDS for path in paths)

    def lands(self, agent: str, *paths: str) -> None:
        for path in paths:
            self.writers[path].append(agent)
            if agent in (OPERATOR, "gamma"):
                self.ungated[path] = self.now

    @rule(seconds=st.sampled_from([0.01, 0.3, 1.0, 2.6, 30.0, 700.0]))
    def time_passes(self, seconds: float) -> None:
        # The assumption: a change without a record waits at most 2.5 s for `author`, others for minutes.
        for path in list(self.writers):
            ungated = set(self.writers[path]) & {OPERATOR, "gamma"}
            if seconds > 500 or (ungated and self.now + seconds - self.ungated[path] > FRESH_SECONDS):
                self.seen(path)
        self.now += seconds

    @rule(lives=st.booleans())
    def gamma_comes_or_goes(self, lives: bool) -> None:
        held = any(agent == "gamma" for agent, _ in self.open.values())
        if lives or not (held or any("gamma" in who for who in self.writers.values())):
            self.gamma_lives = lives

    @rule(path=PATHS)
    def operator_writes(self, path: str) -> None:
        if self.allowed(OPERATOR, path):
            self.lands(OPERATOR, path)

    @rule(agent=AGENTS, path=PATHS, writes=st.booleans())
    def agent_opens(self, agent: str, path: str, writes: bool) -> None:
        if self.allowed(agent, path) and (agent != "gamma" or self.gamma_lives):
            self.count += 1
            pid = self.count
            self.gate(agent, pid, "open", path)
            self.open[pid] = (agent, path)
            if writes:
                self.lands(agent, path)

    @rule(at=st.integers(0, 9), closes=st.booleans(), writes=st.booleans())
    def agent_goes_on(self, at: int, closes: bool, writes: bool) -> None:
        if self.open:
            pid = sorted(self.open)[at % len(self.open)]
            agent, path = self.open[pid]
            if writes and (agent != "gamma" or self.allowed(agent, path)):
                self.lands(agent, path)
            if closes:
                del self.open[pid]

    @rule(agent=AGENTS, path=PATHS)
    def agent_saves_at_once(self, agent: str, path: str) -> None:
        if self.allowed(agent, path) and (agent != "gamma" or self.gamma_lives):
            self.count += 1
            self.gate(agent, self.count, "create", path + ".tmp")
            self.gate(agent, self.count, "rename", path + ".tmp", path)
            self.lands(agent, path)
            self.unlinked(path)

    @rule(agent=st.sampled_from(["alpha", "beta"]), path=PATHS)
    def agent_removes(self, agent: str, path: str) -> None:
        if self.allowed(agent, path):
            self.count += 1
            self.gate(agent, self.count, "unlink", path)
            self.lands(agent, path)
            self.unlinked(path)

    @rule(agent=st.sampled_from(["alpha", "beta"]), there=st.booleans())
    def agent_renames_the_folder(self, agent: str, there: bool) -> None:
        old, new = ("d", "e") if there else ("e", "d")
        self.moves(agent, [(f"{old}/x", f"{new}/x")], old, new)

    @rule(agent=st.sampled_from(["alpha", "beta"]), there=st.booleans())
    def agent_renames_a_file(self, agent: str, there: bool) -> None:
        old, new = ("a", "b") if there else ("b", "a")
        self.moves(agent, [(old, new)], old, new)

    def moves(self, agent: str, files: list[tuple[str, str]], old: str, new: str) -> None:
        if not all(self.allowed(agent, *pair) for pair in files):
            return
        self.count += 1
        self.gate(agent, self.count, "rename", old, new)
        for one, other in files:
            self.recorded[one] = self.recorded[other] = self.now
            self.unlinked(other)
            self.lands(agent, one, other)
            self.open = {pid: (who, other if path == one else path) for pid, (who, path) in self.open.items()}

    def unlinked(self, path: str) -> None:
        self.open = {pid: held for pid, held in self.open.items() if held[1] != path}

    @rule(path=PATHS)
    def seen(self, path: str) -> None:
        """The path is looked at and, if something landed since, its author asked for."""
        writers = set(self.writers.pop(path, ()))
        if writers:
            self.check(self.ask(path), writers)

    @rule(path=PATHS, at=st.integers(0, 9))
    def seen_while_a_process_ends_its_write(self, path: str, at: int) -> None:
        """A last write lands after the content was read and before the author is asked."""
        writers = set(self.writers.pop(path, ()))
        here = [pid for pid, (agent, held) in sorted(self.open.items()) if held == path and agent != "gamma"]
        if writers and here:
            pid = here[at % len(here)]
            late = self.open.pop(pid)[0]
            author = self.ask(path)
            assert author.name is None or author.name in writers
            # The second change is noticed before anybody else writes.
            self.now += 0.2
            self.check(self.ask(path), {late})

    def ask(self, path: str) -> Author:
        unobserved = ["gamma"] if self.gamma_lives else []
        return self.authors.author(path, self.now, unobserved=unobserved, observed=["alpha", "beta"])

    def check(self, author: Author, writers: set[str]) -> None:
        if author.name is not None:
            assert writers == {author.name}, author.evidence
        else:
            assert writers & set(author.candidates), author.evidence


TestNeverWrong = World.TestCase
TestNeverWrong.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
