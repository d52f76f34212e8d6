"""The arguments of the command line."""

from __future__ import annotations

import argparse
from typing import NoReturn

from runebook_tui import __version__

TEMPLATES = ("runebook", "coders")
CLIENTS = ("claude", "codex", "gemini", "opencode", "copilot", "qwen", "cursor", "goose", "aider")


class UsageError(Exception):
    """The words of the command line are off; one line for people."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (see `{self.prog} --help`)")


def build_parser() -> argparse.ArgumentParser:
    """The parser of every command but `exec` and `hook`, which start on their own."""
    parser = _Parser(
        prog="runebook-tui",
        description="Mission control for several coding agents working on one repository.",
        epilog="Without a command: the interactive session, which starts an engine if none runs.",
    )
    parser.add_argument("--version", action="version", version=f"runebook-tui {__version__}")
    parser.add_argument(
        "--plain", action="store_true", help="the interactive session as lines of words, for screen readers"
    )
    parser.set_defaults(command="tui")
    commands = parser.add_subparsers(metavar="COMMAND", parser_class=_Parser)
    _plan_commands(commands)
    _session_commands(commands)
    _surface_command(commands)
    _reading_commands(commands)
    _deciding_commands(commands)
    _git_commands(commands)
    _telling_commands(commands)
    _agent_commands(commands)
    return parser


_Commands = argparse._SubParsersAction  # argparse has no public name for what add_subparsers returns


def _command(commands: _Commands[_Parser], name: str, help_text: str, *, json: bool = True) -> _Parser:
    parser = commands.add_parser(name, help=help_text, description=help_text[0].upper() + help_text[1:] + ".")
    parser.set_defaults(command=name)
    if json:
        parser.add_argument("--json", action="store_true", help="print JSON (docs/cli.md)")
    return parser


def _plan_commands(commands: _Commands[_Parser]) -> None:
    init = _command(commands, "init", "write a commented plan for this repository")
    source = init.add_mutually_exclusive_group()
    source.add_argument("--template", choices=TEMPLATES, help="which plan to begin with (default: coders)")
    source.add_argument("--from", dest="source", metavar="FILE", help="a CODEOWNERS file or a Markdown plan")
    _command(commands, "check", "read the plan and say what is wrong with it")
    doctor = _command(
        commands, "doctor", "say what this machine and repository have, and what to do about the rest"
    )
    change = doctor.add_mutually_exclusive_group()
    change.add_argument("--install", choices=CLIENTS, metavar="CLIENT", help="add our hook to a user's file")
    change.add_argument("--uninstall", choices=CLIENTS, metavar="CLIENT", help="take it out again")
    doctor.add_argument("--yes", action="store_true", help="do not ask before that")
    rehearse = _command(commands, "rehearse", "say how many requests a plan would have raised")
    rehearse.add_argument("plan", nargs="?", metavar="PLAN", help="default: runebook.toml as it is now")
    source = rehearse.add_mutually_exclusive_group()
    source.add_argument("--run", type=int, metavar="N", help="by what happened in run N (default: the last)")
    source.add_argument("--history", type=int, metavar="N", help="by the newest N commits")
    plan = _command(commands, "plan", "list what your decisions suggest, and change the plan's file")
    plan.add_argument("step", choices=("lessons", "accept", "dismiss", "widen", "transfer", "restore"))
    plan.add_argument("words", nargs="*", metavar="WORD", help="ID; AGENT PATTERN; PATH AGENT; or DIGEST")
    plan.add_argument("--may-write", action="store_true", help="widen: what it may write, not what it owns")
    plan.add_argument("--dry-run", action="store_true", help="print the patch, and change nothing")
    _command(commands, "schema", "print the JSON Schema of the plan, for editors", json=False)


def _session_commands(commands: _Commands[_Parser]) -> None:
    run = _command(commands, "run", "run the plan without a screen; status 0 when it completed", json=False)
    run.add_argument("--keep", action="store_true", help="stay when the run is over, until `down`")
    run.add_argument("--new", action="store_true", help="begin a new run even if the last one is not over")
    run.add_argument("--host", metavar="NAME", help="see to the agents of this host (default: RUNEBOOK_HOST)")
    run.add_argument("--resume", action="store_true", help="bring agents back that were lost (see resume)")
    resume = _command(commands, "resume", "bring agents back that were lost with tmux or the machine")
    resume.add_argument("agents", nargs="*", metavar="AGENT", help="default: all that were lost")
    demo = _command(commands, "demo", "run the demonstration plan in a scratch repository", json=False)
    demo.add_argument("--auto", action="store_true", help="decide by itself, without a screen")
    demo.add_argument("--on", metavar="FOLDER", help="run in a clone of the repository at FOLDER")
    serve = _command(commands, "serve", "serve the cockpit to a browser on this machine")
    serve.add_argument("--port", type=int, default=None, metavar="N", help="default: 8777, else any; 0: any")
    serve.add_argument("--open", action="store_true", help="open it in the browser")
    serve.add_argument("--tab", action="store_true", help="the session of one tab, which the server starts")
    _command(commands, "down", "stop the engine and every agent that it started")
    restart = _command(commands, "restart", "start an agent again")
    restart.add_argument("agent", metavar="AGENT")
    stop = _command(commands, "stop", "stop an agent")
    stop.add_argument("agent", metavar="AGENT")
    execute = _command(commands, "exec", "run a program as an agent, under the gate", json=False)
    execute.add_argument("agent", metavar="AGENT [-- COMMAND ...]")


def _surface_command(commands: _Commands[_Parser]) -> None:
    surface = _command(commands, "surface", "show Runebook in tmux, WezTerm, Vim, Neovim and shells")
    surface.add_argument("step", choices=("install", "uninstall", "list", "decide", "menu"))
    surface.add_argument("name", nargs="?", metavar="NAME", help="the surface; with decide, a request's ID")
    surface.add_argument("--yes", action="store_true", help="add or take out the one line without asking")
    surface.add_argument("--folder", default=None, metavar="FOLDER", help="decide, menu: in which repository")
    surface.add_argument("--socket", default=None, metavar="PATH", help="menu: of the tmux server")
    surface.add_argument("--client", default=None, metavar="NAME", help="menu: at which of its clients")


def _reading_commands(commands: _Commands[_Parser]) -> None:
    _command(commands, "status", "show phases, agents and requests; status 1 when no engine runs")
    _command(commands, "apis", "list the plan's interfaces, what became of them, and who builds on them")
    _command(commands, "hosts", "list the hosts of the plan, and whether their engines live")
    requests = _command(commands, "requests", "list the open requests")
    requests.add_argument("--all", action="store_true", help="list the decided ones too")
    requests.add_argument("--diff", action="store_true", help="show what changed")
    log = _command(commands, "log", "show what happened; export, import or trim the log")
    log.add_argument("step", nargs="?", choices=("export", "import", "trim"))
    log.add_argument(
        "file", nargs="?", default="-", metavar="FILE", help="default: `-`, the terminal's stream"
    )
    log.add_argument("--keep", type=int, default=None, metavar="N", help="trim: the newest N changes stay")
    log.add_argument("--follow", action="store_true", help="go on as it happens")
    log.add_argument("--limit", type=int, default=None, metavar="N", help="the newest N records only")
    away = _command(commands, "away", "say what happened since you last looked")
    for parser, default in ((log, None), (away, "last")):
        parser.add_argument(
            "--since", default=default, metavar="MOMENT", help="2h, 10:30, a date with a time, or last"
        )
    report = _command(commands, "report", "say what a run came to: Markdown, a page, or JSON")
    report.add_argument(
        "--html", metavar="FILE", help="write one page with a picture of the run, for browsers"
    )
    report.add_argument("--run", type=int, metavar="N", help="run number N (default: the last)")
    memory = _command(commands, "memory", "look into what the storage agent remembers, or have it forgotten")
    memory.add_argument("step", choices=("inspect", "search", "export", "wipe"))
    memory.add_argument("words", nargs="*", metavar="WORD", help="inspect: an ID; search: what to look for")
    memory.add_argument("--kind", action="append", metavar="KIND", help="of this kind only; may be repeated")
    memory.add_argument("--agent", default="", metavar="ID", help="of this agent only")
    memory.add_argument("--since", default=None, metavar="MOMENT", help="search, export: not older than that")
    memory.add_argument("--before", default=None, metavar="MOMENT", help="wipe: only what is older than that")
    memory.add_argument("--limit", type=int, default=20, metavar="N", help="search: the newest N")
    memory.add_argument("--yes", action="store_true", help="wipe: do not ask before that")
    store = _command(commands, "store", "say where the log is, or make it in a PostgreSQL database")
    store.add_argument("step", choices=("init", "status"))
    store.add_argument("--role", default="runebook", metavar="NAME", help="init: who may use it")
    store.add_argument("--no-role", action="store_true", help="init: leave roles alone")
    lanes = _command(commands, "lanes", "list the agents' worktrees, or remove one")
    lanes.add_argument("step", nargs="?", choices=("remove",))
    lanes.add_argument("agent", nargs="?", metavar="AGENT")
    who = _command(commands, "who", "say who owns a path and who wrote it last")
    who.add_argument("path", metavar="PATH")
    who.add_argument("--lines", action="store_true", help="say who wrote each line")
    why = _command(commands, "why", "say what an agent does, and how that is known")
    why.add_argument("agent", metavar="AGENT")
    snooze = _command(commands, "snooze", "put an agent's call for you off for 15 minutes, or hear it again")
    snooze.add_argument("agent", metavar="AGENT")


def _deciding_commands(commands: _Commands[_Parser]) -> None:
    approve = _command(commands, "approve", "approve requests")
    approve.add_argument("requests", metavar="ID", nargs="+")
    approve.add_argument("--scope", choices=("once", "task", "plan"), default="once")
    approve.add_argument("--reason", default="", metavar="TEXT")
    lasting = approve.add_mutually_exclusive_group()
    lasting.add_argument("--widen", action="store_true", help="and let the plan allow it from now on")
    lasting.add_argument("--transfer", action="store_true", help="and let the plan give the files away")
    approve.add_argument("--dry-run", action="store_true", help="print the patch of the plan only")
    reject = _command(commands, "reject", "reject requests")
    reject.add_argument("requests", metavar="ID", nargs="+")
    reject.add_argument("--hand-over", action="store_true", help="and give it to the owner as a task")
    reject.add_argument("--undo", action="store_true", help="take back what it had written")
    reject.add_argument("--reason", default="", metavar="TEXT")
    _command(commands, "take-back", "take the last decision back, for 30 s after it")
    undo = _command(commands, "undo", "take back what a decided request had written, or bring it back")
    undo.add_argument("request", metavar="ID", nargs="?")
    undo.add_argument("--restore", metavar="UNDO", help="bring back what this undo removed, such as u1")
    undo.add_argument("--list", action="store_true", help="list the undos")
    mine = _command(commands, "mine", "say of a crossing: that was me")
    mine.add_argument("request", metavar="ID")


def _git_commands(commands: _Commands[_Parser]) -> None:
    guard = _command(commands, "guard", "keep agents from committing each other's files")
    guard.add_argument("step", choices=("install", "uninstall", "status"))
    commit = _command(commands, "commit", "commit an agent's changes, and nobody else's")
    commit.add_argument("agent", metavar="AGENT")
    commit.add_argument("-m", "--message", required=True, metavar="TEXT")
    commit.add_argument("--author", default=None, metavar="AUTHOR", help="as 'Name <address>'")
    commit.add_argument("--partial", action="store_true", help="commit even if a path has to be left out")
    commit.add_argument(
        "--verify", action="store_true", help="run the pre-commit hook even if it sees others' work"
    )


def _telling_commands(commands: _Commands[_Parser]) -> None:
    tell = _command(commands, "tell", "send a message to agents, to the operator, or to all")
    tell.add_argument("to", nargs="+", metavar="TO", help="an agent, `operator`, or `all`")
    tell.add_argument("text", metavar="TEXT")
    tell.add_argument("--request", default=None, metavar="ID", help="the request that it is about")
    inbox = _command(commands, "inbox", "show the messages that you have not read")
    inbox.add_argument("--all", action="store_true", help="show those that were read, too")
    say = _command(commands, "say", "type words into agents' panes, and submit them")
    say.add_argument("agents", nargs="+", metavar="AGENT", help="an agent, or `all` that run")
    say.add_argument("text", metavar="TEXT", help="`-` reads it from standard input")
    say.add_argument("--force", action="store_true", help="even if a question or a program is in the way")
    answer = _command(commands, "answer", "answer what an agent's client asks of its user")
    answer.add_argument("agent", metavar="AGENT")
    answer.add_argument("answer", choices=("yes", "no"))
    recommend = _command(commands, "recommend", "for owners of its paths: say what you think of a request")
    recommend.add_argument("request", metavar="ID")
    recommend.add_argument("advice", choices=("approve", "reject"))
    recommend.add_argument("--reason", default="", metavar="TEXT")
    suggest = _command(commands, "suggest", "show what would help by what failed here, take or dismiss it")
    suggest.add_argument("step", choices=("status", "top", "last", "list", "apply", "dismiss"))
    suggest.add_argument("id", nargs="?", metavar="ID")
    suggest.add_argument("--all", action="store_true", help="list: those that were applied or dismissed, too")
    suggest.add_argument(
        "--copy", action="store_true", help="apply: put it into the terminal's clipboard, too"
    )
    for parser in (inbox, recommend):
        parser.add_argument(
            "--agent", metavar="ID", default=None, help="from outside an agent's pane: for whom"
        )


def _agent_commands(commands: _Commands[_Parser]) -> None:
    _command(commands, "mcp", "for agents' clients: serve Runebook's tools over MCP", json=False)
    ready = _command(commands, "ready", "for agents: say that you are set up and at work")
    task = _command(commands, "task", "for agents: start, finish or block a task")
    task.add_argument("step", choices=("start", "done", "block"))
    task.add_argument("task", metavar="TASK")
    task.add_argument("--reason", default="", metavar="TEXT", help="why it is blocked, or a note")
    publish = _command(commands, "publish", "for agents: publish an interface")
    publish.add_argument("api", metavar="API")
    ask = _command(commands, "ask", "for agents: ask to write paths that others own")
    ask.add_argument("paths", nargs="+", metavar="PATH")
    ask.add_argument("--reason", default="", metavar="TEXT")
    patience = ask.add_mutually_exclusive_group()
    patience.add_argument("--wait", type=float, default=None, metavar="SECONDS", help="default: the plan's")
    patience.add_argument("--no-wait", action="store_true", help="print the request's number and go on")
    hook = _command(commands, "hook", "for agents' clients: answer one run of their hook", json=False)
    hook.add_argument("client", metavar="CLIENT [EVENT]")
    wait = _command(commands, "wait", "for agents: wait until the plan finalizes, or a request is decided")
    wait.add_argument("what", metavar="finalize|ID")
    wait.add_argument("--seconds", type=float, default=86_400.0)
    for parser in (ready, task, publish, ask, wait):
        parser.add_argument(
            "--agent", metavar="ID", default=None, help="from outside an agent's pane: for whom"
        )
