"""The commands about what an agent does: why, snooze."""

from __future__ import annotations

import time
from argparse import Namespace

from runebook_tui.cli import shapes
from runebook_tui.cli.asking import ask_engine, show
from runebook_tui.cli.moments import elapsed
from runebook_tui.cli.place import CommandError, root_of_plan
from runebook_tui.core.authority import standing
from runebook_tui.core.printable import visible
from runebook_tui.core.refusal import hint
from runebook_tui.core.snoozing import is_snoozed
from runebook_tui.core.standing import Standing, explained
from runebook_tui.core.state import AgentState, State
from runebook_tui.execution.follow import open_log
from runebook_tui.log.loading import load


def why(arguments: Namespace) -> int:
    """Say what an agent does, how that is known, and what it did before."""
    log = open_log(root_of_plan())
    try:
        state = load(log)
    finally:
        log.close()
    agent = state.agents.get(arguments.agent)
    if agent is None:
        name = arguments.agent
        raise CommandError(f"the plan has no agent {visible(name, 100)!r}{hint(name, state.agents)}")
    if arguments.json:
        print(shapes.dump(_shape(state, agent)))
    else:
        print("\n".join(_words(state, agent, time.time())))
    return 0


def snooze(arguments: Namespace) -> int:
    """Put the call of an agent off, or hear it again."""
    answer = ask_engine("snooze", agent=arguments.agent)
    until = answer["until"]
    words = "is heard again" if until is None else f"is put off for {elapsed(until - time.time())}"
    answer = {"id": answer["agent"], "until": shapes.moment(until)}
    show(arguments, answer, f"the call of {answer['id']} {words}")
    return 0


def _shape(state: State, agent: AgentState) -> shapes.Shape:
    now = standing(state, agent)
    return {
        "id": agent.id,
        **shapes.standing_shape(now),
        "snoozed_until": shapes.moment(agent.snoozed_until),
        "before": [shapes.standing_shape(each) for each in reversed(agent.standings[:-1])],
    }


def _words(state: State, agent: AgentState, now: float) -> list[str]:
    stands = standing(state, agent)
    lines = [f"{agent.id} is {_for(stands, now)}", f"  {visible(explained(stands), 500)}"]
    if is_snoozed(agent, now) and agent.snoozed_until is not None:
        lines.append(f"  its call is put off for {elapsed(agent.snoozed_until - now)} more")
    until = stands.since
    for each in reversed(agent.standings[:-1]):
        took = "" if each.since is None or until is None else f" for {elapsed(until - each.since)}"
        lines.append(f"before: {each.word}{took}; {visible(explained(each), 300)}")
        until = each.since
    return lines


def _for(stands: Standing, now: float) -> str:
    return str(stands.word) + ("" if stands.since is None else f" for {elapsed(now - stands.since)}")
