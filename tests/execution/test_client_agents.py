"""An agent with a client runs in its pane as the adapter says, in a real engine."""

from __future__ import annotations

import json
import os

PLAN = """
[plan]
name = "clients"

[[phases]]
id = "build"

[[agents]]
id = "alpha"
phase = "build"
client = "claude"
prompt = "Do the work\\nof two lines"
model = "opus"
args = ["-p"]
env = {{ PATH = "{path}", MINE = "1", RUNEBOOK_SOCKET = "/nowhere" }}
claims = ["src/**"]
tasks = [{{ id = "work" }}]

[[agents]]
id = "beta"
phase = "build"
client = "goose"
env = {{ PATH = "{path}" }}
"""

CLAUDE = """#!/bin/sh
mkdir -p src
for word in "$@"; do printf '%s\\0' "$word"; done > src/words
env -0 > src/environment
cat "$RUNEBOOK_ROOT"/.runebook/agents/alpha/brief.md > src/brief
"$PYTHON" -P -m runebook_tui task done work
"""


def test_a_client_is_started_and_one_that_is_missing_fails_with_the_way_to_get_it(session):
    programs = session.root.parent / "bin"
    programs.mkdir()
    (programs / "claude").write_text(CLAUDE)
    (programs / "claude").chmod(0o755)
    session.plan(PLAN.format(path=f"{programs}:{os.environ['PATH']}"))
    session.start()
    session.until("alpha done", lambda: session.agent("alpha").get("status") == "completed")
    words = (session.root / "src" / "words").read_text().split("\0")[:-1]
    assert words[-3:] == ["-p", "--", "Do the work\nof two lines"]
    assert words[words.index("--model") + 1] == "opus"
    settings = json.loads((session.root / ".runebook/agents/alpha/settings.json").read_text())
    assert settings["hooks"]["PreToolUse"]
    environment = dict(
        line.split("=", 1) for line in (session.root / "src" / "environment").read_text().split("\0") if line
    )
    assert environment["MINE"] == "1"
    assert environment["RUNEBOOK_AGENT"] == "alpha"
    assert environment["RUNEBOOK_SOCKET"].endswith("engine.sock")
    assert os.path.exists(environment["RUNEBOOK_SOCKET"])
    assert "the agent `alpha`" in (session.root / "src" / "brief").read_text()

    session.until("beta's end", lambda: session.agent("beta").get("status") == "failed")
    lines = session.state().agents["beta"].last_lines
    said = "".join(line.strip() for line in lines)
    assert "Goose is not installed: there is no 'goose' on PATH" in " ".join(
        line.strip() for line in lines
    ), said
