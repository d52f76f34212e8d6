"""A rejected change taken back in a real session, while the operator works in the same file."""

from __future__ import annotations

from session_play import WAITING

PLAN = """
[plan]
name = "undo"

[[phases]]
id = "build"

[[agents]]
id = "alpha"
phase = "build"
command = ["bash", "alpha.sh"]
claims = ["alpha/**"]
gate = "observe"

[[agents]]
id = "beta"
phase = "build"
command = ["bash", "beta.sh"]
claims = ["beta/**"]
gate = "observe"
"""

LINES = [f"line {number}" for number in range(10)]


def text(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


MINE = ["mine", *LINES]
ALPHA = """
import os, pathlib
x = pathlib.Path("beta/x")
x.write_text(x.read_text().replace("line 5", "ALPHA"))
os.mkdir("beta/new")
pathlib.Path("beta/new/z").write_text("new\\n")
"""


def crossed(session, write: str, then: str):
    """Beta owns what I have edited, alpha writes in it, beta goes on; the request that came of it."""
    (session.root / "beta").mkdir()
    for name in ("x", "y"):
        (session.root / "beta" / name).write_text(text(LINES))
    (session.root / "alpha.sh").write_text(WAITING.format("go") + write + "\nsleep 600\n")
    (session.root / "beta.sh").write_text(WAITING.format("on") + then + "\nsleep 600\n")
    session.plan(PLAN)
    (session.root / "beta" / "x").write_text(text(MINE))
    session.start()
    session.until_gate("alpha")
    session.until_gate("beta")
    (session.root / "go").touch()
    session.until("both paths", lambda: [each for each in session.requests() if len(each["paths"]) == 2])
    (session.root / "on").touch()
    session.until("beta's work", lambda: session.last("beta/x").name == "beta")


def test_rejecting_with_undo_leaves_the_lines_of_the_others(session):
    (session.root / "alpha.py").write_text(ALPHA)
    crossed(
        session,
        "python3 alpha.py",
        "echo beta >> beta/x",
    )
    x, z = session.root / "beta" / "x", session.root / "beta" / "new" / "z"
    before = x.read_text()
    assert before == text(MINE).replace("line 5", "ALPHA") + "beta\n"
    done = session.command("reject", "1", "--undo")
    assert (done.returncode, done.stderr) == (0, "")
    assert "undone as u1" in done.stdout
    assert x.read_text() == text([*MINE, "beta"])
    assert not z.parent.exists()
    assert "+ALPHA" in (session.root / ".runebook" / "undo" / "u1.patch").read_text()
    author = session.last("beta/x")
    assert (author.name, author.evidence) == ("operator", "undo of request 1")
    assert "undone already" in session.command("undo", "1").stderr
    assert "undone as u1" in session.command("requests", "--all").stdout
    assert [(each["id"], each["status"]) for each in session.json("undo", "--list")] == [("u1", "undone")]

    restored = session.command("undo", "--restore", "u1")
    assert (restored.returncode, restored.stderr) == (0, "")
    assert (x.read_text(), z.read_text()) == (before, "new\n")
    assert "restored already" in session.command("undo", "--restore", "u1").stderr
    x.write_text(before + "later\n")
    again = session.json("undo", "1")
    assert (again["id"], again["status"]) == ("u2", "undone")
    assert x.read_text() == text([*MINE, "beta", "later"])
    assert list(session.state().requests) == [1], "neither undo nor restore nor I raised a request"


def test_what_cannot_be_undone_stays_and_says_where_the_patch_is(session):
    crossed(session, "sed -i 's/line 5/ALPHA/' beta/x beta/y", "sed -i 's/ALPHA/ALPHA and beta/' beta/x")
    x, y = session.root / "beta" / "x", session.root / "beta" / "y"
    before = x.read_text()
    done = session.command("reject", "1", "--undo", "--reason", "no")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "not undone: beta/x: others have changed the same lines since" in done.stderr
    assert ".runebook/undo/u1-refused.patch" in done.stderr
    assert (x.read_text(), y.read_text()) == (before, text(LINES))
    kept = session.root / ".runebook" / "undo" / "u1-refused.patch"
    assert "+ALPHA\n" in kept.read_text()
    assert session.state().requests[1].status == "rejected"
    x.write_text(before.replace(" and beta", ""))
    session.git("apply", "-R", "--check", str(kept))
    again = session.command("undo", "1")
    assert (again.returncode, again.stderr) == (0, "")
    assert x.read_text() == text(MINE)
