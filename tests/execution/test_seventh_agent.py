"""The agent of docs/agents.md: installed, run in a real pane, asking, suggesting and finalizing."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from session_play import Session

PAGE = (Path(__file__).parents[2] / "docs" / "agents.md").read_text("utf-8")
WORK = "while [ ! -e go ]; do sleep 0.05; done\n"


def written(name: str) -> str:
    """The file `name` as the page shows it."""
    found = re.search(rf"^```\w+\n# {re.escape(name)}\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    assert found is not None, name
    return found[1]


def install(source: Path, target: Path) -> None:
    """Build the package that the page shows, and install it into a folder of its own, without the network."""
    source.mkdir()
    for name in ("pyproject.toml", "todo_keeper.py"):
        (source / name).write_text(written(name))
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index"]
    options = ["--no-deps", "--no-build-isolation", "--target", str(target)]
    done = subprocess.run([*pip, *options, str(source)], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr


def test_the_agent_of_the_page_runs_in_a_pane(session: Session, tmp_path: Path) -> None:
    install(tmp_path / "source", tmp_path / "site")
    session.environment["PYTHONPATH"] = str(tmp_path / "site")
    root = session.root
    (root / "src").mkdir()
    (root / "src/a.py").write_text("x = 1  # TODO: more\n")
    (root / "README.md").write_text("# Read me\n")
    (root / "work.sh").write_text(WORK)
    (root / ".gitignore").write_text("go\n")
    session.plan(written("runebook.toml"))
    assert session.command("check").returncode == 0
    session.start()
    asked = session.until("a request", session.requests)[0]
    assert (asked["requester"], asked["paths"], asked["owners"]) == ("todo", ["README.md"], ["coder"])
    session.command("approve", str(asked["id"]))
    session.until("the link", lambda: "TODO.md" in (root / "README.md").read_text())
    (root / "src/b.py").write_text("\n# FIXME: it is wrong\n")
    session.until("a suggestion", lambda: session.state().suggestions)
    (suggestion,) = session.state().suggestions
    assert suggestion.title == "src/b.py says: FIXME: it is wrong"
    assert (suggestion.provenance.file, suggestion.provenance.line) == ("src/b.py", 2)
    (root / "go").touch()
    session.until("the end", lambda: session.state().outcome == "completed")
    assert (root / "TODO.md").read_text() == (
        "# To do\n\n* src/a.py:1: TODO: more\n* src/b.py:2: FIXME: it is wrong\n"
    )
    assert session.last("TODO.md").name == "todo"
    notes = {each["task"]: each["note"] for each in session.json("log") if each["type"] == "TaskCompleted"}
    assert notes == {"todo-list": "1 found", "todo-final": "2 are left"}
