"""Codex CLI: everything by `-c`, on top of the user's own `$CODEX_HOME`, which is neither moved nor touched.

Measured with 0.169.0. A `$CODEX_HOME` of the agent's own would need the login linked and would lose the
user's providers and trusted projects; a profile (`-p`) is read from the user's folder only.

Codex runs a hook only when its hash is trusted, and skips it in silence otherwise. State given by `-c`
counts like the user's own, so the hooks of this start, and no other, are trusted by the same start: each by
the SHA-256 of its definition as canonical JSON (`hooks/list` of `codex app-server` says `trusted`). Should
another version hash differently, the hook is not run: then no hook reports, the engine says so, and the
kernel gate holds alone.
"""

from __future__ import annotations

import hashlib
import json
import re

from runebook_tui.clients.adapter import HOOK_SECONDS, Adapter, Assignment, Start, last_words

_TOOLS = "^(apply_patch|Bash|mcp__.*)$"
_EVENTS = (
    "SessionStart",
    "UserPromptSubmit",
    "SubagentStart",
    "SubagentStop",
    "Stop",
)
_SHORT = ("Interrupt", "SessionEnd")
"""Events whose hooks Codex gives three seconds, whatever they ask for."""
_LAYER = "/<session-flags>/config.toml"
"""What Codex calls the place of hooks that came by `-c` (codex-rs/hooks/src/engine/discovery.rs)."""


class Codex(Adapter):
    """Codex CLI."""

    id = "codex"
    title = "Codex CLI"
    program = "codex"
    how_to_get = "`npm install -g @openai/codex`"
    nets = ("hook", "mcp", "gate")
    hook_seconds = HOOK_SECONDS
    tool_seconds = 300
    shell_seconds = 10
    when_silent = (
        "it speaks at the first prompt; a version that does not trust it says nothing (docs/clients.md)"
    )

    def start(self, job: Assignment) -> Start:
        """The options stand before a subcommand such as `exec` in the plan's `args`."""
        settings = {"developer_instructions": job.brief}
        if job.spec.model is not None:
            settings["model"] = job.spec.model
        words = [f"{key}={toml(value)}" for key, value in settings.items()]
        words += self._hooks(job)
        if job.mcp is not None:
            server = {"command": job.mcp[0], "args": [*job.mcp[1:]], "env": dict(job.environment)}
            words.append(f"mcp_servers.runebook={toml(server)}")
        options = [part for word in words for part in ("-c", word)]
        resumed = () if job.session is None else ("resume", job.session)
        return Start((self.program, *options, *job.spec.args, *resumed, *last_words(job.prompt)))

    def _hooks(self, job: Assignment) -> list[str]:
        asks: dict[str, object] = {
            "type": "command",
            "command": self.hook_line(job),
            "timeout": HOOK_SECONDS,
            "statusMessage": "Runebook: waiting for the operator",
        }
        told: dict[str, object] = {"type": "command", "command": self.hook_line(job), "timeout": 60}
        hooks = [
            ("PreToolUse", _TOOLS, asks),
            ("PermissionRequest", _TOOLS, asks),
            ("PostToolUse", _TOOLS, told),
        ]
        hooks += [(event, "", told) for event in _EVENTS]
        hooks += [(event, "", {**told, "timeout": 3}) for event in _SHORT]
        words, state = [], {}
        for event, matcher, hook in hooks:
            group = {**({"matcher": matcher} if matcher else {}), "hooks": [hook]}
            words.append(f"hooks.{event}={toml([group])}")
            label = _label(event)
            state[f"{_LAYER}:{label}:0:0"] = {"trusted_hash": trusted_hash(label, matcher, hook)}
        return [*words, f"hooks.state={toml(state)}"]


def trusted_hash(label: str, matcher: str, hook: dict[str, object]) -> str:
    """What Codex calls the hash of a hook of the event `label` (snake case)."""
    identity: dict[str, object] = {"event_name": label, "hooks": [{"async": False, **hook}]}
    if matcher:
        identity["matcher"] = matcher
    text = json.dumps(identity, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def toml(value: object) -> str:
    """`value` in TOML on one line: texts, numbers, lists, and tables with texts for keys."""
    if isinstance(value, str):
        # JSON's escapes are TOML's, but for DEL, which TOML wants escaped as well.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, dict):
        return "{" + ", ".join(f"{toml(key)} = {toml(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(toml(each) for each in value) + "]"
    return json.dumps(value)


def _label(event: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", event).lower()
