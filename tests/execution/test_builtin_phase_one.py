"""The orchestrator and the storage agent in a real session, by the engine, under the gate."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hook_play import Client, claude

from runebook_tui.memory.reader import Reader
from runebook_tui.memory.store import Store, StoreError
from runebook_tui.place import tmux_socket_name

PARTS = """
[[phases]]
id = "first"

[[phases]]
id = "second"
after = ["first"]

[[phases]]
id = "third"
after = ["first"]
needs = { apis = ["memory"] }

[[agents]]
id = "conductor"
phase = "first"
builtin = "orchestrator"
claims = ["plans/**"]
tasks = [
  { id = "conductor-roadmap", title = "Write the roadmap" },
  { id = "conductor-interfaces", title = "Stub all interfaces" },
  { id = "conductor-ownership", title = "Check the boundaries" },
  { id = "conductor-coordination" },
]

[[agents]]
id = "keeper"
phase = "second"
builtin = "storage"
claims = ["src/memory/**"]
tasks = [{ id = "keeper-implement" }, { id = "keeper-publish" }]

[[agents]]
id = "reader"
phase = "third"
command = ["sleep", "600"]

[[interfaces]]
name = "memory"
owner = "keeper"
path = "src/memory/api.rs"
must_contain = ["pub fn append_event", "pub fn list_sessions"]

[[interfaces]]
name = "there"
owner = "beta"
path = "src/beta/x"
must_contain = ["nothing of this"]
"""


@pytest.fixture
def client(session) -> Client:
    return Client(session, more=PARTS)


def memory_of(root: Path) -> Path:
    return root / ".runebook/agents/keeper/memory.sqlite"


def remembered(root: Path, kind: str) -> list[dict[str, Any]]:
    try:
        with Store(memory_of(root)) as store:
            return list(Reader(store).everything((kind,)))
    except StoreError:
        return []


def tasks(client: Client) -> dict[str, str]:
    return {task.id: task.status.value for task in client.session.state().tasks.values()}


def ran(client: Client, command: str, call: str, *, fails: bool = False) -> None:
    event = "PostToolUseFailure" if fails else "PostToolUse"
    payload = claude(client.root, "Bash", call, event, command=command)
    client.answer(client.ask(payload | ({"error": "Exit code 2\nno such thing"} if fails else {})))


def test_phase_one_to_three_with_the_real_agents(client: Client) -> None:
    session, root = client.session, client.root
    ran(client, "make api", "c1", fails=True)
    session.until("the reader, by the published interface", lambda: session.agent("reader").get("alive"))
    session.until("every task", lambda: set(tasks(client).values()) == {"completed"})
    # Stubbed by the conductor, in the keeper's territory, without a request; what is there is asked for.
    (asked,) = session.until("the question", session.requests)
    assert (asked["requester"], asked["kind"], asked["status"]) == ("conductor", "asked", "open")
    assert asked["paths"] == ["src/beta/x"]
    assert "to add stubs of nothing of this" in asked["reason"]
    stub = (root / "src/memory/api.rs").read_text()
    assert "A stub: keeper implements it." in stub
    assert "pub fn append_event() {" in stub
    author = session.last("src/memory/api.rs")
    assert author is not None
    assert author.name == "conductor"
    assert (root / "src/beta/x").read_text() == "first\nsecond\n"
    page = (root / "plans/ROADMAP.md").read_text()
    assert "* **keeper**\n" in page
    assert "needs the API memory" in page
    assert "| memory | keeper | src/memory/api.rs | pub fn append\\_event, pub fn list\\_sessions |" in page

    (failed,) = session.until("the failure in the memory", lambda: remembered(root, "error"))
    assert (failed["agent"], failed["command"], failed["code"]) == ("alpha", "command/1", 2)
    sessions = {each["agent"]: each for each in remembered(root, "session")}
    assert {"alpha", "conductor", "keeper"} <= sessions.keys()

    # A second run: the conductor finds its own work.
    before = (root / "plans/ROADMAP.md").stat().st_mtime_ns
    assert session.command("down").returncode == 0
    session.engine.wait(60)
    session.start("--keep", "--new")
    session.until("it done again", lambda: "plans/ROADMAP.md is up to date" in shown(client))
    session.until("the second run", lambda: session.agent("conductor").get("status") == "completed")
    assert (root / "plans/ROADMAP.md").stat().st_mtime_ns == before
    assert (root / "src/memory/api.rs").read_text() == stub


def test_a_file_that_is_there_is_changed_once_the_operator_approves(client: Client) -> None:
    session, file = client.session, client.root / "src/beta/x"
    session.until("the conductor's tasks", lambda: tasks(client)["conductor-coordination"] == "completed")
    session.until("the question", session.requests)
    assert file.read_text() == "first\nsecond\n"
    assert session.command("approve", "1").returncode == 0
    session.until("what was asked for", lambda: file.read_text() != "first\nsecond\n")
    session.until("all of it", lambda: file.read_text() == "first\nsecond\n\nnothing of this\n")
    session.until("its word", lambda: "added stubs to src/beta/x" in shown(client))


def test_a_file_that_is_there_stays_as_it_is_when_the_operator_rejects(client: Client) -> None:
    session = client.session
    session.until("the question", session.requests)
    assert session.command("reject", "1").returncode == 0
    session.until("its word", lambda: "src/beta/x stays as it is: rejected" in shown(client))
    assert (client.root / "src/beta/x").read_text() == "first\nsecond\n"


def test_nothing_is_doubled_or_lost_when_storage_or_the_engine_is_killed(client: Client) -> None:
    session, root = client.session, client.root
    commands = []

    def more(number: int) -> None:
        for at in range(number):
            commands.append(f"echo {len(commands)}-{at}")
            ran(client, commands[-1], f"c{len(commands)}")

    def all_there() -> bool:
        return [each["command"] for each in remembered(root, "command")] == commands

    more(2)
    session.until("the first commands", all_there)
    os.kill(pid_of(root), signal.SIGKILL)
    session.until("its end", lambda: not session.agent("keeper")["alive"])
    more(2)
    session.json("restart", "keeper")
    session.until("what came while it was away", all_there)
    session.kill_engine()
    session.start()
    session.until(
        "the next engine", lambda: session.command("tell", "beta", "are you there?").returncode == 0
    )
    more(1)
    session.until("what came under the next engine", all_there)
    session.until("its tasks", lambda: session.agent("keeper")["status"] == "completed")


def pid_of(root: Path) -> int:
    """The process of the storage agent."""
    for each in Path("/proc").glob("[0-9]*"):
        try:
            words = (each / "cmdline").read_bytes().split(b"\0")
            folder = os.readlink(each / "cwd")
        except OSError:
            continue
        if folder == str(root) and b"runebook_tui.agent" in words and b"storage" in words:
            return int(each.name)
    raise AssertionError(f"no storage agent in {root}")


def test_the_storage_agent_says_what_its_interface_lacks_and_publishes_when_it_is_there(session) -> None:
    plan = PARTS.replace('builtin = "orchestrator"', 'command = ["true"]')
    client = Client(session, more=plan)
    state = session.until(
        "the word that it waits",
        lambda: (found := session.state().tasks["keeper-publish"]).reason and found,
    )
    assert state.status.value == "blocked"
    assert "src/memory/api.rs is not there" in state.reason
    path = client.root / "src/memory/api.rs"
    path.parent.mkdir()
    path.write_text("pub fn append_event() {}\n")
    session.until("what it lacks", lambda: "list_sessions" in session.state().tasks["keeper-publish"].reason)
    path.write_text("pub fn append_event() {}\npub fn list_sessions() {}\n")
    session.until("the interface", lambda: session.state().apis.get("memory"))
    session.until("the task", lambda: tasks(client)["keeper-publish"] == "completed")


def test_the_storage_agent_follows_the_plan(client: Client) -> None:
    session, file = client.session, client.root / "runebook.toml"
    first = session.until("the first interface", lambda: session.state().apis.get("memory"))
    ran(client, "echo of old", "c1")
    session.until("it in the memory", lambda: remembered(client.root, "command"))
    (client.root / "src/memory/more.rs").write_text("pub fn search() {}\n")
    more = """
