"""SpeakingKeys: what the keys do by which the operator speaks to agents, and answers what they ask."""

from __future__ import annotations

from textual.message import Message

from runebook_tui.core.questions import Question
from runebook_tui.core.speech import Answer
from runebook_tui.core.state import AgentState
from runebook_tui.tui.screens.request_keys import NO_ENGINE, RequestKeys


class SpeakingKeys(RequestKeys):
    """A screen with requests, questions of agents' clients, and a selected agent."""

    class SayWanted(Message):
        """The operator wants to say something to `agents`; with `several` to choose whom."""

        def __init__(self, agents: tuple[str, ...], *, several: bool) -> None:
            super().__init__()
            self.agents = agents
            self.several = several

    class AnswerWanted(Message):
        """The operator answered what an agent's client asks."""

        def __init__(self, question: Question, answer: Answer) -> None:
            super().__init__()
            self.question = question
            self.answer = answer

    @property
    def agent(self) -> AgentState | None:
        """The selected agent."""
        raise NotImplementedError

    def action_approve(self) -> None:
        """Say yes to the selected question, else approve."""
        if not self._answers("yes"):
            super().action_approve()

    def action_reject(self) -> None:
        """Say no to the selected question, else reject."""
        if not self._answers("no"):
            super().action_reject()

    def _answers(self, answer: Answer) -> bool:
        """Whether a question is selected, which is answered then."""
        asked = self.requests.question
        if asked is None or self.requests.marked:
            return False
        refusal = self.requests.refusal() if self.view.engine_alive else NO_ENGINE
        if refusal is None:
            self.requests.answered(asked)
            self.post_message(self.AnswerWanted(asked, answer))
        else:
            self.say(refusal)
        return True

    def action_say(self) -> None:
        """Say something to the selected agent."""
        agent = self.agent
        if not self.view.engine_alive:
            self.say(NO_ENGINE)
        elif agent is None:
            self.say("no agent is selected")
        elif not agent.alive:
            self.say(f"{agent.id} is not running")
        else:
            self.post_message(self.SayWanted((agent.id,), several=False))

    def action_say_several(self) -> None:
        """Say something to several agents: all that run, at first."""
        running = tuple(agent.id for agent in self.view.state.live_agents())
        if not self.view.engine_alive:
            self.say(NO_ENGINE)
        elif not running:
            self.say("no agent is running")
        else:
            self.post_message(self.SayWanted(running, several=True))
