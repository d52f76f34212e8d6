"""Fact: what every event is."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Fact(BaseModel):
    """Something that happened. Unknown fields are passed over, so that an older program reads a newer log."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)
