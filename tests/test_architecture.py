"""The shape of the code: layers, what each part may load, and the size of a module."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from runebook_tui.cli import command

ROOT = Path(__file__).parents[1]
PACKAGES = (ROOT / "runebook_tui", ROOT / "agents" / "runebook_agents")
MODULES = sorted(path for package in PACKAGES for path in package.rglob("*.py"))
MOST_LINES = 400

HEAVY = {"textual", "rich", "libtmux", "watchfiles"}


def test_the_layers_hold() -> None:
    program = shutil.which("lint-imports", path=sysconfig.get_path("scripts"))
    assert program is not None, "import-linter is not installed: pip install -e '.[dev]'"
    linted = subprocess.run(
        [program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=100, check=False
    )
    assert linted.returncode == 0, linted.stdout + linted.stderr


def loaded_by(module: str) -> set[str]:
    """The top-level modules outside the standard library that importing `module` loads, itself aside."""
    program = (
        f"import sys; import {module}; "
        "print(*{name.split('.')[0] for name in sys.modules} - set(sys.stdlib_module_names))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        cwd=ROOT.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("module", "never"),
    [
        ("runebook_tui.core.rules", HEAVY | {"markdown_it"}),
        ("runebook_tui.orchestrator.coordinator", HEAVY),
        ("runebook_tui.orchestrator.planner", HEAVY),
        ("runebook_tui.log.sqlite", HEAVY),
        ("runebook_tui.log.opening", HEAVY | {"psycopg"}),
        ("runebook_tui.history.authors", HEAVY),
        ("runebook_tui.watch.tree", HEAVY - {"watchfiles"}),
        ("runebook_tui.tmux.server", HEAVY - {"libtmux"}),
        ("runebook_tui.execution.runner", {"textual", "rich"}),
        ("runebook_tui.execution.client", HEAVY | {"pydantic"}),
        ("runebook_tui.tui.screens.cockpit", {"libtmux", "watchfiles"}),
        ("runebook_tui.tui.plain.session", {"textual", "rich"}),
        ("runebook_tui.cli.command", HEAVY | {"pydantic", "pathspec"}),
        *(
            (f"runebook_tui.cli.{name}", HEAVY | {"pydantic"})
            for name in ("asking", "deciding", "telling", "undoing", "stopping")
        ),
        ("runebook_tui.cli.tools", HEAVY | {"mcp", "pydantic"}),
        ("runebook_tui.cli.serving", {"textual", "rich", "aiohttp", "jinja2", "textual_serve"}),
        ("runebook_tui.mcp.server", {"textual", "libtmux"}),  # uvicorn, which the SDK loads, loads watchfiles
        ("runebook_agents.finalization", HEAVY | {"pydantic", "pathspec"}),
        ("runebook_agents.nix_ci", HEAVY | {"pydantic", "pathspec", "check_jsonschema"}),
    ],
)
def test_a_module_loads_no_more_than_it_should(module: str, never: set[str]) -> None:
    assert not loaded_by(module) & never


def test_errors_for_people_are_found_by_their_names() -> None:
    for name in (*command._ERRORS_OF_COMMANDS, *command._ERRORS_OF_PLANS, *command._ERRORS):
        module, _, error = name.rpartition(".")
        assert issubclass(getattr(import_module(f"runebook_tui.{module}"), error), Exception)


@pytest.mark.parametrize(
    "module",
    [
        "runebook_tui.gate.pane",
        "runebook_tui.__main__",
        "runebook_tui.place",
        "runebook_tui.git.guard",
        "runebook_tui.hooks.entry",
        "runebook_tui.hooks.fallback",
    ],
)
def test_what_starts_with_every_pane_is_standard_library_only(module: str) -> None:
    hooks_of_site = loaded_by("sys")
    assert loaded_by(module) - hooks_of_site == {"runebook_tui"}


def imported(path: Path) -> Iterator[tuple[str, int]]:
    """The modules that the file at `path` names in its import statements, with their lines."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ".", node.lineno


@pytest.mark.parametrize(
    ("package", "allowed"),
    [
        ("core", {"pydantic", "runebook_tui"}),
        ("gate", {"runebook_tui"}),
        ("history", {"pydantic", "runebook_tui"}),
        ("report", {"runebook_tui"}),
        ("log", {"psycopg", "pydantic", "pydantic_core", "runebook_tui"}),
        ("watch", {"watchfiles", "runebook_tui"}),
        ("tmux", {"libtmux", "runebook_tui"}),
        ("hooks", {"runebook_tui"}),
        ("execution", {"runebook_tui"}),
        ("web", {"aiohttp", "jinja2", "textual_serve", "runebook_tui"}),
        ("mcp", {"mcp", "mcp_types", "pydantic", "runebook_tui"}),
    ],
)
def test_a_package_uses_only_its_own_libraries(package: str, allowed: set[str]) -> None:
    strangers = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in MODULES
        if path.is_relative_to(ROOT / "runebook_tui" / package)
        for name, line in imported(path)
        if name.split(".")[0] not in allowed | sys.stdlib_module_names
    ]
    assert not strangers


def test_agents_is_no_package() -> None:
    """A top-level package called `agents` would overwrite another project's when it is installed."""
    assert not (ROOT / "agents" / "__init__.py").exists()
    assert [path.name for path in (ROOT / "agents").iterdir() if path.name != "__pycache__"] == [
        "runebook_agents"
    ]


def test_every_module_begins_with_what_it_is() -> None:
    silent = [
        str(path.relative_to(ROOT)) for path in MODULES if not ast.get_docstring(ast.parse(path.read_bytes()))
    ]
    assert not silent


def test_no_module_is_two_nouns() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in MODULES
        if (lines := len(path.read_bytes().splitlines())) > MOST_LINES
    }
    assert not long, f"more than {MOST_LINES} lines: {long}"


def test_the_architecture_page_names_every_verb_and_who_may_use_it() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    documented = set(re.findall(r"^\| ([a-z]+) \| `([a-z-]+)` \|", page, flags=re.MULTILINE))
    folder = ROOT / "runebook_tui" / "execution"
    text = (folder / "verbs.py").read_text()
    tables = re.findall(r"self\._(anyone|agents|operator): Mapping\[str, Verb\] = \{([^}]+)\}", text)
    for speaker, name in (
        ("anyone", "records"),
        ("supervisors", "supervision"),
        ("agents", "mailbox"),
        ("agents", "captured"),
        ("operator", "deciding"),
        ("operator", "amending"),
        ("operator", "saying"),
    ):
        text = (folder / f"{name}.py").read_text()
        tables += [(speaker, table) for table in re.findall(r"self\.verbs(?:: \S+ \S+)? = \{([^}]+)\}", text)]
    assert documented == {
        (speaker, verb) for speaker, table in tables for verb in re.findall(r'"([a-z-]+)":', table)
    }


def test_documents_name_only_files_that_exist() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    places = (ROOT, ROOT / "runebook_tui", ROOT / "docs")
    lost = [
        f"{page.name}: {name}"
        for page in pages
        for name in re.findall(r"`((?:[a-z_]+/)+[a-z_]*(?:\.[a-z]+)?)`", page.read_text())
        if page.name in ("architecture.md", "AGENTS.md", "CONTRIBUTING.md")
        and name != "agents/__init__.py"  # named for what must not be
        and not any((place / name).exists() for place in places)
    ]
    assert not lost
