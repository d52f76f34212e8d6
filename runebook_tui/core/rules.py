"""The rules: what a command brings about in a state, or why it is refused. Pure."""

from __future__ import annotations

import signal as signals
from typing import assert_never

from runebook_tui.core import (
    acceptance,
    boundary,
    capture,
    copies,
    decisions,
    hosts,
    interfaces,
    lanes,
    learning,
    messages,
    nets,
    observed,
    presence,
    proposals,
    resuming,
    reviews,
    snoozing,
    speech,
    suggestions,
    undos,
)
from runebook_tui.core import commands as c
from runebook_tui.core import events as e
from runebook_tui.core.ownership import Verdict
from runebook_tui.core.refusal import Outcome, Refusal, hint
from runebook_tui.core.state import AgentState, State
from runebook_tui.core.types import OPERATOR, AgentStatus, RequestKind, TaskStatus

DOWN = "runebook-tui down"
"""Why an agent is stopped that starts again with the next engine."""


def decide(state: State, command: c.Command, now: float) -> Outcome:
    """The events that `command` brings about at `now` (unix seconds), or a refusal."""
    match command:
        case c.StartRun():
            if state.run and state.outcome is None:
                return Refusal("a run of this plan is under way")
            # Nobody waits any more for what was asked; what was written stays to be decided.
            stale = (
                e.RequestWithdrawn(request=request.id, reason="a new run began")
                for request in state.open_requests
                if request.kind is not RequestKind.CROSSED
            )
            return (*stale, e.RunStarted(plan=command.plan))
        case c.ChangePlan():
            if why := hosts.why_not_moved(state, command.plan):
                return Refusal(why)
            changed = e.PlanChanged(plan=command.plan, edits=command.edits)
            return () if command.plan == state.plan else (changed,)
        case learning.DismissLesson():
            lesson = learning.lesson_of(state, command.lesson)
            if lesson is None:
                return Refusal(f"there is no lesson {command.lesson!r} (any more)")
            return (learning.LessonDismissed(edit=lesson.edit),)
        case c.EndRun():
            if state.run == 0 or state.outcome is not None:
                return ()
            return (e.RunEnded(outcome=command.outcome, reason=command.reason),)
        case c.TakeEngine():
            return _engine_taken(state, command)
        case c.LeaveEngine():
            # Whoever waits still asks the next engine, if there is one.
            mine = hosts.part(state, command.serves).open_requests
            waiting = (each.id for each in mine if each.held_until is not None)
            ended = (e.HoldEnded(request=number, reason="the engine has stopped") for number in waiting)
            return (*ended, e.EngineStopped(reason=command.reason, serves=command.serves))
        case c.ReportNet():
            return _net_reported(state, command)
        case c.RecordAttempt():
            return (
                e.AttemptRefused(
                    speaker=command.speaker,
                    attempt=command.attempt,
                    reason=command.reason,
                    count=command.count,
                ),
            )
        case messages.SendMessage():
            return _sent(state, command, now)
        case messages.ReportDelivered():
            return messages.delivered(state, command)
        case reviews.Recommend():
            why = reviews.why_not(state, command, now)
            return Refusal(why) if why else reviews.recommended(state, command)
        case suggestions.Suggest():
            why = suggestions.why_not(state, command, now)
            return Refusal(why) if why else suggestions.suggested(state, command, now)
        case suggestions.DismissSuggestion() | suggestions.ApplySuggestion():
            why = suggestions.why_not(state, command, now)
            return Refusal(why) if why else suggestions.closed(state, command)
        case presence.Look():
            return presence.looked(state, command, now)
        case c.Decide() | c.Disown():
            return decisions.decided(state, command)
        case c.TakeBack():
            return decisions.taken_back(state, now)
        case c.ResumeAgents():
            return _resumed(state, command)
        case c.EndHold():
            return boundary.hold_ended(state, command)
        case c.RecordUndo() | c.RecordRestore():
            return undos.recorded(state, command)
        case c.CheckApi():
            return interfaces.checked(state, command)
        case copies.CheckCopy():
            return copies.checked(state, command)
        case c.Observe():
            return tuple(boundary.observed(state, command, now))
        case (
            c.ReportStarted()
            | c.ReportExited()
            | c.MarkReady()
            | c.StartTask()
            | c.BlockTask()
            | c.CompleteTask()
            | c.PublishApi()
            | c.Ask()
            | c.Hold()
            | c.Propose()
            | c.SpendGrant()
            | c.ReportActivity()
            | observed.ReportObserved()
            | snoozing.Snooze()
            | c.ReportCommand()
            | c.ReportAcceptance()
            | c.ReportShell()
            | c.ReportLane()
            | c.ReportIntegrated()
            | speech.ReportSaid()
            | speech.ReportAnswered()
            | c.RestartAgent()
            | c.StopAgent()
        ):
            agent = state.agents.get(command.agent)
            if agent is None:
                return Refusal(f"the plan has no agent {command.agent!r}{hint(command.agent, state.agents)}")
            return _agent_decided(state, agent, command, now)
        case _:
            assert_never(command)


