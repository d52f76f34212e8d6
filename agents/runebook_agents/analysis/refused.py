"""Refusals: what the log says of writes that were refused, in the words that the refused program read."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from runebook_agents.analysis.failure import Failure, plain

KEPT = 500
TYPES = ("CoordinationRequest", "CoordinationResponse", "AttemptRefused")


class Refused:
    """Remembers requests, so that a rejection can be told as the failure that it is."""

    def __init__(self) -> None:
        self._requests: OrderedDict[int, Mapping[str, Any]] = OrderedDict()

    def failure(self, record: Mapping[str, Any]) -> Failure | None:
        """The failure that `record` is about, if it is a refusal."""
        match record.get("type"):
            case "CoordinationRequest":
                self._requests[int(record["request"])] = record
                if len(self._requests) > KEPT:
                    self._requests.popitem(last=False)
            case "CoordinationResponse" if record.get("decision") == "rejected":
                asked = self._requests.get(int(record["request"]))
                if asked is not None and asked.get("crossings") and asked.get("requester"):
                    first = asked["crossings"][0]
                    whose = f"{first['path']} is {first.get('owner') or 'nobody'}'s"
                    why = f": {record['reason']}" if record.get("reason") else ""
                    words = f"{whose}; the operator rejected request {record['request']}{why}"
                    return self._failure(record, str(asked["requester"]), words)
            case "AttemptRefused":
                path = str(record.get("attempt") or "").removeprefix("write ")
                reason = str(record.get("reason") or "").removeprefix("it ")
                verb = "is " if reason.startswith("tmux") else ""
                return self._failure(record, str(record["speaker"]), f"{path} {verb}{reason}")
            case _:
                pass
        return None

    @staticmethod
    def _failure(record: Mapping[str, Any], agent: str, words: str) -> Failure:
        seq, time = int(record["seq"]), float(record["time"])
        return Failure(seq, agent, "", plain(f"runebook: {words}"), None, time=time)
