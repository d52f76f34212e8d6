"""OpenAI's Chat Completions, as opencode, Copilot CLI, Qwen Code and aider use them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from benchmarks.model.events import unnamed
from benchmarks.model.turns import Asked, Call, Say, plain


def read(body: Mapping[str, Any]) -> Asked:
    """What the client asks."""
    messages = body.get("messages") or ()
    results = [plain(each.get("content", "")) for each in messages if each.get("role") == "tool"]
    tools = frozenset(str(tool["function"]["name"]) for tool in body.get("tools") or ())
    return Asked(tools, tuple(results), json.dumps(messages), bool(body.get("stream")))


def write(say: Say, number: int, *, streamed: bool) -> bytes:
    """The answer, whose id holds `number`."""
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    message: dict[str, Any] = {"role": "assistant", "content": say if isinstance(say, str) else None}
    if isinstance(say, Call):
        function = {"name": say.name, "arguments": json.dumps(say.arguments)}
        message["tool_calls"] = [
            {"index": 0, "id": f"call_{number}", "type": "function", "function": function}
        ]
    finish = "tool_calls" if isinstance(say, Call) else "stop"
    whole = {"id": f"chat_{number}", "created": 1, "model": "script", "usage": usage}
    if not streamed:
        choice = {"index": 0, "message": message, "finish_reason": finish}
        return json.dumps({**whole, "object": "chat.completion", "choices": [choice]}).encode()
    chunks = [
        {"index": 0, "delta": message, "finish_reason": None},
        {"index": 0, "delta": {}, "finish_reason": finish},
    ]
    events = [{**whole, "object": "chat.completion.chunk", "choices": [chunk]} for chunk in chunks]
    return unnamed(events, "[DONE]")
