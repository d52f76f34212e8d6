"""Speakers that are no agent of a plan; no agent may take their names."""

from __future__ import annotations

OPERATOR = "operator"
"""The speaker and author that is a person, not an agent."""
ENGINE = "engine"
