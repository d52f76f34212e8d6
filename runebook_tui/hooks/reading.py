"""Reading: a client's payload as an event.

Claude Code, Codex, Qwen Code and Goose send `hook_event_name`, `tool_name`, `tool_input`; Gemini CLI the
same with other names; Copilot CLI `toolName`, `toolArgs` and no name of the event; Cursor one for each.
opencode's form is what Runebook's own plugin sends: the plugin's arguments (docs/hooks.md).
"""

from __future__ import annotations

import re
from dataclasses import replace

from runebook_tui.hooks import tools
from runebook_tui.hooks.event import HookError, HookEvent, Kind
from runebook_tui.hooks.fields import Fields, number_in, object_in, payload_of, text_in

_KINDS = {
    "pretooluse": Kind.BEFORE_TOOL,
    "beforetool": Kind.BEFORE_TOOL,
    "toolexecutebefore": Kind.BEFORE_TOOL,
    "beforeshellexecution": Kind.BEFORE_TOOL,
    "beforemcpexecution": Kind.BEFORE_TOOL,
    "permissionrequest": Kind.PERMISSION,
    "posttooluse": Kind.AFTER_TOOL,
    "posttoolusefailure": Kind.AFTER_TOOL,
    "aftertool": Kind.AFTER_TOOL,
    "toolexecuteafter": Kind.AFTER_TOOL,
    "aftershellexecution": Kind.AFTER_TOOL,
    "aftermcpexecution": Kind.AFTER_TOOL,
    "afterfileedit": Kind.AFTER_TOOL,
    "sessionstart": Kind.SESSION_START,
    "sessioncreated": Kind.SESSION_START,
    "sessionend": Kind.SESSION_END,
    "userpromptsubmit": Kind.PROMPT,
    "userpromptsubmitted": Kind.PROMPT,
    "beforeagent": Kind.PROMPT,
    "beforesubmitprompt": Kind.PROMPT,
    "chatmessage": Kind.PROMPT,
    "notification": Kind.NOTICE,
    "permissionasked": Kind.PERMISSION,
    "permissionupdated": Kind.NOTICE,
    "elicitation": Kind.NOTICE,
    "stop": Kind.STOP,
    "stopfailure": Kind.STOP,
    "afteragent": Kind.STOP,
    "agentstop": Kind.STOP,
    "interrupt": Kind.STOP,
    "sessionidle": Kind.STOP,
    "subagentstart": Kind.SUBAGENT,
    "subagentstop": Kind.SUBAGENT,
    "aftermodel": Kind.MODEL,
    "postmodelrequest": Kind.MODEL,
    "messageupdated": Kind.MODEL,
}

_EXIT = re.compile(
    r"(?:[Ee]xit(?:ed with exit)? [Cc]ode:?|exited with (?:exit )?code|exit status)\s*:?\s*(-?\d{1,5})"
)
_FAILURES = ("posttoolusefailure", "stopfailure")
_NAMED = re.compile(r'"(?:hook_event_name|hookEventName|event)"\s*:\s*"([A-Za-z.]{1,80})"')
_GUESS = 65_536
_MOST_COMMAND = 200_000


def read(text: str, event: str = "") -> HookEvent:
    """The event of a payload; `event` is its name where the client's configuration says it.

    Raises HookError for what is none.
    """
    given = payload_of(text)
    properties = object_in(given, "properties")
    name = text_in(given, "hook_event_name", "hookEventName", "event", "type", limit=80) or event[:80]
    plain = re.sub(r"[^a-z]", "", name.lower())
    kind = _KINDS.get(plain, Kind.OTHER) if name else _untitled(given)
    base = HookEvent(
        kind=kind,
        name=name,
        session=text_in(given, "session_id", "sessionId", "sessionID", "conversation_id", limit=200)
        or text_in(properties, "sessionID", limit=200)
        or text_in(object_in(properties, "info"), "id", limit=200),
        model=_model(given, properties),
        part=bool(text_in(given, "agent_id", limit=200)),
        cwd=text_in(given, "cwd", "directory", "workspace_dir", limit=65_536) or _first_root(given),
    )
    if kind.asks or kind is Kind.AFTER_TOOL:
        return _of_tool(base, given, plain)
    if kind is Kind.NOTICE:
        return _notice(base, given, properties, plain)
    if kind is Kind.MODEL:
        return _used(base, given, properties)
    if plain == "stopfailure":
        return replace(base, failed=True, words=text_in(given, "error", limit=200))
    if kind is Kind.SESSION_END:
        return replace(base, words=text_in(given, "reason", limit=200))
    if kind is Kind.SESSION_START and text_in(object_in(properties, "info"), "parentID"):
        return replace(base, kind=Kind.SUBAGENT)
    return base


def guessed_kind(text: str, event: str = "") -> Kind:
    """What a payload that cannot be read is most likely about: before a tool, unless it says otherwise."""
    said = _NAMED.search(text, 0, _GUESS) or _NAMED.search(text, max(0, len(text) - _GUESS))
    name = re.sub(r"[^a-z]", "", (said[1] if said else event).lower())
    return _KINDS.get(name, Kind.OTHER) if name else Kind.BEFORE_TOOL


