"""Cursor CLI: its hooks are read from files in the user's home (or the repository) only.

Documented, not measured: there is no package of it (cursor.com/docs/hooks). So the hook counts once it has
reported.
"""

from __future__ import annotations

from runebook_tui.clients.adapter import Adapter, Assignment, Start, last_words, model_flag
from runebook_tui.clients.userfile import HOOK, UserFile

_SECONDS = 60
_TOOLS = "Write|Delete|Shell"
_ASKS = {"command": HOOK, "timeout": _SECONDS, "failClosed": True}
_TELLS = {"command": HOOK, "timeout": _SECONDS}


class Cursor(Adapter):
    """Cursor CLI."""

    id = "cursor"
    title = "Cursor CLI"
    program = "cursor-agent"
    how_to_get = "as cursor.com/cli says"
    nets = ("hook", "gate")
    hook_seconds = _SECONDS
    tool_seconds = 0
    user_file = UserFile(
        ".cursor/hooks.json",
        {
            "preToolUse": [{**_ASKS, "matcher": _TOOLS}],
            "postToolUse": [{**_TELLS, "matcher": _TOOLS}],
            **{event: [_TELLS] for event in ("sessionStart", "beforeSubmitPrompt", "stop", "sessionEnd")},
        },
        version=1,
    )

    def start(self, job: Assignment) -> Start:
        """The brief begins the first prompt: there is no other place for it outside of the repository."""
        resumed = () if job.session is None else (f"--resume={job.session}",)
        words = (*model_flag(job.spec), *resumed, *job.spec.args, *last_words(job.brief_and_prompt))
        return Start((self.program, *words))
