"""Two hundred secrets pass through panes, shells, hooks, the plan and its environment; none is kept."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from session_play import Session

sys.path.insert(0, str(Path(__file__).parents[1] / "core"))

from secret_play import SECRETS

from runebook_tui.clients.registry import ADAPTERS
from runebook_tui.execution.folders import make_state_folder
from runebook_tui.execution.follow import open_log
from runebook_tui.execution.launch import LaunchError, launch_engine

PLAN = """
[plan]
name = "leaks"
[policy]
secrets = ['CASE-\\d+']
[[phases]]
id = "one"
[[agents]]
id = "capture"
phase = "one"
builtin = "event-capture"
tasks = [{{ id = "capture-work" }}]
[[agents]]
id = "alpha"
phase = "one"
title = "CASE-1001"
command = ["bash", "-c", {script}, {secrets}]
env = {env}
[[agents]]
id = "beta"
phase = "one"
command = ["bash", "-c", {hooks}]
"""

HOOKS = """
while [ ! -e go ]; do sleep 0.05; done
while IFS= read -r line; do
    printf '%s' "$line" | "$PYTHON" -I -S "$HOOK" claude >/dev/null
done <payloads
touch "$RUNEBOOK_ROOT/told"
sleep 1000
"""


def leaks(root: Path, secrets: set[str]) -> set[tuple[str, str]]:
    """Which of the secrets stand in which files of Runebook's own, but for the history."""
    return {
        (str(path.relative_to(root)), secret)
        for path in (root / ".runebook").rglob("*")
        if path.is_file() and "history" not in path.relative_to(root).parts
        for content in [path.read_bytes()]
        for secret in secrets
        if secret.encode() in content
    }


def test_no_secret_is_in_any_file_but_the_history(session: Session):
    root, outside = session.root, session.root.parent
    texts = [text for text, _ in SECRETS]
    secrets = {line for _, secret in SECRETS for line in secret.split("\n") if len(line) > 8}
    # An error stands among them, so that what is printed is kept.
    (outside / "printed").write_text("\n".join(texts) + "\nfatal: CASE-1002\n")
    payloads = []
    for number, text in enumerate(texts):
        about = {"hook_event_name": "PostToolUse", "session_id": "s", "cwd": str(root), "tool_name": "Bash"}
        payloads.append(
            {**about, "tool_use_id": f"c{number}", "tool_input": {"command": text}, "tool_response": {}}
        )
    payloads.append(
        {
            "hook_event_name": "Notification",
            "session_id": "s",
            "message": "May I use " + texts[0],
            "notification_type": "permission_prompt",
        }
    )
    (outside / "payloads").write_text("\n".join(map(json.dumps, payloads)) + "\n")
    from runebook_tui.execution.outfit import hook_command

    hooks = HOOKS.replace('"$HOOK"', f'"{hook_command()[-1]}"').replace("<payloads", f"<{outside}/payloads")
    plain = {f"VARIABLE_{n}": text.replace("\0", "") for n, text in enumerate(texts) if "\n" not in text}
    plain["DEPLOY_PASSWORD"] = "correct horse battery"
    env = "{ " + ", ".join(f"{name} = {json.dumps(value)}" for name, value in plain.items()) + " }"
    script = (
        "while [ ! -e go ]; do sleep 0.05; done; "
        f'echo "$DEPLOY_PASSWORD"; cat {outside}/printed; env | sort; exit 3'
    )
    session.plan(
        PLAN.format(script=json.dumps(script), secrets=json.dumps(texts[3]), env=env, hooks=json.dumps(hooks))
    )
    session.start()
    session.until("capture at work", lambda: session.agent("capture").get("status") == "completed")
    session.until("both at work", lambda: session.agent("beta").get("gate", {}).get("holds"))
    (root / "go").touch()
    session.until("the hooks' end", lambda: (root / "told").exists())

    def failures() -> bool:
        with open_log(root) as log:
            ran = [r.event for r in log.read(types=["CommandRan"])]
        return any(e.code == 3 for e in ran) and any("fatal" in e.error for e in ran)

    session.until("the failures", failures)
    with open_log(root) as log:
        reported = [r.event for r in log.read(types=["CommandRan"]) if r.event.source == "hook"]
    assert len(reported) == len(texts)
    session.command("status")
    secrets |= {"correct horse battery", "CASE-1001", "CASE-1002"}
    assert leaks(root, secrets) == set()
    outputs = list((root / ".runebook/agents/capture/output/alpha").iterdir())
    assert any("fatal: [hidden]" in path.read_text() for path in outputs)


