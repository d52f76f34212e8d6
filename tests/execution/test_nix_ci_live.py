"""The agent nix-ci in its pane: it writes what is missing, leaves what is there, and says what is wrong."""

from __future__ import annotations

import pytest
from session_play import Session

PLAN = """
[plan]
name = "scaffolded"

[[phases]]
id = "build"

[[phases]]
id = "continuous"
continuous = true

[[agents]]
id = "alpha"
phase = "build"
command = ["sh", "-c", "while [ ! -e go ]; do sleep 0.05; done"]
claims = ["src/**"]

[[agents]]
id = "nix-ci"
phase = "continuous"
builtin = "nix-ci"
claims = ["/flake.nix", ".github/workflows/**"]
tasks = [{ id = "nix-scaffold" }, { id = "nix-ci-continuous" }]

[[agents]]
id = "gamma"
phase = "continuous"
command = ["sleep", "600"]
claims = ["/shell.nix"]
"""

WORKFLOW = ".github/workflows/ci.yml"
MINE = "{ }\n"


@pytest.mark.nix
def test_it_scaffolds_checks_and_leaves_peoples_work_alone(session: Session) -> None:
    root = session.root
    (root / ".gitignore").write_text("go\n")
    (root / "flake.nix").write_text(MINE)
    (root / "go.mod").write_text("module example.org/x\n\ngo 1.22\n")
    session.plan(PLAN)
    session.start()
    # shell.nix is another agent's here: it is asked for, and written once that is approved.
    asked = session.until("a request", session.requests)[0]
    assert (asked["requester"], asked["paths"]) == ("nix-ci", ["shell.nix"])
    assert not (root / "shell.nix").exists()
    session.command("approve", str(asked["id"]))
    session.until("the workflow", (root / WORKFLOW).exists)
    session.until("the task", lambda: session.state().tasks["nix-scaffold"].status == "completed")
    assert "pkgs.go\n" in (root / "shell.nix").read_text()
    assert 'go-version: "1.22"' in (root / WORKFLOW).read_text()
    assert (root / "flake.nix").read_text() == MINE

    text = (root / WORKFLOW).read_text()
    (root / WORKFLOW).write_text(text.replace("runs-on", "runs-in"))

    def open_ones() -> list[str]:
        return [each.title for each in session.state().suggestions if each.open]

    session.until("a suggestion", lambda: any(WORKFLOW in title for title in open_ones()))
    (root / WORKFLOW).write_text(text)
    session.until("it is withdrawn", lambda: not open_ones())

    # Changed by hand, and what the project needs has changed: left alone, and suggested.
    (root / WORKFLOW).write_text(text + "# mine\n")
    (root / "package.json").write_text('{"scripts": {"test": "node --test"}}\n')
    session.until("a suggestion", lambda: any("may want" in title for title in open_ones()))
    assert (root / WORKFLOW).read_text() == text + "# mine\n"
    # What nobody has touched since is brought up to date.
    session.until(
        "the shell", lambda: "pkgs.nodejs\n" in (root / "shell.nix").read_text() or session.requests()
    )
    (root / "go").touch()
    session.until("the end", lambda: session.state().tasks["nix-ci-continuous"].status == "completed")
