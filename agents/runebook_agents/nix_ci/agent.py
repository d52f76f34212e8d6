"""The agent: writes what is missing, checks what is there, and suggests when something is wrong with it."""

from __future__ import annotations

import difflib
import hashlib
import json
import threading
from typing import Any

from runebook_agents.nix_ci import checks
from runebook_agents.nix_ci.project import MANIFESTS, parts
from runebook_agents.nix_ci.scaffold import WORKFLOW, texts
from runebook_tui.agent import Agent, AgentContext, AgentError
from runebook_tui.core.printable import visible

_WAIT_SECONDS = 600.0
_ANSWER_SECONDS = 86_400.0
_REASON = "scaffolding for what this repository holds"
_PATH = 120
_SNIPPET = 8000
"""Characters: what a suggestion takes."""
_TYPES = ("Touched", "FinalizeStarted", "RunEnded")


class NixCi(Agent):
    """Keeps the repository's flake, shell and workflows there and sound."""

    def __init__(self, context: AgentContext) -> None:
        super().__init__(context)
        self._suggested: dict[str, tuple[int, str]] = {}
        """What is wrong now, by path: the suggestion's number and fingerprint."""
        self._unchecked: dict[str, str] = {}
        self._wanted: dict[str, str] = {}
        self._refused: dict[str, str] = {}
        self._waiting: set[str] = set()
        self._seq = 0
        self._ends = False
        self._doing = "starting"

    def initialize(self) -> None:
        """Read the plan, and where the log stands."""
        agents: list[dict[str, Any]] = self.context.plan()["agents"]
        me = next(agent for agent in agents if agent["id"] == self.context.agent)
        self._tasks = [task["id"] for task in me["tasks"]]
        self._seq = self._newest()
        for each in self.context.suggestions():
            if (each["agent"], each["kind"], each["status"]) == (self.context.agent, "fix", "open"):
                self._suggested[each["provenance"]["file"]] = each["id"], each["fingerprint"]

    def execute(self) -> None:
        """Scaffold, check, and do both again as files change, until the plan finalizes."""
        for task in self._tasks:
            self.context.start_task(task)
        note = self._scaffold()
        for path in checks.paths(self.context.root):
            self._check(path)
        for task in self._tasks:
            if "continuous" not in task:
                self.context.complete_task(task, note)
        while not self._ends and not self.finalizing.is_set():
            self._doing = "waiting for files to change"
            self._look(_WAIT_SECONDS)

    def finalize(self) -> None:
        """Check once more what has changed, and complete what is left."""
        self._look(0.0)
        wrong = f"; wrong: {', '.join(sorted(self._suggested))}" if self._suggested else ""
        left = f"; not checked: {', '.join(sorted(self._unchecked))}" if self._unchecked else ""
        for task in self._tasks:
            if "continuous" in task:
                self.context.complete_task(task, f"checked to the end{wrong}{left}")

    def status(self) -> str:
        """The file at hand."""
        return self._doing

    # ── what happens ────────────────────────────────────────────────────────────────────────────

    def _newest(self) -> int:
        """The number of the newest record."""
        after, found = 0, True
        while found:
            records, after = self.context.records(after, ["RunEnded"])
            found = bool(records)
        return after

    def _look(self, seconds: float) -> None:
        """Take in what has happened, within `seconds` where nothing had yet, and look at what changed."""
        changed: dict[str, None] = {}
        records, self._seq = self.context.records(self._seq, _TYPES, seconds)
        while records:
            for record in records:
                if record["type"] == "Touched" and not record["lane"]:
                    changed[record["change"]["path"]] = None
                elif record["type"] == "RunEnded" or record.get("agent") == self.context.agent:
                    self._ends = True
            records, self._seq = self.context.records(self._seq, _TYPES)
        if any(path.rpartition("/")[2] in MANIFESTS and path.count("/") <= 1 for path in changed):
            self._scaffold()
        for path in filter(checks.is_checked, changed):
            self._check(path)

    # ── what is missing ─────────────────────────────────────────────────────────────────────────

    def _scaffold(self) -> str:
        """Write what is missing, and anew what nobody has changed since; in words, what came of it."""
        wanted = texts(parts(self.context.root))
        if WORKFLOW not in wanted and not self._workflows():
            print("nothing to test is known here, so no workflow is written", flush=True)
        written = [path for path, text in wanted.items() if self._put(path, text)]
        said = [f"wrote {', '.join(written)}"] if written else []
        said += [f"asked for {', '.join(sorted(self._waiting))}"] if self._waiting else []
        return "; ".join(said) or "nothing was missing"

    def _workflows(self) -> list[str]:
        return [path for path in checks.paths(self.context.root) if not path.endswith(".nix")]

    def _put(self, path: str, text: str) -> bool:
        """Write `text` to `path` unless a person's work is there; whether it was written."""
        target = self.context.root / path
        there = target.read_bytes() if target.is_file() else None
        if there == text.encode() or (path == WORKFLOW and set(self._workflows()) - {WORKFLOW}):
            return False
        if there is not None and self._written().get(path) != hashlib.sha256(there).hexdigest():
            if path in self._written():
                self._propose(path, there.decode(errors="replace"), text)
            return False
        if there is None and (target.exists() or target.is_symlink()):
            return False
        if self._refused.get(path) == text:
            return False
        self._wanted[path] = text
        answer = self.context.ask([path], _REASON)
        if answer == "open" and path not in self._waiting:
            self._waiting.add(path)
            threading.Thread(target=self._wait_for, args=(path,), daemon=True).start()
        return self._answered(path, answer)

    def _wait_for(self, path: str) -> None:
        """Wait for the operator's word about `path`, beside the other work."""
        try:
            answer = self.context.ask([path], _REASON, _ANSWER_SECONDS)
        except AgentError as error:
            print(f"{path}: {error}", flush=True)
            return
        self._waiting.discard(path)
        self._answered(path, answer)

    def _answered(self, path: str, answer: str) -> bool:
        """Write what is wanted at `path` if that may be; whether it was written."""
        text = self._wanted[path]
        if answer not in ("not needed", "approved"):
            if answer != "open":
                self._refused[path] = text
            print(f"{path}: {'asked for' if answer == 'open' else answer}", flush=True)
            return False
        target = self.context.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        self._remember(path, text)
        print(f"\x1b[32m✓\x1b[0m wrote {path}", flush=True)
        return True

    def _propose(self, path: str, there: str, text: str) -> None:
        """The file was changed by hand since it was scaffolded, and the project has changed, too."""
        lines = difflib.unified_diff(
            there.splitlines(keepends=True), text.splitlines(keepends=True), f"a/{path}", f"b/{path}"
        )
        self.context.suggest(
            "scaffold",
            f"{_short(path)} may want what the project needs now",
            words="You have changed it since it was scaffolded, so it is left as it is.",
            snippet="".join(lines)[:_SNIPPET],
            priority="low",
            fingerprint=f"scaffold:{path}:{hashlib.sha256(text.encode()).hexdigest()[:16]}",
            rule="nix-ci-scaffold",
            file=path,
        )

    def _written(self) -> dict[str, str]:
        """What this agent wrote: the SHA-256 of the text, by path."""
        try:
            found = json.loads((self.context.folder / "written.json").read_text())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _remember(self, path: str, text: str) -> None:
        self.context.folder.mkdir(parents=True, exist_ok=True)
        known = self._written() | {path: hashlib.sha256(text.encode()).hexdigest()}
        (self.context.folder / "written.json").write_text(json.dumps(known))

    # ── what is there ───────────────────────────────────────────────────────────────────────────

    def _check(self, path: str) -> None:
        self._doing = f"checks {path}"
        if not (self.context.root / path).is_file():
            self._sound(path)
            return
        self.context.folder.mkdir(parents=True, exist_ok=True)
        try:
            finding = checks.check(self.context.root, path, self.context.folder / "nix")
        except checks.NotChecked as error:
            self._unchecked[path] = str(error)
            print(f"{visible(path)}: not checked: {error}", flush=True)
            return
        self._unchecked.pop(path, None)
        if finding is None:
            print(f"\x1b[32m✓\x1b[0m {visible(path)}", flush=True)
            self._sound(path)
            return
        print(f"\x1b[31m✗\x1b[0m {visible(path)}: {finding.words}", flush=True)
        kind = "does not parse" if path.endswith(".nix") else "is not what GitHub takes for a workflow"
        known = self._suggested.get(path)
        # Each time that it breaks anew is a suggestion of its own; while it is broken, it is the same one.
        occasion = hashlib.sha256(f"{path}\0{self._seq}".encode("utf-8", "surrogatepass")).hexdigest()[:16]
        fingerprint = occasion if known is None else known[1]
        number = self.context.suggest(
            "fix",
            f"{_short(path)} {kind}",
            words=finding.words,
            priority="high",
            confidence=0.95,
            fingerprint=fingerprint,
            rule="nix-parse" if path.endswith(".nix") else "workflow-schema",
            file=path,
            line=finding.line,
        )
        self._suggested[path] = number, fingerprint

    def _sound(self, path: str) -> None:
        """Nothing is wrong with `path` any more."""
        known = self._suggested.pop(path, None)
        if known is None:
            return
        try:
            self.context.withdraw(known[0])
        except AgentError as error:
            print(f"suggestion {known[0]}: {error}", flush=True)


def _short(path: str) -> str:
    return visible(path if len(path) <= _PATH else "…" + path[-_PATH:])
