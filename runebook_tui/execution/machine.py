"""What the kernel gate can do on this machine, told by its self-test."""

from __future__ import annotations

import asyncio
import json
import sys

from runebook_tui.core.types import GateMode

_SECONDS = 20.0


class Machine:
    """What the gate can do here at most, and why it cannot do more."""

    def __init__(self, mode: GateMode, reason: str = "") -> None:
        self.mode = mode
        self.reason = reason

    def allows(self, wanted: GateMode) -> tuple[GateMode, str]:
        """What an agent gets whose plan says `wanted`, and why it is less ("" when it is not)."""
        if self.mode.strength < wanted.strength:
            return self.mode, self.reason
        return wanted, ""


UNTESTED = Machine(GateMode.OFF, "the gate was not tested yet")


async def test_machine() -> Machine:
    """Run the gate's self-test in a process of its own; a test that fails to answer means off."""
    command = (sys.executable, "-P", "-m", "runebook_tui.gate.selftest")
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
        )
        try:
            async with asyncio.timeout(_SECONDS):
                said, _ = await process.communicate()
        except TimeoutError:
            process.kill()
            await process.wait()
            return Machine(GateMode.OFF, f"the gate's self-test did not end within {_SECONDS:g} s")
        found = json.loads(said)
        return Machine(GateMode(found["mode"]), str(found["reason"])[:500])
    except (OSError, ValueError, KeyError, TypeError) as error:
        return Machine(GateMode.OFF, f"the gate's self-test failed: {type(error).__name__}: {error}"[:500])
