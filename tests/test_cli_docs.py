"""docs/cli.md and the program say the same: every command, every option, and every field of every shape."""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args

import pytest
from postgres import Cluster
from pydantic import BaseModel

from runebook_tui.agent import AgentContext
from runebook_tui.cli.arguments import build_parser
from runebook_tui.core import types
from runebook_tui.core.events import Event
from runebook_tui.git.worktrees import Worktrees
from runebook_tui.memory.store import Store
from runebook_tui.memory.writer import Writer
from runebook_tui.place import tmux_socket_name

PAGE = (Path(__file__).parents[1] / "docs" / "cli.md").read_text()
DEADLINE = 60.0
PROGRAM = [sys.executable, "-P", "-m", "runebook_tui"]

# alpha asks, publishes and goes on; beta ends in failure; gamma never starts.
pytestmark = pytest.mark.timeout(1200)  # one session with some forty commands

PLAN = """
[plan]
name = "shapes"

[[phases]]
id = "build"
title = "Build"

[[phases]]
id = "later"
after = ["build"]

[[agents]]
id = "alpha"
phase = "build"
command = ["sh", "-c", "echo mine | tee -a alpha/both.txt >alpha/mine.txt; echo >>runebook.toml; sleep 600"]
claims = ["alpha/**"]
tasks = [{ id = "one", title = "Begin" }, { id = "two" }]

[[agents]]
id = "beta"
phase = "build"
command = ["sh", "-c", "echo over >> alpha/api.txt; echo x > alpha/secrets.txt; echo last words; exit 3"]
claims = ["beta/**"]
gate = "observe"

[[agents]]
id = "gamma"
phase = "later"
command = ["true"]

[[interfaces]]
name = "alpha-api"
owner = "alpha"
path = "alpha/api.txt"
must_contain = ["offer"]

[[interfaces]]
name = "alpha-notes"
owner = "alpha"
path = "alpha/notes.txt"
must_contain = ["note"]

[[acceptance]]
id = "tests"
command = ["make", "test"]
"""


def sections() -> dict[str, str]:
    """The text under each command's heading; the interactive session is ""."""
    parts = re.split(r"^### `runebook-tui ?([a-z-]*)`$", PAGE, flags=re.MULTILINE)
    return dict(
        zip(parts[1::2], (re.split(r"^## ", part, flags=re.M)[0] for part in parts[2::2]), strict=True)
    )


def shape(name: str) -> dict[str, str]:
    """The documented fields of a shape with their types."""
    _, found, rest = PAGE.partition(f"\nShape `{name}`")
    assert found, f"docs/cli.md has no shape {name!r}"
    table = rest.split("|---|---|---|\n", 1)[1].split("\n\n", 1)[0]
    rows = [re.fullmatch(r"\| `([^`]+)` \| ([a-z ]+) \| (.+) \|", line) for line in table.splitlines()]
    assert all(rows), table
    return {row[1]: row[2] for row in rows if row}


TYPES: dict[str, Any] = {
    "text": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "time": lambda value: (
        isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", value)
    ),
    "object": lambda value: isinstance(value, dict),
    "list of objects": lambda value: isinstance(value, list) and all(isinstance(x, dict) for x in value),
    "list of texts": lambda value: isinstance(value, list) and all(isinstance(x, str) for x in value),
    "list of integers": lambda value: isinstance(value, list) and all(isinstance(x, int) for x in value),
}


