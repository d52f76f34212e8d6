"""The pictures of the documentation come from the real program."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html import unescape
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHOWN = {
    "cockpit": ("src-tauri/src/memory/api.rs", "approve 1"),
    "card": ("analysis", "wants to write", "owned by", "widen the plan", "refused at"),
    "patch": ("+may_write", "change the plan and approve 1"),
    "files": ("Files · ", "latest change first", "Latest change"),
    "timeline": ("Timeline · ", "request 1: analysis wants to write"),
    "away": ("While you were away", "1 request waits for you: 1"),
}


def test_the_script_makes_every_picture_that_the_documents_show(tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RUNEBOOK_")}
    (tmp_path / "run").mkdir(mode=0o700)
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts/pictures.py"), str(tmp_path / "pictures")],
        env=kept | {"XDG_RUNTIME_DIR": str(tmp_path / "run")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    made = {path.stem: path.read_text() for path in (tmp_path / "pictures").iterdir()}
    for name, texts in SHOWN.items():
        words = unescape(re.sub("<[^>]+>", "", made[name])).replace("\xa0", " ")
        for text in texts:
            assert text in words, (name, text)
    assert set(made) == {path.stem for path in (ROOT / "docs/pictures").iterdir()}
