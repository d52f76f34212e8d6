"""The commands log export and log import: a whole log as lines of JSON, to keep it or to move it."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from runebook_tui.cli import shapes
from runebook_tui.cli.place import CommandError
from runebook_tui.core.printable import visible
from runebook_tui.execution.folders import make_state_folder
from runebook_tui.execution.follow import open_log
from runebook_tui.log.opening import store_of
from runebook_tui.log.transfer import exported, imported


def move(arguments: Namespace, root: Path) -> int:
    """Print every record, read such lines into an empty log, or make it small."""
    if arguments.follow or arguments.limit is not None or arguments.since is not None:
        raise CommandError(f"log {arguments.step} takes all of the log: no --follow, --limit, --since", 2)
    if arguments.step == "trim":
        from runebook_tui.cli.trimming import trim

        return trim(arguments, root)
    if arguments.keep is not None:
        raise CommandError("--keep belongs to log trim", 2)
    return _export(arguments.file, root) if arguments.step == "export" else _import(arguments, root)


def _export(file: str, root: Path) -> int:
    with open_log(root) as log, _writing(file) as stream:
        for line in exported(log):
            stream.write(line.encode("ascii") + b"\n")
        stream.flush()
    return 0


@contextmanager
def _writing(file: str) -> Iterator[BinaryIO]:
    if file == "-":
        yield sys.stdout.buffer
        return
    # The log names files and commands of this machine; and an earlier copy is not written over.
    try:
        with open(file, "xb") as stream:
            yield stream
    except FileExistsError as error:
        raise CommandError(f"{file} is there already; remove it, or take another name") from error


def _import(arguments: Namespace, root: Path) -> int:
    store = store_of(root)
    make_state_folder(root)
    with _reading(arguments.file) as stream, store.open() as log:
        alive = [lease for lease in log.leases() if log.holder(lease.host) is not None]
        if alive:
            raise CommandError(
                f"an engine runs on {visible(alive[0].host)}; end it first: `runebook-tui down`"
            )
        records = log.fill(imported(stream.readline))
    if arguments.json:
        print(shapes.dump({"place": store.place, "records": records}))
    else:
        print(f"{records:,} records are in {visible(store.place)}")
    return 0


@contextmanager
def _reading(file: str) -> Iterator[BinaryIO]:
    if file == "-":
        yield sys.stdin.buffer
        return
    with open(file, "rb") as stream:
        yield stream
