"""Runebook: mission control for several coding agents working on one repository."""

__version__ = "0.1.0"
