"""What can go wrong in the history.

HistoryError
├── StoreError     the disk refused an object
├── GitError       git could not be asked
├── RewriteError   a path was left as it is
└── UndoError      a change cannot be taken back
"""

from __future__ import annotations


class HistoryError(Exception):
    """The history cannot do what it was asked; the text is one line for people."""


class StoreError(HistoryError):
    """An object cannot be written or made room for."""


class GitError(HistoryError):
    """Git is missing, refuses the folder, or answered something unexpected."""


class RewriteError(HistoryError):
    """What is at a path cannot be replaced, and was left as it is."""


class UndoError(HistoryError):
    """A change of a path cannot be taken back, and why."""