CLIENTS = """
[plan]
name = "clients"
[policy]
secrets = ['CASE-\\d+']
[[phases]]
id = "one"
title = "CASE-1003"
[[agents]]
id = "capture"
phase = "one"
builtin = "event-capture"
tasks = [{ id = "capture-work" }]
"""

CLIENT = """
[[agents]]
id = "{name}"
phase = "one"
client = "{name}"
title = {title}
prompt = {prompt}
env = {env}
tasks = [{{ id = "{name}-work", title = {task} }}]
"""

# What a client is given it may print: here all of it, with an error, so that it is kept.
STANDIN = """#!/bin/sh
while [ ! -e go ]; do sleep 0.05; done
printf '%s\\n' "$@"
env | sort
echo 'fatal: CASE-1002'
touch "$RUNEBOOK_ROOT/$RUNEBOOK_AGENT.told"
exit 3
"""


def test_no_secret_of_a_clients_prompt_brief_or_environment_is_kept(session: Session):
    root, programs = session.root, session.root.parent / "bin"
    texts = [text for text, _ in SECRETS if "\0" not in text]
    secrets = {line for _, secret in SECRETS for line in secret.split("\n") if len(line) > 8}
    programs.mkdir()
    plan = CLIENTS
    for at, adapter in enumerate(ADAPTERS.values()):
        (programs / adapter.program).write_text(STANDIN)
        (programs / adapter.program).chmod(0o755)
        some = texts[at :: len(ADAPTERS)]
        given = {f"VARIABLE_{n}": text for n, text in enumerate(texts) if "\n" not in text}
        given |= {
            "PATH": f"{programs}:{session.environment['PATH']}",
            "DEPLOY_PASSWORD": "correct horse battery",
        }
        plan += CLIENT.format(
            name=adapter.id,
            title=json.dumps(some[0]),
            prompt=json.dumps("\n".join(some)),
            task=json.dumps(f"Deploy CASE-1001 with {some[1]}"),
            env="{ " + ", ".join(f"{name} = {json.dumps(value)}" for name, value in given.items()) + " }",
        )
    session.plan(plan)
    session.start()
    session.until("capture at work", lambda: session.agent("capture").get("status") == "completed")
    session.until(
        "all at work", lambda: all(session.agent(name).get("gate", {}).get("holds") for name in ADAPTERS)
    )
    (root / "go").touch()
    for name in ADAPTERS:
        session.until(f"what {name} was given", (root / f"{name}.told").exists)
        session.until(f"the end of {name}", lambda name=name: session.agent(name)["status"] == "failed")
    secrets |= {"correct horse battery", "CASE-1001", "CASE-1002", "CASE-1003"}
    assert leaks(root, secrets) == set()
    assert "[hidden]" in (root / ".runebook/agents/claude/brief.md").read_text()


def test_an_engine_that_does_not_start_says_why_without_secrets(session: Session, monkeypatch):
    secret = next(secret for _, secret in SECRETS if secret.startswith("ghp_"))
    session.plan(
        PLAN.partition("[[agents]]")[0].replace("{{", "{") + f'[[agents]]\nid = "a"\nclient = "{secret}"\n'
    )
    for name in ("XDG_RUNTIME_DIR", "GIT_CONFIG_GLOBAL"):
        monkeypatch.setenv(name, session.environment[name])
    make_state_folder(session.root)
    with pytest.raises(LaunchError, match="hidden") as refusal:
        launch_engine(session.root)
    said = (session.root / ".runebook/engine.log").read_text()
    assert secret not in said + str(refusal.value)
    assert "must be" in said
