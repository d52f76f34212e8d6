"""What is built is what is meant: the wheel and the sdist, and the wheel in an environment of its own."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from collections.abc import Iterator
from importlib.metadata import entry_points, packages_distributions
from pathlib import Path, PurePosixPath

import pytest

import runebook_tui
from runebook_tui.agent import GROUP, Agent

ROOT = Path(__file__).parents[1]
AGENTS = {"orchestrator", "event-capture", "storage", "analysis", "surfaces", "nix-ci", "finalization"}


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist of this tree, and the wheel made from that sdist."""
    folder = tmp_path_factory.mktemp("dist")
    run(
        sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT, cwd=folder
    )  # without the network: hatchling is installed
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (path,) = built.glob("*.whl")
    return path


def on_disk() -> set[str]:
    """Every file of both packages, as the wheel names it."""
    return {
        path.relative_to(base).as_posix()
        for base, package in ((ROOT, "runebook_tui"), (ROOT / "agents", "runebook_agents"))
        for path in (base / package).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }


def test_the_wheel_holds_both_packages_whole_and_nothing_else(wheel: Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if not name.endswith("/")}
    metadata = f"runebook_tui-{runebook_tui.__version__}.dist-info"
    assert {PurePosixPath(name).parts[0] for name in names} == {"runebook_tui", "runebook_agents", metadata}
    assert {name for name in names if not name.startswith(metadata)} == on_disk()
    assert f"{metadata}/licenses/LICENSE" in names


def test_what_is_no_python_is_in_the_wheel(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert "runebook_tui/py.typed" in names
    assert any(name.endswith(".tcss") for name in names)
    for template in ("runebook", "coders"):
        assert f"runebook_tui/orchestrator/templates/{template}.toml" in names


def test_the_sdist_can_be_tested(built: Path) -> None:
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {PurePosixPath(*PurePosixPath(name).parts[1:]).as_posix() for name in archive.getnames()}
    for name in ("pyproject.toml", "README.md", "LICENSE", "Makefile", "tests/test_packaging.py"):
        assert name in names
    assert not any(name.startswith((".venv", ".git/", ".runebook", ".hypothesis")) for name in names)


def test_the_wheel_says_the_version(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    assert f"\nVersion: {runebook_tui.__version__}\n" in archive.read(name).decode()


def test_the_wheel_runs_in_an_environment_of_its_own(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "with a space"
    venv.create(home, with_pip=False, symlinks=True)
    python = home / "bin" / "python"
    run(
        *(sys.executable, "-m", "pip", "--python", python, "install", "--quiet"),
        *("--disable-pip-version-check", "--no-deps", "--no-index", wheel),
        cwd=tmp_path,
    )
    # The dependencies come from here. This environment's own Runebook is an editable one, which a folder
    # on PYTHONPATH does not bring along, for its .pth files are not read.
    dependencies = sysconfig.get_path("purelib")
    said = run(home / "bin" / "runebook-tui", "--version", cwd=tmp_path, PYTHONPATH=dependencies)
    assert said == f"runebook-tui {runebook_tui.__version__}\n"
    where = run(python, "-c", "import runebook_agents as a, runebook_tui as r; print(a.__file__, r.__file__)",
                cwd=tmp_path, PYTHONPATH=dependencies)  # fmt: skip
    assert where.count(str(home)) == 2
    schema = run(home / "bin" / "runebook-tui", "schema", cwd=tmp_path, PYTHONPATH=dependencies)
    assert schema.startswith("{")


def test_every_agent_of_the_plan_is_found_and_loads() -> None:
    points = entry_points(group=GROUP)
    ours = {point.name for point in points if point.value.startswith("runebook_agents.")}
    assert ours == AGENTS
    for point in points:
        assert issubclass(point.load(), Agent)


def declared(*extras: str) -> set[str]:
    """The names of the distributions that pyproject.toml asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"]]
    for extra in extras:
        wanted += project["optional-dependencies"][extra]
    return {re.split(r"[<>=~! \[]", each)[0] for each in wanted}


def test_every_dependency_is_explained() -> None:
    explained = (ROOT / "docs" / "dependencies.md").read_text()
    assert {
        name
        for name in declared("dev", "mcp", "postgres", "symbols", "web")
        if f"| `{name}` |" not in explained
    } == set()


def test_every_library_that_is_imported_is_declared() -> None:
    distributions = packages_distributions()
    imported = {
        name.split(".")[0]
        for base in (ROOT / "runebook_tui", ROOT / "agents" / "runebook_agents")
        for path in base.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_bytes()))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    libraries = imported - sys.stdlib_module_names - {"runebook_tui", "runebook_agents"}
    # pydantic pins the one pydantic-core that it works with, and shows its types; so does mcp with mcp-types.
    allowed = declared("mcp", "postgres", "symbols", "web") | {"pydantic-core", "pydantic_core", "mcp-types"}
    names = {name: {each.lower() for each in distributions.get(name, [name])} for name in libraries}
    assert {name for name in libraries if not allowed & names[name]} == set()


def files() -> list[Path]:
    """Every file that people wrote, whether this is a clone, an unpacked sdist or a copy."""
    made = {"__pycache__", "dist", "build"}
    kept = {".ci", ".github", ".gitignore"}

    def walk(folder: Path) -> Iterator[Path]:
        for path in sorted(folder.iterdir()):
            if path.name in made or (path.name.startswith(".") and path.name not in kept):
                continue
            if path.is_dir() and not path.is_symlink():
                yield from walk(path)
            elif path.is_file():
                yield path

    return list(walk(ROOT))


def test_no_file_names_a_package_registry() -> None:
    """A registry's host in a file ties everybody who builds here to that host."""
    hosts = ["pypi" + ".org", "python" + "hosted.org", "npmjs" + ".org", "npmjs" + ".com"]
    found = [
        f"{path.relative_to(ROOT)}: {host}"
        for path in files()
        for host in hosts
        if host.encode() in path.read_bytes()
    ]
    assert not found
