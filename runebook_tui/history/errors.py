"""What can go wrong in the history.

HistoryError
├── StoreError   the disk refused an object
└── GitError     git could not be asked
"""

from __future__ import annotations


class HistoryError(Exception):
    """The history cannot do what it was asked; the text is one line for people."""


class StoreError(HistoryError):
    """An object cannot be written or made room for."""


class GitError(HistoryError):
    """Git is missing, refuses the folder, or answered something unexpected."""
