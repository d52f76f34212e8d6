"""Qwen Code: a system settings file of the agent's own, as for Gemini CLI, from which it descends.

Measured with 0.24.4: whatever timer a hook is given, the tool runs after about 60 seconds.
"""

from __future__ import annotations

from runebook_tui.clients.adapter import (
    Adapter,
    Assignment,
    Start,
    as_json,
    last_words,
    merged,
    model_flag,
    servers,
    without,
)

_TOOLS = "^(write_file|edit|run_shell_command|mcp__(?!runebook__).*)$"
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
    system_settings = ("QWEN_CODE_SYSTEM_SETTINGS_PATH", "/etc/qwen-code/settings.json")

    def start(self, job: Assignment) -> Start:
        """`-p` in the plan's `args` runs the prompt and ends; else the session goes on."""
        settings = job.folder / "settings.json"
        arguments, ends = without(job.spec.args, ("-p", "--prompt"))
        given: tuple[str, ...] = ()
        if job.prompt:
            given = last_words(job.prompt) if ends else (f"--prompt-interactive={job.prompt}",)
        resumed = () if job.session is None else ("--resume", job.session)
        brief = (f"--append-system-prompt={job.brief}",)
        whole: dict[str, object] = {"hooks": self._hooks(job), "mcpServers": servers(job)}
        return Start(
            (self.program, *model_flag(job.spec), *brief, *resumed, *arguments, *given),
            {self.system_settings[0]: str(settings)},
            {settings.name: as_json(merged(job.system_settings, whole))},
        )

    def _hooks(self, job: Assignment) -> dict[str, object]:
        hook = {"name": "runebook", "type": "command", "command": self.hook_line(job), "timeout": 60_000}
        tools = [{"matcher": _TOOLS, "hooks": [hook]}]
        told: dict[str, object] = {event: [{"hooks": [hook]}] for event in _TOLD}
        return {"PreToolUse": tools, "PostToolUse": tools, "PostToolUseFailure": tools, **told}
