"""Four agents and the operator write into one tree at the same time: is every author named rightly?"""

from __future__ import annotations

import json
import math
import os
import random
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from benchmarks.hand import WAYS
from benchmarks.processes import start
from benchmarks.scratch import Scratch
from benchmarks.session import DEADLINE, PROGRAM, BenchmarkError
from benchmarks.table import Table
from runebook_tui.core.events import Record, Touched
from runebook_tui.core.types import OPERATOR, Version
from runebook_tui.execution.client import EngineClient, EngineDown, EngineRefused
from runebook_tui.execution.follow import open_log
from runebook_tui.history.store import ContentStore
from runebook_tui.log.eventlog import LogError
from runebook_tui.log.loading import load
from runebook_tui.place import state_folder, tmux_socket_name

AGENTS = ("alpha", "beta", "gamma", "delta")
_COLUMNS = (
    "gates",
    "writes",
    "changes seen",
    "named rightly",
    "named wrongly",
    "not named",
    "share not named",
)
NOTE = (
    "Four agents in their panes and the operator write {files} files of one tree in turns, {gap:g} s apart "
    "on average, by shell redirection, append, rename onto the file, Python, `sed -i`, `git apply`, `rm` and "
    "a process that outlives its parent. Every write brings a line of its own, which says whose it is. No "
    "file is written by two authors within {pause:g} s of each other. A change counts as named wrongly, too, "
    "if its author is none of the candidates."
)
_SEED = 20_261_123


class Size(NamedTuple):
    """Writes in each round, files, seconds between writes, and between two authors' writes of one file."""

    writes: int
    files: int = 60
    gap: float = 0.012
    pause: float = 0.5


FULL = Size(1_200)
QUICK = Size(100, files=30)


class Gates(NamedTuple):
    """The gate's mode of each agent."""

    name: str
    modes: Sequence[str]


def rounds(mode: str = "observe") -> list[Gates]:
    """All gates in `mode`, all but two, none."""
    return [
        Gates(mode, [mode] * 4),
        Gates(f"{mode}, two of four off", [mode, mode, "off", "off"]),
        Gates("off", ["off"] * 4),
    ]


class Tally(NamedTuple):
    """Changes by how their author was told."""

    writes: int
    right: int
    wrong: tuple[str, ...]
    """Each one in words."""
    unknown: int


def measure(folder: Path, size: Size) -> Iterator[Table]:
    """The table of names."""
    rows, wrong = [], 0
    for gates in rounds():
        print(f"authors: gates {gates.name}", file=sys.stderr, flush=True)
        tally = run(folder / f"authors-{len(rows)}", gates, size)
        for words in tally.wrong:
            print(f"wrong: {words}", file=sys.stderr, flush=True)
        wrong += len(tally.wrong)
        seen = tally.right + len(tally.wrong) + tally.unknown
        rows.append(
            (gates.name, f"{tally.writes:,}", f"{seen:,}", f"{tally.right:,}", f"{len(tally.wrong):,}",
             f"{tally.unknown:,}", f"{tally.unknown / max(1, seen):.0%}")
        )  # fmt: skip
    note = NOTE.format(files=size.files, gap=size.gap, pause=size.pause)
    yield Table("Authors named", _COLUMNS, rows, note, wrong=wrong)


def run(folder: Path, gates: Gates, size: Size) -> Tally:
    """One round in a fresh repository. Raises BenchmarkError when it does not come about."""
    scratch = Scratch(folder)
    fleet = Fleet(scratch, gates)
    try:
        fleet.begin()
        writes = fleet.write(size)
        return judge(scratch.root, writes, fleet.settled(writes))
    finally:
        fleet.close()
        scratch.remove()


class Write(NamedTuple):
    """What a hand did: `token` is the line that it brought, or its file was `gone`."""

    who: str
    way: str
    path: str
    token: str
    begun: float
    ended: float
    gone: bool


