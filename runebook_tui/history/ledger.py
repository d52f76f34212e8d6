"""The records that may still explain a change, by path and bounded."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator

from runebook_tui.history.records import WriteRecord

RECORD_LIMIT = 50_000
TEXT_LIMIT = 32_000_000
"""Characters in the paths of all records."""
KEEP_SECONDS = 600.0
_CHECK_SECONDS = 10.0


class Ledger:
    """Records in the order in which they came, each once.

    A record leaves when it is used (renames stay: they may explain many paths), ten minutes after it came,
    or, the oldest first, when there are too many. It is when a record came that counts, not when it was made:
    one from an engine's absence is old at once.
    """

    def __init__(self) -> None:
        self.serial = 0
        """The number of the newest record."""
        self._records: OrderedDict[int, WriteRecord] = OrderedDict()
        self._places: dict[str, dict[int, WriteRecord]] = {}
        self._seen: set[int] = set()
        self._seen_before: set[int] = set()
        """Hashes of the records of the last five minutes, used or not, and of those of five before."""
        self._seen_at = 0.0
        self._text = 0
        self._young: deque[tuple[float, int]] = deque()
        """Times, with the newest record that had come by then."""
        self._old: deque[tuple[float, int]] = deque()
        self._aged = 0

    def __len__(self) -> int:
        return len(self._records)

    def add(self, record: WriteRecord) -> list[WriteRecord]:
        """Take a record unless it came before; returns those that had to go, unused, to make room."""
        if hash(record) in self._seen or hash(record) in self._seen_before:
            return []
        self._seen.add(hash(record))
        if len(self._seen) > RECORD_LIMIT:
            self._turn_seen()
        if not record.places:
            return []
        self.serial += 1
        self._records[self.serial] = record
        self._text += _text(record)
        for place in record.places:
            self._places.setdefault(place, {})[self.serial] = record
        lost = []
        while len(self._records) > RECORD_LIMIT or self._text > TEXT_LIMIT:
            lost.append(self._drop(next(iter(self._records))))
        return lost

    @property
    def oldest(self) -> int:
        """The number of the oldest record that is left, or of the next one."""
        return next(iter(self._records), self.serial + 1)

    def since(self, path: str, serial: int) -> list[WriteRecord]:
        """The records after `serial` that may have changed `path`, newest first.

        Of the folders above it only a rename does: a folder is empty when it is removed.
        """
        found = dict(self._after(path, serial))
        for folder in _above(path):
            found |= {number: each for number, each in self._after(folder, serial) if each.op == "rename"}
        return [found[number] for number in sorted(found, reverse=True)]

    def renames(self, path: str, serial: int) -> list[WriteRecord]:
        """The renames after `serial` to or from `path` or a folder above it."""
        places = (path, *_above(path))
        return [each for place in places for _, each in self._after(place, serial) if each.op == "rename"]

    def opens(self, path: str) -> list[WriteRecord]:
        """The unused records of opening `path` for writing."""
        return [each for _, each in self._after(path, 0) if each.opens]

    def first_later(self, path: str, serial: int, time: float) -> int | None:
        """The number of the first record of `path` after `serial` that was made after `time`."""
        later = [number for number, each in self._after(path, serial) if each.time > time]
        return later[-1] if later else None

    def use(self, path: str, until: float) -> None:
        """The records of `path` made until then have explained a change: forget them, except renames."""
        for number, record in list(self._after(path, 0)):
            if record.op != "rename" and record.time <= until:
                self._drop(number)

    def age(self, now: float) -> list[WriteRecord]:
        """Let go of what came ten minutes ago; returns what has become five minutes old.

        There are always five minutes between returning a record and letting go of it.
        """
        if not self._young or abs(now - self._young[-1][0]) >= _CHECK_SECONDS:
            self._young.append((now, self.serial))
        while self._old and now - self._old[0][0] > KEEP_SECONDS / 2:
            last = self._old.popleft()[1]
            while self._records and next(iter(self._records)) <= last:
                self._drop(next(iter(self._records)))
        if abs(now - self._seen_at) > KEEP_SECONDS / 2:
            self._seen_at = now
            self._turn_seen()
        first = self._aged + 1
        while self._young and now - self._young[0][0] > KEEP_SECONDS / 2:
            self._aged = self._young.popleft()[1]
            self._old.append((now, self._aged))
        return [self._records[each] for each in range(first, self._aged + 1) if each in self._records]

    def _turn_seen(self) -> None:
        self._seen_before, self._seen = self._seen, set()

    def _after(self, place: str, serial: int) -> Iterator[tuple[int, WriteRecord]]:
        for number, record in reversed(self._places.get(place, {}).items()):
            if number <= serial:
                return
            yield number, record

    def _drop(self, number: int) -> WriteRecord:
        record = self._records.pop(number)
        self._text -= _text(record)
        for place in record.places:
            here = self._places[place]
            del here[number]
            if not here:
                del self._places[place]
        return record


def _above(path: str) -> Iterator[str]:
    at = path.rfind("/")
    while at > 0:
        yield path[:at]
        at = path.rfind("/", 0, at)


def _text(record: WriteRecord) -> int:
    return len(record.path) + len(record.to or "")
