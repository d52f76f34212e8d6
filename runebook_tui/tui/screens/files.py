"""FilesScreen: every file of the repository: whose it is, who changed it last, what goes on with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from textual import getters, on, work
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.timer import Timer
from textual.widget import Widget

from runebook_tui.core.events import Record, Touched
from runebook_tui.core.filenews import News
from runebook_tui.core.hosts import is_lane
from runebook_tui.core.ownership import OwnershipManager
from runebook_tui.core.printable import visible
from runebook_tui.core.story import Story
from runebook_tui.core.tree import File, Folder, Row, Tree
from runebook_tui.core.types import ExecutionPlan
from runebook_tui.tui.backend import Backend, BackendError
from runebook_tui.tui.growing import STEP, grown, owned, told
from runebook_tui.tui.screens.mode import ModeScreen
from runebook_tui.tui.screens.request_keys import RequestKeys
from runebook_tui.tui.widgets.diff import DiffView
from runebook_tui.tui.widgets.filerow import Present, file_line
from runebook_tui.tui.widgets.filestory import file_words, folder_words
from runebook_tui.tui.widgets.rows import Entry, Lines, Rows
from runebook_tui.tui.widgets.words import Words, entitle

_ORDERS = {"name": "by name", "change": "latest change first", "heat": "hottest first"}
_EMPTY = "no file is here yet that git does not ignore"
_UNCHANGED = "nothing has changed yet: t shows the files by name"
_SHOWN = 2_000
"""Files that a filter or an order other than by name shows."""
_SMALL = 60
"""A tree of at most so many files is unfolded at first."""
_OLD_SECONDS = 60.0
"""The tree is read anew when it is gone to after so long."""
_REST_SECONDS = 0.15
"""How long a file must be selected before its story is read."""


class FilesScreen(ModeScreen):
    """The tree, and beside it the selected file: the rule that decides, its last changes, the newest diff."""

    MODE = "files"
    AUTO_FOCUS = "#list"

    rows = getters.query_one("#list", Rows)
    whole = getters.query_one("#whole", Words)
    change = getters.query_one("#change", DiffView)

    def __init__(self, backend: Backend, now: Callable[[], float]) -> None:
        super().__init__(backend, now)
        self._tree = Tree()
        self._news = News()
        self._plan: ExecutionPlan | None = None
        """The plan that the owners in the tree are of; None until the tree is read."""
        self._reading: object | None = None
        """The reading that goes on."""
        self._read_at = 0.0
        """When it was read last, unix seconds."""
        self._owners = OwnershipManager(())
        self._seq = 0
        """The newest record that the news are of."""
        self._order = "name"
        self._opened: set[str] = set()
        """The folders that are unfolded."""
        self._version = 0
        """Counts the changes of the tree and of what is unfolded."""
        self._drawn: object = None
        """What the rows were made of, but for news."""
        self._present = Present()
        self._story: tuple[str, Story] | None = None
        self._told = 0
        """How many changes of the file were known when its story was read."""
        self._rest: Timer | None = None

    def body(self) -> Iterable[Widget]:
        """The list; the words and the diff of the selected one."""
        rows = Rows(empty="reading the files …", id="list")
        whole = VerticalScroll(Words(id="whole"), id="beside")
        whole.can_focus = False
        diff = DiffView(id="change")
        diff.border_title = Content("Latest change")
        yield Horizontal(rows, Vertical(whole, diff, id="told"))

    @property
    def node(self) -> File | Folder | None:
        """The selected file or folder."""
        path = self.rows.selected
        if not isinstance(path, str):
            return None
        return self._tree.folder(path) if path.endswith("/") else self._tree.get(path)

    # ── reading ─────────────────────────────────────────────────────────────────────────────────

    @work(exclusive=True, group="files")
    async def _read(self, plan: ExecutionPlan) -> None:
        """Read the tree, then what happened to it; until there is a tree, say how far it is."""
        reading = self._reading = object()
        self._plan, self._read_at = plan, self.now()
        seq, first = self.view.state.seq, not len(self._tree)
        owners = OwnershipManager(plan.ownership)
        try:
            paths = await self.backend.files()
            tree = await grown(owners, paths, partial(self._tell_progress, len(paths)))
            self._owners, self._tree = owners, tree
            if first:
                self._unfold()
                self._changed()
            touched = await self.backend.touches(0)
            self._news = await told(touched)
        except BackendError as error:
            self.notify(visible(str(error)), severity="error", markup=False)
            return
        finally:
            if self._reading is reading:
                self._reading = self._drawn = None
        for record in touched:
            if record.seq > seq:
                self._move(record)
        self._seq = max(seq, touched[-1].seq if touched else 0)
        self._version += 1
        self._fresh()

    def _tell_progress(self, total: int, done: int) -> None:
        if total > STEP:
            stops = "" if len(self._tree) else " · esc stops"
            entitle(self.rows, Content("Files"), Content(f"reading {done:,} of {total:,}{stops}"))

    def _unfold(self) -> None:
        """Unfold a tree that was not shown before, as far as it is small."""
        unfolded = self._tree.rows(None if len(self._tree) <= _SMALL else ())
        opened = {row.node.path for row in unfolded if isinstance(row.node, Folder) and row.open}
        self._opened = self._opened or opened

    @work(exclusive=True, group="news")
    async def _catch_up(self) -> None:
        """Read the changes that came faster than the view keeps them."""
        seq = self.view.state.seq
        try:
            missed = await self.backend.touches(self._seq)
        except BackendError as error:
            self.notify(visible(str(error)), severity="error", markup=False)
            return
        moved = self._take(missed)
        self._seq = max(self._seq, seq)
        self._version += moved
        self._show()

    def _take(self, records: Iterable[Record]) -> bool:
        """Take up records; whether files came or went."""
        moved = False
        for record in records:
            if record.seq > self._seq:
                self._seq = record.seq
                self._news.tell(record)
                moved = self._move(record) or moved
        return moved

    def _move(self, record: Record) -> bool:
        """Let the record's file come or go, and say whether it did."""
        if not isinstance(record.event, Touched) or is_lane(record.event.lane):
            return False
        path = record.event.change.path
        there = record.event.change.after.kind != "absent"
        if there == (path in self._tree):
            return False
        if there:
            self._tree.add(owned(self._owners, path))
        else:
            self._tree.remove(path)
        return True

    # ── drawing ─────────────────────────────────────────────────────────────────────────────────

    def draw(self) -> None:
        """Show what there is; with a new plan, find the owners anew."""
        if not self.view.loaded:
            return
        if self._plan is not self.view.state.plan:
            self._read(self.view.state.plan)
        if self._plan is None or self._reading is not None:
            self._show(anew=False)
            return
        fresh = [record for record in self.view.recent if record.seq > self._seq]
        if fresh and fresh[0].seq > self._seq + 1:
            self._catch_up()
        elif self._take(fresh):
            self._version += 1
        self._show(anew=bool(fresh))

    def on_screen_resume(self) -> None:
        """What git ignores may have changed while another mode was looked at."""
        super().on_screen_resume()
        if self._plan is None and self.view.loaded:
            self._read(self.view.state.plan)
        elif self._plan is not None and self._reading is None and self.now() - self._read_at > _OLD_SECONDS:
            self._read(self._plan)

    def _changed(self) -> None:
        self._version += 1
        self._show()
        self.offer()

    def _show(self, *, anew: bool = True) -> None:
        """Draw the rows; they are made anew only where others are to be shown."""
        self._present = Present.of(self.view.state, self.now())
        made_of = (self._version, self._order, self.wanted)
        if made_of != self._drawn or (anew and self._order != "name"):
            self._drawn = made_of
            rows, all_of_them = self._rows()
            if self._version:
                self.rows.empty = self.none(_EMPTY if self._as_tree else _UNCHANGED)
            self.rows.show(Lines(rows, self._entry))
            shown = f", the first {_SHOWN:,}" if all_of_them > _SHOWN and not self._as_tree else ""
            entitle(self.rows, Content(f"Files · {all_of_them:,}"), Content(_ORDERS[self._order] + shown))
        else:
            self.rows.redraw()
        self._show_selected()

    @property
    def _as_tree(self) -> bool:
        return self._order == "name" and not self.wanted

    def _rows(self) -> tuple[list[Row], int]:
        """The rows to show, and of how many files they are."""
        if self._as_tree:
            return self._tree.rows(self._opened), len(self._tree)
        told = self._news.files()
        if self._order == "name":
            wrote = {path for path, news in told.items() if self.matches(*news.authors)}
            found = [each for each in self._tree if self.wanted in each.search or each.path in wrote]
            return Tree(found[:_SHOWN]).rows(None), len(found)
        now = self.now()
        changed = [
            (news.time if self._order == "change" else news.heat(now), file)
            for path, news in told.items()
            if (file := self._tree.get(path)) is not None and self.matches(file.search, *news.authors)
        ]
        changed.sort(key=lambda each: each[0], reverse=True)
        return [Row(file, 0) for _, file in changed[:_SHOWN]], len(changed)

    def _entry(self, row: Row) -> Entry:
        return Entry(row.node.path, 1, partial(self._line, row))

    def _line(self, row: Row, width: int) -> list[Content]:
        whole = self._order != "name"
        return [file_line(row, self._present, self._news, self.now(), width, whole=whole)]

    def tick(self) -> None:
        """Times go on, and what was being edited is not any more."""
        super().tick()
        if self.is_current and self._plan is not None:
            self._show(anew=False)

    def _show_selected(self) -> None:
        node, now = self.node, self.now()
        if node is None:
            self.whole.update(Content())
            return
        news = self._news.get(node.path)
        if isinstance(node, Folder):
            self.whole.update(folder_words(node, self._present, news, now))
            return
        story = self._story[1] if self._story is not None and self._story[0] == node.path else None
        if story is not None and news is not None and news.touches != self._told:
            self._soon()
        claim = self._owners.owner_of(node.path)
        self.whole.update(file_words(node, claim, story, self._present, news, now))

    @on(Rows.Moved, "#list")
    def _moved(self) -> None:
        self.change.display = False
        self._show_selected()
        self._soon()
        self.offer()

    def _soon(self) -> None:
        """Read the selected file's story, unless another one is selected at once."""
        if self._rest is not None:
            self._rest.stop()
        self._rest = self.set_timer(_REST_SECONDS, self._tell)

    @work(exclusive=True, group="story")
    async def _tell(self) -> None:
        if not isinstance(node := self.node, File):
            return
        claim, news = self._owners.owner_of(node.path), self._news.get(node.path)
        told = 0 if news is None else news.touches
        try:
            story = await self.backend.story(node.path, None if claim is None else claim.pattern)
        except BackendError as error:
            self.notify(visible(str(error)), severity="error", markup=False)
            return
        if self.rows.selected == node.path:
            self._story, self._told = (node.path, story), told
            self.change.show_diff(story.diff, [])
            self.change.display = bool(story.diff)
            self._show_selected()

    # ── the keys ────────────────────────────────────────────────────────────────────────────────

    def offered(self) -> Iterable[tuple[str, str]]:
        """What the keys do with the selected one."""
        if isinstance(node := self.node, Folder) and self._as_tree:
            yield "file.open", "fold" if node.path in self._opened else "unfold"
        elif isinstance(node, File):
            if (request := self._present.requests.get(node.path)) is not None:
                yield "file.open", f"open request {request.id}"
            yield "file.lines", "who wrote it"
            yield "file.edit", "edit"
        yield "file.order", "order"
        yield "mode.filter", "filter"
        yield "mode.back", "back"

    def action_back(self) -> None:
        """Also end a first reading that goes on; it begins anew when the files are gone to again."""
        if self._reading is not None and not len(self._tree) and not self.filter.display:
            self.workers.cancel_group(self, "files")
            self._plan = None
        super().action_back()

    def action_open(self) -> None:
        """Open the request about the file, or fold or unfold the folder."""
        if isinstance(node := self.node, Folder):
            self._fold(node.path, fold=node.path in self._opened)
        elif node is not None and (request := self._present.requests.get(node.path)) is not None:
            self.post_message(RequestKeys.CardWanted(request))
        else:
            self.say("no open request is about this file")

    def action_unfold(self) -> None:
        """Unfold the folder, else go to what is in it."""
        if isinstance(node := self.node, Folder) and node.path not in self._opened:
            self._fold(node.path, fold=False)
        elif isinstance(node, Folder):
            self.rows.action_move(1)

    def action_fold(self) -> None:
        """Fold the folder, else go to the folder around."""
        node = self.node
        if node is None or not self._as_tree:
            return
        if isinstance(node, Folder) and node.path in self._opened:
            self._fold(node.path, fold=True)
        else:
            above = node.path.rstrip("/").rpartition("/")[0]
            self.rows.select(f"{above}/", by_hand=True)

    def _fold(self, path: str, *, fold: bool) -> None:
        if not self._as_tree:
            self.say("folders fold by name and without a filter")
            return
        (self._opened.discard if fold else self._opened.add)(path)
        self._changed()

    def turned(self) -> Mapping[str, str]:
        """The order, and the unfolded folders, one a line."""
        return {"order": self._order, "unfolded": "\n".join(sorted(self._opened))}

    def turn(self, turned: Mapping[str, str]) -> None:
        """Take the order, and unfold the folders."""
        self._order = turned["order"] if turned.get("order") in _ORDERS else self._order
        self._opened = set(turned.get("unfolded", "").split("\n"))
        self._changed()

    def action_order(self) -> None:
        """The next order."""
        orders = list(_ORDERS)
        self._order = orders[(orders.index(self._order) + 1) % len(orders)]
        self._changed()

    def action_lines(self) -> None:
        """Show who wrote each line of the selected file."""
        from runebook_tui.tui.screens.lines import LinesScreen

        if isinstance(node := self.node, File):
            self.app.push_screen(LinesScreen(node.path, self.backend, self.now))
        else:
            self.say("select a file to see who wrote its lines")

    def action_edit(self) -> None:
        """Open the selected file in the operator's editor; the screen comes back when that ends."""
        if isinstance(node := self.node, File):
            self.post_message(self.PlaceWanted(node.path))
        else:
            self.say("select a file to edit it")
