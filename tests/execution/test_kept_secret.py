"""Two hundred secrets pass through panes, shells, hooks, the plan and its environment; none is kept."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from session_play import Session

sys.path.insert(0, str(Path(__file__).parents[1] / "core"))

from secret_play import SECRETS

from runebook_tui.execution.follow import open_log

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
    leaks = {
        (str(path.relative_to(root)), secret)
        for path in (root / ".runebook").rglob("*")
        if path.is_file() and "history" not in path.relative_to(root).parts
        for content in [path.read_bytes()]
        for secret in secrets
        if secret.encode() in content
    }
    assert leaks == set()
    outputs = list((root / ".runebook/agents/capture/output/alpha").iterdir())
    assert any("fatal: [hidden]" in path.read_text() for path in outputs)
