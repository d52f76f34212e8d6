"""Claude Code: settings, MCP servers and the brief by flags, beside the user's own configuration.

Measured with 2.1.330; fields: code.claude.com/docs/en/hooks. The hook fails closed (`onFailure`, since
2.1.295).
"""

from __future__ import annotations

from runebook_tui.clients.adapter import (
    HOOK_SECONDS,
    Adapter,
    Assignment,
    Start,
    as_json,
    last_words,
    model_flag,
    servers,
)

_TOOLS = "^(Edit|Write|MultiEdit|NotebookEdit|Bash|mcp__(?!runebook__).*)$"
_NO_TMUX = {"TMUX": ""}
"""It would ask tmux about its pane, which no agent may: tmux's sockets are the operator's."""
_TOLD = (
    "SessionStart",
    "UserPromptSubmit",
    "Notification",
    "Stop",
    "SubagentStart",
    "SubagentStop",
    "SessionEnd",
)


class Claude(Adapter):
    """Claude Code."""

    id = "claude"
    title = "Claude Code"
    program = "claude"
    how_to_get = "`npm install -g @anthropic-ai/claude-code`"
    nets = ("hook", "mcp", "gate")
    hook_seconds = HOOK_SECONDS
    tool_seconds = 1800
    shell_seconds = 120
    when_silent = "it speaks once you have said in its pane that you trust the folder"
    unhooking = {
        "--bare": "starts without hooks",
        "--safe-mode": "starts without hooks",
        "--settings": "takes the place of Runebook's settings, and its hook",
    }

    def start(self, job: Assignment) -> Start:
        """Settings, servers and brief are files; the user's settings hold beside them."""
        settings, mcp, brief = (job.folder / name for name in ("settings.json", "mcp.json", "brief.md"))
        # --mcp-config takes any number of words, so it stands before an option.
        servers_flag = ("--mcp-config", str(mcp)) if job.mcp is not None else ()
        resumed = () if job.session is None else ("--resume", job.session)
        command = (
            self.program,
            *servers_flag,
            *("--settings", str(settings), "--append-system-prompt-file", str(brief)),
            *model_flag(job.spec),
            *resumed,
            *job.spec.args,
            *last_words(job.prompt),
        )
        files = {settings.name: as_json({"hooks": self._hooks(job)}), brief.name: job.brief}
        if job.mcp is not None:
            files[mcp.name] = as_json({"mcpServers": servers(job, type="stdio")})
        return Start(command, _NO_TMUX, files)

    def _hooks(self, job: Assignment) -> dict[str, object]:
        program, *arguments = self.hook_words(job)
        hook = {"type": "command", "command": program, "args": arguments}
        asks = {
            **hook,
            "timeout": HOOK_SECONDS,
            "onFailure": "block",
            "statusMessage": "Runebook: waiting for the operator",
        }
        after = [{"matcher": _TOOLS, "hooks": [{**hook, "timeout": 60, "async": True}]}]
        return {
            "PreToolUse": [{"matcher": _TOOLS, "hooks": [asks]}],
            "PermissionRequest": [{"hooks": [{**hook, "timeout": HOOK_SECONDS}]}],
            "PostToolUse": after,
            "PostToolUseFailure": after,
            **{event: [{"hooks": [{**hook, "timeout": 60}]}] for event in _TOLD},
        }
