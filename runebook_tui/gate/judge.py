"""The judge: may this call go on? The plan's rule, applied to what one stopped call would change.

It says what the rule says, and keeps nobody waiting: `enforcer` does with its rulings what must be done.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterator, Sequence

from runebook_tui.core.grants import Grant, covering
from runebook_tui.core.pattern import compile_pattern
from runebook_tui.gate import siblings
from runebook_tui.gate.calls import Change
from runebook_tui.gate.folders import TooMuch, files_below
from runebook_tui.gate.guarded import Guarded
from runebook_tui.gate.others import Others
from runebook_tui.gate.process import Process
from runebook_tui.gate.rules import Rules
from runebook_tui.gate.sockets import Sockets
from runebook_tui.gate.stopped import Act

OPERATORS = "belongs to the operator"
TMUX = "tmux's socket"
UNCHECKED = "a folder that cannot be checked"
ANOTHERS = "in another's working tree"
PROCESS = "out of an agent's reach"
_FOLDER_OPS = ("mkdir", "rmdir")
_MAKING = ("create", "symlink", "mknod")
_MOST_TEMPORARIES = 1024

Ignored = Callable[[list[str]], set[str]]
"""Which of some paths of the repository git ignores."""


class Pass:
    """The rule lets the call go on."""


class Forbidden:
    """Nobody can allow this: `path` is the operator's, tmux's, or too much to check (`why`)."""

    def __init__(self, path: bytes, why: str) -> None:
        self.path = os.fsdecode(path)
        self.why = why


class Foreign:
    """The call needs the operator's word: about `path`, which is `owner`'s (None: nobody's).

    `act` is the change in question, `via` the name that it would really touch when that is not `path`, and
    `waits` False with `why` when it cannot be held.
    """

    def __init__(self, act: Act, path: str, owner: str | None, via: str | None = None) -> None:
        self.act = act
        self.path = path
        self.owner = owner
        self.via = via
        self.waits = True
        self.why = ""


Ruling = Pass | Forbidden | Foreign
PASS = Pass()


class Judge:
    """Rules on calls in the repository at `root` (its real path), by rules that may change at any time.

    Without `rules` nothing inside the repository passes but what every rule would pass. Where `root` is an
    agent's worktree, `main` is the repository's own tree: it and the worktrees beside `root` are not to be
    written but for git's and the agent's own folders.
    """

    def __init__(
        self,
        root: bytes,
        agent: str,
        ignored: Ignored,
        sockets: Sockets,
        clock: Callable[[], float] = time.time,
        main: bytes = b"",
        others: Others | None = None,
    ) -> None:
        self.rules: Rules | None = None
        self._root = root
        self._inside = root + b"/"
        self._git = self._inside + b".git/", self._inside + b".runebook/"
        self._agent = agent
        self._ignored = ignored
        self._sockets = sockets
        self._processes = others
        self._clock = clock
        self._main = main
        self._others = (main + b"/", root.rpartition(b"/")[0] + b"/") if main else ()
        self._shared = main + b"/.git/", main + b"/.runebook/"
        self._guarded = Guarded(root, agent, main=main)
        self._temporaries: dict[str, tuple[tuple[int, bytes], str]] = {}
        self._made: dict[str, str] = {}  # temporaries of the call that is ruled on

    def take(self, rules: Rules | None) -> None:
        """Go by these rules from now on."""
        if rules is not None:
            rules.inherit(self.rules)
            self._guarded = Guarded(self._root, self._agent, rules.git, self._main, rules.keep)
        self.rules = rules

    @property
    def places(self) -> list[bytes]:
        """The folders outside `root` in which something is guarded."""
        git = () if self.rules is None else self.rules.git
        return [*git, *(folder.rstrip(b"/") for folder in self._others)]

    def rule(self, acts: Sequence[Act], process: Process) -> Ruling:
        """What the rule says about one call of `process`; a record of what a grant allows names that."""
        for act in acts:
            forbidden = self._forbidden(act.change)
            if forbidden is not None:
                return forbidden
        used: list[tuple[Act, str, Grant]] = []
        self._made.clear()
        for act in acts:
            try:
                for path, via in self._touched(act.change, process):
                    crossing = self._crosses(path, process)
                    if crossing is None:
                        continue
                    owner, grant = crossing
                    if grant is None:
                        return Foreign(act, path, owner, via)
                    used.append((act, path, grant))
            except TooMuch as error:
                return Forbidden(act.change.path or b"", f"{UNCHECKED}: {error}")
        self._passed(acts, used, process)
        return PASS

    def _passed(self, acts: Sequence[Act], used: list[tuple[Act, str, Grant]], process: Process) -> None:
        """Remember what a call that goes on uses up, makes and removes."""
        for act in acts if self._temporaries else ():
            if act.change.op in ("unlink", "rename") and act.change.path is not None:
                self._temporaries.pop(os.fsdecode(act.change.path[len(self._inside) :]), None)
        for path, target in self._made.items():
            if len(self._temporaries) >= _MOST_TEMPORARIES:
                self._temporaries.pop(next(iter(self._temporaries)))
            self._temporaries[path] = process.key, target
        now = self._clock()
        for act, path, grant in used:
            if self.rules is not None:
                self.rules.use(grant, path, process.pid, now)
            if act.record is not None and grant.request:
                act.record["grant"] = grant.request

    # ── what nobody can allow ───────────────────────────────────────────────────────────────────

    def _forbidden(self, change: Change) -> Forbidden | None:
        if change.meant is not None:
            return self._reached(*change.meant)
        if change.op == "connect":
            socket = self._sockets.foreign(change.path, change.socket, self._tmux)
            return None if socket is None else Forbidden(socket, TMUX)
        for path, mode in ((change.path, change.mode), (change.to, change.to_mode)):
            if path is None:
                continue
            if path.startswith(b"/proc/"):
                number = path.split(b"/", 3)[2]
                words = self._reached(0, int(number)) if number.isdigit() and len(number) < 10 else None
                if words is not None:
                    return words
            folder = stat.S_ISDIR(mode) and change.op in ("rename", "rmdir", "unlink")
            if self._guarded.below(path) if folder else self._guarded.holds(path):
                return Forbidden(path, OPERATORS)
            if self._is_anothers(path):
                return Forbidden(path, ANOTHERS)
            if self._tmux and path.startswith(self._tmux) and change.op in ("rename", "link", "unlink"):
                socket = self._sockets.foreign(path, None, self._tmux)
                if socket is not None:
                    return Forbidden(socket, TMUX)
        return None

    def _reached(self, thread: int, number: int) -> Forbidden | None:
        """A process that the call would stop, trace or limit, where that is out of reach."""
        words = "" if self._processes is None else self._processes.meant(thread, number)
        return Forbidden(words.encode(), PROCESS) if words else None

    def _is_anothers(self, path: bytes) -> bool:
        if not self._others or not path.startswith(self._others):
            return False
        return not path.startswith((self._inside, *self._shared))

    @property
    def _tmux(self) -> tuple[bytes, ...]:
        return () if self.rules is None else self.rules.tmux

    # ── what the plan says ──────────────────────────────────────────────────────────────────────

    def _crosses(self, path: str, process: Process) -> tuple[str | None, Grant | None] | None:
        """Whose path this is, and under which grant it may be written; None when that needs no grant."""
        rules = self.rules
        if rules is None:
            return None, None
        if not rules.owners.may_modify(self._agent, path, unowned_asks=rules.unowned_asks).crosses:
            return None
        claim = rules.owners.owner_of(path)
        owner = None if claim is None else claim.owner
        now = self._clock()
        grant = covering(rules.all_grants(), self._agent, path, owner, process.pid, now, there=self._there)
        if grant is None and (rules.treatment(path).away == "flag" or self._ignored([path])):
            return None
        return owner, grant

    def _there(self, path: str) -> str | None:
        """What is at a path of the repository now; asked only of what was approved once."""
        from runebook_tui.gate.there import there

        return there(self._inside + os.fsencode(path))

    def _plain(self, path: str) -> bool:
        """Whether the rule lets the path pass without looking at grants or at git."""
        rules = self.rules
        return (
            rules is not None
            and not rules.owners.may_modify(self._agent, path, unowned_asks=rules.unowned_asks).crosses
        )

    def _relative(self, path: bytes | None) -> str | None:
        """The path in the repository, None for one outside and for what is git's or Runebook's own."""
        if path is None or not path.startswith(self._inside) or path.startswith(self._git):
            return None
        return os.fsdecode(path[len(self._inside) :])

    def _touched(self, change: Change, process: Process) -> Iterator[tuple[str, str | None]]:
        """The paths that the plan must allow, each with the name touched for its sake if that is another."""
        op = change.op
        if op in _FOLDER_OPS or op == "connect" or change.meant is not None:
            return
        path, to = self._relative(change.path), self._relative(change.to)
        if op == "rename" and stat.S_ISDIR(change.mode):
            yield from self._folder(change, path, to)
            return
        if path is not None and not self._plain(path):
            target = path
            if op in _MAKING:
                target = self._target(path, process)
            elif self._unfinished(path, to if op == "rename" else None, process):
                target = ""
            if target:
                yield target, None if target == path else path
        if to is not None and not self._plain(to):
            target = to if change.to_mode else self._target(to, process)
            yield target, path if target == to else to

    # ── folders ─────────────────────────────────────────────────────────────────────────────────

    def _folder(self, change: Change, path: str | None, to: str | None) -> Iterator[tuple[str, str | None]]:
        """A renamed folder moves every file below it: out of one place and into another."""
        ends = [end for end in (path, to) if end is not None and self._may_hold_foreign(end)]
        if not ends or change.path is None:
            return
        files = sorted(os.fsdecode(file) for file in files_below(change.path))
        for end in ends:
            crossing = [file for file in (f"{end}/{each}" for each in files) if not self._plain(file)]
            ignored = self._ignored(crossing) if crossing else set()
            for file in crossing:
                if file not in ignored:
                    yield file, end

    def _may_hold_foreign(self, folder: str) -> bool:
        rules = self.rules
        if rules is None or rules.unowned_asks:
            return True
        for claim in rules.owners.claims:
            anchor = compile_pattern(claim.pattern).anchor
            near = not anchor or _within(anchor, folder) or _within(folder, anchor)
            if claim.owner != self._agent and near:
                return True
        return False

    # ── temporary siblings ──────────────────────────────────────────────────────────────────────

    def _target(self, path: str, process: Process) -> str:
        """What the new file at `path` is made for: itself, or the sibling that it is to replace."""
        folder, _, name = path.rpartition("/")
        place = os.path.join(os.fsdecode(self._root), folder)

        def exists(sibling: str) -> bool:
            try:
                return stat.S_ISREG(os.lstat(os.path.join(place, sibling)).st_mode)
            except (OSError, ValueError):
                return False

        found = siblings.named_for(name, exists)
        if found is None and siblings.nameless(name):
            found = siblings.named_in(process.arguments[1:], exists) or self._granted_in(folder, process)
        if not found or found == name:
            return path
        target = f"{folder}/{found}" if folder else found
        self._made[path] = target
        return target

    def _granted_in(self, folder: str, process: Process) -> str | None:
        """The one file of `folder` for which this process has a grant."""
        names = set()
        for grant in () if self.rules is None else self.rules.all_grants():
            for path in grant.paths:
                where, _, name = path.rpartition("/")
                if where == folder and (grant.pid in (None, process.pid)):
                    names.add(name)
        return names.pop() if len(names) == 1 else None

    def _unfinished(self, path: str, to: str | None, process: Process) -> bool:
        """Whether `path` is a temporary file of this process, or is renamed onto what it was made for."""
        key, target = self._temporaries.get(path, (None, None))
        if key == process.key or (to is not None and to == target):
            return True
        if to is None or self._plain(to):
            return False
        folder, _, name = to.rpartition("/")
        where, _, beside = path.rpartition("/")
        return where == folder and siblings.named_for(beside, lambda sibling: sibling == name) == name


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + "/")
