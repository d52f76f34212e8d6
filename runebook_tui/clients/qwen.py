"""Qwen Code: a system settings file of the agent's own, which leaves the user's and the repository's alone.

Measured with 0.24.4: whatever timer a hook is given, the tool runs after about 60 seconds. Where the machine
has system settings (an administrator's), the generated file begins with them: it takes their place.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from runebook_tui.clients.adapter import (
    Adapter,
    Assignment,
    Start,
    as_json,
    model_flag,
    servers,
    without,
)

_TOOLS = "^(write_file|edit|run_shell_command|mcp__(?!runebook__).*)$"
_VARIABLE = "QWEN_CODE_SYSTEM_SETTINGS_PATH"
_USUAL = "/etc/qwen-code/settings.json"
_TOLD = (
    "SessionStart",
    "UserPromptSubmit",
    "Notification",
    "Stop",
    "SubagentStart",
    "SubagentStop",
    "SessionEnd",
)


class Qwen(Adapter):
    """Qwen Code."""

    id = "qwen"
    title = "Qwen Code"
    program = "qwen"
    how_to_get = "`npm install -g @qwen-code/qwen-code`"
    nets = ("hook", "mcp", "gate")
    hook_seconds = 60
    tool_seconds = 300
    unhooking = {"--bare": "starts without hooks", "--safe-mode": "starts without hooks"}

    def looks_at(self, inherited: Mapping[str, str]) -> str | None:
        """The administrator's settings."""
        return inherited.get(_VARIABLE) or _USUAL

    def start(self, job: Assignment) -> Start:
        """`-p` in the plan's `args` runs the prompt and ends; else the session goes on."""
        settings = job.folder / "settings.json"
        arguments, ends = without(job.spec.args, ("-p", "--prompt"))
        # After `--` a prompt is lost (0.24.4).
        given = () if not job.prompt else (f"--{'prompt' if ends else 'prompt-interactive'}={job.prompt}",)
        resumed = () if job.session is None else ("--resume", job.session)
        brief = (f"--append-system-prompt={job.brief}",)
        whole: dict[str, object] = {"hooks": self._hooks(job), "mcpServers": servers(job)}
        return Start(
            (self.program, *model_flag(job.spec), *brief, *resumed, *arguments, *given),
            {_VARIABLE: str(settings)},
            {settings.name: as_json(merged(_table(job.settings), whole))},
        )

    def _hooks(self, job: Assignment) -> dict[str, object]:
        hook = {"name": "runebook", "type": "command", "command": self.hook_line(job), "timeout": 60_000}
        tools = [{"matcher": _TOOLS, "hooks": [hook]}]
        told: dict[str, object] = {event: [{"hooks": [hook]}] for event in _TOLD}
        return {"PreToolUse": tools, "PostToolUse": tools, "PostToolUseFailure": tools, **told}


def merged(below: Mapping[str, object], above: Mapping[str, object]) -> dict[str, object]:
    """Both settings in one: tables are joined, lists follow each other, for the rest `above` counts."""
    whole = dict(below)
    for key, value in above.items():
        known = whole.get(key)
        if isinstance(known, Mapping) and isinstance(value, Mapping):
            whole[key] = merged(known, value)
        elif isinstance(known, list) and isinstance(value, list):
            whole[key] = [*known, *value]
        else:
            whole[key] = value
    return whole


def _table(text: str) -> dict[str, object]:
    try:
        table = json.loads(text or "{}")
    except (ValueError, RecursionError):
        table = None
    if not isinstance(table, dict):
        raise ValueError("is not plain JSON, so that Runebook's settings cannot be joined to it")
    return table
