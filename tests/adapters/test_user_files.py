"""`doctor --install` shows, asks, writes one file, and can take exactly that back."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from runebook_tui.cli import installing
from runebook_tui.cli.arguments import CLIENTS
from runebook_tui.cli.command import run
from runebook_tui.clients.registry import ADAPTERS

THEIRS = """{ "version": 1,
  "hooks": {"stop": [{"command": "theirs é"}], "afterFileEdit": [], "preToolUse": [{"command": "first"}]},
    "mine": true }
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("RUNEBOOK_AGENT", raising=False)
    return tmp_path


def tree(home: Path) -> dict[str, str]:
    return {str(path.relative_to(home)): path.read_text() for path in home.rglob("*") if path.is_file()}


def test_the_command_line_knows_the_clients_that_there_are() -> None:
    assert list(CLIENTS) == list(ADAPTERS)


@pytest.mark.parametrize("client", ["cursor", "goose"])
def test_what_is_installed_is_taken_back_to_the_last_folder(
    home: Path, client: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["doctor", "--install", client, "--yes"]) == 0
    said = capsys.readouterr().out
    files = tree(home)
    wanted = ADAPTERS[client].user_file
    assert wanted is not None
    assert wanted.path in files
    for line in files[wanted.path].splitlines():
        assert f"    {line}" in said.splitlines(), "the text was shown before it was written"
    assert f"entry.py {client}" in files[wanted.path]
    assert '"HOOK"' not in files[wanted.path]
    assert run(["doctor", "--install", client, "--yes"]) == 0
    assert tree(home) == files
    assert "already" in capsys.readouterr().out
    assert run(["doctor", "--uninstall", client, "--yes"]) == 0
    assert list(home.iterdir()) == []
    assert run(["doctor", "--uninstall", client, "--yes"]) == 0
    assert "nothing of Runebook is in" in capsys.readouterr().out


def test_other_hooks_stay_and_come_back_to_the_byte(home: Path) -> None:
    file = home / ".cursor" / "hooks.json"
    file.parent.mkdir()
    file.write_text(THEIRS)
    file.chmod(0o640)
    assert run(["doctor", "--install", "cursor", "--yes"]) == 0
    hooks = json.loads(file.read_text())["hooks"]
    assert [each["command"] for each in hooks["preToolUse"]][0] == "first"
    assert len(hooks["preToolUse"]) == 2
    assert hooks["preToolUse"][1]["failClosed"] is True
    assert file.stat().st_mode & 0o777 == 0o640
    assert run(["doctor", "--uninstall", "cursor", "--yes"]) == 0
    assert tree(home) == {".cursor/hooks.json": THEIRS}


def test_what_was_added_meanwhile_stays(home: Path) -> None:
    file = home / ".cursor" / "hooks.json"
    file.parent.mkdir()
    file.write_text(THEIRS)
    assert run(["doctor", "--install", "cursor", "--yes"]) == 0
    changed = json.loads(file.read_text())
    changed["hooks"]["stop"].append({"command": "new"})
    file.write_text(json.dumps(changed))
    assert run(["doctor", "--uninstall", "cursor", "--yes"]) == 0
    theirs = json.loads(THEIRS)
    theirs["hooks"]["stop"].append({"command": "new"})
    assert json.loads(file.read_text()) == theirs
    assert list(tree(home)) == [".cursor/hooks.json"]


def test_a_link_into_a_folder_of_dotfiles_stays_one(home: Path) -> None:
    (home / "dotfiles").mkdir()
    (home / ".cursor").mkdir()
    (home / "dotfiles" / "hooks.json").write_text(THEIRS)
    (home / ".cursor" / "hooks.json").symlink_to(home / "dotfiles" / "hooks.json")
    assert run(["doctor", "--install", "cursor", "--yes"]) == 0
    assert (home / ".cursor" / "hooks.json").is_symlink()
    assert "entry.py" in (home / "dotfiles" / "hooks.json").read_text()
    assert run(["doctor", "--uninstall", "cursor", "--yes"]) == 0
    assert (home / "dotfiles" / "hooks.json").read_text() == THEIRS


@pytest.mark.parametrize(("answer", "written"), [("y\n", True), ("yes\n", True), ("n\n", False), ("", False)])
def test_it_asks_first(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answer: str,
    written: bool,
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Terminal(answer))
    assert run(["doctor", "--install", "cursor"]) == (0 if written else 1)
    assert bool(tree(home)) == written
    assert "Do that? [y/N]" in capsys.readouterr().out


def test_without_anybody_to_ask_nothing_is_written(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--install", "goose"]) == 1
    assert "nobody is there to be asked" in capsys.readouterr().err
    assert tree(home) == {}


def test_an_agent_cannot_change_the_users_files(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RUNEBOOK_AGENT", "alpha")
    assert run(["doctor", "--install", "cursor", "--yes"]) == 1
    assert "no place to change the user's files" in capsys.readouterr().err
    assert tree(home) == {}


@pytest.mark.parametrize("text", ["{ // mine\n}", "[]", '{"hooks": []}', '{"hooks": {"stop": {}}}', "\0"])
def test_a_file_that_is_not_understood_is_left_alone(
    home: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    file = home / ".cursor" / "hooks.json"
    file.parent.mkdir()
    file.write_text(text)
    assert run(["doctor", "--install", "cursor", "--yes"]) == 1
    error = capsys.readouterr().err
    assert "hooks.json" in error
    assert error.count("\n") == 1
    assert tree(home) == {".cursor/hooks.json": text}


def test_a_client_that_needs_no_file_is_told_so(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--install", "claude"]) == 0
    assert "there is nothing to install" in capsys.readouterr().out
    assert run(["doctor", "--install", "aider"]) == 0
    assert "has no hook" in capsys.readouterr().out
    assert tree(home) == {}


def test_a_file_that_is_too_large_is_left_alone(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(installing, "_MOST_BYTES", 10)
    (home / ".cursor").mkdir()
    (home / ".cursor" / "hooks.json").write_text(THEIRS)
    assert run(["doctor", "--install", "cursor", "--yes"]) == 1
    assert "is larger than" in capsys.readouterr().err
