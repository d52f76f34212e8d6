"""What makes the demonstration need an operator: an agent changes a file of another without asking."""

from __future__ import annotations

import subprocess
from pathlib import Path


def cross(root: Path) -> None:
    """Change storage's interface in the demonstration's repository, as agents do."""
    path = root / "src-tauri/src/memory/api.rs"
    if path.is_file():
        print("  needs a limit in storage's API, and does not ask", flush=True)
        change = "s/append_event()/append_event(limit: Option<u32>)/"
        edit = subprocess.run(["sed", "-i", change, str(path)], stderr=subprocess.PIPE, text=True)
        for line in edit.stderr.splitlines():
            print(f"  {line}", flush=True)
