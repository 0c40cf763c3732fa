"""Stream messages under faults: what goes out now, what later, in which order, and when the line is cut.

Decided once for a message, so that every listener of an account sees the same disorder. Pure but for what `Overtaken`
holds back: such a message leaves right after the next one of its account, and never if none follows, as on a line
that goes silent.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from standfast.exchange.faults import (
    Cut,
    Delayed,
    Doubled,
    Fault,
    Faults,
    Lost,
    NeverAnswered,
    NeverArrives,
    Overtaken,
    Slow,
)

Message = TypeVar("Message")


@dataclass(frozen=True, slots=True)
class Delivery(Generic[Message]):
    """One sending; `seconds` from now in exchange time."""

    message: Message
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the connection here."""


class Post(Generic[Message]):
    """The way out of one kind of stream."""

    def __init__(self, faults: Faults, operation: str) -> None:
        self._faults = faults
        self._operation = operation
        self._held: defaultdict[str, list[Message]] = defaultdict(list)

    def arrange(
        self, message: Message, *, instrument: str, account: str, at: datetime
    ) -> list[Delivery[Message] | HangUp]:
        """The sendings that this message causes, in order."""
        fault = self._faults.decide(self._operation, instrument, at, account=account)
        if isinstance(fault, Overtaken):
            self._held[account].append(message)
            return []
        overtaken = [Delivery(held) for held in self._held.pop(account, [])]
        return [*self._one(message, fault), *overtaken]

    def _one(self, message: Message, fault: Fault | None) -> list[Delivery[Message] | HangUp]:
        match fault:
            case Lost() | NeverArrives() | NeverAnswered():
                return []
            case Doubled(seconds=seconds, times=times):
                return [Delivery(message), *[Delivery(message, seconds)] * times]
            case Delayed(seconds=seconds) | Slow(seconds=seconds):
                return [Delivery(message, seconds)]
            case Cut():
                return [HangUp()]
            case _:
                return [Delivery(message)]
