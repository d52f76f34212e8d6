"""The command that serves the tools for agents."""

from __future__ import annotations

from argparse import Namespace
from importlib.util import find_spec

from runebook_tui.cli.place import CommandError, root_of_plan


def mcp(arguments: Namespace) -> int:
    """Serve the tools for agents over MCP, on standard input and output."""
    if find_spec("mcp") is None:
        raise CommandError("the tools for agents need the MCP SDK: pip install 'runebook-tui[mcp]'")
    from runebook_tui.mcp.server import serve

    serve(root_of_plan())
    return 0
