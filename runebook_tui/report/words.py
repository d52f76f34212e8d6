"""The words of a report: moments, durations, and what became of agents, requests and checks."""

from __future__ import annotations

from datetime import UTC, datetime

from runebook_tui.core.forgetting import kept_no_more
from runebook_tui.report.account import Account, AgentAccount, Check, RequestAccount, Written


def moment(time: float | None) -> str:
    """Unix seconds as a date with a time, UTC; "" for None."""
    return "" if time is None else datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def clock(time: float) -> str:
    """Unix seconds as a time of day, UTC."""
    return datetime.fromtimestamp(time, UTC).strftime("%H:%M:%S")


def duration(seconds: float) -> str:
    """A span for people: "4.2 s", "3 min 5 s", "2 h 10 min"."""
    if seconds < 60:
        return f"{max(seconds, 0.0):.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole // 60 % 60} min"


def who(name: str) -> str:
    """An author for people."""
    return {"operator": "the operator", "engine": "the engine", "": "nobody for certain"}.get(name, name)


def outcome_words(account: Account) -> str:
    """How the run ended, in one sentence; another one says what the log no longer has of it."""
    fewer = kept_no_more(account.forgotten)
    fewer = f" Of its changes of files, {fewer} in the log, and not counted here." if fewer else ""
    if not account.outcome:
        return f"It is not over; its last event is of {moment(account.last)}.{fewer}"
    because = f": {account.reason}" if account.reason else ""
    took = duration((account.ended or 0.0) - account.started)
    return f"It {account.outcome} after {took}{because}.{fewer}"


def written_words(written: Written) -> str:
    """How much was written: "3 edits, +10 -2"."""
    return f"{written.edits} edit{'' if written.edits == 1 else 's'}, +{written.added} -{written.removed}"


def use_words(agent: AgentAccount) -> str:
    """Tokens and cost of an agent; "" where its client said nothing."""
    tokens = "" if agent.tokens is None else f"{agent.tokens:,} tokens"
    cost = "" if agent.cost is None else f"${agent.cost:,.2f}"
    return ", ".join(each for each in (tokens, cost) if each)


def request_words(request: RequestAccount) -> str:
    """A request and its decision: "request 3: beta, held, src/x (alpha); rejected by the operator: no"."""
    more = f" and {len(request.paths) - 1} more" if len(request.paths) > 1 else ""
    path = f"{request.paths[0]}{more}" if request.paths else "nothing"
    owners = ", ".join(who(each) for each in request.owners)
    asked = f"request {request.id}: {request.requester}, {request.kind}, {path} ({owners})"
    return f"{asked}; {decision_words(request)}"


def decision_words(request: RequestAccount) -> str:
    """What was decided about a request, by whom and why."""
    if request.status == "open":
        return "not decided"
    scope = f" ({request.scope})" if request.scope else ""
    by = f" by {who(request.by)}" if request.by else ""
    because = f": {request.answer}" if request.answer else ""
    return f"{request.status}{scope}{by}{because}"


def check_words(check: Check) -> str:
    """What an acceptance check came to: "passed, exit 0, 2.1 s, commit 1a2b3c4, run 3 times"."""
    parts = [
        "passed" if check.passed else "failed",
        "" if check.code is None else f"exit {check.code}",
        check.reason,
        "" if check.seconds is None else duration(check.seconds),
        f"commit {check.commit}" if check.commit else "",
        f"run {check.runs} times" if check.runs > 1 else "",
    ]
    return ", ".join(each for each in parts if each)
