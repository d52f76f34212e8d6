"""Two hosts, each with checkout, engine and tmux of its own, on one PostgreSQL: one run, decided anywhere."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from session_play import DEADLINE, WAITING, Session, rb

from runebook_tui.core.hosts import tree_of
from runebook_tui.execution.follow import open_log
from runebook_tui.log.schema import make
from runebook_tui.tui.app import RunebookApp
from runebook_tui.tui.live import LiveBackend

PLAN = """
[plan]
name = "two"
remote = "origin"

[policy]
hold_seconds = 600

[[phases]]
id = "build"

[[phases]]
id = "wire"
after = ["build"]

[[agents]]
id = "alpha"
phase = "build"
command = ["sh", "alpha.sh"]
claims = ["src/**"]
tasks = [{ id = "a1" }]

[[agents]]
id = "beta"
phase = "wire"
host = "b"
command = ["sh", "beta.sh"]
claims = ["wire/**"]
needs = { apis = ["storage"] }

[[interfaces]]
name = "storage"
owner = "alpha"
path = "src/api.py"
must_contain = ["def append"]
"""

ALPHA = (
    "echo 'def append(): ...' > src/api.py\n"
    + WAITING.format("committed")
    + rb("publish", "storage")
    + rb("task", "done", "a1")
    + "cat\n"
)
BETA = (
    "echo 'beta looks around'\n"
    + WAITING.format("go")
    + "echo '# a line of beta' >> src/api.py && echo 'it has landed'\n"
    + WAITING.format("again")
    + "sh -c 'echo \"# another\" >> src/more.py' && echo 'both have landed'\n"
    + WAITING.format("end")
)


@pytest.fixture
def hosts(
    tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Session, Session]]:
    """The plan's own host, and host b, whose remote is the other's checkout."""
    make(database)
    monkeypatch.setenv("RUNEBOOK_STORE", database)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("a", "b"):
        (tmp_path / name / "repo").mkdir(parents=True)
    here, there = (Session(tmp_path / name / "repo") for name in ("a", "b"))
    for session in (here, there):
        session.environment["RUNEBOOK_STORE"] = database
    there.environment["RUNEBOOK_HOST"] = "b"
    (here.root / "alpha.sh").write_text(ALPHA)
    (here.root / "beta.sh").write_text(BETA)
    (here.root / "src").mkdir()
    (here.root / "src" / "more.py").write_text("# what alpha wrote before\n")
    (here.root / ".gitignore").write_text("go\nagain\ncommitted\nend\n")
    here.plan(PLAN)
    there.git("remote", "add", "origin", str(here.root))
    there.git("pull", "-q", "origin", "main")
    try:
        yield here, there
    finally:
        there.down()
        here.down()


def test_one_run_on_two_hosts(hosts: tuple[Session, Session]) -> None:
    here, there = hosts
    there.start()
    here.start()
    here.until("alpha at work", lambda: here.agent("alpha").get("alive"))
    there.until("both engines", lambda: len(here.state().engines) == 2)
    assert "an engine runs here already" in there.command("run", "--keep").stderr

    # What alpha publishes opens beta's gate on host b once the file has arrived there.
    here.until("the file", lambda: (here.root / "src/api.py").exists())
    here.git("add", "src")
    here.git("commit", "-q", "-m", "The interface")
    (here.root / "committed").touch()
    here.until("beta at work", lambda: here.agent("beta").get("alive"))
    assert (there.root / "src/api.py").read_text() == (here.root / "src/api.py").read_text()
    with open_log(there.root) as log:
        taken = [each.event for each in log.read(path="src/api.py", lane=tree_of("b"))]
    assert [touch.author.evidence for touch in taken] == ["taken from origin/main as published (v1)"]

    # Beta's write is held on host b, and approved from here.
    there.until_gate("beta")
    (there.root / "go").touch()
    request = here.until("the request", lambda: next(iter(here.requests()), None))
    assert (request["requester"], request["kind"]) == ("beta", "held")
    assert "a line of beta" not in (there.root / "src/api.py").read_text()
    decided = here.command("approve", str(request["id"]))
    assert decided.returncode == 0, decided.stderr
    there.until("the write", lambda: "a line of beta" in (there.root / "src/api.py").read_text())
    assert "a line of beta" not in (here.root / "src/api.py").read_text()
    # The engine of b wrote the decision down, and whose operator it was.
    assert [each["decided_from"] for each in there.json("requests", "--all")] == [""]
    assert "you approved request 1 once from the plan's own host" in there.command("log").stdout

    # And on the screen: pane, file and decision of host b.
    (there.root / "again").touch()
    asyncio.run(_decide_on_screen(here.root))
    there.until("the write", lambda: "# another" in (there.root / "src/more.py").read_text())

    # The engine of b is killed: its agent lives on, and what waits there says so.
    front = here.agent("beta")["pid"]
    there.kill_engine()
    here.until("b is away", lambda: [each["engine"] is None for each in here.json("hosts")] == [False, True])
    refused = here.command("restart", "beta")
    assert refused.returncode == 1
    assert "no engine of host b runs" in refused.stderr
    there.start()
    here.until("b's engine", lambda: here.command("restart", "beta").stderr.find("only a failed") > 0)
    assert (here.agent("beta")["pid"], here.agent("beta")["attempt"]) == (front, 1)
    (there.root / "end").touch()
    here.until("the run's end", lambda: here.state().outcome == "completed")


async def _decide_on_screen(root: Path) -> None:
    """Look at beta's pane, open the card of its request, and approve."""
    app = RunebookApp(LiveBackend(root))
    async with app.run_test(size=(150, 40)) as pilot:

        async def shows(*texts: str) -> None:
            deadline = time.monotonic() + DEADLINE
            while not all(text in (there := _text(app)) for text in texts):
                assert time.monotonic() < deadline, there
                await pilot.pause(0.05)

        await shows("beta · ", "at b · ", "it has landed")
        await pilot.press("o")
        await shows("beta wants to write src/more.py on host b", "# what alpha wrote before")
        await pilot.press("a")
        await shows("both have landed")


def _text(app: RunebookApp) -> str:
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())
