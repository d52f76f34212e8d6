"""The command that says what this machine and repository have, and what to do about the rest."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from runebook_tui.cli import shapes
from runebook_tui.cli.checkup import Finding, machine_findings
from runebook_tui.cli.installing import change
from runebook_tui.cli.nets import net_findings
from runebook_tui.cli.place import CommandError, repository
from runebook_tui.cli.premises import repository_findings
from runebook_tui.core.printable import visible


def doctor(arguments: Namespace) -> int:
    """Say what is there, a line each; exit status 1 when something is missing."""
    if arguments.install or arguments.uninstall:
        return change(arguments)
    found = [*machine_findings(), *_here()]
    whole = all(finding.status != "missing" for finding in found)
    if arguments.json:
        checks = [
            {"id": each.id, "status": each.status, "words": each.words, "advice": each.advice}
            for each in found
        ]
        print(shapes.dump({"ok": whole, "checks": checks}))
    else:
        width = max(11, *(len(each.id) for each in found))
        for each in found:
            advice = f"; {each.advice}" if each.advice else ""
            print(f"{each.status:<8} {each.id:<{width}} {visible(each.words + advice, 1000)}")
    return 0 if whole else 1


def _here() -> list[Finding]:
    try:
        root: Path = repository()
    except CommandError as error:
        return [Finding("repository", "missing", str(error), "go to your repository and ask again")]
    return [*repository_findings(root), *net_findings(root, Path.home())]
