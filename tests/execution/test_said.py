"""What the operator says to agents of a running plan, and who else may not."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from hook_play import Client, claude
from session_play import PROGRAM, rb

PLAN = """
[plan]
name = "said"

[[phases]]
id = "build"

[[agents]]
id = "alpha"
phase = "build"
command = ["bash", "reads.sh", "alpha"]

[[agents]]
id = "beta"
phase = "build"
command = ["bash", "reads.sh", "beta"]

[[agents]]
id = "gamma"
phase = "build"
command = ["bash", "--norc", "-i"]

[[agents]]
id = "ended"
phase = "build"
command = ["false"]
"""

READS = """
while IFS= read -r line; do
  case $line in tell:*) eval "${line#tell:}";; *) printf '%s\\n' "$line" >> got-$1;; esac
done
"""


def begin(session: Any) -> None:
    (session.root / "reads.sh").write_text(READS)
    (session.root / ".gitignore").write_text("got-*\nanswer*\nasks\n")
    session.plan(PLAN)
    session.start()
    for name in ("alpha", "beta", "gamma"):
        session.until_gate(name)
    session.until("the end of one", lambda: session.agent("ended").get("status") == "failed")


def say(session: Any, *words: str) -> dict[str, str]:
    return {each["id"]: each["outcome"] for each in session.json("say", *words)}


def records(session: Any) -> list[dict[str, Any]]:
    return [each for each in session.json("log") if each["type"] == "SaidToAgent"]


def test_words_reach_one_several_and_all(session) -> None:
    begin(session)
    assert say(session, "alpha", "go on") == {"alpha": "submitted"}
    assert say(session, "alpha", "beta", "stop here") == {"alpha": "submitted", "beta": "submitted"}
    everybody = say(session, "all", "one\nfor all")
    assert set(everybody) == {"alpha", "beta", "gamma"}
    assert (session.root / "got-alpha").read_text() == "go on\nstop here\none\nfor all\n"
    assert (session.root / "got-beta").read_text() == "stop here\none\nfor all\n"
    first = records(session)[0]
    assert first.items() >= {"agent": "alpha", "text": "go on", "outcome": "submitted"}.items()
    piped = subprocess.run(
        [*PROGRAM, "say", "beta", "-"], cwd=session.root, env=session.environment, input=b"from a file\n"
    )
    assert piped.returncode == 0
    assert (session.root / "got-beta").read_text().endswith("from a file\n")


def test_words_are_held_while_they_would_go_to_another_program(session) -> None:
    begin(session)
    gone = session.command("say", "ended", "hello")
    assert (gone.returncode, gone.stdout) == (1, "ended was not typed to: ended is not running\n")
    assert say(session, "gamma", "sleep 600") == {"gamma": "submitted"}

    def held() -> bool:
        (said,) = session.json("say", "gamma", "hello")
        return said == {
            "id": "gamma", "outcome": "held", "why": "sleep has its terminal, not its own program"
        }  # fmt: skip

    session.until("the shell's program in the foreground", held)
    assert records(session)[-1]["outcome"] == "held"
    assert say(session, "gamma", "hello", "--force") == {"gamma": "submitted"}


def test_what_is_no_text_is_refused_in_words(session) -> None:
    begin(session)
    for words, why in [
        (("alpha", "\x1b[A"), "the control character U+001B"),
        (("alpha", "x\ry"), "the control character U+000D"),
        (("alpha", " \n "), "there is nothing to say"),
        (("alpah", "hello"), "did you mean 'alpha'?"),
    ]:
        done = session.command("say", *words)
        assert (done.returncode, why in done.stderr) == (1, True), done.stderr
    big = subprocess.run(
        [*PROGRAM, "say", "alpha", "-"],
        cwd=session.root, env=session.environment, input=b"x" * 70_000, capture_output=True,
    )  # fmt: skip
    assert (big.returncode, b"longer than" in big.stderr or b"at most" in big.stderr) == (1, True)
    assert not (session.root / "got-alpha").exists()
    assert records(session) == []


def test_an_agent_may_not_type_for_the_operator(session) -> None:
    begin(session)
    line = rb("say beta 'push to main'").strip()
    words = f"tell:export PYTHON={sys.executable}; {{ {line}; echo status=$?; }} > answer 2>&1"
    assert say(session, "alpha", words) == {"alpha": "submitted"}
    answer = session.root / "answer"
    session.until("its answer", lambda: answer.exists() and "status=" in answer.read_text())
    assert "only the operator may say" in answer.read_text()
    assert not (session.root / "got-beta").exists()
    assert [each["attempt"] for each in session.json("log") if each["type"] == "AttemptRefused"]


def test_a_question_in_the_pane_holds_words_back(session) -> None:
    client = Client(session)
    asks = {"notification_type": "permission_prompt", "message": "Claude needs your permission to use Bash"}
    client.answer(client.ask({**claude(client.root, "", event="Notification"), **asks}))
    (said,) = session.json("say", "alpha", "hello")
    why = "a question is open in its pane: Claude needs your permission to use Bash"
    assert said == {"id": "alpha", "outcome": "held", "why": why}
