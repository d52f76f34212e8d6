"""Contents are kept exactly, privately and within their limit."""

from __future__ import annotations

import hashlib
import os
import random
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runebook_tui.core.secret_names import secret_named
from runebook_tui.history.store import ContentStore, _packed, _unpacked


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def noise(seed: int, size: int) -> bytes:
    return random.Random(seed).randbytes(size)


def files(folder: Path) -> list[Path]:
    return [each for each in folder.rglob("*") if each.is_file()]


@given(st.binary(max_size=3000) | st.binary(max_size=30).map(lambda piece: piece * 200))
def test_what_is_packed_comes_out_as_it_was(data: bytes) -> None:
    assert _unpacked(_packed(data), 1 << 20) == data


def test_a_content_is_kept_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    store = ContentStore(tmp_path / "history")
    text = b"line\n" * 10_000
    assert store.put(text)
    assert store.put(text)
    assert store.put(b"")
    assert store.get(digest(text)) == text
    assert store.get(digest(b"")) == b""
    assert store.get(digest(b"never seen")) is None
    assert store.get("../../etc/passwd") is None
    kept = files(tmp_path)
    assert len(kept) == 2
    assert sum(each.stat().st_size for each in kept) < len(text) // 10
    assert {stat.S_IMODE(each.stat().st_mode) for each in kept} == {0o600}
    folders = [tmp_path / "history", *(each for each in (tmp_path / "history").rglob("*") if each.is_dir())]
    assert {stat.S_IMODE(each.stat().st_mode) for each in folders} == {0o700}


def test_a_too_open_folder_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "history"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    ContentStore(folder).put(b"x")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_file_over_the_limit_is_not_kept(tmp_path: Path) -> None:
    store = ContentStore(tmp_path, file_limit_bytes=1000)
    assert not store.put(b"x" * 1001)
    assert store.put(b"x" * 1000)
    assert not ContentStore(tmp_path / "small", limit_bytes=500).put(noise(0, 600))


def test_over_the_limit_the_least_recently_used_go_first(tmp_path: Path) -> None:
    old = ContentStore(tmp_path, limit_bytes=80_000)
    contents = [noise(seed, 8_191) for seed in range(12)]
    for at, data in enumerate(contents[:9]):
        old.put(data)
        name = digest(data)
        os.utime(tmp_path / "objects" / name[:2] / name[2:], (1_000_000 + at, 1_000_000 + at))
    after_restart = ContentStore(tmp_path, limit_bytes=80_000)
    assert after_restart.get(digest(contents[0])) == contents[0]  # used: now the youngest
    for data in contents[9:]:
        assert after_restart.put(data)
    assert after_restart.size_bytes <= 80_000
    assert after_restart.size_bytes == sum(each.stat().st_size for each in files(tmp_path))
    assert [digest(each) in after_restart for each in contents] == [True] + [False] * 3 + [True] * 8


def test_what_this_process_wrote_goes_only_when_nothing_else_is_left(tmp_path: Path) -> None:
    earlier = ContentStore(tmp_path, limit_bytes=80_000)
    for seed in range(5):
        earlier.put(noise(seed, 8_191))
    store = ContentStore(tmp_path, limit_bytes=80_000)
    mine = [noise(seed, 8_191) for seed in range(100, 112)]
    for data in mine[:6]:
        store.put(data)
    for seed in range(5):
        store.get(digest(noise(seed, 8_191)))  # used later than mine, and still the first to go
    for data in mine[6:9]:
        store.put(data)
    assert all(digest(data) in store for data in mine[:9])
    for data in mine[9:]:
        store.put(data)
    assert digest(mine[-1]) in store
    assert digest(mine[0]) not in store
    assert store.size_bytes <= 80_000


def test_small_contents_count_as_what_they_take_on_disk(tmp_path: Path) -> None:
    store = ContentStore(tmp_path, limit_bytes=40 * 4096)
    for number in range(60):
        assert store.put(b"%d" % number)
    assert len(files(tmp_path)) <= 40
    assert store.size_bytes == ContentStore(tmp_path).size_bytes == 4096 * len(files(tmp_path))
    assert store.get(digest(b"59")) == b"59"


def test_a_damaged_object_is_not_handed_out(tmp_path: Path) -> None:
    store = ContentStore(tmp_path)
    for data, damage in ((b"a" * 5000, b"z\x00\x01"), (b"short", b"rSHORT"), (b"other", b"")):
        store.put(data)
        name = digest(data)
        (tmp_path / "objects" / name[:2] / name[2:]).write_bytes(damage)
        assert store.get(name) is None
        assert store.put(data)
        assert store.get(name) == data


def test_a_folder_that_vanishes_is_made_again(tmp_path: Path) -> None:
    store = ContentStore(tmp_path / "history")
    store.put(b"one")
    subprocess.run(["rm", "-rf", str(tmp_path / "history")], check=True)
    assert store.get(digest(b"one")) is None
    assert store.put(b"one")
    assert store.get(digest(b"one")) == b"one"


def test_a_full_disk_is_one_clear_error_and_leaves_no_pieces(tmp_path: Path) -> None:
    program = """
import random, resource, sys
from pathlib import Path
from runebook_tui.history.store import ContentStore, StoreError
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
store = ContentStore(Path(sys.argv[1]))
assert store.put(random.Random(1).randbytes(1000))
try:
    store.put(random.Random(1).randbytes(200_000))
except StoreError as error:
    print(error)
"""
    here = Path(__file__).parents[2]
    command = [sys.executable, "-c", program, str(tmp_path)]
    done = subprocess.run(command, cwd=here, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("cannot keep a file's content in ")
    assert done.stdout.count("\n") == 1
    assert [each.stat().st_size for each in files(tmp_path)] == [1001]


def test_leftovers_of_a_killed_process_are_removed(tmp_path: Path) -> None:
    ContentStore(tmp_path).put(b"x")
    shelf = next(each for each in (tmp_path / "objects").iterdir())
    (shelf / ".new-1-1").write_bytes(b"half")
    assert ContentStore(tmp_path).size_bytes == 4096
    assert not (shelf / ".new-1-1").exists()


@pytest.mark.parametrize(
    "path",
    [".env", "a/.env.local", "a/.ENV", "k.pem", "x/server.key", "id_rsa", "id_ed25519_work", "a.p12", "a.pfx",
     "v.kdbx", ".netrc", "web/.npmrc", ".pypirc", "credentials-prod.json", "secrets.toml", "o\n/\udcff.pem"],
)  # fmt: skip
def test_secret_names(path: str) -> None:
    assert secret_named(path)


@pytest.mark.parametrize(
    "path",
    [".env.example", "a/.env.sample", ".env.template", ".env/bin/x", "key", "secrets/a.py", "pem", "a.py"],
)
def test_ordinary_names(path: str) -> None:
    assert not secret_named(path)
