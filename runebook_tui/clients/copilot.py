"""GitHub Copilot CLI: a plugin with our hooks by `--plugin-dir`, and the brief as an instructions folder.

Measured with 1.0.102. Hook files: docs.github.com, Copilot CLI hooks reference. The user's `~/.copilot` is
neither moved (`COPILOT_HOME` would lose the login) nor written.
"""

from __future__ import annotations

from runebook_tui.clients.adapter import (
    HOOK_SECONDS,
    Adapter,
    Assignment,
    Start,
    as_json,
    model_flag,
    servers,
    without,
)

_TOOLS = "create|edit|apply_patch|str_replace_editor|bash|write_bash"
_INSTRUCTIONS = "COPILOT_CUSTOM_INSTRUCTIONS_DIRS"
"""Folders with `*.instructions.md`, with commas between them; `AGENTS.md` in them is not read (1.0.102)."""
_TOLD = (
    "sessionStart",
    "userPromptSubmitted",
    "notification",
    "agentStop",
    "subagentStart",
    "subagentStop",
    "sessionEnd",
)


class Copilot(Adapter):
    """GitHub Copilot CLI."""

    id = "copilot"
    title = "GitHub Copilot CLI"
    program = "copilot"
    how_to_get = "`npm install -g @github/copilot`"
    nets = ("hook", "mcp", "gate")
    hook_seconds = HOOK_SECONDS
    tool_seconds = 180

    def start(self, job: Assignment) -> Start:
        """`-p` in the plan's `args` runs the prompt and ends; else the session goes on."""
        plugin, mcp = job.folder / "plugin", job.folder / "mcp.json"
        arguments, ends = without(job.spec.args, ("-p", "--prompt"))
        given = () if not job.prompt else (f"--{'prompt' if ends else 'interactive'}={job.prompt}",)
        resumed = () if job.session is None else (f"--resume={job.session}",)
        servers_flag = () if job.mcp is None else (f"--additional-mcp-config=@{mcp}",)
        options = (f"--plugin-dir={plugin}", *servers_flag, *model_flag(job.spec), *resumed)
        files = {
            "plugin/plugin.json": as_json(
                {
                    "name": "runebook",
                    "version": "1.0.0",
                    "description": "Keeps to the boundaries of runebook.toml",
                    "hooks": "hooks.json",
                }
            ),
            "plugin/hooks.json": as_json({"version": 1, "hooks": self._hooks(job)}),
            "instructions/runebook.instructions.md": job.brief,
        }
        if job.mcp is not None:
            files[mcp.name] = as_json({"mcpServers": servers(job, type="local", tools=["*"])})
        folders = (job.inherited.get(_INSTRUCTIONS), str(job.folder / "instructions"))
        environment = {_INSTRUCTIONS: ",".join(each for each in folders if each)}
        return Start((self.program, *options, *arguments, *given), environment, files)

    def _hooks(self, job: Assignment) -> dict[str, object]:
        def hook(event: str, **more: object) -> list[dict[str, object]]:
            # What Copilot tells the hook does not name the event.
            return [{"type": "command", "bash": self.hook_line(job, event), "timeoutSec": 60, **more}]

        return {
            "preToolUse": hook("preToolUse", matcher=_TOOLS, timeoutSec=HOOK_SECONDS),
            "postToolUse": hook("postToolUse", matcher=_TOOLS),
            **{event: hook(event) for event in _TOLD},
        }
