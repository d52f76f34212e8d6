"""Gemini CLI: a system settings file of the agent's own, which leaves the user's and the repository's alone.

Measured with 0.61.0; fields: google-gemini/gemini-cli docs/hooks. Timers are in milliseconds. Where the
machine has system settings (an administrator's), the generated file begins with them: it takes their place.
"""

from __future__ import annotations

from runebook_tui.clients.adapter import (
    HOOK_SECONDS,
    Adapter,
    Assignment,
    Start,
    as_json,
    merged,
    model_flag,
    servers,
    without,
)

_TOOLS = "write_file|replace|run_shell_command|mcp_.*"
_TOLD = ("SessionStart", "BeforeAgent", "AfterAgent", "Notification", "SessionEnd")


class Gemini(Adapter):
    """Gemini CLI."""

    id = "gemini"
    title = "Gemini CLI"
    program = "gemini"
    how_to_get = "`npm install -g @google/gemini-cli`"
    nets = ("hook", "mcp", "gate")
    hook_seconds = HOOK_SECONDS
    tool_seconds = 600
    system_settings = ("GEMINI_CLI_SYSTEM_SETTINGS_PATH", "/etc/gemini-cli/settings.json")

    def start(self, job: Assignment) -> Start:
        """`-p` in the plan's `args` runs the prompt and ends; else the session goes on."""
        settings = job.folder / "settings.json"
        arguments, ends = without(job.spec.args, ("-p", "--prompt"))
        text = job.brief_and_prompt
        given = () if not text else (f"--prompt={text}",) if ends else (f"--prompt-interactive={text}",)
        resumed = () if job.session is None else ("--resume", job.session)
        whole: dict[str, object] = {"hooks": self._hooks(job), "mcpServers": servers(job)}
        return Start(
            (self.program, *model_flag(job.spec), *resumed, *arguments, *given),
            {self.system_settings[0]: str(settings)},
            {settings.name: as_json(merged(job.system_settings, whole))},
        )

    def _hooks(self, job: Assignment) -> dict[str, object]:
        hook = {"name": "runebook", "type": "command", "command": self.hook_line(job)}
        asks = [{"matcher": _TOOLS, "hooks": [{**hook, "timeout": HOOK_SECONDS * 1000}]}]
        told = [{**hook, "timeout": 60_000}]
        return {
            "BeforeTool": asks,
            "AfterTool": [{"matcher": _TOOLS, "hooks": told}],
            **{event: [{"hooks": told}] for event in _TOLD},
        }
