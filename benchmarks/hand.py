"""A program that writes files in the ways that people and agents do, one order after the other.

It imports nothing but the standard library. An order is a line of JSON in the first FIFO: `way`, `path` and
`token`, the one line that the write brings. When it is done, a line of JSON goes into the second.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time


def shell(script: str, **options: str) -> None:
    """Run a script of sh; its end is that of everything it started."""
    read, write = os.pipe()
    subprocess.run(["sh", "-c", script], check=True, pass_fds=[write], text=True, **options)  # type: ignore[call-overload]
    os.close(write)
    os.read(read, 1)  # the end of the file: nobody has the other end any more
    os.close(read)


def redirect(path: str, token: str) -> None:
    """`>` by a shell."""
    shell(f"echo {token} > {shlex.quote(path)}")


def append(path: str, token: str) -> None:
    """`>>` by a shell."""
    shell(f"echo {token} >> {shlex.quote(path)}")


def rename(path: str, token: str) -> None:
    """Save at once: a file beside it, renamed onto it."""
    place = shlex.quote(path)
    shell(f"echo {token} > {place}.{token}.tmp && mv {place}.{token}.tmp {place}")


def inside(path: str, token: str) -> None:
    """By this very program."""
    with open(path, "w") as file:
        file.write(f"{token}\n")


def edit(path: str, token: str) -> None:
    """`sed -i`."""
    if not os.path.exists(path):
        return inside(path, token)
    return shell(f"sed -i '1s/.*/{token}/' {shlex.quote(path)}")


def apply(path: str, token: str) -> None:
    """`git apply` of a patch."""
    if not os.path.exists(path):
        return inside(path, token)
    with open(path) as file:
        old = file.read().splitlines()
    body = "".join(f"-{line}\n" for line in old)
    patch = f"--- a/{path}\n+++ b/{path}\n@@ -1,{len(old)} +1 @@\n{body}+{token}\n"
    return shell("git apply --unsafe-paths -", input=patch)


def delete(path: str, token: str) -> None:
    """`rm`, where there is something to remove."""
    if not os.path.exists(path):
        return inside(path, token)
    return shell(f"rm {shlex.quote(path)}")


def outlive(path: str, token: str) -> None:
    """By a process that outlives its parent and its session."""
    later = f"sleep 0.05; echo {token} > {shlex.quote(path)}"
    shell(f"setsid sh -c {shlex.quote(later)} &")


WAYS = {way.__name__: way for way in (redirect, append, rename, inside, edit, apply, delete, outlive)}


def main(orders: str, answers: str) -> None:
    """Carry out orders until told to end by a signal."""
    with open(orders) as told, open(answers, "w") as tell:
        print(json.dumps({"ready": True}), file=tell, flush=True)
        for line in told:
            order = json.loads(line)
            begun = time.time()
            WAYS[order["way"]](order["path"], order["token"])
            gone = not os.path.exists(order["path"])
            told_back = {"token": order["token"], "begun": begun, "ended": time.time(), "gone": gone}
            print(json.dumps(told_back), file=tell, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
