"""The orchestrator: phase 1 of a plan. It writes the roadmap, stubs interfaces, and checks the boundaries.

It changes no file that is there, but for its own roadmap, unless the operator has approved it; a second run
finds its own work and goes on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from runebook_agents.roadmap import MARK, promises, roadmap
from runebook_agents.stubs import addition, stub
from runebook_tui.agent import Agent, AgentError, EngineAway

PAGE = "ROADMAP.md"

_ANSWER_SECONDS = 3600.0
_AGAIN_SECONDS = 1.0


class Orchestrator(Agent):
    """Takes up its tasks in order; each does the part that its id names, or all of them."""

    def initialize(self) -> None:
        """Read the plan."""
        self._plan = self.context.plan()
        self._me: dict[str, Any] = next(a for a in self._plan["agents"] if a["id"] == self.context.agent)
        self._at = ""
        self._asking: list[threading.Thread] = []
        print(f"\x1b[1m{self.context.agent}\x1b[0m: roadmap, interfaces, boundaries", flush=True)

    def execute(self) -> None:
        """Do every part once, in the order of the tasks; what no task names is done with the first."""
        parts: dict[str, Callable[[], str]] = {
            "roadmap": self._write_roadmap,
            "interfaces": self._stub_interfaces,
            "ownership": self._check_boundaries,
            "coordination": self._check_fleet,
        }
        tasks = self.context.tasks()
        named = {task["id"]: [part for part in parts if part in task["id"]] for task in tasks}
        left = [part for part in parts if not any(part in each for each in named.values())]
        if not named:
            for part in left:
                print(f"  {parts[part]()}", flush=True)
        for task in tasks:
            self._at = task["title"] or task["id"]
            print(f"\x1b[36m▶\x1b[0m {_line(self._at)}", flush=True)
            if task["status"] != "completed":
                self.context.start_task(task["id"])
            notes = [parts[part]() for part in (*named[task["id"]], *left)]
            left = []
            self.context.complete_task(task["id"], "; ".join(notes)[:2000])
            print(f"\x1b[32m✓\x1b[0m {_line(self._at)}", flush=True)
        if not self.context.serves():
            for thread in self._asking:
                thread.join()

    def status(self) -> str:
        """The task at hand."""
        return self._at or "reads the plan"

    def _write_roadmap(self) -> str:
        path = self._roadmap_path()
        shown = path.relative_to(self.context.root).as_posix()
        text = roadmap(self._plan)
        before = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None
        if before is not None and not before.startswith(MARK):
            return self._say(f"{shown} is somebody's own: left as it is")
        if before == text:
            return self._say(f"{shown} is up to date")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return self._say(f"wrote {shown}" if before is None else f"brought {shown} up to date")

    def _roadmap_path(self) -> Path:
        """Where the roadmap belongs: into the first folder that the agent owns, else into its own folder."""
        for claim in self._me["claims"]:
            folder = str(claim).lstrip("/").removesuffix("/**").removesuffix("/")
            if folder and not set(folder) & set("*?[\\!") and (folder != str(claim).lstrip("/")):
                path = f"{folder}/{PAGE}"
                if self.context.owner(path)["owner"] == self.context.agent:
                    return self.context.root / path
        return self.context.folder / PAGE

    def _stub_interfaces(self) -> str:
        made = []
        for interface in self._plan["interfaces"]:
            path = self.context.root / PurePosixPath(interface["path"])
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("x", encoding="utf-8") as file:
                    file.write(stub(interface))
            except FileExistsError:
                self._complete(interface, path)
            except OSError as error:
                self._say(f"{interface['path']} is left to {interface['owner']}: {error.strerror}")
            else:
                made.append(interface["path"])
                self._say(f"stubbed {interface['path']} for {interface['owner']}")
        return f"stubbed {', '.join(made)}" if made else "every interface has its file"

    def _complete(self, interface: Mapping[str, Any], path: Path) -> None:
        """Say how a file that is there stands; what it lacks is added once the operator approves."""
        text = _text_of(path)
        missing = ", ".join(each for each in interface["must_contain"] if each not in text)
        if not missing:
            stands = "it holds what it promises" if promises(interface) else "it promises nothing"
            self._say(f"{interface['path']} is there: {stands}")
            return
        self._say(f"{interface['path']} is there and lacks {missing}: asks to add stubs")
        # The phase does not wait for the answer: the file's owner may be quicker than the operator.
        self._asking.append(threading.Thread(target=self._add, args=(interface, path, missing), daemon=True))
        self._asking[-1].start()

    def _add(self, interface: Mapping[str, Any], path: Path, missing: str) -> None:
        name, answer = str(interface["path"]), "open"
        reason = f"to add stubs of {missing}, which the interface {interface['name']} promises"
        while answer == "open" and not self.finalizing.is_set():
            try:
                answer = self.context.ask([name], reason[:2000], _ANSWER_SECONDS, always=True)
            except EngineAway:
                self.finalizing.wait(_AGAIN_SECONDS)
            except AgentError as error:
                answer = str(error)
        if answer not in ("approved", "not needed"):
            self._say(f"{name} stays as it is: {answer}")
            return
        if not (stubs := addition(interface, _text_of(path))):
            self._say(f"{name} holds what it promises by now")
            return
        try:
            with path.open("a", encoding="utf-8") as file:
                file.write(stubs)
        except OSError as error:
            self._say(f"{name} stays as it is: {error.strerror}")
        else:
            self._say(f"added stubs to {name}")

    def _check_boundaries(self) -> str:
        """Print who owns what, and find interfaces whose owner does not own their file."""
        for agent in self._plan["agents"]:
            self._say(f"{agent['id']} owns {', '.join(agent['claims']) or 'nothing'}")
        for shared in self._plan["shared"]:
            self._say(f"{shared['path']} is shared, {shared['owner']} changes it")
        wrong = []
        for interface in self._plan["interfaces"]:
            owner = self.context.owner(interface["path"])["owner"]
            if owner not in (None, interface["owner"]):
                wrong.append(f"{interface['path']} is {owner}'s, not {interface['owner']}'s")
        for line in wrong:
            self._say(f"\x1b[31m{_line(line)}\x1b[0m")
        if wrong:
            raise AgentError("; ".join(wrong))
        return f"{len(self._plan['agents'])} agents, every interface within its owner's boundary"

    def _check_fleet(self) -> str:
        """The engine answers and knows everybody who is to come."""
        _, position = self.context.records(0)
        agents = ", ".join(agent["id"] for agent in self._plan["agents"])
        return self._say(f"the engine is at record {position} or later; to come: {agents}")

    def _say(self, text: str) -> str:
        print(f"  {text if text.startswith(chr(27)) else _line(text)}", flush=True)
        return text


def _text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def _line(text: str) -> str:
    """A text of the plan on one line, without what a terminal would obey."""
    return "".join(each if each.isprintable() else "�" for each in " ".join(text.split()))[:500]
