"""The real clients accept what the adapters generate, read it, and change nothing of their user's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import versions
from drivers import DRIVERS, Aider, Client, Driver

from benchmarks.model.server import Model
from benchmarks.model.turns import Answer, Asked, Call, Say
from runebook_tui.clients.adapter import GO_ON, Assignment
from runebook_tui.clients.registry import ADAPTERS
from runebook_tui.core.types import AgentSpec
from runebook_tui.execution.outfit import link_below, mcp_command, write_below

SECONDS = 100
PROMPT = "--prompt-of-the-plan"
BRIEF = "# You are the agent `alpha`\n\nBRIEF-OF-THE-PLAN\n"
ARGS = {
    "claude": ("-p", "--permission-mode", "acceptEdits"),
    "codex": ("exec", "--dangerously-bypass-approvals-and-sandbox"),
    "gemini": ("-p", "--approval-mode", "yolo"),
    "opencode": ("run",),
    "copilot": ("-p", "--allow-all-tools", "--allow-all-paths"),
    "qwen": ("-p", "--approval-mode", "yolo"),
    "aider": ("--yes-always", "--no-check-update", "--no-show-model-warnings", "--analytics-disable"),
}
MODELS = {"aider": "openai/script", "claude": "claude-opus-4-8", "gemini": "gemini-2.5-pro", "qwen": "script"}
HOOK = """
import json, os, sys
said = {{"words": sys.argv[1:], "agent": os.environ.get("RUNEBOOK_AGENT"), "payload": sys.stdin.read()}}
with open({log!r}, "a") as log:
    log.write(json.dumps(said) + "\\n")
"""
SERVER = """
import os, sys
with open({log!r}, "w") as log:
    log.write(os.environ["RUNEBOOK_ROOT"])
