"""The theme "runebook": dark, with colour for what needs a person and little for the rest."""

from __future__ import annotations

from textual.theme import Theme

RUNEBOOK = Theme(
    name="runebook",
    primary="#7aa2f7",
    secondary="#9d7cd8",
    accent="#ff9e64",
    foreground="#c8d0e8",
    background="#12141c",
    surface="#171a24",
    panel="#202534",
    success="#8fce7a",
    warning="#e6c06c",
    error="#f7768e",
    dark=True,
    variables={
        "border": "#7aa2f7",
        "border-blurred": "#323a52",
        "block-cursor-background": "#2b3552",
        "block-cursor-foreground": "#e8ecf8",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": "#222839",
        "scrollbar": "#3b4563",
        "scrollbar-background": "#171a24",
    },
)
