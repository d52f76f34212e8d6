"""Google's generateContent and streamGenerateContent, as Gemini CLI 0.61 uses them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from benchmarks.model.events import unnamed
from benchmarks.model.turns import Asked, Call, Say


def read(body: Mapping[str, Any]) -> Asked:
    """What the client asks; whether it is streamed is in the address, not in the body."""
    contents = body.get("contents") or ()
    parts = [part for content in contents for part in content.get("parts") or ()]
    results = [_result(part["functionResponse"]) for part in parts if "functionResponse" in part]
    tools = frozenset(
        str(each["name"]) for tool in body.get("tools") or () for each in tool.get("functionDeclarations", ())
    )
    return Asked(tools, tuple(results), json.dumps(contents))


def _result(response: Mapping[str, Any]) -> str:
    given = response.get("response") or {}
    return "\n".join(each if isinstance(each, str) else json.dumps(each) for each in given.values())


def write(say: Say, number: int, *, streamed: bool) -> bytes:
    """The answer, whose id holds `number`."""
    part: dict[str, Any] = {"text": say}
    if isinstance(say, Call):
        part = {"functionCall": {"id": f"call_{number}", "name": say.name, "args": say.arguments}}
    whole = {
        "candidates": [{"index": 0, "content": {"role": "model", "parts": [part]}, "finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15},
        "modelVersion": "script",
        "responseId": f"response_{number}",
    }
    return unnamed([whole]) if streamed else json.dumps(whole).encode()
