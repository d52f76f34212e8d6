"""Who owns what in a Markdown plan, and where its interfaces are."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Sequence

from runebook_tui.core.ownership import FileOwnership, OwnershipManager, ties
from runebook_tui.core.types import InterfaceStub, SharedPath
from runebook_tui.orchestrator.document import Phrase, Section, WrittenAgent
from runebook_tui.orchestrator.draft import literal_claim, usable_claim
from runebook_tui.orchestrator.problems import quoted
from runebook_tui.orchestrator.words import INTERFACE_TEXTS, name_slug

_PATH_LIKE = re.compile(r"[^\s()<>:\"']*(?:/|\.[A-Za-z0-9]{1,10}$|\*)[^\s()<>:\"']*")


class Territory:
    """The claims, shared paths and interfaces of the agents of a document.

    `coordinator` (at most one agent) owns what the architecture calls shared. `wanted` names the
    agents whose interfaces somebody waits for. `notes` says what was not understood, by line.
    """

    def __init__(
        self,
        agents: Sequence[WrittenAgent],
        document: Sequence[Section],
        coordinator: Sequence[WrittenAgent],
        wanted: Collection[str],
    ) -> None:
        self.notes: list[str] = []
        self._agents = agents
        self._claims: list[tuple[FileOwnership, str]] = []
        self._integration = [
            item
            for section in document
            if re.search(r"\bintegrat", section.title.text, re.IGNORECASE)
            for part in section.parts
            for item in part.items
        ]
        # A name that the integration list has too is written there from the top of the repository.
        self._whole_names = {name for item in self._integration for name in item.code}
        self._architecture(document, coordinator)
        for agent in agents:
            self._of_agent(agent)
        self._settle()
        self.interfaces = self._interfaces(wanted)

    def claims(self, agent: str) -> tuple[str, ...]:
        """The claims of an agent."""
        return tuple(claim.pattern for claim, _ in self._claims if claim.owner == agent and not claim.shared)

    def remarks(self, agent: str) -> tuple[str, ...]:
        """Where each claim of an agent comes from."""
        return tuple(remark for claim, remark in self._claims if claim.owner == agent and not claim.shared)

    @property
    def shared(self) -> tuple[SharedPath, ...]:
        """The shared paths."""
        return tuple(SharedPath(path=c.pattern, owner=c.owner) for c, _ in self._claims if c.shared)

    def interface_remark(self, name: str) -> str:
        """What to say above the interface `name`."""
        if name in INTERFACE_TEXTS:
            return "Published once the file is there and holds these texts."
        return 'Published once the file is there; add must_contain = ["…"] with what it must hold.'

    def _interfaces(self, wanted: Collection[str]) -> tuple[InterfaceStub, ...]:
        """The interfaces that agents publish by a task of theirs, or that somebody waits for."""
        found = []
        for agent in self._agents:
            task = next((task for task in agent.tasks if _publishes(task.title)), None)
            if task is None and agent.id not in wanted:
                continue
            path = self._interface_path(agent)
            title = re.sub(r"(?i)^publish\s+(the\s+)?|\s*\([^()]*\)", "", task.title) if task else ""
            texts = INTERFACE_TEXTS.get(agent.id, ())
            found.append(
                InterfaceStub(name=agent.id, title=title, owner=agent.id, path=path, must_contain=texts)
            )
        return tuple(found)

    def _interface_path(self, agent: WrittenAgent) -> str:
        manager = OwnershipManager([claim for claim, _ in self._claims])
        spoken = [item for item in self._integration if self._speaks_of(item, agent)]
        names = [name for item in spoken for name in item.code if not name.endswith("/")]
        names += [claim for claim in self.claims(agent.id) if not re.search(r"[*?\[\\]", claim)]
        clean = [name.lstrip("/") for name in names]
        own = [n for n in clean if (claim := manager.owner_of(n)) is not None and claim.owner == agent.id]
        best = next((n for n in own if "api" in posixpath.basename(n).lower()), None)
        if best is not None:
            return best
        folder = next((c[:-3] for c in self.claims(agent.id) if re.fullmatch(r"[^*?\[\\]+/\*\*", c)), None)
        path = own[0] if own and folder is None else f"{(folder or f'docs/{agent.id}').lstrip('/')}/api.md"
        self.notes.append(f"the interface of {quoted(agent.id)} has no file; {quoted(path)} is a guess")
        if folder is None and not own:
            self._claims.append((FileOwnership(pattern=path, owner=agent.id), "for its interface"))
        return path

    def _speaks_of(self, item: Phrase, agent: WrittenAgent) -> bool:
        if agent.number:
            return bool(re.search(rf"\bagent\s+{re.escape(agent.number)}\b", item.text, re.IGNORECASE))
        return agent.title.lower() in item.text.lower()

    def _architecture(self, document: Sequence[Section], coordinator: Sequence[WrittenAgent]) -> None:
        for section in document:
            folders = [name for name in section.title.code if _PATH_LIKE.fullmatch(name)]
            if not folders or not any("architecture" in title.lower() for title in section.above):
                continue
            title, line = re.sub(r"\([^()]*\)", "", section.title.text).strip(), section.title.line
            owner = next((agent for agent in self._agents if agent.id == name_slug(title)), None)
            for name in folders:
                if owner is not None:
                    self._add(name, owner.id, line, shared=False)
                elif coordinator and "shared" in section.text.lower():
                    self._add(name, coordinator[0].id, line, shared=True)
                elif coordinator and coordinator[0].id[:10] in section.text.lower():
                    self._add(name, coordinator[0].id, line, shared=False)
                else:
                    message = f"line {line}: {quoted(name)} stays unclaimed: it does not say whose it is"
                    self.notes.append(message)

    def _of_agent(self, agent: WrittenAgent) -> None:
        folder = ""
        for phrase in agent.owns:
            names = phrase.code or re.split(r"[,\s]+", re.sub(r"(?i)^owns?\b\W*", "", phrase.text))
            for name in filter(None, names):
                if not _PATH_LIKE.fullmatch(name):
                    self.notes.append(f"line {phrase.line}: {quoted(name)} is not understood as a path")
                    continue
                bare = "/" not in name.strip("/")
                if bare and folder and name not in self._whole_names:
                    name = f"{folder}/{name}"
                elif not bare and ".." not in name.split("/"):
                    folder = posixpath.dirname(name.rstrip("/"))
                self._add(name, agent.id, phrase.line, shared=False)
        if not agent.owns:
            for phrase in agent.phrases:
                for name in filter(_PATH_LIKE.fullmatch, phrase.code):
                    self._add(name, agent.id, phrase.line, shared=False, why="named by a task")

    def _add(self, name: str, owner: str, line: int, *, shared: bool, why: str = "") -> None:
        clean = name.removeprefix("./").lstrip("/")
        pattern = clean if re.search(r"[*?]", clean) else literal_claim(clean) if clean.strip("/") else ""
        if not pattern or not usable_claim(pattern):
            self.notes.append(f"line {line}: {quoted(name)} is not a path inside the repository")
            return
        claim = FileOwnership(pattern=pattern, owner=owner, shared=shared)
        if claim not in [each for each, _ in self._claims]:
            self._claims.append((claim, f"line {line}" + (f", {why}" if why else "")))

    def _settle(self) -> None:
        """Of two owners of one path the first in the document keeps it."""
        lost = set()
        for first, second, example in ties([claim for claim, _ in self._claims]):
            if first not in lost and second not in lost:
                lost.add(second)
                self.notes.append(
                    f"{quoted(second.pattern)} of {quoted(second.owner)} is left out: "
                    f"{quoted(first.owner)} owns {quoted(example)} too, and comes first"
                )
        self._claims = [(claim, remark) for claim, remark in self._claims if claim not in lost]


def _publishes(title: str) -> bool:
    return bool(re.search(r"\bpublish", title, re.I) and re.search(r"\b(api|interface)s?\b", title, re.I))
