"""What all tests share: git without the user's configuration, and a steady Hypothesis where CI runs."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings
from postgres import Cluster, NoPostgres

settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.register_profile("local", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "local")

# readline, which pytest loads, puts the size of pytest's own terminal into the environment, and xdist hands
# it to its workers: every terminal that a test opens would take itself for that one, whatever its real size.
for _name in ("COLUMNS", "LINES"):
    os.environ.pop(_name, None)
    os.unsetenv(_name)

GIT_ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Test",
    "GIT_AUTHOR_EMAIL": "test@localhost",
    "GIT_COMMITTER_NAME": "Test",
    "GIT_COMMITTER_EMAIL": "test@localhost",
}


SLOW = (
    "execution",
    "test_flake.py",
    "test_cli_docs.py",
    "test_packaging.py",
    "web",
    "gate",
    "test_soak.py",
    "tui",
)
"""What takes longest, the slowest first: begun last, it would keep one worker busy at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow files come first, each in its own order; `--no-loadscope-reorder` keeps that among workers."""
    items.sort(
        key=lambda item: next((at for at, name in enumerate(SLOW) if name in item.path.parts), len(SLOW))
    )


@pytest.fixture
def plain_git(monkeypatch: pytest.MonkeyPatch) -> None:
    """Git of this process and its children: nobody's configuration, a fixed author."""
    for name, value in GIT_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A private PostgreSQL server, the same for all tests of a worker: it is not to be stopped."""
    try:
        cluster = Cluster()
    except NoPostgres as lacking:
        pytest.skip(str(lacking))
    with cluster:
        yield cluster


@pytest.fixture
def database(postgres: Cluster) -> Iterator[str]:
    """The address of a new empty database, for its superuser."""
    name = postgres.database()
    yield postgres.url(name)
    postgres.drop(name)
