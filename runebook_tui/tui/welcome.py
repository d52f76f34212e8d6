"""WelcomeApp: in a repository without a plan, the plans that it could begin with, and what each would be."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from textual import getters, on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Static
from textual.worker import get_current_worker

from runebook_tui.core.printable import visible
from runebook_tui.execution.beginnings import (
    Beginning,
    Preview,
    begin,
    beginnings,
    installed_clients,
    preview,
)
from runebook_tui.git.process import Git, GitError
from runebook_tui.orchestrator.fromtree import MOST_AGENTS
from runebook_tui.orchestrator.init import InitError
from runebook_tui.orchestrator.planner import PlanError
from runebook_tui.settings import load_settings
from runebook_tui.tui import commands, glyphs
from runebook_tui.tui.bindings import bindings
from runebook_tui.tui.choices import chosen
from runebook_tui.tui.keys import welcome as keys
from runebook_tui.tui.ordered import OrderedApp
from runebook_tui.tui.text import counted, cut, edges, safe
from runebook_tui.tui.theme import RUNEBOOK, THEMES, readable, variables
from runebook_tui.tui.widgets.rows import Entry, Rows
from runebook_tui.tui.widgets.strip import KeyBar

_MOST_LINES = 2_000
_CLAIMS = 6
_NOTES = 8
_BAR = 24
_LONG = "reading the folders and the history … (esc stops)"


class WelcomeApp(OrderedApp[bool], inherit_bindings=False):
    """Ends with whether there is a plan to open. Leaving it leaves nothing behind.

    `root` is the repository, or None where `here` is in none: then a key makes one there.
    """

    TITLE = "Runebook"
    CSS_PATH = "app.tcss"
    CSS = """
    #about { height: auto; max-height: 3; padding: 0 1; background: $panel; }
    #body { height: 1fr; }
    #ways, #beside {
        height: 1fr;
        border: round $border-blurred;
        border-title-color: $foreground 80%;
        background: $surface;
    }
    #ways { width: 2fr; max-width: 60; }
    #ways:focus { border: round $border; }
    #beside { width: 3fr; padding: 0 1; }
    .-narrow #body { layout: vertical; }
    .-narrow #ways { width: 1fr; max-width: 100%; height: 12; }
    .-narrow #beside { width: 1fr; }
    """
    ENABLE_COMMAND_PALETTE = False
    BINDINGS = bindings(keys.TABLE)
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]

    rows = getters.query_one(Rows)
    whole = getters.query_one("#whole", Static)
    key_bar = getters.query_one(KeyBar)

    def __init__(self, root: Path | None, here: Path) -> None:
        super().__init__()
        self._root = root
        self._here = here
        self._beginnings: dict[str, Beginning] = {}
        self._clients = installed_clients()
        self._client = 0
        self._agents = 3
        self._shown: Preview | None = None
        self._as_text = False
        self._busy = ""

    def compose(self) -> ComposeResult:
        """What this is about, the ways to begin, what the selected one would be, the keys."""
        yield Static(id="about")
        with Horizontal(id="body"):
            yield Rows(empty="looking for what a plan can be made from …", id="ways")
            with VerticalScroll(id="beside") as beside:
                beside.can_focus = False
                yield Static(id="whole")
        yield KeyBar()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """What Textual's own themes lack."""
        return dict(variables(self.current_theme))

    def on_mount(self) -> None:
        """Look for ways to begin."""
        for theme in THEMES:
            self.register_theme(theme)
        wanted = load_settings().screen.theme or chosen("theme")
        known = self.available_themes.get(wanted)
        self.theme = wanted if known is not None and readable(known) else RUNEBOOK.name
        self.rows.border_title = Content("Begin")
        self._again()
        if self._root is not None:
            self._find(self._root)

    # ── looking ─────────────────────────────────────────────────────────────────────────────────

    @work(thread=True, exclusive=True, group="find")
    def _find(self, root: Path) -> None:
        worker = get_current_worker()
        for beginning in beginnings(root):
            if worker.is_cancelled:
                return
            self.call_from_thread(self._found, beginning)

    def _found(self, beginning: Beginning) -> None:
        self._beginnings[beginning.id] = beginning
        self.rows.show([Entry(each.id, 2, partial(_lines, each)) for each in self._beginnings.values()])

    @property
    def beginning(self) -> Beginning | None:
        """The selected way to begin."""
        return self._beginnings.get(str(self.rows.selected))

    @on(Rows.Moved)
    def _moved(self) -> None:
        self._look()

    def _look(self) -> None:
        """Work out what the selected one would be; what was asked before is not waited for."""
        beginning, root = self.beginning, self._root
        self._shown = None
        if beginning is None or root is None:
            self._again()
            return
        self._busy = _LONG if beginning.shared_out else "reading …"
        self._again()
        self._work_out(root, beginning, self._agents, self._clients[self._client])

    @work(thread=True, exclusive=True, group="look")
    def _work_out(self, root: Path, beginning: Beginning, agents: int, client: str) -> None:
        worker = get_current_worker()
        found: Preview | str
        try:
            found = preview(root, beginning, agents, client)
        except (InitError, PlanError, ValueError, OSError) as error:
            found = str(error)
        if not worker.is_cancelled:
            self.call_from_thread(self._worked_out, found)

    def _worked_out(self, found: Preview | str) -> None:
        if isinstance(found, Preview):
            self._busy, self._shown = "", found
        else:
            self._busy, self._shown = visible((found.splitlines() or ["no plan"])[0], 300), None
        self._again()

    # ── keys ────────────────────────────────────────────────────────────────────────────────────

    def action_begin(self) -> None:
        """Write the selected plan, and open it."""
        if self._root is None:
            self._say("this is not a git repository: g makes one here")
        elif self._shown is None:
            self._say("nothing to write yet")
        else:
            try:
                begin(self._root, self._shown.text)
            except (InitError, PlanError) as error:
                self._say(str(error).splitlines()[0])
            else:
                self.exit(True)

    def action_make_repository(self) -> None:
        """Make a git repository of the current folder."""
        if self._root is not None:
            self._say("this is a git repository already")
            return
        try:
            Git(self._here).run("init", "--quiet")
        except GitError as error:
            self._say(str(error))
            return
        self._root = self._here
        self._again()
        self._find(self._here)

    def action_agents(self, step: int) -> None:
        """Have one more agent, or one less."""
        if (beginning := self.beginning) is None or not beginning.shared_out:
            self._say("this plan says itself how many agents there are")
            return
        self._agents = min(max(1, self._agents + step), MOST_AGENTS)
        self._look()

    def action_client(self) -> None:
        """Have the agents run another client."""
        self._client = (self._client + 1) % len(self._clients)
        self._look()

    def action_text(self) -> None:
        """Show the plan's text, or what it makes of the tree."""
        self._as_text = not self._as_text
        self._again()

    def action_stop(self) -> None:
        """Stop what takes long; else leave."""
        if self._shown is None and self._busy == _LONG:
            self.workers.cancel_group(self, "look")
            self._busy = "stopped: choose another, or press + or - to look again"
            self._again()
        else:
            self.exit(False)

    def action_leave(self) -> None:
        """Leave; nothing was written."""
        self.exit(False)

    def _say(self, words: str) -> None:
        self.notify(visible(words, 300), severity="warning", markup=False, timeout=6)

    # ── drawing ─────────────────────────────────────────────────────────────────────────────────

    def _again(self) -> None:
        """Draw everything that is known."""
        about = self.query_one("#about", Static)
        place = self._root or self._here
        if self._root is None:
            what = "is not in a git repository, by which Runebook tells what changed: g makes one here."
        else:
            what = "has no plan yet. A plan says which agents work here, and which files are whose."
        about.update(Content.assemble(safe(cut(str(place), 100), glyphs.STRONG), " ", (what, glyphs.MUTED)))
        if self._shown is None:
            self.whole.update(safe(self._busy, glyphs.MUTED))
        elif self._as_text:
            text = self._shown.text.splitlines()[:_MOST_LINES]
            self.whole.update(Content("\n").join([safe(line) for line in text]))
        else:
            self.whole.update(Content("\n").join(list(_whole(self._shown))))
        self.key_bar.keys = tuple(self._offered())

    def _offered(self) -> list[tuple[str, str]]:
        signs = {each.id: commands.key_sign(each.key) for each in keys.TABLE}
        words: list[tuple[str, str]] = []
        if self._root is None:
            words.append(("welcome.repository", "make a git repository here"))
        if self._shown is not None:
            words.append(("welcome.begin", "write runebook.toml and begin"))
            words.append(("welcome.text", "what it makes of the tree" if self._as_text else "its text"))
        if self.beginning is not None:
            if self.beginning.shared_out:
                words.append(("welcome.more", f"more agents ({self._agents})"))
                words.append(("welcome.fewer", "fewer"))
            words.append(("welcome.client", f"they run: {self._clients[self._client]}"))
        words.append(("welcome.leave", "leave"))
        return [(signs[name], word) for name, word in words]


