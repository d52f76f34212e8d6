"""What runs with and without the gate: does one thing, and says how long each part of it took.

It imports nothing but the standard library. The answer is one line of JSON, a list of seconds.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time


def create(folder: str, count: int) -> list[float]:
    """`count` new files of 100 bytes, 200 to a folder; the time of all of them."""
    text = "x" * 100
    begun = time.perf_counter()
    for number in range(count):
        inside = f"{folder}/d{number // 200}"
        if number % 200 == 0:
            os.makedirs(inside)
        with open(f"{inside}/file{number}", "w") as file:
            file.write(text)
    return [time.perf_counter() - begun]


def read(folder: str, count: int) -> list[float]:
    """All of the files that `create` made; the time of all of them."""
    begun = time.perf_counter()
    for number in range(count):
        with open(f"{folder}/d{number // 200}/file{number}") as file:
            file.read()
    return [time.perf_counter() - begun]


def run(*command: str) -> list[float]:
    """A command that must succeed; its time. What it says goes where errors go."""
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=sys.stderr)
    return [time.perf_counter() - begun]


def opens(folder: str, count: int) -> list[float]:
    """`count` opens of existing files in `folder` for writing; the time of each system call."""
    paths = [f"{folder}/f{number}" for number in range(100)]
    found = []
    for number in range(count):
        path = paths[number % len(paths)]
        begun = time.perf_counter()
        descriptor = os.open(path, os.O_WRONLY)
        found.append(time.perf_counter() - begun)
        os.close(descriptor)
    return found


def beside(folder: str, count: int, path: str, end: str) -> list[float]:
    """The same while the open of `path` by another process is held; `end` is where a byte says that it is."""
    waiting = os.fork()
    if waiting == 0:
        try:
            os.close(os.open(path, os.O_WRONLY))
        finally:
            os._exit(0)
    os.read(int(end), 1)
    found = opens(folder, count)
    if os.waitpid(waiting, os.WNOHANG) != (0, 0):
        raise SystemExit("the held call did not wait")
    os.kill(waiting, 9)  # a held call is killable
    os.waitpid(waiting, 0)
    return found


def main(answer: str, do: str, *words: str) -> None:
    """Do it and write the answer into the file `answer`."""
    if do == "run":
        found = run(*words)
    else:
        folder, count, *rest = words
        ways = {"create": create, "read": read, "opens": opens, "beside": beside}
        found = ways[do](folder, int(count), *rest)
    with open(answer, "w") as file:
        json.dump(found, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
