"""Runs one command under the gate, as a user: UID ROOT SOCKET [COMMAND...]."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

from runebook_tui.gate import pane

__import__("resource")  # a user without the right to read the interpreter's folder cannot import it later

uid, root, path, *command = sys.argv[1:]
if int(uid) != os.getuid():
    os.setgroups([])
    os.setgid(int(uid))
    os.setuid(int(uid))
    # Changing the user made this process unreadable; started by that user it would not be.
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)
sys.exit(pane.run("alpha", command or None, Path(root), Path(path)))
