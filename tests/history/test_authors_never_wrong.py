"""Any order of writes by agents and operator, with truthful records: no certain name is ever wrong."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from runebook_tui.core.types import OPERATOR, Author
from runebook_tui.history.authors import Authors
from runebook_tui.history.sight import FRESH_SECONDS, SOON_SECONDS

AGENTS = st.sampled_from(["alpha", "beta", "gamma"])
PATHS = st.sampled_from(["a", "b", "d/x", "e/x"])


class World(RuleBasedStateMachine):
    """Files, the processes that have them open, and who truly wrote since each path was last looked at.

    gamma has no gate: its writes leave no record, as the operator's do. `times` is what the file system
    tells: when each file last changed.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_000.0
        self.count = 0
        self.open: dict[int, tuple[str, str]] = {}
        """Agent and present path by process."""
        self.writers: defaultdict[str, list[str]] = defaultdict(list)
        self.times: dict[str, float] = {}
        self.removers: defaultdict[str, set[str]] = defaultdict(set)
        """Who removed each path since it was last looked at."""
        self.recorded: dict[str, float] = {}
        """When each path was last recorded."""
        self.ungated: dict[str, float] = {}
        self.gamma_lives = False
        self.authors = Authors(
            lambda pid, path: pid in self.open and self.open[pid][1] == path, lambda: self.now
        )
        self.now += 1.0

    def gate(self, agent: str, pid: int, op: str, path: str, to: str | None = None) -> None:
        if agent == "gamma":
            return
        self.count += 1
        was = [self.times.get(path), None if to is None else self.times.get(to)]
        facts = {"n": self.count, "time": self.now, "pid": pid, "program": "p", "op": op, "path": path}
        self.authors.record(agent, facts | {"to": to, "was": was})
        for each in (path, to):
            if each is not None:
                self.recorded[each] = self.now

    def allowed(self, agent: str, *paths: str) -> bool:
        """The assumption: nobody without a gate writes soon after a record, nor into what was just opened."""
        if agent not in (OPERATOR, "gamma"):
            return True
        ago = [self.now - self.recorded.get(path, 0.0) for path in paths]
        held = {path for agent, path in self.open.values() if agent != "gamma"}
        return all(
            since > (FRESH_SECONDS if path in held else SOON_SECONDS)
            for path, since in zip(paths, ago, strict=True)
        )

    def lands(self, agent: str, *paths: str, whole: bool = False) -> None:
        """A change by `agent`; of a `whole` one nothing is left of what others wrote before.

        Of a file that came and went again there is no trace: who removed it first has removed it, too.
        """
        self.now += 0.001  # no two changes at the same time
        for path in paths:
            self.writers[path] = [agent] if whole else [*self.writers[path], agent]
            self.times[path] = self.now
            if agent in (OPERATOR, "gamma"):
                self.ungated[path] = self.now

    def removes(self, agent: str, path: str) -> None:
        del self.times[path]
        self.removers[path].add(agent)

    @rule(seconds=st.sampled_from([0.01, 0.1, 0.3, 1.0, 2.6, 30.0, 400.0, 700.0]))
    def time_passes(self, seconds: float) -> None:
        # The assumption: no change waits five minutes for `author`.
        if seconds > 100:
            for path in list(self.writers):
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
            self.gate(agent, pid, "truncate" if writes and path in self.times else "open", path)
            self.open[pid] = (agent, path)
            if writes or path not in self.times:
                self.lands(agent, path, whole=path not in self.times)

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
            self.lands(agent, path, whole=True)
            self.unlinked(path)

    @rule(agent=st.sampled_from(["alpha", "beta"]), path=PATHS)
    def agent_removes(self, agent: str, path: str) -> None:
        if self.allowed(agent, path) and path in self.times:
            self.count += 1
            self.gate(agent, self.count, "unlink", path)
            self.lands(agent, path, whole=True)
            self.removes(agent, path)
            self.unlinked(path)

    @rule(path=PATHS)
    def operator_removes(self, path: str) -> None:
        if self.allowed(OPERATOR, path) and path in self.times:
            self.lands(OPERATOR, path, whole=True)
            self.removes(OPERATOR, path)
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
        if any(one not in self.times for one, _ in files):
            return
        self.count += 1
        self.gate(agent, self.count, "rename", old, new)
        for one, other in files:
            self.recorded[one] = self.recorded[other] = self.now
            self.unlinked(other)
            before = self.times[one]
            self.lands(agent, one, other, whole=True)
            self.removes(agent, one)
            if one != old:  # only a file's own rename shows in its time
                self.times[other] = before
            self.open = {pid: (who, other if path == one else path) for pid, (who, path) in self.open.items()}

    def unlinked(self, path: str) -> None:
        self.open = {pid: held for pid, held in self.open.items() if held[1] != path}

    @rule(path=PATHS)
    def seen(self, path: str) -> None:
        """The path is looked at and, if something landed since, its author asked for."""
        writers = set(self.writers.pop(path, ()))
        removers = self.removers.pop(path, set())
        if writers:
            self.check(
                path, self.ask(path, self.times.get(path)), writers if path in self.times else removers
            )

    @rule(path=PATHS, at=st.integers(0, 9))
    def seen_while_a_process_ends_its_write(self, path: str, at: int) -> None:
        """A last write lands after the content was read and before the author is asked."""
        here = [pid for pid, (agent, held) in sorted(self.open.items()) if held == path and agent != "gamma"]
        if here and path in self.writers:
            writers = set(self.writers.pop(path))
            self.removers.pop(path, None)
            pid = here[at % len(here)]
            late = self.open.pop(pid)[0]
            read = self.times.get(path)
            self.lands(late, path)
            del self.writers[path]
            author = self.ask(path, read)
            assert author.name is None or author.name in writers
            # The second change is noticed before anybody else writes.
            self.now += 0.2
            self.check(path, self.ask(path, self.times[path]), {late})

    def ask(self, path: str, changed: float | None) -> Author:
        unobserved = ["gamma"] if self.gamma_lives else []
        return self.authors.author(
            path, self.now, unobserved=unobserved, observed=["alpha", "beta"],
            changed=changed, gone=changed is None,
        )  # fmt: skip

    def check(self, path: str, author: Author, writers: set[str]) -> None:
        if author.name is not None:
            removed = path not in self.times
            assert author.name in writers if removed else writers == {author.name}, author.evidence
        else:
            assert writers & set(author.candidates), author.evidence


TestNeverWrong = World.TestCase
TestNeverWrong.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
