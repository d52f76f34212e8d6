"""The agent of the kill tests: writes own files without a pause, foreign ones each by a process of its own.

It tells its standard output, a pipe (no write to it is gated), of `own COUNT` every hundred writes, of
`fault ERRNO` for each own write that failed, and of each foreign one `try N` before and `end N ERRNO` after.
Standard library only: it is also run as text, by users who cannot read this file.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

WAYS = 6
OLD_FILES = 600


def tell(words: str) -> None:
    os.write(1, f"{words}\n".encode())


def own() -> None:
    """Make, write and remove files of its own until there is a file `stop`."""
    count = 0
    while not os.path.exists("stop"):
        path = f"own/w{count % 40}"
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
            os.write(descriptor, b"own\n")
            os.close(descriptor)
            os.unlink(path)
        except OSError as error:
            tell(f"fault {error.errno}")
            time.sleep(0.01)
            continue
        count += 1
        if count % 100 == 0:
            tell(f"own {count}")


def overwrite(old: str, new: str) -> None:
    with open(old, "wb") as file:
        file.write(b"foreign\n")


def create(old: str, new: str) -> None:
    with open(new, "xb") as file:
        file.write(b"foreign\n")


def replace(old: str, new: str, own: str = "own") -> None:
    path = f"{own}/from{os.getpid()}"
    with open(path, "wb") as file:
        file.write(b"foreign\n")
    os.rename(path, old)


def remove(old: str, new: str) -> None:
    os.unlink(old)


def truncate(old: str, new: str) -> None:
    os.truncate(old, 0)


def link(old: str, new: str) -> None:
    os.symlink("somewhere", new)


BY_NUMBER: tuple[Callable[[str, str], None], ...] = (overwrite, create, replace, remove, truncate, link)


def foreign(first: int) -> None:
    """One try after another, each in a new process; the number says which file and in which way."""
    for number in range(first, OLD_FILES):
        if os.path.exists("stop"):
            return
        tell(f"try {number}")
        process = os.fork()
        if process == 0:
            code = 0
            try:
                BY_NUMBER[number % WAYS](f"beta/old{number}", f"beta/new{number}")
            except OSError as error:
                code = error.errno or 255
            os._exit(code)
        _, status = os.waitpid(process, 0)
        tell(f"end {number} {os.waitstatus_to_exitcode(status)}")
        time.sleep(0.005)


def main() -> None:
    """Write until told to stop; then status 5."""
    process = os.fork()
    if process == 0:
        foreign(0)
        os._exit(0)
    own()
    os.waitpid(process, 0)
    os._exit(5)


if __name__ == "__main__":
    main()