[[interfaces]]
name = "search"
owner = "keeper"
path = "src/memory/more.rs"
must_contain = ["pub fn search"]
"""
    kept = "[policy]\nmemory_days = 0.000001"
    file.write_text(file.read_text().replace("[policy]", kept) + more)
    session.until("the new interface", lambda: session.state().apis.get("search"))
    session.until("what is forgotten", lambda: not remembered(client.root, "command"))
    assert session.state().apis.get("memory") == first


def test_panes_say_what_was_done(client: Client) -> None:
    client.session.until("the interface", lambda: client.session.state().apis.get("memory"))
    text = client.session.until("the keeper's word", lambda: "published" in shown(client) and shown(client))
    assert "stubbed src/memory/api.rs for keeper" in text
    assert "src/beta/x is there and lacks nothing of this: asks to add stubs" in text
    assert "keeper owns src/memory/**" in text
    assert "published memory version 1" in text


def shown(client: Client) -> str:
    """What stands in all panes."""
    tmux = ["tmux", "-L", tmux_socket_name(client.root)]
    panes = subprocess.run([*tmux, "list-panes", "-a", "-F", "#{pane_id}"], capture_output=True, text=True)
    texts = [
        subprocess.run(
            [*tmux, "capture-pane", "-p", "-S", "-200", "-t", each], capture_output=True, text=True
        )
        for each in panes.stdout.split()
    ]
    return "".join(each.stdout for each in texts)
