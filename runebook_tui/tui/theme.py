"""The themes: dark, light and of high contrast; colour for what needs a person and little for the rest."""

from __future__ import annotations

from collections.abc import Mapping

from textual.color import Color
from textual.theme import Theme

_DARK = (
    "#92c1fd", "#7acf7e", "#fea668", "#c690ec", "#d3bf46",
    "#00e0e0", "#fe98ca", "#a9b0fd", "#a9cd63", "#f68486",
)  # fmt: skip
_LIGHT = (
    "#004b97", "#045e17", "#773a00", "#643185", "#584e05",
    "#055959", "#812258", "#413e96", "#405601", "#89202b",
)  # fmt: skip
_BRIGHT = (
    "#b3d4ff", "#9ee6a0", "#fdc39c", "#e3c1fe", "#e3d372",
    "#5de9e9", "#fdbbd9", "#c7cdff", "#bfdf86", "#ffbebd",
)  # fmt: skip
OWNERS = tuple(f"$owner-{number}" for number in range(1, len(_DARK) + 1))
"""The colours of owners: ten hues of the same lightness (OKLCH), neighbours far from each other."""
_SELECTED, _BLURRED = 0.11, 0.06
"""How much a selected row differs from its ground, with the focus and without."""


def _owners(colours: tuple[str, ...]) -> dict[str, str]:
    return {name.removeprefix("$"): colour for name, colour in zip(OWNERS, colours, strict=True)}


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
        **_owners(_DARK),
        "row-selected": "#263049",
        "row-blurred": "#222839",
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
        **_owners(_LIGHT),
        "row-selected": "#cfdcf5",
        "row-blurred": "#e4e9f4",
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
        **_owners(_BRIGHT),
        "row-selected": "#002a4d",
        "row-blurred": "#2a2a2a",
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


def readable(theme: Theme) -> bool:
    """Whether every row can be read: the terminal's own 16 colours cannot be mixed for the selected one."""
    return not theme.ansi


def variables(theme: Theme) -> Mapping[str, str]:
    """What a theme of Textual's lacks: colours for owners, and a selected row on which all are read."""
    ground = Color.parse(theme.to_color_system().generate()["surface"])
    ink = Color.parse("#ffffff" if theme.dark else "#000000")
    return {
        **_owners(_BRIGHT if theme.dark else _LIGHT),
        "row-selected": ground.blend(ink, _SELECTED).hex,
        "row-blurred": ground.blend(ink, _BLURRED).hex,
    }
