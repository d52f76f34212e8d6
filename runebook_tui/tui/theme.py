"""The themes: dark, light and of high contrast; colour for what needs a person and little for the rest."""

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
    panel="#1e2331",
    success="#8fce7a",
    warning="#e6c06c",
    error="#f7768e",
    dark=True,
    variables={
        "border": "#7aa2f7",
        "border-blurred": "#323a52",
        "block-cursor-background": "#263049",
        "block-cursor-foreground": "#e8ecf8",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": "#222839",
        "scrollbar": "#3b4563",
        "scrollbar-background": "#171a24",
    },
)

LIGHT = Theme(
    name="runebook-light",
    primary="#1d4f9e",
    secondary="#6a3fa0",
    accent="#a13d00",
    foreground="#1f2430",
    background="#f7f7f4",
    surface="#ffffff",
    panel="#e7e8ec",
    success="#1f6b2c",
    warning="#7a5200",
    error="#a8163a",
    dark=False,
    variables={
        "border": "#1d4f9e",
        "border-blurred": "#b9bdc9",
        "block-cursor-background": "#cfdcf5",
        "block-cursor-foreground": "#10131a",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": "#e4e9f4",
        "scrollbar": "#a9afbf",
        "scrollbar-background": "#ffffff",
        "text-success": "#1f6b2c",
        "text-primary": "#1d4f9e",
        "text-warning": "#7a5200",
        "text-error": "#a8163a",
        "text-accent": "#a13d00",
    },
)

HIGH_CONTRAST = Theme(
    name="runebook-high-contrast",
    primary="#8ec7ff",
    secondary="#d9b8ff",
    accent="#ffd24a",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#000000",
    success="#7dff7d",
    warning="#ffe066",
    error="#ffa0a0",
    dark=True,
    variables={
        "border": "#ffd24a",
        "border-blurred": "#b0b0b0",
        "block-cursor-background": "#002a4d",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-text-style": "bold",
        "block-cursor-blurred-background": "#2a2a2a",
        "scrollbar": "#ffffff",
        "scrollbar-background": "#000000",
        "text-success": "#7dff7d",
        "text-primary": "#8ec7ff",
        "text-warning": "#ffe066",
        "text-error": "#ffa0a0",
        "text-accent": "#ffd24a",
    },
)

THEMES = (RUNEBOOK, LIGHT, HIGH_CONTRAST)
NO_COLOUR = "none"
"""What `[screen] theme` says for no colour at all; so does NO_COLOR in the environment."""