_AgentCommand = (
    c.ReportStarted
    | c.ReportExited
    | c.MarkReady
    | c.StartTask
    | c.BlockTask
    | c.CompleteTask
    | c.PublishApi
    | c.Ask
    | c.Hold
    | c.Propose
    | c.SpendGrant
    | c.ReportActivity
    | observed.ReportObserved
    | snoozing.Snooze
    | c.ReportCommand
    | c.ReportAcceptance
    | c.ReportShell
    | c.ReportLane
    | c.ReportIntegrated
    | speech.ReportSaid
    | speech.ReportAnswered
    | c.RestartAgent
    | c.StopAgent
)


def _agent_decided(state: State, agent: AgentState, command: _AgentCommand, now: float) -> Outcome:
    match command:
        case c.ReportStarted():
            return _started(agent, command)
        case c.ReportExited():
            may_end = agent.alive or agent.status is AgentStatus.STARTING
            return _exited(state, agent, command) if may_end else ()
        case c.MarkReady():
            return () if agent.ready else (e.AgentReady(agent=agent.id),)
        case c.StartTask() | c.BlockTask() | c.CompleteTask():
            return _task_decided(state, agent, command)
        case c.PublishApi():
            return _published(state, agent, command)
        case c.Ask():
            return _asked(state, command, now)
        case c.Hold():
            return tuple(boundary.held(state, command, now))
        case c.Propose():
            return tuple(proposals.proposed(state, command))
        case c.SpendGrant():
            return proposals.spent(state, command)
        case c.ReportActivity():
            return proposals.activity_reported(agent, command)
        case observed.ReportObserved():
            return observed.observed(agent, command)
        case snoozing.Snooze():
            why = snoozing.why_not(agent, now)
            return Refusal(why) if why else snoozing.snoozed(agent, now)
        case c.ReportCommand():
            return capture.command_reported(command)
        case c.ReportAcceptance():
            ran = acceptance.ran(state.plan.acceptance, command)
            return ran or Refusal(f"the plan has no acceptance check {command.check!r}")
        case c.ReportShell():
            return capture.shell_reported(command)
        case c.ReportLane():
            return (e.LaneOpened(agent=agent.id, branch=command.branch, fresh=command.fresh),)
        case c.ReportIntegrated():
            return lanes.integrated(state, command)
        case speech.ReportSaid():
            return speech.said(command)
        case speech.ReportAnswered():
            return speech.answered(command)
        case c.RestartAgent():
            if state.outcome is not None:
                return Refusal(f"the run is over ({state.outcome}); start a new one")
            if not agent.restartable:
                return Refusal(f"{agent.id} is {agent.status}: only a failed or stopped agent restarts")
            if agent.alive:
                return Refusal(f"{agent.id} is still ending; try again in a moment")
            return (e.StatusUpdate(agent=agent.id, status=AgentStatus.STARTING, reason="restarted"),)
        case c.StopAgent():
            if not agent.alive and agent.status is not AgentStatus.STARTING:
                return Refusal(f"{agent.id} is not running")
            if agent.status is AgentStatus.COMPLETED:
                # Its work is done and stays done: it only ceases to serve.
                return () if agent.finalizing else (e.FinalizeStarted(agent=agent.id),)
            return (e.StatusUpdate(agent=agent.id, status=AgentStatus.STOPPED, reason=command.reason),)
        case _:
            assert_never(command)


def _sent(state: State, command: messages.SendMessage, now: float) -> Outcome:
    for name in command.to:
        if name not in (messages.EVERYBODY, OPERATOR) and name not in state.agents:
            return Refusal(f"the plan has no agent {name!r}{hint(name, state.agents)}")
    if not command.to or not command.text.strip():
        return Refusal("say to whom, and what")
    why = messages.why_not(state, command, now)
    if why:
        return Refusal(why)
    return (messages.sent(state, command.sender, command.to, command.text, command.request),)


def _resumed(state: State, command: c.ResumeAgents) -> Outcome:
    if state.outcome is not None:
        return Refusal(f"the run is over ({state.outcome}); start a new one")
    lost = {agent.id: agent for agent in resuming.lost_agents(state)}
    for name in command.agents:
        if name not in state.agents:
            return Refusal(f"the plan has no agent {name!r}{hint(name, state.agents)}")
        if name not in lost:
            return Refusal(f"{name} is {state.agents[name].status}: only a lost agent is brought back")
    if not lost:
        return Refusal("no agent is lost")
    return tuple(
        e.StatusUpdate(
            agent=agent.id,
            status=AgentStatus.STARTING,
            reason="brought back",
            session=resuming.session_of(agent),
        )
        for agent in lost.values()
        if agent.id in (command.agents or lost)
    )


