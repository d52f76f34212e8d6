"""How each client is started on the scripted model, and its own words for an edit and for a line of shell.

Nobody's account and nobody's configuration: a home in the test's folder, and variables. Field names were
measured with the versions of `versions.py`.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from pathlib import Path

from benchmarks.model.turns import Call
from benchmarks.soak.client import configure

PROMPT = "Do what is to be done."


class Client(ABC):
    """One client: how it is configured and started."""

    name: str
    arguments: tuple[str, ...] = ()
    """What the plan gives as `args` when it names the client: it works on its prompt and ends, unasked."""
    model: str | None = None

    def __init__(self, root: Path, home: Path, address: str) -> None:
        self.root = root
        self.home = home
        self.address = address

    @property
    @abstractmethod
    def command(self) -> list[str]:
        """The program and its arguments."""

    @abstractmethod
    def configure(self) -> dict[str, str]:
        """Write its configuration below `home`; the variables that it needs."""

    def _write(self, name: str, settings: object) -> None:
        file = self.home / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(settings if isinstance(settings, str) else json.dumps(settings))


class Driver(Client):
    """One with tools and without a terminal's dialogue: it gets a prompt, works, and ends."""

    @abstractmethod
    def create(self, path: str, text: str) -> list[Call]:
        """The calls that make a new file by the edit tool."""

    @abstractmethod
    def edit(self, path: str, old: str, new: str) -> list[Call]:
        """The calls that replace a whole line by the edit tool."""

    @abstractmethod
    def shell(self, line: str) -> list[Call]:
        """The calls that run a line of shell."""


class Claude(Driver):
    """Claude Code: Write, Edit (of files that it has read) and Bash."""

    name = "claude"
    arguments = ("-p", "--permission-mode", "acceptEdits", "--allowedTools", "Bash,Edit,Read,Write")
    model: str = "claude-opus-4-8"

    @property
    def command(self) -> list[str]:
        return ["claude", *self.arguments, "--model", self.model, "--", PROMPT]

    def configure(self) -> dict[str, str]:
        return {
            "ANTHROPIC_BASE_URL": self.address,
            "ANTHROPIC_API_KEY": "none",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_AUTOUPDATER": "1",
        }

    def create(self, path: str, text: str) -> list[Call]:
        return [Call("Write", {"file_path": str(self.root / path), "content": text})]

    def edit(self, path: str, old: str, new: str) -> list[Call]:
        file = {"file_path": str(self.root / path)}
        return [Call("Read", file), Call("Edit", {**file, "old_string": old, "new_string": new})]

    def shell(self, line: str) -> list[Call]:
        return [Call("Bash", {"command": line, "description": "Do it"})]


class Codex(Driver):
    """Codex CLI: apply_patch and exec_command. The gate is its only sandbox."""

    name = "codex"
    arguments = ("exec", "--dangerously-bypass-approvals-and-sandbox")

    @property
    def command(self) -> list[str]:
        return ["codex", *self.arguments, "--", PROMPT]

    def configure(self) -> dict[str, str]:
        lines = [
            'model = "gpt-5.5"',
            'model_provider = "script"',
            "check_for_update_on_startup = false",
            "[analytics]",
            "enabled = false",
            "[model_providers.script]",
            'name = "Script"',
            f'base_url = "{self.address}/v1"',
            'wire_api = "responses"',
            "request_max_retries = 0",
            "stream_max_retries = 0",
        ]
        self._write(".codex/config.toml", "\n".join(lines) + "\n")
        return {}

    def create(self, path: str, text: str) -> list[Call]:
        added = "".join(f"+{line}\n" for line in text.splitlines())
        return [self._patch(f"*** Add File: {path}\n{added}")]

    def edit(self, path: str, old: str, new: str) -> list[Call]:
        return [self._patch(f"*** Update File: {path}\n@@\n-{old}\n+{new}\n")]

    def shell(self, line: str) -> list[Call]:
        return [Call("exec_command", {"cmd": line})]

    def _patch(self, hunk: str) -> Call:
        return Call("apply_patch", f"*** Begin Patch\n{hunk}*** End Patch\n")


class Gemini(Driver):
    """Gemini CLI: write_file, replace and run_shell_command."""

    name = "gemini"
    arguments = ("-p", "--approval-mode", "yolo")
    model: str = "gemini-2.5-pro"

    @property
    def command(self) -> list[str]:
        return [self.name, "--approval-mode", "yolo", "-m", self.model, "-p", PROMPT]

    def configure(self) -> dict[str, str]:
        settings = {
            "privacy": {"usageStatisticsEnabled": False},
            "general": {"enableAutoUpdate": False, "enableAutoUpdateNotification": False},
            "security": {"auth": {"selectedType": "gemini-api-key"}, "folderTrust": {"enabled": False}},
        }
        self._write(".gemini/settings.json", settings)
        return {
            "GOOGLE_GEMINI_BASE_URL": self.address,
            "GEMINI_API_KEY": "none",
            "GEMINI_CLI_NO_RELAUNCH": "true",
        }

    def create(self, path: str, text: str) -> list[Call]:
        return [Call("write_file", {"file_path": str(self.root / path), "content": text})]

    def edit(self, path: str, old: str, new: str) -> list[Call]:
        file = {"file_path": str(self.root / path), "instruction": "Change it"}
        return [Call("replace", {**file, "old_string": old, "new_string": new})]

    def shell(self, line: str) -> list[Call]:
        return [Call("run_shell_command", {"command": line, "description": "Do it"})]


