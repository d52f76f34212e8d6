"""Plays an agent's client in a real session: each payload is one run of the real entry program."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from runebook_tui.hooks import entry

PLAN = """
[plan]
name = "hooks"
isolation = "{isolation}"

[policy]
away = "{away}"
hold_seconds = {seconds}

[[phases]]
id = "build"

[[agents]]
id = "alpha"
phase = "build"
command = ["bash", "alpha.sh"]
claims = ["src/alpha/**"]
gate = "{gate}"

[[agents]]
id = "beta"
phase = "build"
command = ["sleep", "600"]
claims = ["src/beta/**"]
gate = "{gate}"
"""

ENTRY = f'"{sys.executable}" -I -S "{entry.__file__}"'
CALLS = """
SAID="{said}"
call() {{  # CLIENT NUMBER: the hook's answer to asks/NUMBER, in $SAID/NUMBER.*
    {entry} $1 < asks/$2 > $SAID/$2.out 2> $SAID/$2.err
    echo $? > $SAID/$2.code
}}
"""


class Client:
    """Plays an agent's client in alpha's pane: each payload is one run of the real entry program."""

    def __init__(
        self,
        session,
        client: str = "claude",
        *,
        away: str = "hold",
        seconds: float = 60.0,
        gate: str = "enforce",
        isolation: str = "shared",
        more: str = "",
    ) -> None:
        self.session = session
        self.client = client
        self.count = 0
        self.root: Path = session.root
        for owner in ("alpha", "beta"):
            (self.root / "src" / owner).mkdir(parents=True, exist_ok=True)
            (self.root / "src" / owner / "x").write_text("first\nsecond\n")
        self.said = self.root.with_name("said")
        """Outside the repository, so that a client in a worktree may write there, too."""
        for folder in (self.root / "asks", self.root / "steps", self.said):
            folder.mkdir()
        (self.root / ".gitignore").write_text("asks/\nsteps/\nbuild/\nstop\n")
        script = CALLS.format(entry=ENTRY, said=self.said) + (
            'cd "$RUNEBOOK_ROOT"\n'
            "for n in $(seq 1 99); do\n"
            "  while [ ! -e steps/$n ]; do [ -e stop ] && exit; sleep 0.05; done\n"
            "  . steps/$n\n"
            "done\n"
        )
        (self.root / "alpha.sh").write_text(script)
        session.plan(PLAN.format(away=away, seconds=seconds, gate=gate, isolation=isolation) + more)
        session.start()
        session.until("alpha at work", lambda: session.agent("alpha").get("alive"))
        if gate != "off":
            session.until_gate("alpha")

    def do(self, script: str) -> None:
        """Run lines of shell in alpha's pane, after those before."""
        self.count += 1
        fresh = self.root / "steps" / "new"
        fresh.write_text(script)
        fresh.rename(self.root / "steps" / str(self.count))

    def payload(self, payload: dict[str, object] | str) -> int:
        text = payload if isinstance(payload, str) else json.dumps(payload)
        (self.root / "asks" / str(self.count + 1)).write_text(text)
        return self.count + 1

    def ask(self, payload: dict[str, object] | str, *, background: bool = False) -> int:
        """One run of the hook; the number by which its answer is found."""
        number = self.payload(payload)
        self.do(f"call {self.client} {number}{' &' if background else ''}\n")
        return number

    def answer(self, number: int) -> tuple[str, str, int]:
        """What the hook printed on stdout and stderr, and its exit status."""
        code = self.said / f"{number}.code"
        self.session.until(f"the answer to {number}", lambda: code.exists() and code.read_text())
        out, err = ((self.said / f"{number}.{name}").read_text() for name in ("out", "err"))
        return out, err, int(code.read_text())

    def decision(self, number: int) -> tuple[str, str]:
        """What Claude Code would do, and the reason that its model reads."""
        out, err, status = self.answer(number)
        assert (err, status) == ("", 0)
        if not out:
            return "no opinion", ""
        said = json.loads(out)["hookSpecificOutput"]
        assert said["hookEventName"] == "PreToolUse"
        return said["permissionDecision"], said["permissionDecisionReason"]

    def waiting(self) -> dict[str, object]:
        return self.session.until(
            "a waiting request", lambda: [r for r in self.session.requests() if r["held_until"]]
        )[0]


def claude(
    root: Path, tool: str, call: str = "c1", event: str = "PreToolUse", **given: object
) -> dict[str, object]:
    """A payload of Claude Code 2.1.330."""
    return {
        "session_id": "5e551011",
        "transcript_path": "/nowhere",
        "cwd": str(root),
        "permission_mode": "acceptEdits",
        "hook_event_name": event,
        "tool_name": tool,
        "tool_input": given,
        "tool_use_id": call,
    }


def write(root: Path, path: str, content: str, call: str = "c1") -> dict[str, object]:
    return claude(root, "Write", call, file_path=str(root / path), content=content)
