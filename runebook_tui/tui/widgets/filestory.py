"""FileStory: what is told of the selected file or folder, in words."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content

from runebook_tui.core.events import Record, Touched
from runebook_tui.core.filenews import FileNews, author_words
from runebook_tui.core.hosts import place_words
from runebook_tui.core.ownership import FileOwnership
from runebook_tui.core.sentences import KIND_WORDS, lines_changed
from runebook_tui.core.state import RequestState
from runebook_tui.core.story import Story
from runebook_tui.core.tree import File, Folder
from runebook_tui.core.types import OPERATOR
from runebook_tui.tui import glyphs
from runebook_tui.tui.text import age, safe
from runebook_tui.tui.widgets.filerow import Present, owner_word

_TOUCHES = 8
_OWNERS = 6
_LIMIT = 400


def folder_words(folder: Folder, present: Present, news: FileNews | None, now: float) -> Content:
    """How much is in a folder, whose it is, and what goes on in it."""
    lines = [safe(folder.path, glyphs.STRONG), Content(_count(folder.count, "file", "files"))]
    by_count = sorted(folder.owners.items(), key=lambda each: -each[1])
    for owner, count in by_count[:_OWNERS]:
        lines.append(safe(f"  {owner_word(owner)}: {count}", present.style(owner)))
    if len(by_count) > _OWNERS:
        lines.append(safe(f"  and {len(by_count) - _OWNERS} more", glyphs.MUTED))
    lines += _now(folder.path, present, news, now)
    if news is not None:
        lines.append(safe(f"last changed by {news.who}, {age(now - news.time)} ago"))
    return Content("\n").join(lines)


def file_words(
    file: File,
    claim: FileOwnership | None,
    story: Story | None,
    present: Present,
    news: FileNews | None,
    now: float,
) -> Content:
    """Whose a file is and why, what goes on with it, its last changes; `story` is None until it is read."""
    lines = [safe(file.path, glyphs.STRONG, limit=_LIMIT), _owned(file, claim, story, present)]
    lines += _now(file.path, present, news, now)
    if story is None:
        lines.append(Content.styled("reading its last changes …", glyphs.MUTED))
    elif not story.touches:
        lines.append(Content.styled("no change of it was seen", glyphs.MUTED))
    else:
        lines += [_change(each, now) for each in story.touches[:_TOUCHES]]
    return Content("\n").join(lines)


def _owned(file: File, claim: FileOwnership | None, story: Story | None, present: Present) -> Content:
    if file.owner == OPERATOR:
        return Content("yours, whatever the plan claims")
    if claim is None:
        return Content.styled("nobody owns it: no claim of the plan is about it", glyphs.CAUTION)
    line = None if story is None else story.claim_line
    where = f" (runebook.toml:{line})" if line else ""
    return Content.assemble(
        "owned by ",
        safe(claim.owner, present.style(claim.owner)),
        safe(f" by the claim {claim.pattern}{where}", limit=_LIMIT),
        ", shared" if claim.shared else "",
    )


def _now(path: str, present: Present, news: FileNews | None, now: float) -> Iterator[Content]:
    if (who := present.editing.get(path)) is not None:
        sign, style = glyphs.EDITING.sign, glyphs.EDITING.style
        yield Content.assemble((f"{sign} ", style), safe(f"being edited now: {who}"))
    if (request := present.requests.get(path)) is not None:
        yield _asked(request)
    if news is not None:
        lately = news.lately(now)
        told = f"{_count(news.touches, 'change', 'changes')}, lately by {', '.join(lately)}"
        if news.hot(now):
            yield Content.assemble((f"{glyphs.HOT.sign} ", glyphs.HOT.style), safe(f"hot: {told}"))
        elif len(lately) > 1:
            yield safe(told, glyphs.CAUTION)


def _asked(request: RequestState) -> Content:
    glyph = glyphs.REQUEST[request.kind]
    return Content.assemble(
        (f"{glyph.sign} ", glyph.style),
        safe(f"request {request.id}: {request.who} {KIND_WORDS[request.kind]} it; enter opens it"),
    )


def _change(record: Record, now: float) -> Content:
    event = record.event
    assert isinstance(event, Touched)
    changed = lines_changed(event.change)
    cause = f" · {event.cause}" if event.cause else ""
    lane = place_words(event.lane)
    return Content.assemble(
        (f"{age(now - record.time):>8} ago  ", glyphs.MUTED),
        safe(f"{author_words(event.author)} {changed}{lane}".rstrip()),
        safe(f" · {event.author.evidence}{cause}", glyphs.MUTED, limit=_LIMIT),
    )


def _count(number: int, one: str, more: str) -> str:
    return f"{number:,} {one if number == 1 else more}"
