"""The scaffold: the texts of flake.nix, shell.nix and a workflow for what a project holds."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from runebook_agents.nix_ci.project import Part

FLAKE = "flake.nix"
SHELL = "shell.nix"
WORKFLOW = ".github/workflows/ci.yml"

_NOTE = "# Scaffolded by Runebook's agent nix-ci from what this repository holds; yours to change."

_FLAKE_TEXT = """\
{
  description = "Development shell and checks";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs = { self, nixpkgs }:
    let
      systems = [ "x86_64-linux" "aarch64-linux" "x86_64-darwin" "aarch64-darwin" ];
      forEach = make: nixpkgs.lib.genAttrs systems (system: make nixpkgs.legacyPackages.${system});
    in
    {
      devShells = forEach (pkgs: { default = import ./shell.nix { inherit pkgs; }; });
      checks = forEach (pkgs: { shell = import ./shell.nix { inherit pkgs; }; });
    };
}
"""


def texts(parts: Sequence[Part]) -> dict[str, str]:
    """What each file would hold, by path; no workflow where nothing is known to test."""
    found = {FLAKE: f"{_NOTE}\n{_FLAKE_TEXT}", SHELL: _shell(parts)}
    if any(part.test for part in parts):
        found[WORKFLOW] = "\n".join(_workflow(parts)) + "\n"
    return found


def _shell(parts: Sequence[Part]) -> str:
    packages = dict.fromkeys(["git", *(name for part in parts for name in _packages(part))])
    listed = "\n".join(f"    pkgs.{name}" for name in packages)
    return (
        f"{_NOTE}\n{{ pkgs ? import <nixpkgs> {{ }} }}:\n\n"
        f"pkgs.mkShell {{\n  packages = [\n{listed}\n  ];\n}}\n"
    )


def _packages(part: Part) -> Iterator[str]:
    """The names in nixpkgs of what a part needs; one that is not pinned gets the current release."""
    match part.language:
        case "python":
            yield (
                f"python{part.version.replace('.', '')}" if part.pinned and "." in part.version else "python3"
            )
        case "node":
            yield f"nodejs_{part.version}" if part.pinned and part.version else "nodejs"
        case "rust":
            yield from ("cargo", "rustc", "rustfmt", "clippy")
        case "go":
            yield "go"
    yield from part.tools


def _workflow(parts: Sequence[Part]) -> Iterator[str]:
    yield from (_NOTE, "name: CI", "", "on:", "  push:", "  pull_request:", "")
    yield from ("permissions:", "  contents: read", "", "jobs:")
    for part in parts:
        if part.test:
            yield from _job(part)


def _job(part: Part) -> Iterator[str]:
    name = part.language if part.folder == "." else f"{part.language}-{part.folder.replace('.', '-')}"
    yield f"  {name}:"
    yield "    runs-on: ubuntu-latest"
    yield "    timeout-minutes: 30"
    if part.folder != ".":
        yield from ("    defaults:", "      run:", f"        working-directory: {json.dumps(part.folder)}")
    yield "    steps:"
    yield "      - uses: actions/checkout@v4"
    yield from _setup(part)
    for line in (*part.install, *part.test):
        yield f"      - run: {json.dumps(line)}"


def _setup(part: Part) -> Iterator[str]:
    """The steps that bring a language at its version."""
    match part.language:
        case "python":
            yield "      - uses: actions/setup-python@v5"
            yield from ("        with:", f"          python-version: {json.dumps(part.version or '3.x')}")
        case "node":
            yield "      - uses: actions/setup-node@v4"
            yield from ("        with:", f"          node-version: {json.dumps(part.version or 'lts/*')}")
        case "go":
            yield "      - uses: actions/setup-go@v5"
            yield from ("        with:", f"          go-version: {json.dumps(part.version or 'stable')}")
        case "rust":
            version = part.version if part.pinned and part.version else "stable"
            chain = f"rustup toolchain install {version} --profile minimal && rustup default {version}"
            yield f"      - run: {json.dumps(chain)}"
