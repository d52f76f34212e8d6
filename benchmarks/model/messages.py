"""Anthropic's Messages, as Claude Code 2.1 uses them: POST /v1/messages, streamed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.model.events import named
from benchmarks.model.turns import Asked, Call, Say, plain


def read(body: Mapping[str, Any]) -> Asked:
    """What the client asks."""
    results = [
        plain(part.get("content", ""))
        for message in body.get("messages", ())
        if isinstance(message.get("content"), list)
        for part in message["content"]
        if part.get("type") == "tool_result"
    ]
    tools = frozenset(str(tool.get("name")) for tool in body.get("tools") or ())
    return Asked(tools, tuple(results), json.dumps(body.get("messages")), bool(body.get("stream")))


def write(say: Say, number: int, *, streamed: bool) -> bytes:
    """The answer, whose id holds `number`."""
    message: dict[str, Any] = {
        "id": f"msg_{number}",
        "type": "message",
        "role": "assistant",
        "model": "script",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 10, "output_tokens": 5},
    }
    reason = "tool_use" if isinstance(say, Call) else "end_turn"
    if not streamed:
        return json.dumps({**message, "content": [_block(say, number)], "stop_reason": reason}).encode()
    return named(_events(say, number, message, reason))


def _block(say: Say, number: int) -> dict[str, Any]:
    if isinstance(say, Call):
        return {"type": "tool_use", "id": f"toolu_{number}", "name": say.name, "input": say.arguments}
    return {"type": "text", "text": say}


def _events(say: Say, number: int, message: dict[str, Any], reason: str) -> Iterator[dict[str, Any]]:
    yield {"type": "message_start", "message": message}
    block = _block(say, number)
    if isinstance(say, Call):
        empty = {**block, "input": {}}
        delta = {"type": "input_json_delta", "partial_json": json.dumps(say.arguments)}
    else:
        empty = {**block, "text": ""}
        delta = {"type": "text_delta", "text": say}
    yield {"type": "content_block_start", "index": 0, "content_block": empty}
    yield {"type": "content_block_delta", "index": 0, "delta": delta}
    yield {"type": "content_block_stop", "index": 0}
    stop = {"stop_reason": reason, "stop_sequence": None}
    yield {"type": "message_delta", "delta": stop, "usage": {"output_tokens": 5}}
    yield {"type": "message_stop"}
