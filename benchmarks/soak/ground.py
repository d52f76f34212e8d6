"""The ground: a scratch repository with a plan of real agents, and what their builds need."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from io import BytesIO
from pathlib import Path

from benchmarks.soak.model import FOREIGN_FILES as MODEL_FILES
from benchmarks.soak.writer import FOREIGN_FILES as WRITER_FILES

AGENTS = ("builder", "writer", "tui")
PACKAGES = 20
HERE = Path(__file__).parents[2]
_IDENTITY = ["-c", "user.name=Soak", "-c", "user.email=soak@localhost"]
_KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR", "USER", "LOGNAME")


class Ground:
    """Everything lies in `folder`, which is the caller's to remove."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "repo"
        self.notes = folder / "notes"
        self.material = folder / "material"
        self.home = folder / "home"
        for each in (self.root, self.notes, self.material, self.home):
            each.mkdir()
        self.environment = {
            **{name: os.environ[name] for name in _KEPT if name in os.environ},
            "HOME": str(self.home),
            "XDG_RUNTIME_DIR": os.environ["XDG_RUNTIME_DIR"],
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "npm_config_cache": str(folder / "npm-cache"),
            "npm_config_update_notifier": "false",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self._origin()
        self._wheel()
        self._packages()

    def lay(
        self, *, agents: list[str], gate: str, seed: int, client: list[str], client_env: dict[str, str]
    ) -> None:
        """Write the plan and everybody's files, and commit them."""
        texts = {".gitignore": "builder/out/\n*.o\n__pycache__/\n", "runebook.toml": ""}
        for name in (*AGENTS, "beta"):
            texts[f"{name}/README"] = f"What {name} owns.\n"
        foreign = [*(f"w{n}" for n in range(WRITER_FILES)), *(f"t{n}" for n in range(MODEL_FILES))]
        for name in foreign:
            texts[f"beta/{name}"] = f"{name} as committed\nsecond line\n"
        python = [sys.executable, "-m"]
        commands = {
            "builder": [*python, "benchmarks.soak.builder", self._notes("builder"), str(self.material)],
            "writer": [*python, "benchmarks.soak.writer", self._notes("writer"), str(seed)],
            "tui": client,
        }
        plan = ['[plan]\nname = "soak"\n[[phases]]\nid = "work"\n']
        for name in agents:
            environment = client_env if name == "tui" else {"PYTHONPATH": str(HERE)}
            plan.append(_agent(name, commands[name], gate, environment))
        plan.append(_agent("beta", ["sleep", "infinity"], gate, {}))
        texts["runebook.toml"] = "".join(plan)
        for path, text in texts.items():
            file = self.root / path
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
        self._git(self.root, "init", "-q", "-b", "main")
        self._git(self.root, "add", "-A")
        self._git(self.root, "commit", "-q", "-m", "Begin")

    def _notes(self, name: str) -> str:
        return str(self.notes / name)

    def _git(self, folder: Path, *words: str) -> None:
        subprocess.run(["git", *_IDENTITY, *words], cwd=folder, check=True, stdout=subprocess.DEVNULL)

    def _origin(self) -> None:
        """The repository that the builder clones."""
        source = self.folder / "source"
        source.mkdir()
        self._git(source, "init", "-q", "-b", "main")
        for number in range(40):
            file = source / f"d{number % 8}" / f"f{number}.txt"
            file.parent.mkdir(exist_ok=True)
            file.write_text(f"{number}\n" * 50)
        self._git(source, "add", "-A")
        self._git(source, "commit", "-q", "-m", "Begin")
        self._git(self.folder, "clone", "-q", "--bare", str(source), str(self.material / "origin.git"))

    def _wheel(self) -> None:
        """A wheel of one module, as the wheel format 1.0 has it."""
        info = "soaked-1.0.dist-info"
        files = {
            "soaked.py": 'WORD = "soaked"\n',
            **{f"soaked_data/part{n}.py": f"NUMBER = {n}\n" for n in range(100)},
            f"{info}/METADATA": "Metadata-Version: 2.1\nName: soaked\nVersion: 1.0\n",
            f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        files[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"])
        with zipfile.ZipFile(self.material / "soaked-1.0-py3-none-any.whl", "w") as wheel:
            for name, text in files.items():
                wheel.writestr(name, text)

    def _packages(self) -> None:
        """Packages for npm, each of a few files."""
        for number in range(PACKAGES):
            name = f"soak-part{number}"
            files = {
                "package.json": json.dumps({"name": name, "version": "1.0.0"}),
                "index.js": "module.exports = 1\n",
            }
            files |= {f"lib/l{n}.js": f"exports.n = {n}\n" for n in range(20)}
            with tarfile.open(self.material / f"{name}.tgz", "w:gz") as package:
                for path, text in files.items():
                    entry = tarfile.TarInfo(f"package/{path}")
                    entry.size = len(text)
                    package.addfile(entry, BytesIO(text.encode()))


def _agent(name: str, command: list[str], gate: str, environment: dict[str, str]) -> str:
    variables = ", ".join(f"{key} = {json.dumps(value)}" for key, value in environment.items())
    return (
        f'[[agents]]\nid = "{name}"\nphase = "work"\ngate = "{gate}"\n'
        f'command = {json.dumps(command)}\nclaims = ["{name}/**"]\nenv = {{ {variables} }}\n'
    )
