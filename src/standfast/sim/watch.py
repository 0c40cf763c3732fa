"""Who watches a run, and what they say when a promise is broken."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from standfast.exchange.events import Event
from standfast.model.journal import Entry

CANARIES = ("canary-k3y-5up3r", "canary-53cr3t-5up3r")
"""The key and the secret of every simulated account: they may occur nowhere but in a request's headers (S13)."""


class Violation(Exception):
    """A promise was broken: `id` names it as reliability.md §3 does (S4, B2), `text` says how."""

    def __init__(self, id: str, text: str) -> None:
        super().__init__(f"{id}: {text}")
        self.id = id
        self.text = text


class Watcher(Protocol):
    """Hears of everything as it happens, before anybody can act on it. Raising `Violation` ends the story with it.

    A watcher only looks: it may read the world and change nothing in it.
    """

    def happened(self, event: Event) -> None:
        """The exchange says what has become of an order."""
        ...

    def committed(self, entries: Sequence[Entry]) -> None:
        """These entries are durable from here on."""
        ...

    def effect(self, name: str) -> None:
        """A guard is about to do, or has done, something the world can see; the names are those of `sim.effects`."""
        ...

    def tick(self, now: datetime) -> None:
        """Once in every virtual second, or in several of them while there is nothing to look at."""
        ...

    @property
    def is_idle(self) -> bool:
        """Whether nothing has changed since the last tick, and nothing runs that a second more could end."""
        ...
