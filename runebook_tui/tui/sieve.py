"""Sieve: which requests the words of a filter leave."""

from __future__ import annotations

from runebook_tui.core.state import RequestState


def leaves(request: RequestState, wanted: str) -> bool:
    """Whether every word of `wanted` (small letters) is held by something that the request tells.

    `agent:`, `owner:`, `path:` and `kind:` before a word ask for that alone; a kind is also a decision.
    """
    told = {
        "agent": (request.who,),
        "owner": request.owners,
        "path": request.paths,
        "kind": (request.kind.value, request.status),
    }
    words = (request.reason, request.answer, request.program, request.evidence, str(request.id))
    everything = (*(text for texts in told.values() for text in texts), *words)
    for word in wanted.split():
        name, colon, value = word.partition(":")
        texts, value = (told[name], value) if colon and name in told else (everything, word)
        if not any(value in text.casefold() for text in texts):
            return False
    return True