def _lines(beginning: Beginning, width: int) -> list[Content]:
    return [
        edges(safe(cut(beginning.title, 120), glyphs.STRONG), Content(), width),
        edges(safe(f"  {beginning.words}", glyphs.MUTED), Content(), width),
    ]


def _whole(shown: Preview) -> list[Content]:
    """The agents with their files, what nobody owns, and what is to be known."""
    plan = shown.plan
    unowned = sum(each.files for each in shown.coverage.unowned)
    most = max((*(number for _, number in shown.owned), unowned, 1))
    agents, phases = counted(len(plan.agents), "agent"), counted(len(plan.phases), "phase")
    lines = [Content.styled(f"{agents} in {phases}", glyphs.STRONG), Content()]
    for agent, (name, number) in zip(plan.agents, shown.owned, strict=True):
        runs = agent.client or agent.builtin or (agent.command or ("",))[0]
        bar = glyphs.BAR_DONE.sign * max(1 if number else 0, round(_BAR * number / most))
        row = (safe(f"{name:<16} "), (f"{bar:<{_BAR}} ", glyphs.GOOD), f"{counted(number, 'file'):>11}  ")
        lines.append(Content.assemble(*row, safe(runs, glyphs.MUTED)))
        more = len(agent.claims) - _CLAIMS
        claims = ", ".join(agent.claims[:_CLAIMS]) + (f" and {more} more" if more > 0 else "")
        lines.append(safe(f"    {claims or 'owns nothing'}", glyphs.MUTED))
    bar = glyphs.BAR_OPEN.sign * max(1 if unowned else 0, round(_BAR * unowned / most))
    last = f" {bar:<{_BAR}} {counted(unowned, 'file'):>11}"
    lines.append(Content.assemble((f"{'nobody':<16}", glyphs.MUTED), last))
    if shown.coverage.unowned:
        where = ", ".join(each.folder or "at the top" for each in shown.coverage.unowned[:_CLAIMS])
        lines.append(safe(f"    {where}: everybody may write these", glyphs.MUTED))
    if shown.notes:
        lines += [Content(), Content.styled("To know", glyphs.STRONG)]
        lines += [safe(f"· {note}", limit=300) for note in shown.notes[:_NOTES]]
        if (more := len(shown.notes) - _NOTES) > 0:
            lines.append(safe(f"· and {more} more; `runebook-tui check` says all", glyphs.MUTED))
    return lines
