"""The command `apis`: the plan's interfaces, what became of them, and who builds on them."""

from __future__ import annotations

from argparse import Namespace

from runebook_tui.cli import shapes
from runebook_tui.cli.moments import clock
from runebook_tui.cli.place import root_of_plan
from runebook_tui.core.contract import InterfaceStub
from runebook_tui.core.interfaces import consumers
from runebook_tui.core.printable import visible
from runebook_tui.core.state import State
from runebook_tui.execution.follow import has_log, open_log
from runebook_tui.log.loading import load
from runebook_tui.orchestrator.planner import load_plan
from runebook_tui.place import PLAN_NAME

_DIGEST = 12
"""Hexadecimal digits of a file's digest that are shown."""


def apis(arguments: Namespace) -> int:
    """List the interfaces of the run's plan, or of the file where none has begun."""
    root = root_of_plan()
    state = State()
    if has_log(root):
        with open_log(root) as log:
            state = load(log)
    if not state.run:
        state = State(plan=load_plan(root / PLAN_NAME))
    if arguments.json:
        print(shapes.dump([api_shape(state, each) for each in state.plan.interfaces]))
        return 0
    for each in state.plan.interfaces:
        print("\n".join(_words(state, each)))
    if not state.plan.interfaces:
        print("the plan has no interfaces")
    return 0


def api_shape(state: State, interface: InterfaceStub) -> shapes.Shape:
    """One interface."""
    api = state.apis.get(interface.name)
    drift = None if api is None or api.drift is None else api.drift
    request = None if drift is None else state.requests.get(drift.request)
    status = "rejected" if request is None else request.status
    return {
        "id": interface.name,
        "title": interface.title,
        "agent": interface.owner,
        "path": interface.path,
        "version": None if api is None else api.version,
        "published_at": None if api is None else shapes.moment(api.time),
        "digest": None if api is None else api.digest[:_DIGEST],
        "contract": []
        if api is None
        else [
            {"kind": each.kind, "wanted": each.wanted, "lines": list(each.lines)}
            for each in api.contract or ()
        ],
        "drift": None if drift is None else {"id": drift.request, "status": status, "broken": drift.broken},
        "consumers": list(consumers(state, interface.name)),
    }


def _words(state: State, interface: InterfaceStub) -> list[str]:
    api = state.apis.get(interface.name)
    head = f"{interface.name}  {interface.owner}  {visible(interface.path)}"
    if api is None:
        return [f"{head}  not published"]
    users = ", ".join(consumers(state, interface.name)) or "nobody yet"
    lines = [
        f"{head}  v{api.version}, {clock(api.time)}, {api.digest[:_DIGEST]}",
        f"    builds on it: {users}",
    ]
    if api.drift is not None:
        request = state.requests.get(api.drift.request)
        stands = "waits for a decision" if request is not None and request.open else "was rejected"
        broken = f": it {visible(api.drift.broken, 300)}" if api.drift.broken else ""
        lines.append(f"    not as it was published{broken}; request {api.drift.request} {stands}")
    return lines
