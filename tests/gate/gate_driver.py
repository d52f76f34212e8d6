"""Runs one command under the gate, as a user: UID ROOT SOCKET [COMMAND...]."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

from runebook_tui.gate import pane

# A user without the right to read the interpreter's folder cannot import these later.
for name in ("resource", "runebook_tui.gate.duty", "runebook_tui.git.ignore"):
    __import__(name)

uid, root, path, *command = sys.argv[1:]
if int(uid) != os.getuid():
    os.setgroups([])
    os.setgid(int(uid))
    os.setuid(int(uid))
    # Changing the user made this process unreadable; started by that user it would not be.
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)
sys.exit(pane.run("alpha", command or None, Path(root), Path(path)))
