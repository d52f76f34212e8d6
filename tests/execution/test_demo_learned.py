"""The demonstration's run, recorded and rehearsed: requests before and after a learned patch of the plan."""

from __future__ import annotations

from runebook_tui.cli.demo import make_repository


def test_the_demonstration_raises_fewer_requests_after_a_lesson(session, monkeypatch):
    root = session.root / "checkout"
    make_repository(root)
    session.root = root
    session.environment |= {"RUNEBOOK_DEMO": "1", "RUNEBOOK_DEMO_PACE": "0.05"}
    session.start()
    decided: set[int] = set()

    def over() -> bool:
        state = session.state()
        for request in state.open_requests:
            if request.id not in decided:
                decided.add(request.id)
                assert session.command("approve", str(request.id)).returncode == 0
        return state.outcome == "completed"

    session.until("the demonstration's work", over)
    for number in range(3):
        name = f"src-tauri/src/memory/note{number}.rs"
        asked = session.json("ask", name, "--agent", "analysis", "--reason", "a limit", "--no-wait")
        assert session.command("approve", str(asked["id"])).returncode == 0
        done = session.command("exec", "analysis", "--", "sh", "-c", f"echo note > {name}")
        assert done.returncode == 0, done.stderr
        session.until("the write", lambda name=name: session.last(name))
    lessons = session.json("plan", "lessons")
    assert len(lessons) == 1, lessons
    before = session.json("rehearse")
    accepted = session.command("plan", "accept", lessons[0]["id"])
    assert accepted.returncode == 0, accepted.stderr
    after = session.json("rehearse")
    assert after["now"] < before["now"]
