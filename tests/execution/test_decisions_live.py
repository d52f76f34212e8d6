"""Decisions in a real session: bound to what was seen, taken together, handed over, taken back, widened."""

from __future__ import annotations

from session_play import WAITING

PLAN = """# who works on what
[plan]
name = "decisions"

[[phases]]
id = "build"

[[agents]]
id = "alpha"
phase = "build"
command = ["bash", "alpha.sh"]
claims = ["src/alpha/**"]
tasks = [{ id = "alpha-1" }]

[[agents]]
id = "beta"  # owns most
phase = "build"
command = ["sleep", "600"]
claims = ["src/beta/**"]
tasks = [{ id = "beta-1" }]
"""


def begin(session, *steps: str, gate: str = "enforce") -> None:
    """alpha runs each step once a file of its number is there; their errors land in src/alpha/said."""
    for owner in ("alpha", "beta"):
        (session.root / "src" / owner).mkdir(parents=True)
        (session.root / "src" / owner / "x").write_text("first\n")
    script = "".join(
        f"{WAITING.format(number)}{{\n{step}\n}} 2>> src/alpha/said\ntouch src/alpha/done{number}\n"
        for number, step in enumerate(steps, 1)
    )
    (session.root / "alpha.sh").write_text(script + WAITING.format("stop"))
    (session.root / ".gitignore").write_text("[0-9]\nstop\n")
    session.plan(PLAN.replace('claims = ["src/alpha/**"]', f'claims = ["src/alpha/**"]\ngate = "{gate}"'))
    session.start()
    session.until_gate("alpha")
    session.until_gate("beta")


def go(session, number: int) -> None:
    (session.root / str(number)).touch()


def done(session, number: int) -> None:
    session.until(f"step {number}", lambda: (session.root / f"src/alpha/done{number}").exists())


def waiting(session) -> dict[str, object]:
    return session.until("a waiting write", lambda: [r for r in session.requests() if r["held_until"]])[0]


def read(session, path: str = "src/beta/x") -> str:
    return (session.root / path).read_text()


def test_an_approval_for_once_is_void_when_the_owner_changed_the_file_before_it_was_used(session):
    begin(session, "echo mine > src/beta/x")
    asked = session.json("ask", "src/beta/x", "--agent", "alpha", "--reason", "please", "--no-wait")
    assert session.command("approve", str(asked["id"])).returncode == 0
    (session.root / "src/beta/x").write_text("the owner went on\n")
    session.until("the owner's change", lambda: session.last("src/beta/x"))
    go(session, 1)
    request = waiting(session)
    assert request["id"] != asked["id"]
    assert read(session) == "the owner went on\n"
    assert session.command("approve", str(request["id"])).returncode == 0
    done(session, 1)
    assert read(session) == "mine\n"


def test_an_approval_for_once_serves_one_write_of_what_was_there(session):
    begin(session, "cp alpha.sh src/beta/x", "cp src/alpha/x src/beta/x")
    asked = session.json("ask", "src/beta/x", "--agent", "alpha", "--reason", "please", "--no-wait")
    assert session.command("approve", str(asked["id"])).returncode == 0
    go(session, 1)
    done(session, 1)
    assert "echo" not in read(session)
    session.until("the approval's use", lambda: session.last("src/beta/x"))
    go(session, 2)
    request = waiting(session)
    assert session.command("reject", str(request["id"])).returncode == 0
    done(session, 2)
    assert read(session) == (session.root / "alpha.sh").read_text()


def test_several_are_decided_together_and_taken_back_together(session):
    begin(session, "true")
    numbers = [
        str(session.json("ask", f"src/beta/{name}", "--agent", "alpha", "--reason", "x", "--no-wait")["id"])
        for name in "abc"
    ]
    answer = session.json("reject", *numbers, "--reason", "not today")
    assert [each["status"] for each in answer["requests"]] == ["rejected"] * 3
    again = session.command("approve", numbers[0], "999")
    assert again.returncode == 1
    assert again.stderr.splitlines() == [
        f"runebook-tui: request {numbers[0]} is rejected already",
        "runebook-tui: there is no request 999",
    ]
    back = session.command("take-back")
    assert back.stdout.splitlines() == [f"request {number} is open again" for number in numbers]
    assert [r["status"] for r in session.requests()] == ["open"] * 3
    assert "nothing was decided" in session.command("take-back").stderr


def test_what_a_decision_undid_is_restored_when_it_is_taken_back(session):
    begin(session, "echo crossed > src/beta/x", gate="observe")
    go(session, 1)
    (request,) = session.until("the crossing", session.requests)
    assert session.command("reject", str(request["id"]), "--undo").returncode == 0
    assert read(session) == "first\n"
    assert session.command("take-back").returncode == 0
    assert read(session) == "crossed\n"
    assert [r["status"] for r in session.requests()] == ["open"]


def test_what_is_handed_over_is_the_owners_task(session):
    begin(session, "echo better > src/alpha/x; mv src/alpha/x src/beta/x")
    go(session, 1)
    request = waiting(session)
    assert (
        session.command("reject", str(request["id"]), "--hand-over", "--reason", "you know best").returncode
        == 0
    )
    done(session, 1)
    tasks = {task["id"]: task for task in session.agent("beta")["tasks"]}
    assert tasks["request-1"]["status"] == "not started"
    patch = (session.root / ".runebook/handed/request-1.patch").read_text()
    assert "+++ b/src/beta/x" in patch
    assert session.command("take-back").returncode == 0
    assert [task["id"] for task in session.agent("beta")["tasks"]] == ["beta-1"]


def test_widening_changes_the_plan_and_the_next_write_asks_nobody(session):
    begin(session, "echo one > src/beta/x", "echo two > src/beta/x", "echo three > src/beta/x")
    before = (session.root / "runebook.toml").read_text()
    go(session, 1)
    number = str(waiting(session)["id"])
    shown = session.json("approve", number, "--widen", "--dry-run")
    assert '+may_write = ["/src/beta/x"]' in shown["patch"].splitlines()
    assert session.command("approve", number, "--widen").returncode == 0
    done(session, 1)
    text = (session.root / "runebook.toml").read_text()
    assert text.startswith("# who works on what\n")
    assert 'id = "beta"  # owns most' in text
    go(session, 2)
    done(session, 2)
    assert read(session) == "two\n"
    assert [r["status"] for r in session.requests()] == ["approved"]
    assert session.command("take-back").returncode == 0
    assert (session.root / "runebook.toml").read_text() == before
    go(session, 3)
    waiting(session)
    assert read(session) == "two\n"


def test_a_transferred_file_is_the_requesters(session):
    begin(session, "echo one > src/beta/x")
    go(session, 1)
    assert session.command("approve", str(waiting(session)["id"]), "--transfer").returncode == 0
    done(session, 1)
    assert session.json("who", "src/beta/x")["owner"] == "alpha"
    assert session.json("who", "src/beta/y")["owner"] == "beta"
