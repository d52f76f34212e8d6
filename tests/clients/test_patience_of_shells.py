"""A client whose shell gives up soon is refused before that, with words that it can act on."""

from __future__ import annotations

import pytest
from drivers import Driver
from live_play import Live

BY_NAME = True

pytestmark = pytest.mark.parametrize(
    "live", [pytest.param("codex", marks=pytest.mark.xdist_group("codex patience"))], indirect=True
)


def test_a_shell_of_little_patience_is_refused_before_it_gives_up_and_may_try_again(
    live: Live[Driver],
) -> None:
    again = "python3 -c \"open('beta/' + 'patience', 'w').write('approved')\""
    refused = live.does(live.client.shell(again))
    (request,) = [each for each in live.requests() if "beta/patience" in each["paths"]]
    assert f"request {request['id']} is open" in refused
    assert "nobody answered within 8 s" in refused
    assert live.read("beta/patience") is None
    live.decide("approve", request)
    live.does(live.client.shell(again))
    assert live.read("beta/patience") == "approved"
    assert [each["status"] for each in live.requests() if "beta/patience" in each["paths"]] == ["approved"]