class Opencode(Driver):
    """opencode: write, edit (of files that it has read) and bash."""

    name = "opencode"
    arguments = ("run",)

    @property
    def command(self) -> list[str]:
        return ["opencode", *self.arguments, PROMPT]

    def configure(self) -> dict[str, str]:
        return configure(self.home, f"{self.address}/v1")

    def create(self, path: str, text: str) -> list[Call]:
        return [Call("write", {"filePath": str(self.root / path), "content": text})]

    def edit(self, path: str, old: str, new: str) -> list[Call]:
        file = {"filePath": str(self.root / path)}
        return [Call("read", file), Call("edit", {**file, "oldString": old, "newString": new})]

    def shell(self, line: str) -> list[Call]:
        return [Call("bash", {"command": line, "description": "Do it"})]


class Copilot(Driver):
    """GitHub Copilot CLI with a provider of one's own: create, edit and bash."""

    name = "copilot"
    arguments = ("-p", "--allow-all-tools", "--allow-all-paths")

    @property
    def command(self) -> list[str]:
        return ["copilot", "--allow-all-tools", "--allow-all-paths", "-p", PROMPT]

    def configure(self) -> dict[str, str]:
        return {
            "COPILOT_OFFLINE": "true",
            "COPILOT_AUTO_UPDATE": "false",
            "COPILOT_PROVIDER_BASE_URL": f"{self.address}/v1",
            "COPILOT_PROVIDER_TYPE": "openai",
            "COPILOT_PROVIDER_API_KEY": "none",
            "COPILOT_MODEL": "gpt-5",
        }

    def create(self, path: str, text: str) -> list[Call]:
        return [Call("create", {"path": str(self.root / path), "file_text": text})]

    def edit(self, path: str, old: str, new: str) -> list[Call]:
        return [Call("edit", {"path": str(self.root / path), "old_str": old, "new_str": new})]

    def shell(self, line: str) -> list[Call]:
        return [Call("bash", {"command": line, "description": "Do it"})]


class Qwen(Gemini):
    """Qwen Code: Gemini's tools under other names, over Chat Completions; it edits what it has read."""

    name = "qwen"
    model = "script"

    def configure(self) -> dict[str, str]:
        settings = {
            "privacy": {"usageStatisticsEnabled": False},
            "general": {"enableAutoUpdate": False},
            "security": {"auth": {"selectedType": "openai"}, "folderTrust": {"enabled": False}},
        }
        self._write(".qwen/settings.json", settings)
        return {
            "OPENAI_BASE_URL": f"{self.address}/v1",
            "OPENAI_API_KEY": "none",
            "QWEN_CODE_SUPPRESS_YOLO_WARNING": "1",
        }

    def edit(self, path: str, old: str, new: str) -> list[Call]:
        file = {"file_path": str(self.root / path)}
        return [Call("read_file", file), Call("edit", {**file, "old_string": old, "new_string": new})]

    def shell(self, line: str) -> list[Call]:
        return [Call("run_shell_command", {"command": line, "description": "Do it", "is_background": False})]


class Aider(Client):
    """aider in its terminal: no tools. It writes the files that blocks of the model's words hold."""

    name = "aider"

    @property
    def command(self) -> list[str]:
        quiet = [
            "--no-check-update",
            "--no-show-release-notes",
            "--no-show-model-warnings",
            "--analytics-disable",
        ]
        plain = ["--no-pretty", "--no-fancy-input", "--no-stream", "--no-gitignore", "--map-tokens", "0"]
        # The gate asks about each file; aider's own question is not the operator's.
        unasked = ["--yes-always", "--no-auto-commits", "--edit-format", "whole"]
        files = ["alpha/edited", "beta/edited", "beta/again", "beta/kept"]  # of others it asks the model anew
        return ["aider", "--model", "openai/script", *quiet, *plain, *unasked, *files]

    def configure(self) -> dict[str, str]:
        return {
            "OPENAI_API_BASE": f"{self.address}/v1",
            "OPENAI_API_KEY": "none",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        }

    @staticmethod
    def whole(path: str, text: str) -> str:
        """The model's words that make `path` hold `text`."""
        return f"{path}\n```\n{text}```\n"


DRIVERS: dict[str, type[Driver]] = {
    each.name: each for each in (Claude, Codex, Gemini, Opencode, Copilot, Qwen)
}
