"""The commands by which the operator decides requests, one or several, and takes the last decision back."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from runebook_tui.cli import shapes, undoing
from runebook_tui.cli.asking import ask_engine, request_number, show
from runebook_tui.cli.place import CommandError, root_of_plan
from runebook_tui.core.printable import visible

_MEANS_WORDS = {
    "widened": ", and the plan lets it from now on",
    "transferred": ", and the plan gives it the file",
    "handed over": " and handed over to the owner",
}


def approve(arguments: Namespace) -> int:
    """Approve requests."""
    means = "widened" if arguments.widen else "transferred" if arguments.transfer else ""
    if arguments.dry_run:
        return _preview(arguments, means)
    if means and arguments.scope != "once":
        raise CommandError("--widen and --transfer change the plan: they take no --scope", 2)
    return _decide(arguments, "approve", scope=arguments.scope, means=means)


def reject(arguments: Namespace) -> int:
    """Reject requests, with --undo taking back what they had written."""
    means = "handed over" if arguments.hand_over else ""
    return _decide(arguments, "reject", means=means, undo=arguments.undo)


def mine(arguments: Namespace) -> int:
    """Say of a crossing: that was me."""
    answer = ask_engine("disown", request=request_number(arguments.request))
    show(arguments, shapes.decision_shape(answer), f"request {answer['request']} withdrawn: that was you")
    return 0


def take_back(arguments: Namespace) -> int:
    """Take the last decision back, and what it undid or changed in the plan."""
    root = root_of_plan()
    answer = ask_engine("take-back", root, patience=undoing.PATIENCE)
    if arguments.json:
        requests = [shapes.decision_shape(each) for each in answer["requests"]]
        print(shapes.dump({"requests": requests, "plan_restored": answer["plan_restored"]}))
    else:
        for each in answer["requests"]:
            print(f"request {each['request']} is open again")
        if answer["plan_restored"]:
            print("runebook.toml is as it was")
    plain = Namespace(**{**vars(arguments), "json": False})
    failed = [undoing.show(plain, root, each, restored=True) for each in answer["restored"]]
    return max(failed, default=0)


def _decide(arguments: Namespace, do: str, **fields: Any) -> int:
    numbers = list(dict.fromkeys(request_number(each) for each in arguments.requests))
    root = root_of_plan()
    fields |= {"reason": arguments.reason}
    undoes = bool(fields.get("undo")) or fields["means"] == "handed over"
    patience = undoing.PATIENCE if undoes else 0.0
    if len(numbers) == 1:
        answer = ask_engine(do, root, patience=patience, request=numbers[0], **fields)
        return _told(arguments, root, answer, alone=True)
    whole = ask_engine(do, root, patience=patience * len(numbers), requests=numbers, **fields)
    if arguments.json:
        decided = [shapes.decision_shape(each) for each in whole["requests"]]
        print(shapes.dump({"requests": decided, "refused": whole["refused"]}))
        return 1 if whole["refused"] else 0
    status = max((_told(arguments, root, each, alone=False) for each in whole["requests"]), default=0)
    for why in whole["refused"].values():
        print(f"runebook-tui: {visible(why)}", file=sys.stderr)
    return 1 if whole["refused"] else status


def _told(arguments: Namespace, root: Path, answer: dict[str, Any], *, alone: bool) -> int:
    """Print one decision, and what its undo did; the exit status."""
    scope = f" ({answer['scope']})" if answer["scope"] and not answer["means"] else ""
    words = f"request {answer['request']} {answer['status']}{scope}{_MEANS_WORDS.get(answer['means'], '')}"
    undone = "undo" in answer
    if not (arguments.json and undone):
        show(arguments, shapes.decision_shape(answer), words)
    return (
        undoing.show(arguments, root, answer, restored=False)
        if undone and (alone or not arguments.json)
        else 0
    )


def _preview(arguments: Namespace, means: str) -> int:
    """Print the patch of the plan, and decide nothing."""
    if not means or len(arguments.requests) != 1:
        raise CommandError("--dry-run goes with --widen or --transfer, and one request", 2)
    answer = ask_engine("preview", request=request_number(arguments.requests[0]), means=means)
    if arguments.json:
        print(shapes.dump({"patch": answer["patch"], "plan": answer["plan"]}))
    else:
        print("\n".join(visible(line) for line in answer["patch"].splitlines()))
    return 0
