"""The baseline: what modified and untracked files held when Runebook first looked at the tree."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from runebook_tui.core.types import Version
from runebook_tui.history.errors import StoreError

_VERSIONS = TypeAdapter(dict[str, Version])


class Baseline:
    """A file of versions by path."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def taken_at(self) -> float | None:
        """When it was taken, in unix seconds; None when there is none."""
        try:
            return self._file.stat().st_mtime
        except OSError:
            return None

    def remove(self) -> None:
        """Forget it. Raises OSError."""
        self._file.unlink(missing_ok=True)

    def read(self) -> dict[str, Version]:
        """The versions by path; none when there is no baseline. Raises StoreError for a damaged one."""
        try:
            return _VERSIONS.validate_python(json.loads(self._file.read_bytes()))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, ValidationError) as error:
            raise StoreError(f"{self._file} cannot be read; delete it to take a new baseline") from error

    def write(self, versions: Mapping[str, Version]) -> None:
        """Keep `versions`, whole or not at all. Raises StoreError."""
        text = json.dumps(_VERSIONS.dump_python(dict(versions), mode="json"), ensure_ascii=True)
        fresh = self._file.with_suffix(".new")
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh.write_text(text)
            os.replace(fresh, self._file)
        except OSError as error:
            raise StoreError(f"{self._file} cannot be written: {error.strerror}") from error
