"""Clients that ask their user in their own screen are answered from outside: with yes, and with no."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from drivers import Codex, Copilot, Driver, Opencode
from live_play import Live

from benchmarks.model.turns import Call
from runebook_tui.core.questions import question


class CodexAsks(Codex):
    """Codex CLI in a folder that it trusts: what asks for more than its sandbox gives asks its user."""

    arguments = ("--ask-for-approval", "on-request", "--sandbox", "workspace-write")

    def configure(self) -> dict[str, str]:
        variables = super().configure()
        file = self.home / ".codex" / "config.toml"
        known = f'[projects."{self.root}"]\ntrust_level = "trusted"\n'
        # A model that it knows has tools in a form of its own, and is advertised first.
        file.write_text(file.read_text().replace("gpt-5.5", "script") + known)
        return variables

    def shell(self, line: str) -> list[Call]:
        asked = {"sandbox_permissions": "require_escalated", "justification": "Shall I?"}
        return [Call("exec_command", {"cmd": line, **asked})]


class OpencodeAsks(Opencode):
    """opencode that asks before it runs anything."""

    arguments = ()

    def configure(self) -> dict[str, str]:
        variables = super().configure()
        file = self.home / ".config" / "opencode" / "opencode.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), "permission": {"bash": "ask"}}))
        return variables


class CopilotAsks(Copilot):
    """Copilot CLI in its screen."""

    arguments = ()


ASKS: dict[type[Driver], tuple[str, str]] = {
    CodexAsks: ("keys", "Press enter to confirm"),
    OpencodeAsks: ("hook", "Permission required"),
    CopilotAsks: ("keys", "Do you want to run"),
}
"""By what each is answered, and what its dialog shows."""


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(kind, marks=pytest.mark.xdist_group(f"{kind.name} asks"), id=kind.name) for kind in ASKS
    ],
)
def live(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live[Driver]]:
    here = Live(tmp_path_factory.mktemp("live"), request.param)
    try:
        here.begin(by_name=True)
        if request.param is CopilotAsks:
            here.until("its question about the folder", lambda: _asked(here, "Do you trust"))
            assert here.json("answer", "alpha", "yes")["by"] == "keys"
        yield here
    finally:
        here.close()


def _asked(live: Live[Driver], shown: str) -> bool:
    state = live.state()
    return shown in live.shown() and question(state, state.agents["alpha"]) is not None


def _shows(live: Live[Driver], shown: str, path: str) -> Callable[[], bool]:
    return lambda: _asked(live, shown) and path in live.shown()


def test_its_questions_are_answered_with_yes_and_no(live: Live[Driver]) -> None:
    by, shown = ASKS[type(live.client)]
    touched = live.script.say(*live.client.shell("touch alpha/asked"))
    live.until("the question", _shows(live, shown, "alpha/asked"))
    assert live.json("answer", "alpha", "yes")["by"] == by
    live.answer(touched)
    assert (live.root / "alpha" / "asked").exists()
    live.script.say(*live.client.shell("touch alpha/refused"))
    live.until("the next question", _shows(live, shown, "alpha/refused"))
    assert live.command("answer", "alpha", "no").returncode == 0
    live.until("no question", lambda: question(live.state(), live.state().agents["alpha"]) is None)
    live.until("the dialog to go", lambda: shown not in live.shown())
    assert not (live.root / "alpha" / "refused").exists()
    assert not live.gone()
