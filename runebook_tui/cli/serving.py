"""The command that serves the cockpit to a browser on this machine."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import sys
import webbrowser
from argparse import Namespace
from importlib.util import find_spec

from runebook_tui.cli import shapes
from runebook_tui.cli.place import CommandError, root_of_plan
from runebook_tui.cli.session import open_session, ready_to_open
from runebook_tui.core.printable import visible
from runebook_tui.gate.kernel import end_with_parent, keep_private

_HIGHEST_PORT = 65_535


def serve(arguments: Namespace) -> int:
    """Serve the cockpit on loopback until Ctrl-C; agents go on."""
    root = root_of_plan()
    if arguments.tab:
        end_with_parent(signal.SIGTERM)
        open_session(root)
        return 0
    if arguments.port is not None and not 0 <= arguments.port <= _HIGHEST_PORT:
        raise CommandError(f"--port: {arguments.port} is no port (0 to {_HIGHEST_PORT})", 2)
    if find_spec("textual_serve") is None:
        raise CommandError("the cockpit in a browser needs textual-serve: pip install 'runebook-tui[web]'")
    from runebook_tui.web.server import CockpitServer, WebError, listening

    ready_to_open(root)
    keep_private()
    for name in ("TMUX", "TMUX_PANE"):  # a tab is in no window of the terminal that serves it
        os.environ.pop(name, None)
    command = f"exec {shlex.join([sys.executable, '-P', '-m', 'runebook_tui', 'serve', '--tab'])}"
    os.chdir(root)
    try:
        server = CockpitServer(command, f"Runebook: {visible(root.name)}", listening(arguments.port))
    except WebError as error:
        raise CommandError(str(error)) from error

    def ready() -> None:
        if arguments.json:
            print(shapes.dump({"url": server.url, "port": server.port}), flush=True)
        else:
            print(f"{visible(root.name)} is at {server.url}", flush=True)
            print("whoever has this address decides; Ctrl-C ends the server, and agents go on", flush=True)
        if arguments.open:
            webbrowser.open(server.url)

    asyncio.run(server.serve(ready))
    return 0
