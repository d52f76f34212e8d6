"""Widening: which edits of the plan give a requester for good what a request asks for. Pure."""

from __future__ import annotations

from runebook_tui.core.aftermath import Means
from runebook_tui.core.ownership import operators_own
from runebook_tui.core.planedits import AddClaim, AddMayWrite, EditError, PlanEdit, literal, transfer
from runebook_tui.core.state import RequestState, State


def plan_edits(state: State, request: RequestState, means: Means) -> tuple[PlanEdit, ...]:
    """The edits by which the request would not have to be asked again.

    Widened, the requester may write these files and they stay their owner's; what nobody owns it then claims.
    Transferred, they are the requester's own: its claim is the most exact one, and a claim of the former
    owner that is written exactly so goes. Raises EditError where a plan cannot say it.
    """
    agent = request.requester
    if agent is None:
        raise EditError(f"request {request.id} has no certain author")
    edits: list[PlanEdit] = []
    for path in request.paths:
        if operators_own(path, agent):
            raise EditError(f"{path} belongs to the operator, whatever a plan says")
        claim = state.owners.owner_of(path)
        if means == "transferred":
            edits += transfer(state.plan, path, agent)
        elif claim is None:
            edits.append(AddClaim(agent, literal(path)))
        else:
            edits.append(AddMayWrite(agent, literal(path)))
    return tuple(edits)
