"""The blows: what is killed, and what must hold afterwards. Each returns how many processes it killed."""

from __future__ import annotations

import os
import random
import re
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.chaos.hosts import FAR, PLAYER, TwoHosts
from benchmarks.chaos.ledger import Life
from benchmarks.chaos.stage import IDLE, Broken, Stage
from benchmarks.chaos.terminal import alike
from benchmarks.engine import Engine
from benchmarks.soak.gauges import children
from runebook_tui.core.resuming import is_lost
from runebook_tui.core.state import State
from runebook_tui.execution.client import EngineClient
from runebook_tui.log.lease import process_start

Blow = Callable[[Stage, random.Random], int]

_WORK_SECONDS = 0.6
_START_SECONDS = 1.2
_CUT_SECONDS = 3.0
_SLOW = 2.0
"""How old the newest record may be when it is looked at, seconds."""
_MODES = "12356"
"""The keys of the screens whose rows stand still when nothing happens."""
_FILTERED = "2356"
_FILTERS = ("beta", "idle", "own")
_MOST_IN_A_ROW = 4


def engine(stage: Stage, chance: random.Random) -> int:
    """The engine at work, and then up to three times while it starts."""
    return _engine(stage, stage.engine, chance)


def far_engine(stage: Stage, chance: random.Random) -> int:
    """The engine of the other host in the same way: what it is asked meanwhile waits for it."""
    assert isinstance(stage, TwoHosts)
    return _engine(stage, stage.far, chance)


def _engine(stage: Stage, killed_one: Engine, chance: random.Random) -> int:
    time.sleep(chance.uniform(0, _WORK_SECONDS))
    killed = killed_one.kill()
    for _ in range(chance.randrange(_MOST_IN_A_ROW)):
        killed_one.start()
        time.sleep(chance.uniform(0, _START_SECONDS))
        killed += killed_one.kill()
    stage.start(killed_one)
    stage.goes_on()
    return killed


def screen(stage: Stage, chance: random.Random) -> int:
    """The person's screen, wherever the person looks: it comes back to the same."""
    terminal = stage.terminal
    stage.voices.hush()
    terminal.still()
    mode = chance.choice(_MODES)
    terminal.keys(mode)
    if mode in _FILTERED and chance.random() < 0.5:
        terminal.keys("/", *chance.choice(_FILTERS), "Enter")
    terminal.keys(*["Down"] * chance.randrange(1, 6))
    before = terminal.settled()
    terminal.kill()
    terminal.open()
    terminal.until(f"the screen that was killed:\n{before}\n", lambda: alike(before, terminal.screen()))
    terminal.home()
    stage.voices.go_on()
    return 1


def server(stage: Stage, chance: random.Random) -> int:
    """The serving half of a gate: its front goes on in its place, and nobody is started again."""
    name = chance.choice(("alpha", *IDLE))
    front = stage.ledger.lives[name].pid
    if front in stage.serverless:
        return _front(stage, name)
    stage.until(
        f"a program of {name} below its gate", lambda: any(children(each) for each in children(front)[:1])
    )
    serving = children(front)[0]
    program = min(children(serving), key=lambda pid: process_start(pid) or 0.0)
    started = process_start(program)
    time.sleep(chance.uniform(0, _WORK_SECONDS))
    os.kill(serving, signal.SIGKILL)
    stage.serverless.add(front)
    stage.goes_on()
    if started is None or process_start(program) != started:
        raise Broken(f"the program of {name}, pid {program}, ended with its gate's server")
    return 1


def front(stage: Stage, chance: random.Random) -> int:
    """A pane's first process: the agent has failed, all that it ran ends, and it comes back when wanted."""
    time.sleep(chance.uniform(0, _WORK_SECONDS))
    return _front(stage, chance.choice(("alpha", *IDLE)))


def _front(stage: Stage, name: str) -> int:
    life = stage.ledger.lives.pop(name)
    programs = _below(life)
    os.kill(life.pid, signal.SIGKILL)
    stage.until(f"word of the end of {name}", lambda: not stage.state.agents[name].alive)
    agent = stage.state.agents[name]
    if agent.signal != signal.SIGKILL or agent.attempt != life.attempt:
        raise Broken(f"{name} was killed; the log says {agent.status.value} {agent.reason} {agent.attempt}")
    _gone(name, programs)
    with EngineClient(stage.root) as asked:
        asked.ask("restart", agent=name)
    stage.back({name: life.attempt + 1})
    stage.goes_on()
    return 1


def tmux(stage: Stage, chance: random.Random) -> int:
    """The private tmux server, now and then with the engine: everybody is lost, says so, and comes back."""
    before = dict(stage.ledger.lives)
    below = {name: _below(life) for name, life in before.items()}
    pid = stage.engine.tmux_server()
    if pid is None:
        raise Broken("there is no tmux server")
    time.sleep(chance.uniform(0, _WORK_SECONDS))
    stage.ledger.lives.clear()
    killed = 1
    os.kill(pid, signal.SIGKILL)
    if chance.random() < 0.3:
        time.sleep(chance.uniform(0, _WORK_SECONDS))
        killed += stage.engine.kill()
        stage.start()
    stage.until("word of the loss of all", lambda: all(is_lost(each) for each in stage.state.agents.values()))
    for name, programs in below.items():
        _gone(name, programs)
    stage.audit()
    with EngineClient(stage.root) as asked:
        asked.ask("resume")
    stage.back({name: life.attempt + 1 for name, life in before.items()})
    stage.goes_on()
    return killed


