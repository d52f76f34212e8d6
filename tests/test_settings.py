"""The person's settings: read where the file is good, named in one line where it is not."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from runebook_tui.settings import Notify, Screen, Settings, load_settings, settings_path

PAGE = Path(__file__).parents[1] / "docs" / "settings.md"


def written(folder: Path, text: str) -> Settings:
    """The settings of a file that holds `text`."""
    file = folder / "settings.toml"
    file.write_text(text)
    return load_settings(file)


def test_without_a_file_the_defaults_count(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "none.toml") == Settings()


def test_the_file_is_where_the_xdg_folder_says(tmp_path: Path) -> None:
    assert settings_path({"XDG_CONFIG_HOME": "/c", "HOME": "/h"}) == Path("/c/runebook/settings.toml")
    assert settings_path({"XDG_CONFIG_HOME": "relative", "HOME": "/h"}) == Path(
        "/h/.config/runebook/settings.toml"
    )


def test_everything_is_read(tmp_path: Path) -> None:
    settings = written(
        tmp_path,
        """
        [notify]
        bell = false
        osc = "777"
        tmux = false
        command = ["notify-send", "-a", "Runebook"]
        quiet_seconds = 30
        [screen]
        theme = "runebook-light"
        plain = true
        ascii = true
        [keys]
        "cockpit.next" = "ctrl+n"
        """,
    )
    assert settings.problem == ""
    assert settings.notify == Notify(False, "777", False, ("notify-send", "-a", "Runebook"), 30.0)
    assert settings.screen == Screen("runebook-light", plain=True, ascii=True)
    assert settings.keys == {"cockpit.next": "ctrl+n"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[notify\n", "the settings are not TOML: "),
        ('[notify]\nbell = "yes"', "[notify] bell of the settings must be true or false"),
        ("[notify]\nosc = 9", '[notify] osc of the settings must be one of "auto", "9", "777", "99", "off"'),
        ('[notify]\ncommand = "say x"', "[notify] command of the settings must be a list of words"),
        ("[notify]\ncommand = [1]", "[notify] command of the settings must be a list of words"),
        ("[notify]\nquiet_seconds = -1", "[notify] quiet_seconds of the settings must be seconds"),
        ("[notify]\nquiet_seconds = nan", "[notify] quiet_seconds of the settings must be seconds"),
        ("[notify]\nloud = true", "[notify] loud of the settings is no setting"),
        ("notify = 1", "[notify] of the settings must be a table"),
        ("[colour]", "the settings have no [colour]"),
        ('"\\u001b[2J" = 1', "the settings have no [\\x1b[2J]"),
        ('[keys]\n"a" = 1', "[keys] a of the settings must be the name of a key"),
        ("a = " + "[" * 5000, "the settings are not TOML: "),
    ],
)
def test_what_cannot_be_used_is_named_in_one_line(tmp_path: Path, text: str, problem: str) -> None:
    settings = written(tmp_path, text)
    assert settings.problem.startswith(problem)
    assert settings.problem.isprintable()
    assert (settings.notify, settings.screen) == (Notify(), Screen())


def test_one_bad_value_leaves_the_others(tmp_path: Path) -> None:
    settings = written(tmp_path, "[notify]\nbell = false\nosc = 1\n[screen]\nascii = true")
    assert (settings.notify.bell, settings.notify.osc, settings.screen.ascii) == (False, "auto", True)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    assert load_settings(tmp_path).problem == "the settings cannot be read: Is a directory"
    (tmp_path / "bytes.toml").write_bytes(b"\xff")
    assert load_settings(tmp_path / "bytes.toml").problem == "the settings are not UTF-8"
    (tmp_path / "large.toml").write_bytes(b"#" * 300_000)
    assert load_settings(tmp_path / "large.toml").problem == "the settings are larger than 256 KiB"


def test_the_page_names_every_setting() -> None:
    page = PAGE.read_text()
    for section in (Notify, Screen):
        for each in fields(section):
            assert f"| `[{section.__name__.lower()}] {each.name}` |" in page
