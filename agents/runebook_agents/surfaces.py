"""The surfaces agent: hands out the files by which tmux, editors and shells show a run, and checks them.

What is live in tmux the engine does: this agent's pane is gated and reaches no tmux. It writes the files
into the folder that it owns, lets the programs that are here read them, compares what the surfaces show
with the log, and says in its pane and in `report.json` how each one stands.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runebook_tui.agent import Agent, AgentError
from runebook_tui.surfaces import snapshot
from runebook_tui.surfaces.catalogue import SURFACES, Surface, text_of

_PROGRAM = ["runebook-tui"]
_PATIENCE_SECONDS = 30.0
_CHECK_SECONDS = 30.0
_TYPES = ("CoordinationRequest", "CoordinationResponse", "SuggestionAdded", "AgentExited", "FinalizeStarted")

# How a program reads a file without doing anything, `{file}` standing for its path.
_READING: Mapping[str, tuple[str, ...]] = {
    "vim": (
        "vim",
        "-N",
        "-u",
        "NONE",
        "-i",
        "NONE",
        "-n",
        "-es",
        "--not-a-term",
        "-S",
        "{file}",
        "-c",
        "qa!",
    ),
    "nvim": ("nvim", "--headless", "--clean", "-i", "NONE", "-n", "-c", "luafile {file}", "-c", "qa!"),
    "wezterm": ("luac5.4", "-p", "{file}"),
    "bash": ("bash", "-n", "{file}"),
    "zsh": ("zsh", "-n", "{file}"),
    "fish": ("fish", "--no-execute", "{file}"),
}


class Surfaces(Agent):
    """Keeps the surfaces' files in the folder that it claims, and an eye on what they show."""

    def initialize(self) -> None:
        """Read the plan."""
        plan = self.context.plan()
        self._me: dict[str, Any] = next(a for a in plan["agents"] if a["id"] == self.context.agent)
        self._position = 0
        self._shown = ""
        self._report: dict[str, str] = {}
        print(f"\x1b[1m{self.context.agent}\x1b[0m: shows the run outside the screens", flush=True)

    def execute(self) -> None:
        """Write the files, check them, and follow what is shown until the plan finalizes."""
        for task in self._me["tasks"]:
            self.context.start_task(task["id"])
            if task["id"].endswith("-implement") or len(self._me["tasks"]) == 1:
                note = self._hand_out()
                self._ask_as_in_the_demonstration()
            else:
                note = self._check()
            self.context.complete_task(task["id"], note)
            print(f"\x1b[32m✓\x1b[0m {task['title']}: {note}", flush=True)
        while not self.finalizing.is_set():
            self._follow()

    def finalize(self) -> None:
        """Check once more, and leave the report."""
        print(self._check(), flush=True)

    def status(self) -> str:
        """What the surfaces show."""
        return self._shown or "nothing is shown yet"

    def _hand_out(self) -> str:
        """Write the files that are missing into the claimed folder; what people changed is left alone."""
        folder = self._folder()
        if folder is None:
            return "the plan gives no folder for the files; `runebook-tui surface install` has them"
        written = 0
        for each in SURFACES.values():
            file = folder / each.file
            if not file.exists():
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text_of(each, _PROGRAM), encoding="utf-8")
                print(f"  wrote {file.relative_to(self.context.root)}", flush=True)
                written += 1
        return f"{written} files written, {len(SURFACES) - written} were there"

    def _folder(self) -> Path | None:
        """`runebook/` in the first whole folder that the agent claims."""
        whole = (each.strip("/") for each in self._me["claims"] if each.endswith("/**"))
        first = next((each.removesuffix("/**") for each in whole if not set(each[:-3]) & set("*?[\\")), None)
        return None if first is None else self.context.root / first / "runebook"

    def _check(self) -> str:
        """Let each program that is here read its file; what is wrong becomes a suggestion."""
        for each in SURFACES.values():
            self._report[each.name] = self._checked(each)
        now = snapshot.read(self.context.root)
        self._report["snapshot"] = "kept by the engine" if now is not None else "missing"
        self.context.folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self._report, indent=2, ensure_ascii=True) + "\n"
        (self.context.folder / "report.json").write_text(text)
        for name, words in self._report.items():
            print(f"  {name:9} {words}", flush=True)
        wrong = [name for name, words in self._report.items() if words.startswith(("wrong", "missing"))]
        for name in wrong:
            title = f"the surface {name} does not work: {self._report[name]}"[:200]
            self.context.suggest(
                "look", title, confidence=0.9, rule="surfaces", fingerprint=f"surface {name}"
            )
        return f"{len(self._report) - len(wrong)} of {len(self._report)} as they should be"

    def _checked(self, surface: Surface) -> str:
        folder = self._folder()
        file = None if folder is None else folder / surface.file
        if file is None or not file.exists():
            return "no file here"
        words = [word.format(file=file) for word in _READING.get(surface.name, ())]
        program = shutil.which(words[0]) if words else None
        if program is None:
            return f"not checked: {words[0] if words else 'the engine shows it'} is not here"
        try:
            done = subprocess.run(
                [program, *words[1:]],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_CHECK_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"not checked: {error}"
        said = " ".join((done.stdout + done.stderr).split())[:160]
        return "read without complaint" if done.returncode == 0 else f"wrong: {said or done.returncode}"

    def _follow(self) -> None:
        """Wait for the next event that is shown, and say what the surfaces say now."""
        try:
            _, self._position = self.context.records(self._position, _TYPES, _PATIENCE_SECONDS)
        except AgentError:
            self.finalizing.wait(1.0)
            return
        now = snapshot.read(self.context.root)
        words = "" if now is None else str(now.get("prompt"))
        if words and words != self._shown:
            self._shown = words
            print(f"  shown: {words}", flush=True)

    def _ask_as_in_the_demonstration(self) -> None:
        """In the demonstration: ask before changing a shared file, and take no for an answer."""
        if "RUNEBOOK_DEMO" not in os.environ:
            return
        path = self.context.root / "src-tauri/src/core/types.rs"
        shared = str(path.relative_to(self.context.root))
        print(f"  asks to change {shared}", flush=True)
        answer = self.context.ask([shared], "suggestions need a Priority type", seconds=3600)
        print(f"  the operator says: {answer}", flush=True)
        if answer == "approved":
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a") as file:
                file.write("pub enum Priority { Low, High }\n")
