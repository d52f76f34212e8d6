"""Replies: what each client is told, in the form that it understands.

Claude Code and Qwen Code: `hookSpecificOutput` (code.claude.com/docs/en/hooks; measured: 2.1.330, 0.24.4).
Codex 0.169.0: the same, but of PreToolUse it knows only the denial. Gemini CLI 0.61.0: `decision`, `reason`.
Copilot CLI 1.0.102: `permissionDecision` at the top. Cursor: `permission` (cursor.com/docs/hooks), and Goose:
exit 2 or `decision: block` (its page on hooks), are not measured. opencode: our plugin throws the reason.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from runebook_tui.hooks.event import HookEvent, Kind

TITLES = {
    "claude": "Claude Code",
    "codex": "Codex CLI",
    "gemini": "Gemini CLI",
    "opencode": "opencode",
    "copilot": "GitHub Copilot CLI",
    "qwen": "Qwen Code",
    "cursor": "Cursor CLI",
    "goose": "Goose",
}
"""Every client that there is a form for, and its name for people."""


@dataclass(frozen=True)
class Reply:
    """What the hook prints, and its exit status."""

    stdout: str = ""
    stderr: str = ""
    status: int = 0


NO_OPINION = Reply()
"""The client goes on as if there were no hook."""


def denial(client: str, kind: Kind, reason: str) -> Reply:
    """The tool does not run, and the model reads `reason`. What asks nothing is not answered."""
    if not kind.asks:
        return NO_OPINION
    if kind is Kind.PERMISSION and client in ("claude", "codex", "qwen"):
        return _permission({"behavior": "deny", "message": reason})
    match client:
        case "claude" | "codex" | "qwen":
            return _said(_decided("deny", reason))
        case "gemini":
            return _said({"decision": "deny", "reason": reason})
        case "copilot":
            return _said({"permissionDecision": "deny", "permissionDecisionReason": reason})
        case "cursor":
            return _said({"permission": "deny", "user_message": reason, "agent_message": reason})
        case "opencode":
            return Reply(_line({"decision": "deny", "reason": reason}), f"{reason}\n", 2)
        case "goose":
            return Reply(_line({"decision": "block", "reason": reason}), f"{reason}\n", 2)
        case _:
            return Reply("", f"{reason}\n", 2)


def allowance(client: str, kind: Kind, reason: str) -> Reply:
    """The tool runs, and the client does not ask its own user again where it can be told so."""
    if kind is Kind.PERMISSION and client in ("claude", "codex", "qwen"):
        return _permission({"behavior": "allow"})
    match client:
        case "claude" | "qwen":
            return _said(_decided("allow", reason))
        case "gemini":
            return _said({"decision": "allow", "reason": reason})
        case "copilot":
            return _said({"permissionDecision": "allow", "permissionDecisionReason": reason})
        case "cursor":
            return _said({"permission": "allow"})
        case "opencode" if kind is Kind.PERMISSION:
            return _said({"decision": "allow"})
        case _:
            return NO_OPINION


_HEARS: dict[str, tuple[str, ...]] = {
    "claude": ("PreToolUse", "UserPromptSubmit"),
    "codex": ("PostToolUse", "UserPromptSubmit"),
    "gemini": ("AfterTool", "BeforeAgent"),
    "opencode": ("tool.execute.after",),
    "qwen": ("PostToolUse", "UserPromptSubmit"),
}
"""The events at which a client gives its model what the hook adds, by its own names of them."""


def hears_anything(client: str) -> bool:
    """Whether the client's hook can give its model words at all, by what was measured."""
    return client in _HEARS


def hears(client: str, event: HookEvent) -> bool:
    """Whether the model reads words that the answer to this event adds, by what was measured."""
    return not event.part and event.name in _HEARS.get(client, ())


def told(client: str, event: HookEvent, words: str) -> Reply:
    """The client goes on as if there were no hook, and its model reads `words`, too."""
    if client == "opencode":
        return _said({"additionalContext": words})
    return _said({"hookSpecificOutput": {"hookEventName": event.name, "additionalContext": words}})


def _decided(decision: str, reason: str) -> dict[str, Any]:
    own = {"permissionDecision": decision, "permissionDecisionReason": reason}
    return {"hookSpecificOutput": {"hookEventName": "PreToolUse", **own}}


def _permission(decision: dict[str, str]) -> Reply:
    return _said({"hookSpecificOutput": {"hookEventName": "PermissionRequest", "decision": decision}})


def _said(said: dict[str, Any]) -> Reply:
    return Reply(_line(said))


def _line(said: dict[str, Any]) -> str:
    return json.dumps(said, ensure_ascii=True) + "\n"
