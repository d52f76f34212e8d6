"""What an engine in the background says is kept, but not for ever."""

from __future__ import annotations

import os
from pathlib import Path

from runebook_tui.execution.enginelog import MOST_BYTES, report_path, shorten


def test_the_newest_whole_lines_are_kept_while_the_engine_goes_on_writing(tmp_path: Path) -> None:
    path = report_path(tmp_path)
    path.parent.mkdir()
    shorten(tmp_path)
    assert not path.exists()
    end = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        os.write(end, b"a line that is short enough\n")
        shorten(tmp_path)
        assert path.read_bytes() == b"a line that is short enough\n"
        for number in range(MOST_BYTES // 100 + 1):
            os.write(end, b"%099d\n" % number)
        shorten(tmp_path)
        os.write(end, b"and on\n")
    finally:
        os.close(end)
    *kept, last = path.read_bytes().splitlines()
    assert last == b"and on"
    assert [int(line) for line in kept] == list(range(int(kept[0]), MOST_BYTES // 100 + 1))
    assert path.stat().st_size < MOST_BYTES // 2
