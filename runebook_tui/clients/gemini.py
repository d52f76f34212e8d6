"""Gemini CLI: a home of the agent's own (`GEMINI_CLI_HOME`), to which login and extensions are linked.

Measured with 0.61.0; fields: google-gemini/gemini-cli docs/hooks. Timers are in milliseconds. A system
settings file (`GEMINI_CLI_SYSTEM_SETTINGS_PATH`) would keep the user's home, but is skipped unless root
owns it and every folder above it. So the user's `~/.gemini/settings.json` does not count for the agent:
only the way of logging in is taken from it; the repository's `.gemini/settings.json` counts as ever.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

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

_TOOLS = "write_file|replace|run_shell_command|mcp_.*"
_TOLD = ("SessionStart", "BeforeAgent", "AfterAgent", "Notification", "SessionEnd")
_LINKED = (
    "oauth_creds.json",
    "gemini-credentials.json",
    "mcp-oauth-tokens.json",
    "google_accounts.json",
    "installation_id",
    ".env",
    "GEMINI.md",
    "agents",
    "commands",
    "extensions",
    "policies",
    "skills",
    "keybindings.json",
)


class Gemini(Adapter):
    """Gemini CLI."""

    id = "gemini"
    title = "Gemini CLI"
    program = "gemini"
    how_to_get = "`npm install -g @google/gemini-cli`"
    nets = ("hook", "mcp", "gate")
    hook_seconds = HOOK_SECONDS
    tool_seconds = 600

    def looks_at(self, inherited: Mapping[str, str]) -> str | None:
        """The user's settings, for the way of logging in."""
        return posixpath.join(_users(inherited), "settings.json")

    def start(self, job: Assignment) -> Start:
        """`-p` in the plan's `args` runs the prompt and ends; else the session goes on."""
        home, users = job.folder / "gemini", _users(job.inherited)
        arguments, ends = without(job.spec.args, ("-p", "--prompt"))
        text = job.brief_and_prompt
        given = () if not text else (f"--{'prompt' if ends else 'prompt-interactive'}={text}",)
        resumed = () if job.session is None else ("--resume", job.session)
        settings: dict[str, object] = {"hooks": self._hooks(job), "mcpServers": servers(job)}
        settings["security"] = _security(job.settings)
        environment = {"GEMINI_CLI_HOME": str(home)}
        if "GEMINI_CLI_TRUSTED_FOLDERS_PATH" not in job.inherited:
            environment["GEMINI_CLI_TRUSTED_FOLDERS_PATH"] = posixpath.join(users, "trustedFolders.json")
        return Start(
            (self.program, *model_flag(job.spec), *resumed, *arguments, *given),
            environment,
            {"gemini/.gemini/settings.json": as_json(settings)},
            {f"gemini/.gemini/{name}": posixpath.join(users, name) for name in _LINKED},
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


def _users(inherited: Mapping[str, str]) -> str:
    """The user's own folder of Gemini CLI."""
    return posixpath.join(inherited.get("GEMINI_CLI_HOME") or inherited.get("HOME", "/"), ".gemini")


def _security(users: str) -> dict[str, object]:
    """What the user's settings say of logging in and of trusting folders: their text may hold comments."""
    found: dict[str, object] = {}
    login = re.search(r'"selectedType"\s*:\s*"([a-z-]{1,40})"', users)
    if login is not None:
        found["auth"] = {"selectedType": login[1]}
    trust = re.search(r'"folderTrust"\s*:\s*\{\s*"enabled"\s*:\s*(true|false)\b', users)
    if trust is not None:
        found["folderTrust"] = {"enabled": trust[1] == "true"}
    return found
