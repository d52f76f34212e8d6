"""aider: it has no hook and no MCP client, so the kernel gate holds alone.

Measured with 0.86.2: it asks before it edits a file outside of the chat unless `--yes-always` is given, and
commits without running hooks (`--no-verify`) unless `--git-commit-verify` is given. Its histories are kept
in the agent's folder, so that it need not write `.gitignore`.
"""

from __future__ import annotations

from runebook_tui.clients.adapter import Adapter, Assignment, Start


class Aider(Adapter):
    """aider."""

    id = "aider"
    title = "aider"
    program = "aider"
    how_to_get = "`pipx install aider-chat`"
    nets = ("gate",)
    hook_seconds = 0
    tool_seconds = 0

    def start(self, job: Assignment) -> Start:
        """With a prompt it does that and ends (`--message`); without one it waits in its pane."""
        brief, chat, typed = (job.folder / name for name in ("brief.md", "chat.md", "input"))
        model = () if job.spec.model is None else (f"--model={job.spec.model}",)
        text = (f"--message={job.prompt}",) if job.prompt else ()
        taken_up = ("--restore-chat-history",) if job.session is not None else ()
        kept = (f"--chat-history-file={chat}", f"--input-history-file={typed}", "--no-gitignore")
        options = ("--git-commit-verify", f"--read={brief}", *kept, *model, *taken_up)
        return Start((self.program, *options, *job.spec.args, *text), files={brief.name: job.brief})