os.execv({command}[0], {command})
"""


CLIENTS: dict[str, type[Client]] = {**DRIVERS, "aider": Aider}


class Recorder(Model):
    """A model that keeps what it was asked, to the letter."""

    def __init__(self, answer: Answer) -> None:
        self.asked: list[str] = []
        super().__init__(answer)

    def reply(self, address: str, body: Mapping[str, Any]) -> tuple[bytes, bool] | None:
        self.asked.append(json.dumps(body, ensure_ascii=False))
        return super().reply(address, body)


class Place:
    """A user's home, a repository, a model, and a hook that writes down what it is told."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.root, self.home = folder / "repo", folder / "home"
        self.root.mkdir()
        self.home.mkdir()
        subprocess.run(["git", "init", "-q"], cwd=self.root, check=True)
        self.log = folder / "hook.log"
        (folder / "hook.py").write_text(HOOK.format(log=str(self.log)))
        self.hook = (sys.executable, "-I", "-S", str(folder / "hook.py"))
        self.served = folder / "served"
        command = mcp_command()
        assert command is not None, "the extra mcp is not installed: pip install -e '.[dev]'"
        server = SERVER.format(log=str(self.served), command=list(command))
        (folder / "server.py").write_text(server)
        self.mcp = (sys.executable, str(folder / "server.py"))
        self.calls: list[Call] = []
        self.model = Recorder(self._answer)
        self.client: Client = CLIENTS[name](self.root, self.home, self.model.address)
        proxies = dict.fromkeys(
            ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), self.model.address
        )
        self.environment = {
            "PATH": f"{versions.programs()}:{os.environ['PATH']}",
            "HOME": str(self.home),
            "TERM": "xterm-256color",
            "RUNEBOOK_AGENT": "alpha",
            **proxies,
            **dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost"),
            **self.client.configure(),
        }

    def _answer(self, asked: Asked) -> Say:
        if not asked.tools and self.name != "aider":
            return "A title"
        done = len(asked.results)
        return self.calls[done] if done < len(self.calls) else "All is done."

    def start(self, session: str | None = None) -> None:
        """Run the client as its adapter says, to its end."""
        adapter = ADAPTERS[self.name]
        folder = self.root / ".runebook" / "agents" / "alpha"
        spec = AgentSpec(
            id="alpha",
            phase="build",
            client=self.name,
            prompt=PROMPT,
            model=MODELS.get(self.name),
            args=ARGS[self.name],
        )
        looked_at = adapter.looks_at(self.environment)
        job = Assignment(
            spec=spec,
            brief=BRIEF,
            folder=folder,
            hook=self.hook,
            mcp=self.mcp,
            environment={"RUNEBOOK_AGENT": "alpha", "RUNEBOOK_ROOT": str(self.root)},
            inherited=self.environment,
            settings=Path(looked_at).read_text() if looked_at and Path(looked_at).exists() else "",
            session=session,
        )
        start = adapter.start(job)
        for name, text in start.files.items():
            write_below(folder, name, text)
        for name, target in start.links.items():
            link_below(folder, name, target)
        done = subprocess.run(
            start.command,
            cwd=self.root,
            env={**self.environment, **start.environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "All is done." in done.stdout

    def told(self) -> list[tuple[str, dict[str, Any]]]:
        """What the hook was told: the event's name and the payload."""
        found = []
        for line in self.log.read_text().splitlines():
            said = json.loads(line)
            payload = json.loads(said["payload"])
            assert said["words"][0] == self.name
            assert said["agent"] == "alpha"
            found.append((payload.get("hook_event_name") or said["words"][-1], payload))
        return found


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    here = Place(tmp_path, request.param)
    try:
        yield here
    finally:
        here.model.close()


def files(home: Path) -> dict[str, object]:
    """What the home holds, but for the form's name and number that a client puts into its own settings."""
    return {str(path.relative_to(home)): content(path) for path in home.rglob("*") if path.is_file()}


def content(path: Path) -> object:
    data = path.read_bytes()
    try:
        found = json.loads(data)
    except ValueError:
        return data
    if isinstance(found, dict):
        return {key: value for key, value in found.items() if key not in ("$schema", "$version")}
    return found


EVENTS = {
    "claude": {"SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse", "Stop", "SessionEnd"},
    "codex": {"SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse", "Stop", "SessionEnd"},
    "gemini": {"SessionStart", "BeforeAgent", "BeforeTool", "AfterTool", "AfterAgent", "SessionEnd"},
    "opencode": {
        "session.created",
        "chat.message",
        "tool.execute.before",
        "tool.execute.after",
        "message.updated",
        "session.idle",
    },
    "copilot": {
        "sessionStart",
        "userPromptSubmitted",
        "preToolUse",
        "postToolUse",
        "agentStop",
        "sessionEnd",
    },
    "qwen": {"SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse", "Stop"},
}


@pytest.mark.parametrize(
    "place",
    [pytest.param(name, marks=pytest.mark.xdist_group(f"{name} settings")) for name in DRIVERS],
    indirect=True,
)
@pytest.mark.timeout(3 * SECONDS)
def test_a_client_reads_what_was_generated_and_its_user_keeps_what_was_his(place: Place) -> None:
    before = files(place.home)
    driver = place.client
    assert isinstance(driver, Driver)
    place.calls = driver.create("made.txt", "by the edit tool\n") + driver.shell("echo by-shell > shell.txt")
    place.start()

    assert (place.root / "made.txt").read_text() == "by the edit tool\n"
    assert (place.root / "shell.txt").read_text() == "by-shell\n"
    said = "\n".join(place.model.asked)
    assert "BRIEF-OF-THE-PLAN" in said
    assert PROMPT in said
    assert place.served.read_text() == str(place.root), "the MCP server was started, and told where it is"
    # Codex keeps the tools of servers behind its own search for models that can search.
    assert "who_am_i" in said or place.name == "codex", "its tools are offered to the model"

    told = place.told()
    names = [name for name, _ in told]
    assert set(names) >= EVENTS[place.name]
    asks = [payload for name, payload in told if name.lower().replace(".", "") in ASKS]
    assert len(asks) >= 2, "before the edit and before the shell's command"
    assert "made.txt" in json.dumps(asks)
    assert "by-shell" in json.dumps(asks)

    after = files(place.home)
    assert {name: after[name] for name in before} == before, "what the user had is as it was"
    ours = [name for name, text in after.items() if name not in before and str(place.hook[-1]) in str(text)]
    assert [name for name in ours if not name.endswith(".jsonl")] == [], (
        "nothing of Runebook but in transcripts"
    )

    sessions = {str(payload.get("session_id") or payload.get("sessionId")) for _, payload in told}
    assert len(sessions) == 1
    place.calls = []
    place.model.asked.clear()
    place.start(sessions.pop())
    said = "\n".join(place.model.asked)
    assert PROMPT in said, "the conversation is the same one"
    assert GO_ON in said


ASKS = {"pretooluse", "beforetool", "toolexecutebefore"}


@pytest.mark.parametrize(
    "place", [pytest.param("aider", marks=pytest.mark.xdist_group("aider settings"))], indirect=True
)
@pytest.mark.timeout(3 * SECONDS)
def test_aider_reads_its_brief_and_keeps_its_histories_in_the_agents_folder(place: Place) -> None:
    place.start()
    said = "\n".join(place.model.asked)
    assert "BRIEF-OF-THE-PLAN" in said
    assert PROMPT in said
    folder = place.root / ".runebook" / "agents" / "alpha"
    assert PROMPT in (folder / "chat.md").read_text()
    left = {path.name for path in place.root.iterdir()} - {".git", ".runebook"}
    assert left <= {".aider.tags.cache.v4"}, "its cache has no other place"
