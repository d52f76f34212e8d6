"""The plugin that opencode loads, in a JavaScript engine of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import versions

from runebook_tui.clients.adapter import Assignment
from runebook_tui.clients.registry import ADAPTERS
from runebook_tui.core.types import AgentSpec

HOOK = """
import json, sys
payload = json.load(sys.stdin)
with open({log!r}, "a") as log:
    log.write(json.dumps(payload) + "\\n")
if "beta" in json.dumps(payload.get("tool_input")):
    sys.stderr.write("beta owns it: “ask”\\n")
    sys.exit(2)
"""

SESSION = """
import { Runebook } from "./runebook.mjs"
const hooks = await Runebook({ directory: "/repo" })
const type = "session.created"
const created = (id, parentID) => ({ event: { type, properties: { info: { id, parentID } } } })
await hooks.event(created("one"))
await hooks.event(created("below", "one"))
const call = { tool: "write", sessionID: "below", callID: "c1" }
await hooks["tool.execute.before"](call, { args: { filePath: "alpha/x", content: "x" } })
await hooks["tool.execute.after"](call, { title: "", output: "", metadata: { exit: 3, diff: "long" } })
await hooks.event({ event: { type: "session.idle", properties: { sessionID: "below" } } })
await hooks.event({ event: { type: "file.edited", properties: {} } })
const time = { completed: 1 }
const info = { id: "m", sessionID: "one", role: "assistant", modelID: "big", cost: 0.5, time }
await hooks.event({ event: { type: "message.updated", properties: { info } } })
await hooks.event({ event: { type: "message.updated", properties: { info: { ...info, time: {} } } } })
await hooks.event({ event: { type: "session.idle", properties: { sessionID: "one" } } })
try {
  await hooks["tool.execute.before"]({ ...call, callID: "c2" }, { args: { filePath: "beta/x" } })
  console.log("went on")
} catch (error) {
  console.log(error.message)
}
"""


def played(folder: Path, hook: tuple[str, ...]) -> str:
    """What the session prints with the plugin that asks `hook`."""
    spec = AgentSpec(id="alpha", phase="build", client="opencode")
    start = ADAPTERS["opencode"].start(Assignment(spec=spec, brief="", folder=folder, hook=hook))
    (folder / "runebook.mjs").write_text(start.files["opencode/plugin/runebook.js"])
    (folder / "session.mjs").write_text(SESSION)
    done = subprocess.run(
        [versions.programs() / "node", "session.mjs"], cwd=folder, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_refusal_is_thrown_in_its_own_words_and_sessions_below_are_their_parents(tmp_path: Path) -> None:
    log = tmp_path / "hook.log"
    (tmp_path / "hook.py").write_text(HOOK.format(log=str(log)))
    said = played(tmp_path, (sys.executable, "-I", "-S", str(tmp_path / "hook.py")))
    assert said == "beta owns it: “ask”"
    told: list[dict[str, Any]] = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(each["hook_event_name"], each["session_id"]) for each in told] == [
        ("session.created", "one"),
        ("tool.execute.before", "one"),
        ("tool.execute.after", "one"),
        ("message.updated", "one"),
        ("session.idle", "one"),
        ("tool.execute.before", "one"),
    ]
    assert told[2]["tool_response"] == {"metadata": {"exit": 3}}
    assert told[2]["tool_input"] == {"filePath": "alpha/x", "content": "x"}
    assert told[2]["duration_ms"] >= 0


def test_a_hook_that_cannot_be_run_refuses_in_words(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="Runebook's hook cannot be run"):
        played(tmp_path, (str(tmp_path / "nothing-here"),))
