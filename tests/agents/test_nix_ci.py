"""Nix and CI: what a repository holds is found, the scaffold fits it, and what is wrong is found."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_flake import Flake

from runebook_agents.nix_ci import checks
from runebook_agents.nix_ci.project import MANIFESTS, Part, parts
from runebook_agents.nix_ci.scaffold import FLAKE, SHELL, WORKFLOW, texts

PYTHON = """
[project]
name = "x"
requires-python = ">=3.11,<4"
optional-dependencies = { dev = ["pytest"] }
"""
PACKAGE = {"engines": {"node": "^20.1"}, "scripts": {"test": "vitest", "lint": "eslint ."}}


def repository(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


FOUR = {
    "pyproject.toml": PYTHON,
    "web/package.json": json.dumps(PACKAGE),
    "web/pnpm-lock.yaml": "",
    "src-tauri/Cargo.toml": '[package]\nname = "x"\nrust-version = "1.70"\n',
    "src-tauri/rust-toolchain.toml": '[toolchain]\nchannel = "1.75.0"\n',
    "server/go.mod": "module example.org/x\n\ngo 1.22.3\n",
    "node_modules/x/package.json": "{}",
}


def test_languages_versions_and_test_commands_are_found(tmp_path: Path) -> None:
    found = {part.language: part for part in parts(repository(tmp_path, FOUR))}
    assert found["python"] == Part(
        "python",
        ".",
        "3.11",
        False,
        ("python -m pip install --upgrade pip", 'python -m pip install -e ".[dev]"'),
        ("python -m pytest",),
    )
    assert found["node"] == Part(
        "node",
        "web",
        "20",
        True,
        ("corepack enable && pnpm install --frozen-lockfile",),
        ("pnpm run lint", "pnpm run test"),
        ("pnpm",),
    )
    assert found["rust"][:4] == ("rust", "src-tauri", "1.75", True)
    assert found["go"][:4] == ("go", "server", "1.22", False)


def test_a_pinned_version_is_the_one_in_the_shell(tmp_path: Path) -> None:
    files = {
        "requirements.txt": "pytest\n",
        ".python-version": "3.12.4\n",
        "package.json": "{}",
        ".nvmrc": "v22",
    }
    shell = texts(parts(repository(tmp_path, files)))[SHELL]
    assert "pkgs.python312\n" in shell
    assert "pkgs.nodejs_22\n" in shell


def test_without_tests_there_is_no_workflow(tmp_path: Path) -> None:
    init = {"scripts": {"test": 'echo "Error: no test specified" && exit 1'}}
    repository(tmp_path, {"package.json": json.dumps(init), "pyproject.toml": "[tool.ruff]\n"})
    assert texts(parts(tmp_path)).keys() == {FLAKE, SHELL}


def test_the_workflow_holds_to_githubs_schema_and_its_mistakes_are_found(tmp_path: Path) -> None:
    workflow = texts(parts(repository(tmp_path, FOUR)))[WORKFLOW]
    repository(tmp_path, {WORKFLOW: workflow})
    assert checks.check(tmp_path, WORKFLOW, tmp_path) is None
    repository(tmp_path, {WORKFLOW: workflow.replace("runs-on", "runs-in")})
    found = checks.check(tmp_path, WORKFLOW, tmp_path)
    assert found is not None
    assert "runs-in" in found.words
    repository(tmp_path, {WORKFLOW: "a: [\n"})
    found = checks.check(tmp_path, WORKFLOW, tmp_path)
    assert found is not None
    assert found.words


def test_what_cannot_be_checked_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository(tmp_path, {"flake.nix": "{ }", WORKFLOW: "on: push\n"})
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(checks.NotChecked, match="nix is not installed"):
        checks.check(tmp_path, "flake.nix", tmp_path)
    monkeypatch.setattr(checks, "find_spec", lambda name: None)
    with pytest.raises(checks.NotChecked, match="pip install"):
        checks.check(tmp_path, WORKFLOW, tmp_path)


@pytest.mark.nix
def test_the_shell_and_flake_parse_and_their_mistakes_are_found(tmp_path: Path) -> None:
    made = texts(parts(repository(tmp_path, FOUR)))
    repository(tmp_path, made)
    for path in (FLAKE, SHELL):
        assert checks.check(tmp_path, path, tmp_path / "nix") is None
    repository(tmp_path, {SHELL: made[SHELL].replace("pkgs.mkShell", "pkgz.mkShell")})
    found = checks.check(tmp_path, SHELL, tmp_path / "nix")
    assert found is not None
    assert "pkgz" in found.words
    assert found.line == 4


@pytest.mark.nix
def test_the_scaffold_evaluates_in_nix(tmp_path: Path) -> None:
    """With the stand-in for nixpkgs, which knows the packages of a Python project."""
    flake = Flake(tmp_path)
    shutil.rmtree(flake.source)
    flake.source.mkdir()
    repository(flake.source, {"pyproject.toml": PYTHON})
    repository(flake.source, texts(parts(flake.source)))
    checked = flake.nix("flake", "check", "--no-build")
    assert checked.returncode == 0, checked.stderr


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    st.dictionaries(
        st.sampled_from(MANIFESTS),
        st.sampled_from(
            ["", "{}", "[]", '{"engines": 3, "scripts": []}', "[project]\nrequires-python = 3", "\0"]
        )
        | st.text(max_size=80),
        max_size=6,
    )
)
def test_no_manifest_is_too_much(tmp_path: Path, files: dict[str, str]) -> None:
    root = tmp_path / "hostile"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    for name, text in files.items():
        (root / name).write_bytes(text.encode("utf-8", "surrogatepass"))
    for path, text in texts(parts(root)).items():
        assert text.endswith("\n"), path
