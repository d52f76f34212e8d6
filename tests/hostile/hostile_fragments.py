"""Fragments: what hostile texts are made of, one row for each sort of reader."""

from __future__ import annotations

JSON = (
    '{"', '":', '"', ":", ",", "{", "}", "[", "]", "null", "true", "1e999", "NaN", "-1", "9" * 400,
    "\\u0000", "\\ud800", "\\\\", '{"a":', "[[", "]]",
)  # fmt: skip
HOOK = (
    *JSON, '{"hook_event_name":"PreToolUse","tool_name":"', '"tool_input":{"command":"', "Bash", "Edit",
    '"}}', '"tool_response":{"output":"', "PostToolUse", "exited with code ", '"cwd":"', '"duration_ms":',
    '"notification_type":"', '"usage":{"input_tokens":', '"properties":{"info":{"id":"', "toolName",
)  # fmt: skip
TOOL = (
    "*** Begin Patch\n", "*** Update File: a\n", "*** Add File: b\n", "*** Delete File: ",
    "*** Move to: c\n", "@@\n", "@@ def x\n", "\n", "+x\n", "-x\n", " x\n", "x\n", "*** End of File\n",
    "diff --git a/x b/y\n", "--- a/x\n", "+++ b/x\n", "rename from ", "sh -c '", '"', "'", "$(", "${",
    "`", "<<E\n", "cd a && ", "rm -rf ", "sed -i s/a/b/ ", "tee ", "> ", ">> a;", "mv a b;", "cp -t ",
    "../", "/", "\\", "(", ")", "git apply <<E\n", "exited with code ", "|", "&&", "#", "\t", "~", "*",
    "\udcff", "\x00",
)  # fmt: skip
WIRE = (
    *JSON, '{"do":"', '"approve"', '"request":', '"records":', '"path":', '"op":"open"', '"pid":',
    '"time":', '"claims":[["a","b",false]]', '"agent":"alpha"', '"hold_seconds":',
    '"grants":[{"request":', '"was":[',
)  # fmt: skip
EVENT = (
    *JSON, '{"type":"AttemptRefused","speaker":"', '","attempt":"', '","reason":"', '"}',
    '{"type":"Touched"', '{"type":"', "CommandRan", '","added_later":',
)  # fmt: skip
TOML = (
    "[plan]\n", 'name = "', '"\n', "[[agents]]\n", 'id = "a"\n', "claims = [", '"*', "**/", "]\n", "[a.",
    "a.b.c.", "= ", "{", "}", "\\u0000", "'''", '"""', "[[", "]]", "1979-05-27", "9" * 400, "# x\n", "\t",
    "\x00", "phase = 1\n", "[policy]\nhold_seconds = nan\n", "[[phases]]\nid = 'p'\n", "after = ['p']\n",
    "inf", "env = {", "A = 'x'",
)  # fmt: skip
OWNERS = (
    "* ", "*a", "**/", "/", "@owner", " ", "\n", "\\", "[", "!", "#", "?", "a", "..", ".md ", "@a/b",
    "x@y.z", "\t",
)  # fmt: skip
MARKDOWN = (
    "# Phase 1: Build\n", "**Agent**: Storage\n", "**Agent**: ", "**Tasks**:\n", "- `x` ", "Owns: ",
    "`src/`", "> ", "*", "**", "_", "[", "](", ")", "<", "```\n", "\n\n", "1. ", "| ", "&amp;", "\\",
    "## ", "(", "Dependencies: Phase 1", "![", "    ", "phase ii", "Agent A (",
    "## Architecture\n### src/\n", "\x00",
)  # fmt: skip
TERMINAL = (
    "\x1b[", "\x1b]", "\x1bP", "\x1b_", "\x1b\\", "\x07", "m", "38;2;", "48;5;", "4:3", ";", ":", "0",
    "\x9b", "\x9d", "\x1b]0;title", "\x1b]8;;http://x", "\x1b]133;C;aid=1.2", "\x1b]133;D;0;aid=",
    "\x1b]52;c;", "\x1b[?1049h", "\t", "\r", "\n", "\x08", "\x0e", "q", "\u202e", "́", "漢", "http://",
    "https://a.b/", "a/b.py:12", "(/a", "[/", "x.", "\x1b[201~", "\x1bPtmux;", "\x00",
    "Traceback (most recent call last):\n", "error: ", "make: *** ", ": error: ", "1:", "│", "─", " ",
    "$ ", "> ",
)  # fmt: skip
MARKS = (
    "start", "end", "environment", "\x00", "1", "1700000000000000", 'declare -x A="', '"\n',
    "declare -x ", "=$'", "\\", "\x1e", "A=b", "  12  ls\n", "ignoreboth", "９", "²", "-1",
)  # fmt: skip
SECRETS = (
    "password=", "token: ", '"', "'", "\\", "-----BEGIN PRIVATE KEY-----", "eyJaaaaaaaa-", "eyJaaaaaaaa.",
    "machine ", "login ", " password ", "set -a ", "--token ", "://", "a:", "@", "mysql ", "-p",
    "bearer ", "x", " ", "\n", "sk-", "A" * 64 + "\n", "cookie", "secret_", "a-", "api_key", "=", ":",
    '\\"', "M" * 24 + ".",
)  # fmt: skip
PYTHON = (
    "def f(", "class C:\n", "    ", "x = ", "(", ")", "[", "]", "{", "\n", "lambda: ", "-", "not ", "'",
    '"""', "f'{", "}", "if x:\n", "import a", "\x00", "9" * 400, "+", "a.", "\\", "async ", "@",
)  # fmt: skip