def _started(agent: AgentState, command: c.ReportStarted) -> Outcome:
    started = e.AgentStarted(agent=agent.id, pane=command.pane, pid=command.pid, attempt=agent.attempt)
    if agent.status is not AgentStatus.STOPPED:
        return (started,)
    # It was stopped while its program was being started: the stop stands.
    return (started, e.StatusUpdate(agent=agent.id, status=AgentStatus.STOPPED, reason=agent.reason))


def _engine_taken(state: State, command: c.TakeEngine) -> Outcome:
    again = tuple(
        e.StatusUpdate(
            agent=agent.id,
            status=AgentStatus.PENDING,
            reason="the engine is back",
            session=resuming.session_of(agent),
        )
        for agent in hosts.part(state, command.serves).agents.values()
        if state.outcome is None and agent.status is AgentStatus.STOPPED and agent.reason == DOWN
    )
    started = e.EngineStarted(
        pid=command.pid, host=command.host, adopted=command.adopted, serves=command.serves
    )
    return (started, *again)


def _net_reported(state: State, command: c.ReportNet) -> Outcome:
    agent = state.agents.get(command.agent or "")
    if agent is None and command.net != "watch":
        return Refusal(f"the plan has no agent {command.agent!r}")
    if not nets.is_news(state, command, agent):
        return ()
    return (
        e.NetReported(
            net=command.net,
            agent=command.agent,
            holds=command.holds,
            reason=command.reason,
            mode=command.mode,
            proven=command.proven,
            host=command.host,
        ),
    )


def _exited(state: State, agent: AgentState, command: c.ReportExited) -> Outcome:
    exited = e.AgentExited(
        agent=agent.id,
        code=command.code,
        signal=command.signal,
        last_lines=command.last_lines,
        reason=command.reason,
        lost=command.lost,
    )
    if agent.status not in (AgentStatus.RUNNING, AgentStatus.STARTING):
        return (exited,)
    told_to_go = agent.finalizing and command.signal in (signals.SIGTERM, signals.SIGKILL, signals.SIGHUP)
    if command.code != 0 and not told_to_go:
        reason = command.reason or exit_words(command.code, command.signal)
        void = resuming.withdrawn(state, agent.id) if command.lost else ()
        return (exited, e.StatusUpdate(agent=agent.id, status=AgentStatus.FAILED, reason=reason), *void)
    rest = tuple(
        e.TaskCompleted(agent=agent.id, task=task.id, note="completed by the agent's exit")
        for task in state.tasks_of(agent.id)
        if task.status is not TaskStatus.COMPLETED
    )
    return (exited, *rest, e.StatusUpdate(agent=agent.id, status=AgentStatus.COMPLETED))


def exit_words(code: int | None, signal: int | None) -> str:
    """How a program ended, in words."""
    if signal is not None:
        try:
            return f"ended by signal {signal} ({signals.Signals(signal).name})"
        except ValueError:
            return f"ended by signal {signal}"
    return "ended in an unknown way" if code is None else f"exit {code}"


def _task_decided(
    state: State, agent: AgentState, command: c.StartTask | c.BlockTask | c.CompleteTask
) -> Outcome:
    task = state.tasks.get(command.task)
    mine = [each.id for each in state.tasks_of(agent.id)]
    if task is None or task.agent != agent.id:
        whose = f"is a task of {task.agent}" if task is not None else "is not in the plan"
        listed = ", ".join(mine) or "none"
        return Refusal(f"task {command.task!r} {whose}; the tasks of {agent.id}: {listed}")
    if task.status is TaskStatus.COMPLETED:
        done = isinstance(command, c.CompleteTask)
        return () if done else Refusal(f"task {task.id} is completed already")
    match command:
        case c.StartTask():
            going_on = agent.task == task.id and task.status is TaskStatus.IN_PROGRESS
            return () if going_on else (e.TaskStarted(agent=agent.id, task=task.id),)
        case c.BlockTask():
            return (e.TaskBlocked(agent=agent.id, task=task.id, reason=command.reason),)
        case c.CompleteTask():
            return (e.TaskCompleted(agent=agent.id, task=task.id, note=command.note),)
        case _:
            assert_never(command)


def _published(state: State, agent: AgentState, command: c.PublishApi) -> Outcome:
    interface = state.plan.interface(command.api)
    if interface is None:
        names = [each.name for each in state.plan.interfaces]
        return Refusal(f"the plan has no interface {command.api!r}{hint(command.api, names)}")
    if interface.owner != agent.id:
        return Refusal(f"interface {interface.name} is {interface.owner}'s to publish, not {agent.id}'s")
    why_not = interfaces.why_not_published(interface, command)
    return Refusal(why_not) if why_not else interfaces.published(state, interface, command)


def _asked(state: State, command: c.Ask, now: float) -> Outcome:
    for path in command.paths:
        if boundary.may_write(state, command.agent, path, now) is Verdict.OPERATOR:
            return Refusal(f"{path} belongs to the operator and is never an agent's to write")
    return boundary.asked(state, command, now)
