"""A Markdown plan in the form of the seed document, read as a plan that runs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from pydantic import TypeAdapter, ValidationError

from runebook_tui.core.types import (
    AgentSpec,
    ExecutionPlan,
    InterfaceStub,
    Needs,
    Phase,
    PlanInfo,
    RepositoryPath,
    SharedPath,
    Task,
)
from runebook_tui.orchestrator.document import Part, Phrase, Section, sections
from runebook_tui.orchestrator.draft import (
    PLACEHOLDER,
    PLACEHOLDER_COMMENT,
    Comments,
    Draft,
    compose,
    literal_claim,
    slug,
    unused,
    usable_claim,
)
from runebook_tui.orchestrator.problems import PlanError, Problem, quoted
from runebook_tui.orchestrator.words import BUILTINS, INTERFACE_TEXTS, name_slug, significant, task_id

_PHASE = re.compile(r"phase\s+(\w+)\s*[:.–—-]?\s*(.*)", re.IGNORECASE)  # noqa: RUF001
