"""Analysis: whether a language model may be asked about failures, by the plan."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from runebook_tui.core.value import Value


class AnalysisPolicy(Value):
    """Whether and how the analysis asks a language model. Without an endpoint it asks none."""

    endpoint: Annotated[str, Field(max_length=500, pattern=r"^(https?://[^\s]+)?$")] = ""
    """The base of an OpenAI-compatible interface, such as "http://127.0.0.1:11434/v1"; "" asks no model."""
    model: Annotated[str, Field(max_length=200)] = ""
    """The model's name at that endpoint."""
    key_variable: Annotated[str, Field(max_length=100, pattern=r"^\w*$")] = ""
    """The environment variable of the analysis agent that holds the key; "" for none."""
    budget_tokens: Annotated[int, Field(ge=0, le=1_000_000_000)] = 50_000
    """How many tokens, asked and answered, the analysis may use in all."""
    ask: bool = True
    """Whether you see each text and apply it before it is sent."""