def store(stage: Stage, chance: random.Random) -> int:
    """The server of the log, every process of it, now and then with the engine."""
    assert stage.store is not None
    time.sleep(chance.uniform(0, _WORK_SECONDS))
    stage.store.kill()
    killed = 1
    time.sleep(chance.uniform(0, _WORK_SECONDS))
    if chance.random() < 0.3:
        killed += stage.engine.kill()
    stage.store.start()
    if killed > 1:
        stage.start()
    stage.goes_on()
    return killed


def network(stage: Stage, chance: random.Random) -> int:
    """The way to the log's server is cut for a while."""
    assert stage.store is not None
    assert stage.store.network is not None
    time.sleep(chance.uniform(0, _WORK_SECONDS))
    with stage.store.network.way.cut(chance):
        time.sleep(chance.uniform(0, _CUT_SECONDS))
    stage.goes_on()
    return 1


def cut(stage: Stage, chance: random.Random) -> int:
    """The other host's way to the log's server is cut for a while; the plan's own host decides meanwhile.

    The other's agents write on. What its gates held is asked, and on the screen, once it is back.
    """
    assert isinstance(stage, TwoHosts)
    time.sleep(chance.uniform(0, _WORK_SECONDS))
    before = max(stage.state.requests, default=0)
    with stage.network.far_way.cut(chance):
        owns = stage.play.count("own")
        stage.until(f"an own write on host {FAR}", lambda: stage.play.count("own") > owns + 1)
        stage.until("an engine that takes a message", lambda: stage.voices.say() == "taken")
        if not stage.published:
            stage.publish()
        time.sleep(chance.uniform(0, _CUT_SECONDS))
    stage.until(f"a request of host {FAR}", lambda: any(each > before for each in _asked_far(stage.state)))
    if not stage.published:
        stage.bring()
    stage.voices.hush()
    stage.until(f"an open request of host {FAR}", lambda: any(_open_far(stage.state)))
    number = next(_open_far(stage.state))
    stage.terminal.home()
    shown = re.compile(rf"\b{number} +{PLAYER} → beta")
    stage.terminal.until(f"request {number} on the screen", lambda: shown.search(stage.terminal.screen()))
    stage.voices.go_on()
    stage.goes_on()
    return 1


def _asked_far(state: State) -> Iterator[int]:
    return (each.id for each in state.requests.values() if each.requester == PLAYER)


def _open_far(state: State) -> Iterator[int]:
    return (each.id for each in state.open_requests if each.requester == PLAYER)


def disk(stage: Stage, chance: random.Random) -> int:
    """The disk of the state folder is full for a while, now and then when an engine starts."""
    time.sleep(chance.uniform(0, _WORK_SECONDS))
    stage.disk.fill()
    time.sleep(chance.uniform(0, _WORK_SECONDS))
    restarted = chance.random() < 0.5
    if restarted:
        stage.engine.kill()
        stage.engine.start()
        time.sleep(chance.uniform(0, _START_SECONDS))
    else:
        time.sleep(chance.uniform(0, _CUT_SECONDS))
    stage.disk.make_room()
    if restarted:
        # One that found no room for its log has ended with words.
        stage.engine.kill()
        stage.start()
    stage.goes_on()
    return 1


def clock(stage: Stage, chance: random.Random) -> int:
    """The engine is killed, and the next one has another idea of the time; then one has the right one."""
    seconds = chance.choice((-86_400, -1200, -3, 3, 1200, 86_400))
    stage.engine.kill()
    stage.start(environment=skewed(seconds))
    stage.goes_on()
    stage.until("a record by that clock", lambda: abs(stage.state.time - time.time() - seconds) < _SLOW)
    stage.engine.kill()
    stage.start()
    stage.goes_on()
    return 2


def skewed(seconds: int) -> dict[str, str]:
    """What has an engine take the time to be so many seconds later.

    libfaketime 0.9.10 was tried: with it either no thread can sleep, or a wait with a timeout never ends.
    """
    return {"PYTHONPATH": str(Path(__file__).with_name("skew")), "CHAOS_SKEW": str(seconds)}


def _below(life: Life) -> list[tuple[int, float | None]]:
    """The processes of an agent that last, each with its start: front, server and program."""
    serving = children(life.pid)
    pids = [life.pid, *serving, *(pid for each in serving for pid in children(each))]
    return [(pid, process_start(pid)) for pid in pids]


def _gone(name: str, programs: Sequence[tuple[int, float | None]]) -> None:
    """Raises Broken when one of an agent's earlier processes is there."""
    if left := [pid for pid, started in programs if started is not None and process_start(pid) == started]:
        raise Broken(f"{name} is told to have ended, and pids {left} are at work")


BLOWS: Mapping[str, Blow] = {
    "engine": engine,
    "screen": screen,
    "server": server,
    "front": front,
    "tmux": tmux,
    "clock": clock,
    "disk": disk,
    "store": store,
    "network": network,
    "far engine": far_engine,
    "cut": cut,
}
"""By the name of what dies, or goes wrong."""
NOT_ON: Mapping[str, tuple[str, ...]] = {
    "sqlite": ("store", "network", "far engine", "cut"),
    "postgres": ("disk", "far engine", "cut"),
    # There are other agents and clocks than the plan's own host's.
    "hosts": ("disk", "tmux", "clock"),
}
"""Which of them a stage with that store knows nothing of."""
NO_KILLS = ("disk", "network", "cut")
"""Nothing is killed by these."""
