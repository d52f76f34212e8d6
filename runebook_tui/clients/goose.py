"""Goose: its hooks belong to plugins in the user's home; the MCP server comes by a flag.

Documented, not measured: block/goose, documentation/docs/guides/context-engineering/hooks.md.
"""

from __future__ import annotations

import shlex

from runebook_tui.clients.adapter import Adapter, Assignment, Start, as_json, without
from runebook_tui.clients.userfile import HOOK, UserFile

_SECONDS = 300
_TOOLS = "^developer__(write|edit|shell|text_editor)$"
_ASKS = {"type": "command", "command": HOOK, "timeout": _SECONDS, "on_failure": "block"}
_TELLS = {"type": "command", "command": HOOK, "timeout": 60}

_MANIFEST = {
    "name": "runebook",
    "version": "1.0.0",
    "description": "Keeps to the boundaries of runebook.toml",
}


class Goose(Adapter):
    """Goose."""

    id = "goose"
    title = "Goose"
    program = "goose"
    how_to_get = "as block.github.io/goose says"
    nets = ("hook", "mcp", "gate")
    hook_seconds = _SECONDS
    tool_seconds = 300
    user_file = UserFile(
        ".agents/plugins/runebook/hooks/hooks.json",
        {
            "PreToolUse": [{"matcher": _TOOLS, "hooks": [_ASKS]}],
            "PostToolUse": [{"matcher": _TOOLS, "hooks": [_TELLS]}],
            "PostToolUseFailure": [{"matcher": _TOOLS, "hooks": [_TELLS]}],
            **{
                event: [{"hooks": [_TELLS]}]
                for event in ("SessionStart", "UserPromptSubmit", "Stop", "SessionEnd")
            },
        },
        beside={".agents/plugins/runebook/plugin.json": as_json(_MANIFEST)},
    )

    def start(self, job: Assignment) -> Start:
        """`goose run`; without `run` in the plan's `args` the session goes on after the prompt."""
        arguments, ends = without(job.spec.args, ("run",))
        stays = () if ends else ("--interactive",)
        model = () if job.spec.model is None else (f"--model={job.spec.model}",)
        server = () if job.mcp is None else (f"--with-extension={self._extension(job, job.mcp)}",)
        resumed = () if job.session is None else ("--resume", "--session-id", job.session)
        brief = () if job.session is not None else (f"--system={job.brief}",)
        text = f"--text={job.prompt or 'Begin with your tasks.'}"
        return Start((self.program, "run", *stays, *model, *server, *resumed, *brief, *arguments, text))

    def _extension(self, job: Assignment, mcp: tuple[str, ...]) -> str:
        """A server in Goose's form: variables, then the command line."""
        variables = [f"{name}={value}" for name, value in job.environment.items()]
        return shlex.join([*variables, *mcp])
