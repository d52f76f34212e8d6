"""What an approval is bound to is stored as it is: a digest in it is no secret."""

from __future__ import annotations

import hashlib

from runebook_tui.core.events import CoordinationResponse
from runebook_tui.execution.vault import Vault


def test_the_digests_of_an_approval_stay_what_they_are() -> None:
    base = {path: hashlib.sha256(path.encode()).hexdigest() for path in ("README.md", "src/token.py", "é")}
    event = CoordinationResponse(request=1, decision="approved", base=base)
    assert Vault().clean(event) == event
