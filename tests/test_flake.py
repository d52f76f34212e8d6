"""flake.nix and shell.nix, evaluated by the real nix against a stand-in for nixpkgs, without a network."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
STAND_IN = ROOT / "tests" / "fake-nixpkgs"
SYSTEMS = {"x86_64-linux", "aarch64-linux", "x86_64-darwin", "aarch64-darwin"}


class Flake:
    """A copy of the flake's files in a folder of its own, and a nix that writes only there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.source = folder / "source"
        (self.source / "runebook_tui").mkdir(parents=True)
        for name in ("flake.nix", "shell.nix", "runebook_tui/__init__.py"):
            shutil.copy(ROOT / name, self.source / name)
        # Copied, too: a flake's URL cannot hold the blanks that the path of a clone may have.
        self.nixpkgs = folder / "nixpkgs"
        shutil.copytree(STAND_IN, self.nixpkgs)

    def nix(self, *words: str) -> subprocess.CompletedProcess[str]:
        home = self.folder / "nix"
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home / "home"),
            **{f"NIX_{name}_DIR": str(home / name.lower()) for name in ("STORE", "STATE", "LOG", "CONF")},
        }
        (home / "home").mkdir(parents=True, exist_ok=True)
        features = ["--extra-experimental-features", "nix-command flakes", "--offline"]
        stand_in = ["--no-write-lock-file", "--override-input", "nixpkgs", f"path:{self.nixpkgs}"]
        command = ["nix", *features, *words, *stand_in, f"path:{self.source}"]
        try:
            return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100)
        except FileNotFoundError:
            pytest.fail("nix is not installed (Debian: apt install nix-bin); to leave it out: -m 'not nix'")

    def change(self, name: str, old: str, new: str) -> None:
        path = self.source / name
        text = path.read_text()
        assert text.count(old) >= 1, f"{name} has no {old!r}"
        path.write_text(text.replace(old, new))


@pytest.fixture
def flake(tmp_path: Path) -> Flake:
    return Flake(tmp_path)


@pytest.mark.nix
def test_the_flake_evaluates(flake: Flake) -> None:
    checked = flake.nix("flake", "check", "--no-build")
    assert checked.returncode == 0, checked.stderr


@pytest.mark.nix
def test_every_system_gets_package_app_shell_and_checks(flake: Flake) -> None:
    shown = flake.nix("flake", "show", "--json", "--all-systems")
    if "unrecognised flag" in shown.stderr:  # nix before 2.13 shows all systems anyway
        shown = flake.nix("flake", "show", "--json")
    assert shown.returncode == 0, shown.stderr
    outputs = json.loads(shown.stdout)
    assert outputs.keys() == {"packages", "apps", "devShells", "checks"}
    assert all(systems.keys() == SYSTEMS for systems in outputs.values())
    version = re.search(r'__version__ = "(.+)"', (ROOT / "runebook_tui/__init__.py").read_text())
    assert version is not None
    for packages in outputs["packages"].values():
        assert packages["default"]["name"] == f"runebook-tui-{version[1]}"


@pytest.mark.nix
@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("flake.nix", "pkgs.git\n", "pkgs.gitt\n"),
        ("flake.nix", "pyproject = true", "pyprojct = true"),
        ("flake.nix", "            libtmux\n", "            libtmucks\n"),
        ("flake.nix", "lib.licenses.mit", "lib.licenses.mitt"),
        ("shell.nix", "pkgs.tmux", "pkgs.tmucks"),
        ("shell.nix", "import-linter", "import-lint"),
        ("shell.nix", "pkgs.postgresql", "pkgs.postgressql"),
    ],
)
def test_the_stand_in_notices_a_misspelt_name(flake: Flake, name: str, old: str, new: str) -> None:
    flake.change(name, old, new)
    checked = flake.nix("flake", "check", "--no-build")
    assert checked.returncode != 0
    assert "error:" in checked.stderr


def test_nix_files_name_every_dependency_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {re.split(r"[<>=~! \[]", each)[0] for each in project["dependencies"]}
    flake = (ROOT / "flake.nix").read_text()
    listed = re.search(r"dependencies = with [^;]+; \[([^\]]+)\]", flake)
    assert listed is not None
    assert set(listed[1].split()) >= names
    shell = set((ROOT / "shell.nix").read_text().split())
    assert names <= shell
    # A server, and the extra by which it is reached: else the shell's `make test` leaves these tests out.
    extra = {re.split(r"[<>=~! \[]", each)[0] for each in project["optional-dependencies"]["postgres"]}
    assert {"pkgs.postgresql", *extra} <= shell
