"""One session with each client; the tests of a module say one thing after another to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from drivers import DRIVERS, Driver
from live_play import Live


@pytest.fixture(scope="module")
def live(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live[Driver]]:
    """The client that the test's parameter names, at work; by its adapter where the module says so."""
    here = Live(tmp_path_factory.mktemp("live"), DRIVERS[request.param])
    try:
        here.begin(by_name=getattr(request.module, "BY_NAME", False))
        yield here
    finally:
        here.close()
