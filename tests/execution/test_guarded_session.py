"""The commit guard in a running session: who commits is told by the process, not by what it says."""

from __future__ import annotations

from session_play import WAITING, rb

PLAN = """
[plan]
name = "guarded"

[[phases]]
id = "build"

[[agents]]
id = "alpha"
phase = "build"
command = ["bash", "alpha.sh"]
claims = ["alpha/**"]

[[agents]]
id = "beta"
phase = "build"
command = ["sleep", "600"]
claims = ["beta/**"]
"""

COMMIT = "git -c user.name=Tester -c user.email=tester@localhost commit -q"

ALPHA = (
    WAITING.format("go")
    + f"""
note() {{ echo "$1: $2" >>alpha/said; }}
unset RUNEBOOK_AGENT
{COMMIT} -am all; note plain $?
{COMMIT} -am all --no-verify; note no-verify $?
git add alpha/a
{COMMIT} -m own; note own $?
echo three >alpha/a
export GIT_AUTHOR_NAME=Tester GIT_AUTHOR_EMAIL=tester@localhost
export GIT_COMMITTER_NAME=Tester GIT_COMMITTER_EMAIL=tester@localhost
"""
    + rb("commit alpha -m 'of alpha'")
    + "note commit $?\n"
    + rb("commit beta -m 'of beta'")
    + "note beta $?\n"
    + rb("guard uninstall")
    + "note uninstall $?\ntouch alpha/done\n"
    + WAITING.format("stop")
)


def test_an_agent_commits_its_own_files_and_no_others(session):
    for name in ("alpha/a", "beta/b"):
        (session.root / name).parent.mkdir()
        (session.root / name).write_text("one\n")
    (session.root / "alpha.sh").write_text(ALPHA)
    (session.root / ".gitignore").write_text("go\nstop\nsaid\ndone\n")
    session.plan(PLAN)
    assert session.command("guard", "status").returncode == 1
    assert session.command("guard", "install").returncode == 0
    (session.root / "alpha/a").write_text("two\n")
    (session.root / "beta/b").write_text("two\n")
    session.start()
    session.until_gate("alpha")
    (session.root / "go").touch()
    session.until("alpha's end", lambda: (session.root / "alpha/done").exists())
    assert (session.root / "alpha/said").read_text().splitlines() == [
        "plain: 1",
        "no-verify: 128",
        "own: 0",
        "commit: 0",
        "beta: 1",
        "uninstall: 1",
    ]
    log = session.git("log", "--format=%s %(trailers:key=Runebook-Agent)", "--name-only").split()
    assert log[:9] == [
        "of",
        "alpha",
        "Runebook-Agent:",
        "alpha",
        "alpha/a",
        "own",
        "alpha/a",
        "Begin",
        ".gitignore",
    ]
    refused = [r for r in session.json("log") if r["type"] == "AttemptRefused"]
    assert {(r["speaker"], r["attempt"], r["reason"]) for r in refused} == {
        ("alpha", "commit beta/b", "beta owns it")
    }
    session.git("commit", "-q", "-am", "the operator's")
    assert session.git("status", "--porcelain", "--untracked-files=no") == ""
    assert session.command("guard", "status").returncode == 0
    assert session.command("guard", "uninstall").returncode == 0
