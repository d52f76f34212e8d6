"""What the tests of the screens share: a person who has chosen nothing."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def nobodys_choices(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the settings nor the choices of whoever runs the tests count, and none are left behind."""
    home = tmp_path_factory.mktemp("person")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))
