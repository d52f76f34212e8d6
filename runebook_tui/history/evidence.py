"""What is known of who wrote a file, in words for people."""

from __future__ import annotations

from collections.abc import Sequence

from runebook_tui.history.records import WriteRecord

_DID = {
    "open": "open it for writing",
    "create": "create it",
    "truncate": "truncate it",
    "link": "link it",
    "symlink": "make it a symbolic link",
    "unlink": "remove it",
    "mkdir": "make a folder there",
    "rmdir": "remove a folder there",
    "mknod": "make a special file there",
}


def newest_of_each(records: Sequence[WriteRecord]) -> list[WriteRecord]:
    """The newest record of each agent."""
    found: dict[str, WriteRecord] = {}
    for each in records:
        found.setdefault(each.agent, each)
    return list(found.values())


def process(record: WriteRecord) -> str:
    """The process of a record."""
    return f"{record.program or 'a program'} (pid {record.pid})"


def did(record: WriteRecord, path: str) -> str:
    """What the record says that was done to `path`, as in "saw it …"."""
    if record.op != "rename":
        return _DID[record.op]
    if path == record.to:
        return "rename a file to it"
    return "rename it" if path == record.path else "rename a folder above it"


def listed(names: Sequence[str]) -> str:
    """Names as in "alpha, beta and gamma"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def is_or_are(names: Sequence[str]) -> str:
    """The verb for so many names."""
    return "is" if len(names) == 1 else "are"