class Hand:
    """One writing program, and the pipes to it."""

    def __init__(self, folder: Path, who: str) -> None:
        self.who = who
        self.orders, self.answers = folder / f"{who}-orders", folder / f"{who}-answers"
        os.mkfifo(self.orders)
        os.mkfifo(self.answers)
        self._to = os.open(self.orders, os.O_RDWR)
        self.descriptor = os.open(self.answers, os.O_RDWR)
        self._read = b""
        self.order: dict[str, str] | None = None
        """What it is doing."""

    @property
    def command(self) -> list[str]:
        return [
            sys.executable,
            "-I",
            str(Path(__file__).with_name("hand.py")),
            str(self.orders),
            str(self.answers),
        ]

    def tell(self, way: str, path: str, token: str) -> None:
        self.order = {"way": way, "path": path, "token": token}
        os.write(self._to, json.dumps(self.order).encode() + b"\n")

    def heard(self) -> dict[str, object] | None:
        """An answer, once it is whole."""
        self._read += os.read(self.descriptor, 65_536)
        line, end, rest = self._read.partition(b"\n")
        if not end:
            return None
        self._read = rest
        answer: dict[str, object] = json.loads(line)
        return answer

    def close(self) -> None:
        os.close(self._to)
        os.close(self.descriptor)


