"""How agents start, live and end: folder and environment, serving, finalizing, stopping."""

from __future__ import annotations

from session_play import WAITING, rb

HEAD = """
[plan]
name = "lives"

[policy]
finalize_seconds = {seconds}

[[phases]]
id = "build"

[[phases]]
id = "beside"
continuous = true

[[agents]]
id = "alpha"
phase = "build"
command = ["bash", "alpha.sh"]
tasks = [{{ id = "alpha-1" }}]
"""


def begin(session, alpha: str, rest: str = "", *, seconds: float = 30) -> None:
    (session.root / "alpha.sh").write_text(alpha)
    session.plan(HEAD.format(seconds=seconds) + rest)
    session.start("--new")


def agent(name: str, script: str, *, extra: str = "") -> str:
    quoted = script.replace("'''", "")
    return f"""
[[agents]]
id = "{name}"
phase = "beside"
command = ["bash", "-c", '''{quoted}''']
{extra}
"""


def test_folder_and_environment_are_the_plans(session):
    (session.root / "deep").mkdir()
    (session.root / "deep/.keep").touch()
    there = 'cwd = "deep"\nenv = { GREETING = "hé" }'
    rest = agent("beta", "pwd > where; echo $GREETING > saying; mv saying said", extra=there)
    begin(session, WAITING.format("deep/said"), rest)
    assert session.engine.wait(60) == 0
    assert (session.root / "deep/where").read_text().strip() == str(session.root / "deep")
    assert (session.root / "deep/said").read_text() == "hé\n"


def test_a_continuous_agent_is_signalled_at_the_end_and_completes(session):
    closing = "trap 'echo closing > closed; exit 0' TERM; touch armed; while :; do sleep 0.05; done"
    rest = agent("beta", closing)
    begin(session, WAITING.format("go") + "true\n", rest)
    session.until("beta is set up", lambda: (session.root / "armed").exists())
    assert not (session.root / "closed").exists()
    (session.root / "go").touch()
    assert session.engine.wait(60) == 0
    assert (session.root / "closed").read_text() == "closing\n"
    assert session.agent("beta")["status"] == "completed"


def test_a_continuous_agent_that_waits_for_the_word_gets_it(session):
    script = rb("wait finalize").strip() + " > word; sleep 0.2; echo closing > closed"
    begin(session, WAITING.format("go") + "true\n", agent("beta", script, extra='finalize = "wait"'))
    session.until("beta runs", lambda: session.agent("beta").get("alive"))
    (session.root / "go").touch()
    assert session.engine.wait(60) == 0
    assert (session.root / "word").read_text() == "finalize\n"
    assert (session.root / "closed").read_text() == "closing\n"


def test_one_that_never_ends_is_ended(session):
    rest = agent("beta", "trap '' TERM HUP; while :; do sleep 0.05; done", extra='finalize = "wait"')
    begin(session, "true\n", rest, seconds=0.3)
    assert session.engine.wait(60) == 0
    assert session.agent("beta")["status"] == "completed"


def test_a_complete_agent_goes_on_serving_until_the_others_are_done(session):
    trap = "trap 'echo served > served; exit 0' TERM\n"
    serve = trap + rb("task done alpha-1") + "while :; do sleep 0.05; done\n"
    beta = agent("beta", WAITING.format("go")).replace("beside", "after")
    begin(session, serve, '\n[[phases]]\nid = "after"\nafter = ["build"]\n' + beta)
    session.until("beta runs", lambda: session.agent("beta").get("alive"))
    assert session.agent("alpha")["status"] == "completed"
    assert session.agent("alpha")["alive"]
    assert session.phase("build")["status"] == "completed"
    (session.root / "go").touch()
    assert session.engine.wait(60) == 0
    assert (session.root / "served").exists()


def test_a_stopped_agent_stays_stopped(session):
    begin(session, "sleep 600\n", agent("beta", "sleep 600"))
    session.until("alpha runs", lambda: session.agent("alpha").get("alive"))
    assert session.command("stop", "alpha").returncode == 0
    session.until("its end", lambda: not session.agent("alpha")["alive"])
    assert session.agent("alpha")["status"] == "stopped"
    assert session.agent("alpha")["reason"] == "stopped by the operator"
    assert session.agent("beta")["alive"]
