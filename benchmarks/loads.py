"""What programs do to a repository: a name, how it is prepared and cleared away, and the command itself."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.gated import run


class Size(NamedTuple):
    """How much of each, and how often everything is repeated."""

    files: int
    packages: int
    wheels: int
    history: int
    sources: int
    opens: int
    rounds: int


FULL = Size(files=20_000, packages=300, wheels=40, history=600, sources=120, opens=5_000, rounds=3)
QUICK = Size(files=200, packages=3, wheels=2, history=10, sources=4, opens=100, rounds=1)


class Load(NamedTuple):
    """`words` are for the doer; `aim` is the ratio not to exceed; `made` is moved away before each time."""

    name: str
    aim: str
    words: Sequence[str] = ()
    made: Sequence[Path] = ()
    writes: int = 0
    """So many records there must be at least."""


def loads(folder: Path, root: Path, size: Size) -> Iterator[Load]:
    """Every load, prepared in `folder` and to be run in the repository at `root`.

    A program that is not installed is said in the name of a load without words.
    """
    files, count = root / "made", size.files
    yield Load(f"{count:,} files created", "2.20×", ["create", str(files), str(count)], [files], count)
    yield Load(f"{count:,} files read", "1.00×", ["read", str(files), str(count)])
    yield from (_npm(folder, root, size.packages), _pip(folder, root, size.wheels))
    yield _git(folder, root, size.history)
    yield _make(root, size.sources)


def _prepare(folder: Path, *command: str) -> None:
    run(list(command), folder)


def _npm(folder: Path, root: Path, count: int) -> Load:
    if shutil.which("npm") is None:
        return Load("npm install (npm is not installed)", "1.25×")
    packs = folder / "packs"
    packs.mkdir()
    names = [f"part{number}" for number in range(count)]
    for name in names:
        content = json.dumps({"name": name, "version": "1.0.0", "main": "index.js"})
        with tarfile.open(packs / f"{name}.tgz", "w:gz") as pack:
            _pack(pack, "package/package.json", content)
            for number in range(12):
                _pack(pack, f"package/lib/module{number}.js", f"exports.number = {number};\n" * 40)
    project = root / "web"
    project.mkdir()
    needs = {name: f"file:{packs / name}.tgz" for name in names}
    (project / "package.json").write_text(json.dumps({"name": "web", "private": True, "dependencies": needs}))
    command = (
        "npm", "install", "--prefix", str(project), "--cache", str(folder / "npm"),
        "--offline", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error",
    )  # fmt: skip
    _prepare(project, *command)
    name = f"npm install, {count} packages of 13 files"
    return Load(name, "1.25×", ["run", *command], [project / "node_modules"], count * 13)


def _pack(pack: tarfile.TarFile, name: str, content: str) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    pack.addfile(entry, io.BytesIO(content.encode()))


def _pip(folder: Path, root: Path, count: int) -> Load:
    wheels = folder / "wheels"
    wheels.mkdir()
    for number in range(count):
        _wheel(wheels, f"part{number}")
    venv = root / "venv"
    install = (
        f"'{sys.executable}' -m venv --without-pip '{venv}' && '{sys.executable}' -m pip --python '{venv}' "
        f"install -q --disable-pip-version-check --no-index --find-links '{wheels}' "
        + " ".join(f"part{number}" for number in range(count))
    )
    return Load(
        f"venv and pip install, {count} wheels", "1.25×", ["run", "sh", "-ec", install], [venv], count
    )


def _wheel(folder: Path, name: str) -> None:
    info = f"{name}-1.0.dist-info"
    module = "".join(f"def work{n}(value):\n    return [value + {n}, str(value)]\n\n\n" for n in range(30))
    texts = {f"{name}/module{number}.py": module for number in range(20)}
    texts[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
    texts[f"{info}/WHEEL"] = (
        "Wheel-Version: 1.0\nGenerator: bench\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    lines = []
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        for path, text in texts.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            lines.append(f"{path},sha256={digest},{len(text)}\n")
            wheel.writestr(path, text)
        wheel.writestr(f"{info}/RECORD", "".join([*lines, f"{info}/RECORD,,\n"]))


def _git(folder: Path, root: Path, count: int) -> Load:
    origin, clone, own = folder / "origin", root / "clone", root / ".git" / "modules" / "clone"
    own.parent.mkdir(parents=True)
    git = ["git", "-C", str(origin)]
    _prepare(folder, "git", "init", "-q", "-b", "main", str(origin))
    stream = bytearray()
    for branch, start in (("main", ""), ("topic", "from refs/heads/main\n")):
        stream += (
            f"commit refs/heads/{branch}\ncommitter B <b@localhost> 1700000000 +0000\ndata 1\nx\n".encode()
        )
        stream += start.encode()
        for number in range(count if branch == "main" else count // 2):
            text = f"{branch} {number}\n" * 50
            stream += f"M 100644 inline src/d{number // 50}/f{number}\ndata {len(text)}\n{text}\n".encode()
    subprocess.run([*git, "fast-import", "--quiet"], input=bytes(stream), check=True)
    script = (
        f"git clone -q --separate-git-dir '{own}' '{origin}' '{clone}'; cd '{clone}'\n"
        "git config user.name B; git config user.email b@b\n"
        "for n in 1 2 3 4 5 6 7 8 9 10; do echo $n > new$n; git add new$n; git commit -qm $n; done\n"
        "git rebase -q origin/topic; git checkout -q --detach origin/main; git checkout -q main"
    )
    name = f"git clone, 10 commits, rebase, checkout; {count} files"
    return Load(name, "1.25×", ["run", "sh", "-ec", script], [clone, own], count)


def _make(root: Path, count: int) -> Load:
    project, out = root / "c", root / "c" / "out"
    project.mkdir()
    if shutil.which("cc") is None or shutil.which("make") is None:
        for number in range(count):
            body = "".join(f"def f{n}(a):\n    return a * {n}\n" for n in range(100))
            (project / f"part{number}.py").write_text(body)
        compile_all = [sys.executable, "-m", "compileall", "-q", "-j2", str(project)]
        name = f"compileall -j2, {count} files (cc or make is not installed)"
        return Load(name, "1.25×", ["run", *compile_all], [project / "__pycache__"], count)
    for number in range(count):
        body = "".join(f'int f{n}(int a) {{ printf("%d", a); return a * {n}; }}\n' for n in range(10))
        (project / f"part{number}.c").write_text(f"#include <stdio.h>\n#include <stdlib.h>\n{body}")
    objects = " ".join(f"out/part{number}.o" for number in range(count))
    (project / "Makefile").write_text(
        f"out/all.a: {objects}\n\tar rc $@ $^\nout/%.o: %.c | out\n\tcc -O1 -c -o $@ $<\nout:\n\tmkdir out\n"
    )
    return Load(
        f"make -j2, {count} C files", "1.25×", ["run", "make", "-sj2", "-C", str(project)], [out], count
    )
