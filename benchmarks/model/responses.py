"""OpenAI's Responses, as Codex CLI 0.169 uses them: POST /v1/responses, streamed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from benchmarks.model.events import named
from benchmarks.model.turns import Asked, Say, plain

_OUTPUTS = ("function_call_output", "custom_tool_call_output", "local_shell_call_output")


def read(body: Mapping[str, Any]) -> Asked:
    """What the client asks."""
    items = body.get("input") or ()
    results = [plain(item.get("output", "")) for item in items if item.get("type") in _OUTPUTS]
    tools = frozenset(str(tool.get("name") or tool.get("type")) for tool in body.get("tools") or ())
    return Asked(tools, tuple(results), json.dumps(items), bool(body.get("stream")))


def write(say: Say, number: int, *, streamed: bool) -> bytes:
    """The answer, whose id holds `number`."""
    usage = {
        "input_tokens": 10,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 15,
    }
    item = _item(say, number)
    begun = {"id": f"resp_{number}", "object": "response", "status": "in_progress", "output": []}
    whole = {**begun, "status": "completed", "output": [item], "usage": usage}
    if not streamed:
        return json.dumps(whole).encode()
    return named(
        [
            {"type": "response.created", "response": begun},
            {"type": "response.output_item.added", "output_index": 0, "item": item},
            {"type": "response.output_item.done", "output_index": 0, "item": item},
            {"type": "response.completed", "response": whole},
        ]
    )


def _item(say: Say, number: int) -> dict[str, Any]:
    if isinstance(say, str):
        content = [{"type": "output_text", "text": say, "annotations": []}]
        return {"type": "message", "id": f"msg_{number}", "role": "assistant", "content": content}
    call = {"id": f"fc_{number}", "call_id": f"call_{number}", "name": say.name, "status": "completed"}
    if isinstance(say.arguments, str):
        return {**call, "type": "custom_tool_call", "input": say.arguments}
    return {**call, "type": "function_call", "arguments": json.dumps(say.arguments)}
