"""Forgetting in PostgreSQL: only the owner of the tables may, since the role of `store init` only adds."""

from __future__ import annotations

from collections import Counter

from runebook_tui.core.forgetting import Old
from runebook_tui.log.eventlog import LogError
from runebook_tui.log.link import Link

_RIGHT = "SELECT has_table_privilege('event', 'DELETE')"
_NEWEST = (
    "SELECT path, max(seq) FROM event WHERE type = 'Touched' AND seq > %s AND seq < %s AND path IS NOT NULL"
    " GROUP BY path"
)
_FORGET = (
    "WITH bound AS (SELECT * FROM unnest(%s::bytea[], %s::bigint[]) AS bound (path, seq)),"
    " went AS (DELETE FROM event USING bound WHERE event.path IS NOT NULL"
    " AND sha256(event.path) = sha256(bound.path) AND event.seq < bound.seq RETURNING event.run)"
    " SELECT run, count(*) FROM went GROUP BY run"
)


def forget_touches(link: Link, old: Old, place: str) -> Counter[int]:
    """Remove what EventLog.forget removes; how many touches went, by run.

    The caller has the transaction. Raises LogError for a user that may not.
    """
    if link.execute(_RIGHT).fetchone() != (True,):
        raise LogError(
            f"the log in {place}: this user may only add to it; `log trim` needs the address of the user"
            " that `store init` was run as"
        )
    newest = link.execute(_NEWEST, (old.after, old.before)).fetchall()
    bounds = [(bytes(path), last + 1 if last in old.gone else last) for path, last in newest]
    if not bounds:
        return Counter()
    paths, seqs = zip(*bounds, strict=True)
    return Counter(dict(link.execute(_FORGET, (list(paths), list(seqs))).fetchall()))
