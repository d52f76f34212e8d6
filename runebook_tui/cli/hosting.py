"""Which host of the plan a checkout's engine is for, and the command that tells of all of them: hosts."""

from __future__ import annotations

from pathlib import Path

from runebook_tui.cli.place import CommandError
from runebook_tui.core.hosts import hosts
from runebook_tui.core.printable import visible
from runebook_tui.core.types import ExecutionPlan
from runebook_tui.execution.folders import make_state_folder
from runebook_tui.execution.launch import engine_answers
from runebook_tui.log.opening import Store
from runebook_tui.place import HOST_NAME, host_name


def chosen_host(root: Path, given: str | None, plan: ExecutionPlan, store: Store) -> str:
    """The host whose agents the engine of `root` sees to; one that is `given` is remembered for the checkout.

    Raises CommandError where the plan has no such host, or where its store is this machine's alone.
    """
    host = host_name(root) if given is None else given
    named = [each for each in hosts(plan) if each]
    if host and host not in named:
        known = f"; its hosts: {', '.join(named)}" if named else ""
        raise CommandError(f"the plan has no agent on host {visible(host)!r}{known}", 2)
    if named and not store.shared:
        raise CommandError(
            f"the plan has agents on hosts ({', '.join(named)}), which need a log in PostgreSQL: "
            "say `store` in [plan], or RUNEBOOK_STORE (docs/hosts.md)",
            2,
        )
    if store.shared and engine_answers(root):
        raise CommandError("an engine runs here already; `runebook-tui down` stops it")
    if given is not None:
        (make_state_folder(root) / HOST_NAME).write_text(f"{host}\n")
    return host