def fields(value: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every field with its value, named as the page names it."""
    for name, inner in value.items():
        yield prefix + name, inner
        if isinstance(inner, dict):
            yield from fields(inner, f"{prefix}{name}.")
        elif isinstance(inner, list):
            for each in inner:
                if isinstance(each, dict):
                    yield from fields(each, f"{prefix}{name}[].")


def assert_documented(name: str, *values: dict[str, Any]) -> None:
    """All fields of the values together are those of the shape, and each is of its type."""
    documented = shape(name)
    seen = set()
    for value in values:
        for field, inner in fields(value):
            assert field in documented, f"{name}: {field} is not documented"
            kinds = documented[field].split(" or ")
            assert (inner is None and "null" in kinds) or (inner is not None and TYPES[kinds[0]](inner)), (
                f"{name}: {field} is {inner!r}, not {documented[field]}"
            )
            seen.add(field)
    assert documented.keys() == seen, f"{name}: {documented.keys() - seen} were never printed"


# ── commands and options ────────────────────────────────────────────────────────────────────────


def commands() -> dict[str, argparse.ArgumentParser]:
    for action in build_parser()._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    raise AssertionError("there are no commands")


def test_every_command_has_a_section_and_every_section_a_command() -> None:
    assert sections().keys() == commands().keys() | {""}


@pytest.mark.parametrize("command", sorted(commands()))
def test_every_option_is_documented(command: str) -> None:
    options = {
        option
        for action in commands()[command]._actions
        for option in action.option_strings
        if option.startswith("--") and option != "--help"
    }
    documented = set(re.findall(r"^\| `(--[a-z-]+)` \|", sections()[command], flags=re.MULTILINE))
    assert documented == options


@pytest.mark.parametrize("command", sorted(commands()))
def test_every_argument_and_choice_is_documented(command: str) -> None:
    for action in commands()[command]._actions:
        if not action.option_strings and action.metavar is not None:
            for word in re.findall(r"[A-Za-z]+", str(action.metavar)):
                assert word in sections()[command]
        for choice in action.choices or ():
            assert str(choice) in sections()[command]


# ── the shapes of the log ───────────────────────────────────────────────────────────────────────


def table_of(first_cell: str) -> dict[str, set[str]]:
    """The rows of the table whose header begins with `first_cell`: name and fields."""
    _, found, rest = PAGE.partition(f"\n| {first_cell} | fields |")
    assert found
    table = rest.split("|---|---|---|\n", 1)[1].split("\n\n", 1)[0]
    rows = (line.split(" | ") for line in table.splitlines())
    return {row[0].strip("| `"): set(re.findall(r"`([^`]+)`", row[1])) for row in rows}


def test_every_type_of_record_is_documented_with_its_fields() -> None:
    union = get_args(Event)[0]
    assert table_of("type") == {
        event.__name__: set(event.model_fields) - {"type"} for event in get_args(union)
    }


def test_every_value_inside_a_record_is_documented_with_its_fields() -> None:
    values: list[type[BaseModel]] = [types.Crossing, types.Change, types.Version, types.Author]
    assert table_of("value") == {value.__name__: set(value.model_fields) for value in values}


# ── the shapes that the program prints ──────────────────────────────────────────────────────────


class Repository:
    """A scratch repository, and the real command line in it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "repository"
        self.root.mkdir()
        (folder / "run").mkdir(mode=0o700)
        clean = {key: value for key, value in os.environ.items() if not key.startswith("RUNEBOOK_")}
        self.environment = {
            **clean,
            "XDG_RUNTIME_DIR": str(folder / "run"),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_COMMITTER_NAME": "Shapes",
            "GIT_COMMITTER_EMAIL": "shapes@localhost",
        }
        subprocess.run(["git", "init", "-q"], cwd=self.root, env=self.environment, check=True)

    def commit(self) -> None:
        who = ("-c", "user.name=t", "-c", "user.email=t@localhost")
        command = ["git", *who, "commit", "-q", "--allow-empty", "-m", "x"]
        subprocess.run(command, cwd=self.root, env=self.environment, check=True)

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(exist_ok=True)
        (self.root / path).write_text(text)

    def json(self, *words: str, status: int | None = 0) -> Any:
        done = subprocess.run(
            [*PROGRAM, *words, "--json"],
            cwd=self.root,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            stdin=subprocess.DEVNULL,
        )
        assert status in (None, done.returncode), f"{words}: {done.returncode} {done.stdout}{done.stderr}"
        return json.loads(done.stdout) if done.stdout else None

    def hook(self, agent: str, payload: dict[str, Any]) -> None:
        own = {"RUNEBOOK_AGENT": agent, "RUNEBOOK_ROOT": str(self.root)}
        done = subprocess.run(
            [*PROGRAM, "hook", "claude"],
            cwd=self.root,
            env=self.environment | own,
            input=json.dumps(payload).encode(),
            capture_output=True,
            timeout=DEADLINE,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")

    def first_json(self, *words: str) -> Any:
        """What a command prints at first that goes on until it is interrupted."""
        with subprocess.Popen(
            [*PROGRAM, *words, "--json"],
            cwd=self.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                assert process.stdout is not None
                said = ""
                while not said.endswith("}\n"):
                    said += (line := process.stdout.readline())
                    assert line, said
                return json.loads(said)
            finally:
                process.send_signal(signal.SIGINT)
                assert process.wait(DEADLINE) == 0

    @contextmanager
    def hooking(self, agent: str, payload: dict[str, Any]) -> Iterator[None]:
        """A hook that waits for its answer meanwhile."""
        own = {"RUNEBOOK_AGENT": agent, "RUNEBOOK_ROOT": str(self.root)}
        words = [*PROGRAM, "hook", "claude"]
        running = subprocess.Popen(
            words, cwd=self.root, env=self.environment | own, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
        )
        try:
            assert running.stdin is not None
            running.stdin.write(json.dumps(payload).encode())
            running.stdin.close()
            yield
            assert running.wait(DEADLINE) == 0
        finally:
            running.kill()
            running.wait()

    def until(self, *words: str, holds: Callable[[Any], bool]) -> Any:
        end = time.monotonic() + DEADLINE
        while True:
            value = self.json(*words, status=None)
            if value is not None and holds(value):
                return value
            assert time.monotonic() < end, f"{words} never came to hold: {value}"
            time.sleep(0.1)


@contextmanager
def engine_in(here: Repository) -> Iterator[None]:
    command = [*PROGRAM, "run", "--keep"]
    with (here.root.parent / "engine.log").open("wb") as said:
        engine = subprocess.Popen(
            command, cwd=here.root, env=here.environment, stdout=said, stderr=said, start_new_session=True
        )
    try:
        yield
    finally:
        here.json("down", status=None)
        try:
            engine.wait(DEADLINE)
        finally:
            engine.kill()
            server = tmux_socket_name(here.root)
            subprocess.run(["tmux", "-L", server, "kill-server"], capture_output=True, check=False)


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory, postgres: Cluster) -> dict[str, list[Any]]:
    """What the program printed in one session, by the name of its shape."""
    fresh = Repository(tmp_path_factory.mktemp("fresh"))
    broken = Repository(tmp_path_factory.mktemp("broken"))
    broken.write("runebook.toml", PLAN.replace('owner = "alpha"', 'owner = "nobody-knows"'))
    noted = Repository(tmp_path_factory.mktemp("noted"))
    deeper = PLAN.replace('claims = ["beta/**"]', 'claims = ["beta/**", "alpha/deep/**"]')
    noted.write("runebook.toml", deeper.replace('command = ["true"]', 'command = ["no-such-program"]'))
    for number in range(3):
        for path in ("alpha/x", "beta/x", "unowned/x"):
            noted.write(path, f"{number}\n")
        subprocess.run(["git", "add", "-A"], cwd=noted.root, env=noted.environment, check=True)
        noted.commit()
    here = Repository(tmp_path_factory.mktemp("shapes"))
    here.commit()
    here.write("alpha/api.txt", "offer\n")
    here.write("alpha/both.txt", "from before\n")
    here.write("runebook.toml", PLAN)
    found: dict[str, list[Any]] = {
        "init": [fresh.json("init")],
        "check": [here.json("check"), broken.json("check", status=2), noted.json("check")],
        "doctor": [broken.json("doctor", status=1)],
    }
    stored = Repository(tmp_path_factory.mktemp("stored"))
    stored.write("runebook.toml", PLAN)
    stored.environment["RUNEBOOK_STORE"] = postgres.url(postgres.database())
    found["store-init"] = [stored.json("store", "init", "--no-role"), stored.json("store", "init")]
    copy = stored.root / "copy.jsonl"
    copy.write_text('{"runebook": "log", "format": 1, "records": 0}\n')
    found["log-imported"] = [stored.json("log", "import", str(copy))]
    with engine_in(here):
        # Before the run has begun there are no agents yet.
        here.until("status", holds=lambda state: [a["status"] for a in state["agents"]][1:2] == ["failed"])
        here.until("status", holds=lambda state: state["agents"][0]["alive"])
        alpha = ("--agent", "alpha")
        found["agent-named"] = [here.json("ready", *alpha)]
        found["task"] = [here.json("task", "start", "one"), here.json("task", "done", "one")]
        found["publish"] = [here.json("publish", "alpha-api")]
        found["ask"] = [
            here.json("ask", "alpha/mine", *alpha),
            here.json("ask", "beta/theirs", "--no-wait", *alpha, status=1),
        ]
        asked = str(found["ask"][1]["id"])
        found["decision"] = [
            here.json("ask", "beta/theirs", "--wait", "0.05", *alpha, status=1),
            here.json("approve", asked, "--scope", "plan", "--reason", "go on"),
            here.json("wait", asked, *alpha),
        ]
        found["wait"] = [here.json("wait", "finalize", "--seconds", "0", *alpha, status=1)]
        found["message"] = [
            here.json("tell", "alpha", "beta", "look", "--request", asked),
            *here.json("inbox", "--agent", "alpha", "--all"),
        ]
        found["said"] = here.json("say", "alpha", "beta", "hello", status=1)
        other = str(here.json("ask", "beta/other", "--no-wait", *alpha, status=1)["id"])
        Worktrees(here.root).open("gamma")
        found["lane"] = here.json("lanes")
        found["lane-removed"] = [here.json("lanes", "remove", "gamma")]
        found["who"] = [
            here.json("who", "beta/other"),
            here.until("who", "alpha/api.txt", "--lines", holds=_was_touched),
            here.json("who", "beta/none", "--lines", status=1),
        ]
        here.hook("alpha", {"hook_event_name": "SessionStart", "session_id": "s", "model": "m"})
        asking = {"tool_name": "Bash", "tool_input": {"command": "make"}, "cwd": "/"}
        with here.hooking("alpha", {"hook_event_name": "PermissionRequest", "session_id": "s", **asking}):
            here.until("status", holds=lambda now: "may Bash" in str(now["agents"][0]["activity"]))
            found["answered"] = [here.json("answer", "alpha", "yes")]
        failed = {
            "tool_name": "Bash",
            "tool_input": {"command": "make lint"},
            "tool_use_id": "c",
            "error": "2",
        }
        here.hook("alpha", {"hook_event_name": "PostToolUseFailure", "session_id": "s", **failed})
        AgentContext("alpha", here.root).accept("tests", False, 1, 0.5, "1a2b3c4")
        found["status"] = [here.json("status")]
        found["store"] = [here.json("store", "status"), stored.json("store", "status")]
        found["serve"] = [here.first_json("serve", "--port", "0")]
        found["why"] = [here.json("why", "alpha"), here.json("why", "beta")]
        found["snooze"] = [here.json("snooze", "beta"), here.json("snooze", "beta")]
        found["recommendation"] = [
            here.json("recommend", other, "reject", "--reason", "not now", "--agent", "beta")
        ]
        crossed = here.until("requests", holds=lambda found: found and len(found[0]["paths"]) == 2)[0]
        found["undo"] = [here.json("reject", str(crossed["id"]), "--undo", status=1)]
        found["request"] = here.json("requests", "--all")
        found["undo"] += [
            here.json("undo", "--restore", found["undo"][0]["id"]),
            here.json("undo", str(crossed["id"]), status=1),
            *here.json("undo", "--list"),
        ]
        found["decision"].append(here.json("reject", other))
        for _ in range(3):
            again = here.json("ask", "beta/again", "--no-wait", *alpha, status=1)["id"]
            here.json("reject", str(again))
        found["lesson"] = here.json("plan", "lessons")
        found["amendment"] = [here.json("plan", "accept", found["lesson"][0]["id"], "--dry-run")]
        found["dismissed"] = [here.json("plan", "dismiss", found["lesson"][0]["id"])]
        found["amendment"] += [
            here.json("plan", "widen", "alpha", "docs/**"),
            here.json("plan", "transfer", "beta/given", "alpha"),
        ]
        found["amendment"].append(here.json("plan", "restore", found["amendment"][1]["before"]))
        found["agent-named"] += [here.json("stop", "alpha"), here.json("restart", "beta")]
        found["record"] = here.json("log", "--since", "1d")
        here.json("log", "export", str(copy.with_name("all")))
        head, *lines = map(json.loads, copy.with_name("all").read_text().splitlines())
        # The fields of events are in a table of their own.
        found["log-exported"], found["log-line"] = [head], [line | {"event": {}} for line in lines]
        script = f"""
from pathlib import Path
from runebook_tui.agent import AgentContext
context = AgentContext("alpha", Path({str(here.root)!r}))
print(context.suggest("fix", "Install it", snippet="pip install it", rule="pip", command=3, file="a", line=1))
"""
        subprocess.run([sys.executable, "-P", "-c", script], env=here.environment, check=True)
        found["absence"] = [here.json("away")]
        found["suggestion-count"] = [here.json("suggest", "status")]
        found["suggestion"] = [
            *here.json("suggest", "list"),
            *here.json("suggest", "top"),
            here.json("suggest", "apply", "1"),
            here.json("suggest", "dismiss", "1"),
            *here.json("suggest", "list", "--all"),
        ]
        found["absence"] += [here.json("away"), here.json("away", "--since", "0s")]
        here.commit()
        found["rehearsal"] = [here.json("rehearse"), here.json("rehearse", "--history", "5")]
        here.until("who", "alpha/both.txt", holds=_was_touched)
        here.write("alpha/both.txt", "yours\n")
        here.write("alpha/notes.txt", "note one\n")
        here.json("publish", "alpha-notes")
        here.write("alpha/notes.txt", "note two\n")
        found["host"] = here.json("hosts")
        found["api"] = here.until("apis", holds=lambda found: found[1]["drift"])
        commit = ("commit", "alpha", "-m", "Begin", "--author", "Shapes <shapes@localhost>")
        found["commit"] = [here.json(*commit, status=1), here.json(*commit, "--partial")]
        found["guard"] = [here.json("guard", step) for step in ("install", "uninstall")]
        here.until("status", holds=lambda state: not state["agents"][0]["alive"])
        here.json("restart", "alpha")
        here.until("status", holds=lambda state: state["agents"][0]["alive"])
        subprocess.run(["tmux", "-L", tmux_socket_name(here.root), "kill-server"], check=True)
        here.until("status", holds=lambda state: state["agents"][0]["lost"])
        found["resumed"] = here.json("resume")
        found["report"] = [here.json("report"), here.json("report", "--run", "1")]
        found["surface"] = here.json("surface", "list")
        found["down"] = [here.json("down")]
    remember(here.root / ".runebook/agents/storage")
    found["log-trimmed"] = [here.json("log", "trim"), here.json("log", "trim", "--keep", "1000")]
    found["memory"] = [here.json("memory", "inspect")]
    found["memory-hit"] = here.json("memory", "search", "make")
    found["memory-wiped"] = [here.json("memory", "wipe", "--yes")]
    return found


def remember(folder: Path) -> None:
    """What a storage agent would have written."""
    folder.mkdir(parents=True)
    ran = {
        "type": "CommandRan",
        "seq": 1,
        "time": 5.0,
        "run": 1,
        "agent": "alpha",
        "command": "make",
        "code": 2,
    }
    with Store(folder / "memory.sqlite", write=True) as store:
        Writer(store).take(1.0, [ran | {"code": 2}], 1)


def _was_touched(answer: Any) -> bool:
    return answer["last"] is not None


@pytest.mark.parametrize(
    "name", sorted(set(re.findall(r"^Shape `([a-z-]+)`", PAGE, flags=re.M)) - {"record"})
)
def test_what_is_printed_has_the_documented_shape(printed: dict[str, list[Any]], name: str) -> None:
    assert_documented(name, *printed[name])


def test_records_have_the_documented_fields(printed: dict[str, list[Any]]) -> None:
    documented, by_type = shape("record"), table_of("type")
    for record in printed["record"]:
        assert record.keys() == documented.keys() | by_type[record["type"]]
        assert all(TYPES[kind](record[name]) for name, kind in documented.items())
    assert {record["type"] for record in printed["record"]} >= {
        "RunStarted",
        "Touched",
        "CoordinationRequest",
    }


def test_a_usage_error_is_one_line_and_status_2(tmp_path: Path) -> None:
    here = Repository(tmp_path)
    done = subprocess.run(
        [*PROGRAM, "approve"], cwd=here.root, env=here.environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
