"""The project: which languages a repository holds, at which versions, and how each is tested."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

MANIFESTS = (
    "pyproject.toml",
    "setup.py",
    "requirements.txt",
    ".python-version",
    "package.json",
    ".nvmrc",
    "package-lock.json",
    "pnpm-lock.yaml",
    "yarn.lock",
    "Cargo.toml",
    "rust-toolchain",
    "rust-toolchain.toml",
    "go.mod",
)
"""The files that a project is known by, at the top of the repository or in a folder there."""

MOST_BYTES = 1 << 20
"""A longer file is not read."""

MOST_PARTS = 20

_FOLDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_PASSED_OVER = {"node_modules", "target", "vendor", "venv", "dist", "build"}
_VERSION = re.compile(r"(\d{1,4})(?:\.(\d{1,4}))?(?:\.\d{1,6})?")

Language = Literal["python", "node", "rust", "go"]


class Part(NamedTuple):
    """One language in one folder."""

    language: Language
    folder: str
    """Relative to the repository; "." for its top."""
    version: str
    """As "3.11", "20", "1.75" or "1.22"; "" where nothing is said."""
    pinned: bool
    """Whether it must be that one, rather than that one or a later."""
    install: tuple[str, ...]
    """Lines of shell that fetch what it needs."""
    test: tuple[str, ...]
    """Lines of shell that test it; () where no tests are known."""
    tools: tuple[str, ...] = ()
    """Further programs: "pnpm", "yarn"."""


class Manifest(NamedTuple):
    """A folder's manifests, read on demand."""

    root: Path
    folder: str

    def text(self, name: str) -> str | None:
        """The text of a file in the folder; None where it is not there, no text, or too long."""
        path = self.root / self.folder / name
        try:
            if not path.is_file() or path.stat().st_size > MOST_BYTES:
                return None
            return path.read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            return None

    def has(self, *names: str) -> bool:
        """Whether one of these is there."""
        return any((self.root / self.folder / name).exists() for name in names)


def parts(root: Path) -> tuple[Part, ...]:
    """What the repository at `root` holds: at its top, and in its folders that are not hidden."""
    found = [
        part
        for folder in (".", *_folders(root))
        for reader in _READERS
        if (part := reader(Manifest(root, folder))) is not None
    ]
    return tuple(found[:MOST_PARTS])


def _folders(root: Path) -> Iterator[str]:
    for path in sorted(root.iterdir()):
        if _FOLDER.fullmatch(path.name) and path.name not in _PASSED_OVER and path.is_dir():
            yield path.name


def _python(manifest: Manifest) -> Part | None:
    text = manifest.text("pyproject.toml")
    project = _table(_toml(text), "project")
    whole = text is not None and "project" in _toml(text)
    if not whole and not manifest.has("setup.py", "requirements.txt"):
        return None
    pinned = (manifest.text(".python-version") or "").strip()
    wanted = str(project.get("requires-python", ""))
    install = ["python -m pip install --upgrade pip"]
    if manifest.has("requirements.txt") and not whole:
        install.append("python -m pip install -r requirements.txt")
    if whole or manifest.has("setup.py"):
        extras = [
            each for each in ("dev", "test", "tests") if each in _table(project, "optional-dependencies")
        ]
        install.append(
            f'python -m pip install -e ".[{extras[0]}]"' if extras else "python -m pip install -e ."
        )
    pytest = "pytest" in (text or "") or "pytest" in (manifest.text("requirements.txt") or "")
    test = (
        "python -m pytest"
        if pytest
        else "python -m unittest discover"
        if manifest.has("tests", "test")
        else ""
    )
    version = _version(pinned) or _version(wanted.split(",")[0])
    exact = bool(_version(pinned)) or wanted.lstrip().startswith("==")
    return Part("python", manifest.folder, version, exact, tuple(install), (test,) if test else ())


def _node(manifest: Manifest) -> Part | None:
    package = _json(manifest.text("package.json"))
    if package is None:
        return None
    pinned = (manifest.text(".nvmrc") or "").strip().removeprefix("v")
    wanted = str(_table(package, "engines").get("node", ""))
    tool, install = "npm", "npm ci" if manifest.has("package-lock.json") else "npm install"
    if manifest.has("pnpm-lock.yaml"):
        tool, install = "pnpm", "corepack enable && pnpm install --frozen-lockfile"
    elif manifest.has("yarn.lock"):
        tool, install = "yarn", "corepack enable && yarn install"
    scripts = _table(package, "scripts")
    test = [f"{tool} run {name}" for name in ("lint", "build", "test") if _is_script(scripts.get(name))]
    version = (_version(pinned) or _version(wanted)).partition(".")[0]
    exact = bool(_version(pinned)) or not wanted.lstrip().startswith(">")
    tools = () if tool == "npm" else (tool,)
    return Part("node", manifest.folder, version, exact and bool(version), (install,), tuple(test), tools)


def _is_script(value: object) -> bool:
    """Whether a script is one, and not what `npm init` leaves."""
    return isinstance(value, str) and bool(value.strip()) and "no test specified" not in value


def _rust(manifest: Manifest) -> Part | None:
    text = manifest.text("Cargo.toml")
    cargo = _toml(text)
    if text is None or not ({"package", "workspace"} & cargo.keys()):
        return None
    chain = manifest.text("rust-toolchain.toml") or manifest.text("rust-toolchain") or ""
    channel = str(_table(_toml(chain), "toolchain").get("channel", "" if "[" in chain else chain.strip()))
    pinned = _version(channel)
    version = pinned or _version(str(_table(cargo, "package").get("rust-version", "")))
    return Part("rust", manifest.folder, version, bool(pinned), (), ("cargo test --all",))


def _go(manifest: Manifest) -> Part | None:
    text = manifest.text("go.mod")
    if text is None or re.search(r"^module\s+\S", text, flags=re.MULTILINE) is None:
        return None
    said = re.search(r"^go\s+(\S+)", text, flags=re.MULTILINE)
    version = _version(said[1]) if said else ""
    return Part("go", manifest.folder, version, False, ("go mod download",), ("go test ./...",))


_READERS: tuple[Callable[[Manifest], Part | None], ...] = (_python, _node, _rust, _go)


def _version(text: str) -> str:
    """The first version in `text`, at most two numbers of it: "3.11", "20"."""
    found = _VERSION.search(text)
    return "" if found is None else ".".join(each for each in found.groups() if each is not None)


def _toml(text: str | None) -> dict[str, Any]:
    try:
        return tomllib.loads(text or "")
    except (ValueError, RecursionError):
        return {}


def _json(text: str | None) -> dict[str, Any] | None:
    try:
        found = json.loads(text or "null")
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _table(values: dict[str, Any], name: str) -> dict[str, Any]:
    found = values.get(name)
    return found if isinstance(found, dict) else {}
