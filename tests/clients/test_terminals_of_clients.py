"""The same in the client's own screen, where a person can talk to it. (The soak works in opencode's.)"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from drivers import Claude, Driver
from live_play import Live

REASON = "not now: beta is in the middle of it (ask about edge-case no. 7)"


class ClaudeScreen(Claude):
    """Claude Code with its screen, by somebody who has used it before and trusts this folder."""

    arguments = ("--permission-mode", "acceptEdits", "--allowedTools", "Bash,Edit,Read,Write")

    def configure(self) -> dict[str, str]:
        known = {
            "hasCompletedOnboarding": True,
            "customApiKeyResponses": {"approved": ["none"]},
            "projects": {str(self.root): {"hasTrustDialogAccepted": True}},
        }
        self._write(".claude.json", known)
        return super().configure()


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(kind, marks=pytest.mark.xdist_group(f"{kind.name} screen"), id=kind.name)
        for kind in (ClaudeScreen,)
    ],
)
def live(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live[Driver]]:
    here = Live(tmp_path_factory.mktemp("live"), request.param)
    try:
        here.begin(by_name=True)
        yield here
    finally:
        here.close()


@pytest.fixture(autouse=True)
def rested(live: Live[Driver]) -> None:
    """What a test does is an act of its own, no part of what was decided before."""
    live.rest()


def test_a_foreign_edit_lands_after_the_approval_and_not_before(live: Live[Driver]) -> None:
    edited = live.script.say(*live.client.edit("beta/edited", "first", "approved"))
    live.decide("approve", live.waiting("beta/edited"))
    live.answer(edited)
    assert live.read("beta/edited") == "approved\nsecond\n"


def test_a_rejected_write_of_the_shell_does_not_land_and_the_model_reads_why(live: Live[Driver]) -> None:
    written = live.script.say(*live.client.shell("echo rejected > beta/kept"))
    live.decide("reject", live.waiting("beta/kept"), "--reason", REASON)
    assert REASON in live.answer(written)
    assert live.read("beta/kept") == "first\nsecond\n"


def test_an_edit_that_is_broken_off_takes_its_request_back(live: Live[Driver]) -> None:
    live.script.say(*live.client.edit("beta/again", "first", "unasked"))
    request = live.waiting("beta/again")
    live.presses("Escape", until=lambda: live.state().requests[request["id"]].status == "withdrawn")
    assert live.read("beta/again") == "first\nsecond\n"
    assert not live.gone()
