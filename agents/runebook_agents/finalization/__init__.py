"""Finalization: runs the plan's acceptance commands as files change, and keeps their list true."""

from runebook_agents.finalization.agent import Finalization as Finalization
