"""The command that commits one agent's changes."""

from __future__ import annotations

import re
import sys
from argparse import Namespace

from runebook_tui.cli import shapes
from runebook_tui.cli.asking import connect
from runebook_tui.cli.place import CommandError, root_of_plan
from runebook_tui.core.printable import visible
from runebook_tui.execution.commit import AgentCommit
from runebook_tui.execution.follow import open_log
from runebook_tui.git.private_commit import CommitError
from runebook_tui.git.process import GitError
from runebook_tui.log.loading import load

_SETTLE_SECONDS = 120.0


def commit(arguments: Namespace) -> int:
    """Commit the changes of one agent; status 1 when nothing was committed."""
    author = _author(arguments.author)
    root = root_of_plan()
    with connect(root) as client:
        client.ask("settle", agent=arguments.agent, timeout=_SETTLE_SECONDS)
    try:
        with open_log(root) as log:
            work = AgentCommit(root, arguments.agent, log, load(log))
            made = work.make(
                arguments.message, author=author, partial=arguments.partial, verify=arguments.verify
            )
    except (CommitError, GitError) as error:
        raise CommandError(str(error)) from error
    if arguments.json:
        shape = {
            "id": arguments.agent,
            "commit": made.commit,
            "paths": list(made.paths),
            "left_out": [{"path": path, "reason": reason} for path, reason in made.left_out],
            "skipped_hook": made.skipped_hook,
        }
        print(shapes.dump(shape))
        return 1 if made.commit is None else 0
    for path, reason in made.left_out:
        print(f"left out: {visible(path)}: {visible(reason)}", file=sys.stderr)
    if made.commit is None:
        if made.left_out:
            raise CommandError("nothing was committed; --partial commits the rest")
        raise CommandError(f"nothing of {arguments.agent}'s to commit")
    for path in made.paths:
        print(f"  {visible(path)}")
    plural = "" if len(made.paths) == 1 else "s"
    print(f"{made.commit[:12]}: {len(made.paths)} path{plural} of {arguments.agent}")
    if made.skipped_hook:
        print("the pre-commit hook was not run: it would see others' work in the tree (--verify runs it)")
    return 0


def _author(text: str | None) -> tuple[str, str] | None:
    """The name and address in `Name <address>`. Raises CommandError."""
    if text is None:
        return None
    match = re.fullmatch(r"\s*([^<>\n]*[^<>\s])\s*<([^<>\n]*)>\s*", text)
    if match is None:
        raise CommandError(f"the author {text!r} is not of the form 'Name <address>'", 2)
    return match[1], match[2]