class Fleet:
    """An engine with four agents, and the operator beside it."""

    def __init__(self, scratch: Scratch, gates: Gates) -> None:
        self._root = scratch.root
        self._report = scratch.folder / "engine.out"
        self._hands = [Hand(scratch.folder, who) for who in (*AGENTS, OPERATOR)]
        self._engine: subprocess.Popen[bytes] | None = None
        plan = '[plan]\nname = "authors"\n[[phases]]\nid = "work"\n'
        for hand, mode in zip(self._hands, gates.modes, strict=False):
            plan += (
                f'[[agents]]\nid = "{hand.who}"\nphase = "work"\ncommand = {json.dumps(hand.command)}\n'
                f'claims = ["{hand.who}/**"]\ngate = "{mode}"\n'
            )
        scratch.commit(
            {"main": {"runebook.toml": plan, ".gitignore": "*.tmp\nsed??????\n", "kept": "kept\n"}}
        )
        self._gates = dict(zip(AGENTS, gates.modes, strict=True))

    def begin(self) -> None:
        """Start everything; returns when all are ready and every gate is known to hold, or to be off."""
        with self._report.open("wb") as report:
            self._engine = start(
                [*PROGRAM, "run", "--keep"],
                cwd=self._root, stdin=subprocess.DEVNULL, stdout=report, stderr=report,
            )  # fmt: skip
        start(self._hands[-1].command, cwd=self._root, stdin=subprocess.DEVNULL)
        for hand in self._hands:
            deadline = time.monotonic() + DEADLINE
            while not select.select([hand.descriptor], [], [], 0.5)[0]:
                self._check(deadline, f"{hand.who} does not come to work")
            hand.heard()
        deadline = time.monotonic() + DEADLINE
        while not self._gates_known():
            self._check(deadline, "the gates are not known")
            time.sleep(0.1)

    def _gates_known(self) -> bool:
        with open_log(self._root) as log:
            agents = load(log).agents
        return all(agents[who].gate_holds is (mode != "off") for who, mode in self._gates.items())

    def _check(self, deadline: float, waiting: str) -> None:
        assert self._engine is not None
        if time.monotonic() > deadline or self._engine.poll() is not None:
            said = self._report.read_text(errors="replace").strip()[-2000:]
            with open_log(self._root) as log:
                gates = ", ".join(
                    f"{each.id}: {each.gate or 'no word'}" for each in load(log).agents.values()
                )
            raise BenchmarkError(f"{waiting} ({gates}): {said or 'the engine said nothing'}")

    def write(self, size: Size) -> list[Write]:
        """Have all hands write in turns; what they did, in the order in which it ended."""
        chance = random.Random(_SEED)
        paths = [f"{who}/file{number}" for number in range(size.files // 5) for who in (*AGENTS, "nobody")]
        for folder in {os.path.dirname(path) for path in paths}:
            (self._root / folder).mkdir(exist_ok=True)
        done: list[Write] = []
        last: dict[str, tuple[str, float]] = {}
        count = 0
        due = time.monotonic()
        while len(done) < size.writes:
            idle = [hand for hand in self._hands if hand.order is None]
            if idle and count < size.writes and time.monotonic() >= due:
                hand = chance.choice(idle)
                busy = {each.order["path"] for each in self._hands if each.order is not None}
                now = time.time()
                free = [
                    path
                    for path in paths
                    if path not in busy
                    and (path not in last or last[path][0] == hand.who or now - last[path][1] > size.pause)
                ]
                if free:
                    hand.tell(chance.choice(list(WAYS)), chance.choice(free), f"{hand.who}-{count}")
                    count += 1
                due = time.monotonic() + chance.expovariate(1 / size.gap)
            descriptors = [hand.descriptor for hand in self._hands]
            wait = max(0.0, due - time.monotonic()) if idle and count < size.writes else 0.5
            for ready in select.select(descriptors, [], [], wait)[0]:
                hand = next(hand for hand in self._hands if hand.descriptor == ready)
                answer = hand.heard()
                if answer is not None and hand.order is not None:
                    write = _write(hand.who, hand.order, answer)
                    done.append(write)
                    last[write.path] = hand.who, write.ended
                    hand.order = None
        return done

    def settled(self, writes: Sequence[Write]) -> list[Record]:
        """All touches, once the newest of each path is what the file holds."""
        paths = {write.path for write in writes}
        deadline = time.monotonic() + DEADLINE
        while True:
            with open_log(self._root) as log:
                newest = {
                    each.event.change.path: each.event.change.after
                    for each in log.latest_touches()
                    if isinstance(each.event, Touched)
                }
                # One that came and went between two looks was never there.
                nothing = Version(kind="absent")
                missed = {path for path in paths if not _is_so(self._root / path, newest.get(path, nothing))}
                if not missed:
                    return log.read(types=["Touched"])
            self._check(deadline, f"the newest change of {', '.join(sorted(missed))} was not recorded")
            time.sleep(0.1)

    def close(self) -> None:
        """End the engine, the panes and their tmux server."""
        try:
            if self._engine is not None:
                with EngineClient(self._root) as engine:
                    engine.ask("down")
                self._engine.wait(30)
        except (EngineDown, EngineRefused, TimeoutError, LogError, subprocess.TimeoutExpired):
            pass
        finally:
            subprocess.run(
                ["tmux", "-L", tmux_socket_name(self._root), "kill-server"],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
            )  # fmt: skip
            for hand in self._hands:
                hand.close()


def _write(who: str, order: dict[str, str], answer: dict[str, object]) -> Write:
    begun, ended = answer["begun"], answer["ended"]
    assert isinstance(begun, float)
    assert isinstance(ended, float)
    return Write(who, order["way"], order["path"], order["token"], begun, ended, bool(answer["gone"]))


def _is_so(path: Path, version: Version) -> bool:
    if not path.exists():
        return version.kind == "absent"
    return version.digest == sha256(path.read_bytes()).hexdigest()


def judge(root: Path, writes: Sequence[Write], touches: Sequence[Record]) -> Tally:
    """Hold the author of every change against those whose lines it brought, or who emptied or removed it."""
    store = ContentStore(state_folder(root) / "history")
    brought = {write.token: write for write in writes}
    paths = {write.path for write in writes}
    right, unknown, wrong = 0, 0, list[str]()
    for path in sorted(paths):
        seen = [
            each for each in touches if isinstance(each.event, Touched) and each.event.change.path == path
        ]
        contents = [
            _tokens(store, each.event.change.after) for each in seen if isinstance(each.event, Touched)
        ]
        before: set[str] = set()
        for at, record in enumerate(seen):
            assert isinstance(record.event, Touched)
            author = record.event.author
            fresh = [brought[token] for token in contents[at] - before]
            truth = {write.who for write in fresh}
            may = truth if fresh else _emptied(writes, path, brought, contents, at)
            before = contents[at]
            told = {author.name} if author.name is not None else set(author.candidates)
            if author.name is not None and (told == truth or (not fresh and told <= may)):
                right += 1
            elif author.name is None and (truth <= told and may & told):
                unknown += 1
            else:
                true = " or ".join(sorted(may)) if not fresh else " and ".join(sorted(truth))
                named = author.name or f"one of {', '.join(author.candidates)}"
                wrong.append(f"record {record.seq}, {path}: {true}, told: {named} ({author.evidence})")
    return Tally(len(writes), right, tuple(wrong), unknown)


def _emptied(
    writes: Sequence[Write], path: str, brought: Mapping[str, Write], contents: Sequence[set[str]], at: int
) -> set[str]:
    """Who may have emptied or removed the file as content `at` has it: by the lines before and after it."""
    known = {token for content in contents[:at] for token in content}
    first = max((brought[token].begun for token in known), default=0.0)
    later = next((content - known for content in contents[at + 1 :] if content - known), set())
    last = min((brought[token].begun for token in later), default=math.inf)
    return {write.who for write in writes if write.path == path and first <= write.begun <= last}


def _tokens(store: ContentStore, version: Version) -> set[str]:
    data = store.get(version.digest) if version.digest is not None else None
    return set() if data is None else set(data.decode().split())
