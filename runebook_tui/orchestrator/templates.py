"""Plans to begin with: `runebook`, the plan of the seed document, and `coders`, a few coding agents."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

from runebook_tui.orchestrator.draft import literal_claim, plan_name, toml_text, usable_claim

TEMPLATES = ("coders", "runebook")

_TESTS = frozenset({"test", "tests", "testing", "spec", "specs", "__tests__", "e2e"})
_WRITING = frozenset({"doc", "docs", "documentation", "examples", "site", "website"})


def render(template: str, repository_name: str, folders: Sequence[str] = ()) -> str:
    """The text of a template for a repository with these top-level folders.

    Raises ValueError for a template that does not exist.
    """
    if template not in TEMPLATES:
        raise ValueError(f"there is no template {template!r}; there is {' and '.join(TEMPLATES)}")
    file = resources.files("runebook_tui.orchestrator").joinpath("templates", f"{template}.toml")
    text = file.read_text("utf-8").replace("{{name}}", toml_text(plan_name(repository_name)))
    if template == "coders":
        for who, claims in zip(("alpha", "beta", "gamma"), _shares(folders), strict=True):
            text = text.replace(f"  {{{{{who}}}}}\n", "".join(f"  {toml_text(claim)},\n" for claim in claims))
    return text


def _shares(folders: Sequence[str]) -> tuple[list[str], list[str], list[str]]:
    """The folders as claims of three agents: code for the first two, tests and prose for the third."""
    if not folders:
        return ["src/**"], ["lib/**"], ["tests/**", "docs/**"]
    code: list[str] = []
    rest: list[str] = []
    for folder in sorted(set(folders)):
        claim = literal_claim(f"{folder}/")
        if folder and not folder.startswith(".") and "/" not in folder and usable_claim(claim):
            (rest if folder.lower() in _TESTS | _WRITING else code).append(claim)
    return code[::2], code[1::2], rest
