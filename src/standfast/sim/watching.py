"""Who watches a world, and how a world is told that something happened which may not be."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from standfast.exchange.events import Event
from standfast.model.journal import Entry


class Violation(AssertionError):
    """An invariant or a bound does not hold. `id` is its name in reliability.md §3 (`S4`, `B2`)."""

    def __init__(self, id: str, text: str) -> None:
        super().__init__(f"{id}: {text}")
        self.id, self.text = id, text


class Watcher(Protocol):
    """Told of everything in its order; raises `Violation`, which ends the story."""

    def happened(self, event: Event) -> None:
        """The exchange has something to say."""
        ...

    def committed(self, entries: Sequence[Entry]) -> None:
        """These are durable; whoever wrote them does not know it yet."""
        ...

    def effect(self, name: str) -> None:
        """A guard process is about to act, or has just acted."""
        ...

    def tick(self, now: datetime) -> None:
        """Once a second of virtual time."""
        ...
