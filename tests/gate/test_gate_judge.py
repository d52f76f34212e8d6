"""The judge's parts by themselves: rules from JSON, temporary siblings, the operator's places, refusals."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from runebook_tui.gate import judge as j
from runebook_tui.gate import siblings
from runebook_tui.gate.callers import Callers
from runebook_tui.gate.calls import Change
from runebook_tui.gate.folders import MOST_ENTRIES
from runebook_tui.gate.guarded import Guarded
from runebook_tui.gate.judge import PASS, Forbidden, Foreign, Judge
from runebook_tui.gate.process import Process
from runebook_tui.gate.record import Scribe
from runebook_tui.gate.refusals import MOST_PATHS, Refusals
from runebook_tui.gate.rules import Rules, RulesError
from runebook_tui.gate.sockets import Sockets
from runebook_tui.gate.stopped import Act

FILE, FOLDER = stat.S_IFREG | 0o644, stat.S_IFDIR | 0o755
CLAIMS = [["/mine/**", "alpha", False], ["/theirs/**", "beta", False], ["/theirs/own.py", "alpha", False]]
GIVEN: dict[str, object] = {"agent": "alpha", "claims": CLAIMS}
HERE = os.getpid()


class Bench:
    """A judge for agent alpha, whose clock the test moves and whose git ignores `*.log`."""

    def __init__(self, root: Path, main: Path | None = None, **rules: object) -> None:
        self.root = root
        self.now = 1000.0
        self.judge = Judge(
            os.fsencode(root),
            "alpha",
            lambda paths: {path for path in paths if path.endswith(".log")},
            Sockets(()),
            lambda: self.now,
            b"" if main is None else os.fsencode(main),
        )
        self.give(**rules)
        for folder in ("mine", "theirs", ".git"):
            (root / folder).mkdir()

    def give(self, **rules: object) -> None:
        self.judge.take(Rules({**GIVEN, **rules}))

    def act(self, op: str, path: str, to: str | None = None, mode: int = FILE, to_mode: int = 0) -> Act:
        full = [None if each is None else os.fsencode(self.root / each) for each in (path, to)]
        mode = 0 if op in ("create", "mkdir", "symlink", "mknod") else mode
        return Act(Change(op, full[0], full[1], mode=mode, to_mode=to_mode), {"op": op, "path": path})

    def ask(self, op: str, path: str, to: str | None = None, pid: int = HERE, **modes: int) -> str | None:
        """What the judge asks about: a path, "-" for a call that is forbidden, None for one that passes."""
        self.last = self.act(op, path, to, **modes)
        ruling = self.judge.rule([self.last], Process(pid))
        if isinstance(ruling, Foreign):
            return ruling.path
        return "-" if isinstance(ruling, Forbidden) else None


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path.resolve())


def test_the_plans_rule(bench: Bench) -> None:
    assert bench.ask("open", "mine/a") is None
    assert bench.ask("create", "nobody/a") is None
    assert bench.ask("create", "theirs/own.py") is None
    assert bench.ask("create", "theirs/a") == "theirs/a"
    assert bench.ask("unlink", "theirs/debug.log") is None
    assert bench.ask("mkdir", "theirs/d") is None
    assert bench.ask("rename", "mine/a", "theirs/b") == "theirs/b"
    assert bench.ask("rename", "theirs/b", "mine/a") == "theirs/b"
    assert bench.ask("link", "theirs/b", "mine/a") == "theirs/b"
    assert bench.ask("rename", "theirs/b", "../elsewhere") == "theirs/b"
    assert bench.ask("create", ".git/index.lock") is None
    assert bench.ask("create", "../elsewhere") is None
    bench.give(unowned="ask")
    assert bench.ask("create", "nobody/a") == "nobody/a"
    bench.give(away="flag")
    assert bench.ask("create", "theirs/a") is None
    bench.judge.take(None)
    assert bench.ask("create", "mine/a") == "mine/a"


def test_the_operators_places_are_nobodys_to_write(bench: Bench) -> None:
    for path in ("runebook.toml", ".git", ".git/config", ".git/config.lock", ".git/hooks/x", ".git/hooks"):
        assert bench.ask("create", path) == "-", path
    for path in (
        ".runebook",
        ".runebook/a",
        ".runebook/agents/beta/x",
        ".git/info/exclude",
        ".git/commondir",
    ):
        assert bench.ask("truncate", path) == "-", path
        assert bench.ask("rename", "mine/a", path) == "-", path
    for path in (
        ".runebook/agents/alpha/x",
        ".git/info/refs",
        ".gitignore",
        ".git/HEAD",
        "runebook.toml.tmp",
    ):
        assert bench.ask("create", path) is None, path
    for path in (".git", ".git/info", ".git/hooks", str(bench.root), str(bench.root.parent)):
        assert bench.ask("rename", path, "mine/x", mode=FOLDER) == "-", path
    assert bench.ask("rename", "mine/x", ".git/hooks", mode=FOLDER) == "-"


def test_the_common_git_folder_of_a_worktree_is_guarded_too(tmp_path: Path) -> None:
    common = tmp_path / "main.git"
    (common / "hooks").mkdir(parents=True)
    linked = tmp_path / "elsewhere"
    linked.mkdir()
    (common / "config").symlink_to(linked / "settings")
    guarded = Guarded(os.fsencode(tmp_path / "tree"), "alpha", [os.fsencode(common)])
    for place in (common / "config", common / "hooks/post-commit", linked / "settings"):
        assert guarded.holds(os.fsencode(place))
    assert not guarded.holds(os.fsencode(common / "refs/heads/main"))
    assert guarded.below(os.fsencode(common))
    assert not guarded.below(os.fsencode(tmp_path / "other"))


def test_a_worktree_takes_nothing_of_the_trees_beside_it(tmp_path: Path) -> None:
    main, root = tmp_path / "main", tmp_path / "trees/alpha"
    root.mkdir(parents=True)
    bench = Bench(root, main)
    scribe = Scribe(os.fsencode(root), Callers(), "alpha", os.fsencode(main))

    def ask(op: str, path: Path, to: Path, mode: int = FILE) -> str | None:
        changes = scribe.by_tree([Change(op, os.fsencode(path), os.fsencode(to), mode=mode)])
        ruling = bench.judge.rule([Act(change, None) for change in changes], Process(HERE))
        return None if ruling is PASS else "-"

    for op in ("rename", "link"):
        assert ask(op, main / "mine/f", root / "mine/f") == "-"
        assert ask(op, root / "mine/f", main / "mine/f") == "-"
        assert ask(op, root / "mine/f", tmp_path / "trees/beta/f") == "-"
        assert ask(op, main / ".runebook/agents/alpha/f", root / "mine/f") is None
        assert ask(op, main / ".git/config", root / "mine/f") == "-"
    assert ask("rename", main / ".git/info", root / "mine/info", FOLDER) == "-"
    assert {main, root.parent} <= {Path(os.fsdecode(place)) for place in bench.judge.places}


def test_a_folder_moves_with_all_that_it_holds(bench: Bench) -> None:
    (bench.root / "theirs/deep").mkdir()
    assert bench.ask("rename", "theirs", "mine/x", mode=FOLDER) is None  # empty folders are nothing to git
    (bench.root / "theirs/deep/debug.log").touch()
    assert bench.ask("rename", "theirs", "mine/x", mode=FOLDER) is None
    (bench.root / "theirs/deep/f").touch()
    assert bench.ask("rename", "theirs", "mine/x", mode=FOLDER) == "theirs/deep/f"
    (bench.root / "mine/g").touch()
    assert bench.ask("rename", "mine", "theirs/deep/mine", mode=FOLDER) == "theirs/deep/mine/g"
    assert bench.ask("rename", "mine", "yours", mode=FOLDER) is None


def test_a_folder_that_is_too_large_to_check_stays(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runebook_tui.gate.folders.MOST_ENTRIES", 5)
    assert MOST_ENTRIES > 5
    for number in range(6):
        (bench.root / f"theirs/{number}.log").touch()
        (bench.root / f"mine/{number}").touch()
    act = bench.act("rename", "theirs", "mine/x", mode=FOLDER)
    ruling = bench.judge.rule([act], Process(HERE))
    assert isinstance(ruling, Forbidden)
    assert ruling.why == f"{j.UNCHECKED}: it holds more than 5 entries"
    assert bench.ask("rename", "mine", "yours", mode=FOLDER) is None  # nobody else may own anything there


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("pay.py.tmp.123.abc", "pay.py"),
        ("pay.py.08dee5421a09.tmp", "pay.py"),
        ("tax.py.4711.08dee5421a09.tmp", "tax.py"),
        ("new.py.tmp.4711.1760000000000", "new.py"),
        ("pay.py.tmp", "pay.py"),
        ("pay.py~", "pay.py"),
        (".pay.py.swp", "pay.py"),
        ("#pay.py#", "pay.py"),
        (".#pay.py", "pay.py"),
        ("pay.py.orig", "pay.py"),
        (".pay.py.Ab3dEf", "pay.py"),
        ("pay.py.oHpOfnY", "pay.py"),
        ("pay.py.bak", "pay.py"),
        ("other.py.bak", None),
        (".gitignore", None),
        ("pay.pyc", None),
        ("pay.new.py", None),
        ("page.tmp.html", None),
        ("~", None),
    ],
)
def test_what_a_temporary_file_is_named_for(name: str, target: str | None) -> None:
    assert siblings.named_for(name, {"pay.py"}.__contains__) == target


def test_names_that_programs_make_up() -> None:
    made = ("sedAbC123", "4913", "tmpab12cd_x", "poXk29ab", "XXk29abQ")
    assert all(siblings.nameless(name) for name in made)
    plain = ("config", "Makefile", "README", "settings", "main2", "tmp", "sedan", "product")
    assert not any(siblings.nameless(name) for name in plain)
    assert siblings.named_in(["-i", "s/a/b/", "theirs/pay.py"], {"pay.py"}.__contains__) == "pay.py"
    assert siblings.named_in(["pay.py", "x/tax.py"], {"pay.py", "tax.py"}.__contains__) is None


def test_a_grant_for_a_file_covers_the_temporary_one_beside_it(bench: Bench) -> None:
    (bench.root / "theirs/p").touch()
    grant = {"request": 3, "agent": "alpha", "paths": ["theirs/p"], "scope": "task"}
    bench.give(grants=[grant])
    assert bench.ask("create", "theirs/p.tmp.1") is None
    assert bench.last.record is not None
    assert bench.last.record["grant"] == 3
    assert bench.ask("open", "theirs/p.tmp.1") is None
    assert bench.ask("open", "theirs/p.tmp.1", pid=os.getppid()) == "theirs/p.tmp.1"
    assert bench.ask("rename", "theirs/p.tmp.1", "theirs/p", to_mode=FILE) is None
    assert bench.ask("create", "theirs/tmpab12cd_x") is None  # nameless, and one file here is granted
    assert bench.ask("unlink", "theirs/tmpab12cd_x") is None
    assert bench.ask("unlink", "theirs/tmpab12cd_x") == "theirs/tmpab12cd_x"  # it is another one by now
    assert bench.ask("create", "theirs/q") == "theirs/q"


def test_a_refused_temporary_file_gives_no_right(bench: Bench) -> None:
    (bench.root / "theirs/p").touch()
    assert bench.ask("create", "theirs/p.tmp.1") == "theirs/p"
    assert bench.ask("open", "theirs/p.tmp.1") == "theirs/p.tmp.1"


def test_a_temporary_file_beside_what_an_agent_owns(bench: Bench) -> None:
    (bench.root / "theirs/own.py").touch()
    assert bench.ask("create", "theirs/own.py.tmp") is None
    assert bench.ask("rename", "theirs/own.py.tmp", "theirs/own.py", to_mode=FILE) is None


def test_a_settled_call_lets_its_process_go_on_for_two_seconds(bench: Bench) -> None:
    rules = bench.judge.rules
    assert rules is not None
    rules.add(12, "theirs/a", "beta", HERE, bench.now)
    assert bench.ask("open", "theirs/a") is None
    bench.now += 1.5
    assert bench.ask("open", "theirs/b") is None
    assert bench.ask("open", "theirs/b", pid=os.getppid()) == "theirs/b"
    bench.now += 1.5
    assert bench.ask("open", "theirs/a") is None
    bench.now += 2.5
    assert bench.ask("open", "theirs/a") == "theirs/a"


def test_a_grant_for_once_is_used_up_even_when_the_engine_sends_it_again(bench: Bench) -> None:
    grant = {"request": 5, "agent": "alpha", "paths": ["theirs/a"], "scope": "once", "pid": None}
    bench.give(grants=[grant])
    assert bench.ask("open", "theirs/a") is None
    bench.now += 5
    bench.give(grants=[grant])
    assert bench.ask("open", "theirs/a") == "theirs/a"


def test_a_call_that_is_asked_about_uses_no_grant_up(bench: Bench) -> None:
    grant = {"request": 5, "agent": "alpha", "paths": ["theirs/a"], "scope": "once", "pid": None}
    bench.give(grants=[grant])
    assert bench.ask("rename", "theirs/a", "theirs/b") == "theirs/b"
    bench.now += 5
    assert bench.judge.rule([bench.act("open", "theirs/a")], Process(HERE)) is PASS


@pytest.mark.parametrize(
    "given",
    [
        None,
        [],
        {},
        {"agent": 3, "claims": []},
        {"agent": "a", "claims": [["*.py"]]},
        {"agent": "a", "claims": [["!x", "a", False]]},
        {"agent": "a", "claims": [], "away": "never"},
        {"agent": "a", "claims": [], "hold_seconds": "long"},
        {"agent": "a", "claims": [], "grants": [{"request": 1}]},
        {"agent": "a", "claims": [], "grants": [7]},
    ],
)
def test_rules_that_cannot_be_read(given: object) -> None:
    with pytest.raises(RulesError, match="rules"):
        Rules(given)


def test_refusals_are_remembered_and_end() -> None:
    refusals, key = Refusals(), (7, b"1")
    refusals.note(key, "a", "beta", "no", 100.0)
    assert refusals.same(key, "a", 159.0) == "no"
    assert refusals.same(key, "a", 161.0) is None
    assert refusals.same((8, b"1"), "a", 101.0) is None
    assert refusals.follows(key, "b", "gamma", 101.0) is None
    for number in range(1, 250):
        now = 100.0 + number
        assert refusals.follows(key, f"b{number}", "beta", now) == ("no", number < MOST_PATHS)
    assert refusals.same(key, "b5", 110.0) == "no"
    assert refusals.follows(key, "c", "beta", 352.0) is None
