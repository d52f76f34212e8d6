"""opencode: a configuration folder of the agent's own beside the user's, with a plugin that asks our hook.

Measured with 1.18.33: `OPENCODE_CONFIG_DIR` adds to the user's configuration; a plugin may take any time,
and what it throws reaches the model. A plugin that cannot be loaded is dropped in silence, so this one
imports little. What it hands to the hook is our own form: `hook_event_name`, `session_id`, `cwd`,
`tool_name`, `tool_input` and what the event has; the hook refuses by any exit status but 0, with the reason
on its standard error.
"""

from __future__ import annotations

import json

from runebook_tui.clients.adapter import (
    HOOK_SECONDS,
    Adapter,
    Assignment,
    Start,
    as_json,
    last_words,
    model_flag,
    without,
)

_PLUGIN = """\
// Written by Runebook at every start of this agent: changes are lost.
import { spawn } from "node:child_process"

const HOOK = __HOOK__

function ask(payload, keep = () => {}) {
  return new Promise((resolve) => {
    const said = { status: 1, out: "", err: "" }
    const child = spawn(HOOK[0], HOOK.slice(1), { env: process.env, stdio: ["pipe", "pipe", "pipe"] })
    keep(child)
    child.on("error", (error) => resolve({ ...said, err: `Runebook's hook cannot be run: ${error.message}` }))
    child.stdout.on("data", (part) => { said.out += part })
    child.stderr.on("data", (part) => { said.err += part })
    child.on("close", (status) => resolve({ ...said, status: status ?? 1 }))
    child.stdin.on("error", () => {})
    child.stdin.end(JSON.stringify(payload))
  })
}

function told(said) {
  try {
    return JSON.parse(said) ?? {}
  } catch {
    return {} // the hook had nothing to say
  }
}

export const Runebook = async ({ client, directory }) => {
  const begun = new Map()
  const asking = new Map()
  const parents = new Map()
  const top = (session) => (parents.has(session) ? top(parents.get(session)) : session)
  const about = (name, session, more) => ({
    hook_event_name: name, session_id: top(session) ?? null, cwd: directory, ...more,
  })
  const tell = (name, session, more = {}) => ask(about(name, session, more)).then(() => {}, () => {})
  // Its own dialog is open meanwhile, and whichever answer comes first counts.
  const consult = async (session, { id, permission, tool }) => {
    const call = { tool_name: permission, tool_use_id: tool?.callID ?? null,
      tool_input: begun.get(tool?.callID)?.args ?? {} }
    const said = await ask(about("permission.asked", session, call), (child) => asking.set(id, child))
    asking.delete(id)
    const response = { allow: "once", deny: "reject" }[told(said.out).decision]
    const path = { id: session, permissionID: id }
    if (response) await client.postSessionIdPermissionsPermissionId({ path, body: { response } })
  }
  return {
    "chat.message": async (input) => {
      await tell("chat.message", input.sessionID, { model: input.model?.modelID ?? null })
    },
    "tool.execute.before": async (input, output) => {
      const call = { tool_name: input.tool, tool_use_id: input.callID, tool_input: output.args }
      const said = await ask(about("tool.execute.before", input.sessionID, call))
      if (said.status !== 0) {
        throw new Error(said.err.trim() || said.out.trim() || "Runebook's hook refused without a reason")
      }
      begun.set(input.callID, { args: output.args, time: Date.now() })
    },
    "tool.execute.after": async (input, output) => {
      const start = begun.get(input.callID)
      begun.delete(input.callID)
      const said = await ask(about("tool.execute.after", input.sessionID, {
        tool_name: input.tool, tool_use_id: input.callID, tool_input: input.args ?? start?.args ?? {},
        tool_response: { metadata: { exit: output?.metadata?.exit ?? null } },
        duration_ms: start ? Date.now() - start.time : null,
      }))
      // What others have told this agent joins what the tool says: the model reads both.
      const words = told(said.out).additionalContext
      if (words && typeof output?.output === "string") output.output += `\n\n${words}`
    },
    event: async ({ event }) => {
      const properties = event.properties ?? {}
      if (event.type === "permission.asked") {
        consult(properties.sessionID, properties).catch(() => {})
        return
      }
      if (event.type === "permission.replied") {
        // A no ends the turn, and no tool will tell of it.
        if (properties.reply === "reject") asking.get(properties.requestID)?.kill()
        return
      }
      const heard = ["session.created", "session.idle", "session.error"]
      const info = properties.info ?? {}
      const spent = event.type === "message.updated" && info.role === "assistant" && info.time?.completed
      const session = properties.sessionID ?? info.sessionID ?? info.id
      if (event.type === "session.created" && info.parentID) parents.set(session, info.parentID)
      // A session below the agent's own begins and ends within a tool call of that one.
      const below = parents.has(session) && event.type.startsWith("session.")
      if (below || (!spent && !heard.includes(event.type))) return
      await tell(event.type, session, {
        properties: {
          info: { id: info.id, parentID: info.parentID, modelID: info.modelID, tokens: info.tokens,
            cost: info.cost, time: info.time },
        },
      })
    },
  }
}
"""


class Opencode(Adapter):
    """opencode."""

    id = "opencode"
    title = "opencode"
    program = "opencode"
    how_to_get = "`npm install -g opencode-ai`"
    nets = ("hook", "mcp", "gate")
    hook_seconds = HOOK_SECONDS
    tool_seconds = 60
    shell_seconds = 120
    unhooking = {"--pure": "starts without plugins, and so without the hook"}

    def start(self, job: Assignment) -> Start:
        """`run` in the plan's `args` runs the prompt and ends; else the session goes on."""
        folder = job.folder / "opencode"
        brief = folder / "brief.md"
        arguments, ends = without(job.spec.args, ("run",))
        resumed = () if job.session is None else ("--session", job.session)
        words = (*model_flag(job.spec), *resumed, *arguments)
        if ends:
            command = (self.program, "run", *words, *last_words(job.prompt))
        else:
            command = (self.program, *words, *((f"--prompt={job.prompt}",) if job.prompt else ()))
        settings: dict[str, object] = {
            "$schema": "https://opencode.ai/config.json",
            "instructions": [str(brief)],
        }
        if job.mcp is not None:
            environment = dict(job.environment)
            server = {"type": "local", "command": [*job.mcp], "environment": environment, "enabled": True}
            settings["mcp"] = {"runebook": server}
        files = {
            "opencode/opencode.json": as_json(settings),
            "opencode/plugin/runebook.js": _PLUGIN.replace("__HOOK__", json.dumps(self.hook_words(job))),
            "opencode/brief.md": job.brief,
        }
        return Start(command, {"OPENCODE_CONFIG_DIR": str(folder)}, files)