def _untitled(given: Fields) -> Kind:
    """What a payload is that does not say it, as Copilot CLI's: by the fields that only that one has."""
    if "toolName" in given or "tool_name" in given:
        after = any(name in given for name in ("toolResult", "tool_result", "tool_response"))
        return Kind.AFTER_TOOL if after else Kind.BEFORE_TOOL
    if "prompt" in given:
        return Kind.PROMPT
    if "stopReason" in given:
        return Kind.STOP
    if "source" in given:
        return Kind.SESSION_START
    return Kind.SESSION_END if "reason" in given else Kind.OTHER


def _model(given: Fields, properties: Fields) -> str:
    model = object_in(given, "model")
    info = object_in(properties, "info")
    return (
        text_in(given, "model", limit=120)
        or text_in(model, "id", "name", limit=120)
        or text_in(info, "modelID", limit=120)
    )


def _first_root(given: Fields) -> str:
    roots = given.get("workspace_roots")
    return roots[0][:65_536] if isinstance(roots, list) and roots and isinstance(roots[0], str) else ""


# ── tools ───────────────────────────────────────────────────────────────────────────────────────


def _of_tool(base: HookEvent, given: Fields, plain: str) -> HookEvent:
    tool = text_in(given, "tool_name", "toolName", "tool", limit=200)
    inner = object_in(given, "tool_input", "toolArgs", "toolInput", "args", "input")
    if plain.endswith("shellexecution"):
        tool, inner = tool or "Shell", given
    elif plain == "afterfileedit":
        tool, inner = tool or "Edit", given
    if base.kind.asks and not tool:
        raise HookError("the client does not say which tool it is about to run")
    command = tools.command_in(tool, inner)
    event = replace(
        base,
        tool=tool,
        call=text_in(
            given, "tool_use_id", "toolCallId", "callID", "tool_call_id", "generation_id", limit=200
        ),
        command=(command or "")[:_MOST_COMMAND],
    )
    if base.kind.asks:
        return replace(event, edits=tools.edits_of(tool, inner))
    return _after(event, given, plain)


def _after(event: HookEvent, given: Fields, plain: str) -> HookEvent:
    result = object_in(given, "tool_response", "toolResult", "tool_result", "output", "tool_output")
    metadata = object_in(result, "metadata")
    failed = plain in _FAILURES or result.get("isError") is True or _says_failure(result)
    code = number_in(metadata, "exit", "exit_code", "exitCode")
    code = number_in(result, "exit_code", "exitCode", "code") if code is None else code
    code = number_in(given, "exit_code", "exitCode") if code is None else code
    number = _code(given, result) if code is None else int(code)
    if number is None and event.command and not failed and plain == "posttooluse" and "interrupted" in result:
        number = 0  # Claude Code: a command that fails comes as PostToolUseFailure
    milliseconds = number_in(given, "duration_ms", "duration")
    return replace(
        event,
        failed=failed or number not in (None, 0),
        code=number,
        seconds=None if milliseconds is None else milliseconds / 1000,
    )


def _says_failure(result: Fields) -> bool:
    if text_in(result, "resultType", "result_type", "status").lower() in (
        "failure",
        "error",
        "denied",
        "rejected",
    ):
        return True
    return bool(result.get("error"))


def _code(given: Fields, result: Fields) -> int | None:
    """The exit code that stands in a tool's words."""
    places = [text_in(given, "error", "tool_response", "tool_output", "output", limit=2000)]
    places.append(
        text_in(result, "output", "textResultForLlm", "llmContent", "returnDisplay", "error", limit=200_000)
    )
    for text in places:
        for part in (text[:400], text[-400:]):
            found = _EXIT.search(part)
            if found is not None:
                return int(found[1])
    return None


# ── the rest ────────────────────────────────────────────────────────────────────────────────────


def _notice(base: HookEvent, given: Fields, properties: Fields, plain: str) -> HookEvent:
    sort = text_in(given, "notification_type", "notificationType", limit=80).lower()
    words = text_in(given, "message", "title", limit=300) or text_in(
        properties, "permission", "title", limit=300
    )
    waiting = plain != "notification" or sort in (
        "permission_prompt", "agent_needs_input", "toolpermission", "elicitation_dialog",
    )  # fmt: skip
    if plain == "notification" and not sort:
        waiting = "permission" in words.lower()
    return replace(base, words=words, waiting=waiting)


def _used(base: HookEvent, given: Fields, properties: Fields) -> HookEvent:
    """Tokens and cost: Gemini CLI's `llm_response.usageMetadata`, opencode's `properties.info`."""
    info = object_in(properties, "info")
    response = object_in(given, "llm_response", "response")
    usage = object_in(response, "usageMetadata", "usage") or object_in(given, "usage")
    tokens = object_in(info, "tokens")
    total = number_in(usage, "totalTokenCount", "total_tokens")
    parts = [number_in(tokens, "input"), number_in(tokens, "output"), number_in(tokens, "reasoning")]
    parts += [number_in(usage, "input_tokens"), number_in(usage, "output_tokens")]
    told = [part for part in parts if part is not None]
    if total is None and told:
        total = sum(told)
    finished = not info or "completed" in object_in(info, "time")
    pieces = response.get("candidates")
    if isinstance(pieces, list):  # Gemini CLI tells of each piece of a streamed answer
        finished = any(isinstance(piece, dict) and piece.get("finishReason") for piece in pieces)
    cost = number_in(info, "cost")
    call = text_in(info, "id", limit=200)
    if not finished:
        total = cost = None
    return replace(
        base,
        call=call,
        tokens=None if total is None else int(total),
        cost=number_in(given, "cost_usd", "costUsd") if cost is None else cost,
    )
