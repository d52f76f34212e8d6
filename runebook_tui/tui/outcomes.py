"""Outcomes: what became of an answer to requests, of an undo or of taking back, in words for the operator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_SHOWN = 3


@dataclass(frozen=True)
class Outcome:
    """One thing to say."""

    done: bool
    title: str
    words: str


def outcomes(do: str, answer: Mapping[str, object]) -> Iterator[Outcome]:
    """What there is to say of the engine's answer to `do`; nothing when all went as the key said."""
    if do == "take-back":
        yield from _taken_back(answer)
    elif isinstance(answer.get("requests"), list):
        yield from _together(do, answer)
    elif do == "restore":
        yield from _restored(answer)
    else:
        yield from _undo(answer, "not undone" if do == "undo" else "rejected, but not undone")


def _restored(answer: Mapping[str, object]) -> Iterator[Outcome]:
    """What an undo had removed and is back."""
    done, refused = _list(answer.get("done")), _dict(answer.get("refused"))
    if done:
        yield Outcome(True, f"{answer.get('undo')} restored", _listed([str(path) for path in done]))
    if refused:
        yield Outcome(
            False, "not restored", _listed([f"{path}: {why}" for path, why in refused.items()], "; ")
        )


def _undo(answer: Mapping[str, object], failed: str = "rejected, but not undone") -> Iterator[Outcome]:
    """An undo, by itself or with a rejection; `failed` is said of what could not be undone."""
    undo, done, refused = answer.get("undo"), answer.get("done"), answer.get("refused")
    if isinstance(done, list) and done:
        back = f"`runebook-tui undo --restore {undo}` brings it back"
        yield Outcome(True, f"undone as {undo}", f"{_listed(done)}; {back}")
    if isinstance(refused, dict) and refused:
        path, reason = next(iter(refused.items()))
        more = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
        kept = answer.get("refused_patch")
        patch = f"; the change is kept in {kept}" if kept else ""
        yield Outcome(False, failed, f"{path}: {reason}{more}{patch}")


def _together(do: str, answer: Mapping[str, object]) -> Iterator[Outcome]:
    """Several requests that were decided by one key: how many, and why not the others."""
    decided, refused = _objects(answer.get("requests")), answer.get("refused")
    if decided:
        numbers = [str(each.get("request")) for each in decided]
        yield Outcome(True, f"{_VERBS.get(do, do)} {_counted(len(decided))}", _listed(numbers))
    for each in decided:
        yield from (outcome for outcome in _undo(each) if not outcome.done)
    if isinstance(refused, dict) and refused:
        reasons = [str(reason) for reason in refused.values()]
        words = _listed(reasons, "; ")
        yield Outcome(False, f"{_counted(len(refused))} not decided", words)


def _taken_back(answer: Mapping[str, object]) -> Iterator[Outcome]:
    """A decision that was taken back: what is open again, and what came back with it."""
    numbers = [str(each.get("request")) for each in _objects(answer.get("requests"))]
    one = len(numbers) == 1
    words = [f"request{'' if one else 's'} {_listed(numbers)} {'is' if one else 'are'} open again"]
    restored = _objects(answer.get("restored"))
    back = [str(path) for each in restored for path in _list(each.get("done"))]
    if back:
        words.append(f"brought back: {_listed(back)}")
    if answer.get("plan_restored"):
        words.append("the plan's file is as it was before")
    yield Outcome(True, "taken back", "; ".join(words))
    lost = {path: why for each in restored for path, why in _dict(each.get("refused")).items()}
    if lost:
        reasons = [f"{path}: {why}" for path, why in lost.items()]
        yield Outcome(False, "taken back, but not brought back", _listed(reasons, "; "))


_VERBS = {"approve": "approved", "reject": "rejected", "disown": "withdrawn:"}


def _counted(count: int) -> str:
    return f"{count} request{'' if count == 1 else 's'}"


def _objects(value: object) -> list[dict[str, object]]:
    return [each for each in _list(value) if isinstance(each, dict)]


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _dict(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _listed(words: list[str], between: str = ", ") -> str:
    more = f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
    return between.join(words[:_SHOWN]) + more
