"""What a ledger says of a day that was played: whose an order was, what a break said, what a position earned.

Positions are named by their strategy, which on such a day is one for each (`days_plan`).
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from standfast.core.book import Book
from standfast.core.fold import fold
from standfast.exchange.sessions import NEW_YORK
from standfast.model.breaks import BreakKind
from standfast.model.ids import AccountId, BreakId, PositionId
from standfast.model.journal import (
    AlertRaised,
    BreakConfirmed,
    BreakEnded,
    BreakSeen,
    CloseRequested,
    Entry,
    OrderIntended,
    PositionSettled,
    TogetherIntended,
)
from standfast.model.order import CLOSING_ROLES, Role
from standfast.model.position import Position
from standfast.model.structure import BookedStructure

ZERO = Decimal(0)
NEVER = datetime.max.replace(tzinfo=NEW_YORK)


class Claims:
    """One account's, folded from the first entry on."""

    def __init__(self, account: AccountId, entries: Sequence[Entry]) -> None:
        self._entries = entries
        state = fold(Book.empty(account), entries).state
        self._positions: dict[PositionId, Position] = {**state.positions, **state.closed}
        self._wholes: dict[PositionId, BookedStructure] = {**state.structures, **state.closed_structures}
        self.sent_by = dict(self._sent_by())
        """Of every order the guard meant: for whom, and as what."""
        self.blind = list(self._blind())
        """Breaks that say that something cannot be judged: where, confirmed when, until when."""

    @property
    def earned(self) -> Decimal:
        return sum((each.pnl - each.fees for each in self._positions.values()), ZERO)

    def earned_by(self, name: str) -> Decimal:
        found = (each for each in self._positions.values() if each.strategy == name)
        return sum((each.pnl - each.fees for each in found), ZERO)

    def is_closing(self, tag: str, name: str) -> bool:
        whose, role = self.sent_by.get(tag, ("", Role.FOREIGN))
        return whose == name and role in CLOSING_ROLES

    def reason(self, name: str) -> str:
        """Why it was closed."""
        ids = self.ids(name)
        facts = [entry.fact for entry in self._entries]
        closes = [fact for fact in facts if isinstance(fact, CloseRequested) and fact.position in ids]
        settled = [fact for fact in facts if isinstance(fact, PositionSettled) and fact.position in ids]
        return str((closes or settled)[0].reason) if closes or settled else ""

    def is_said_to_have_no_price(self, name: str) -> bool:
        """Whether somebody was told that it is to be closed and waits for a price."""
        texts = [entry.fact.text for entry in self._entries if isinstance(entry.fact, AlertRaised)]
        return any(id in text and "has no price" in text for id in self.ids(name) for text in texts)

    def unproven(self, name: str) -> list[str]:
        """Positions of it that are not settled, or without saying by what."""
        facts = [entry.fact for entry in self._entries]
        proven = {fact.position for fact in facts if isinstance(fact, PositionSettled) and fact.proof}
        return sorted(self.ids(name) - proven)

    def guarded_since(self, name: str) -> datetime | None:
        """From when on the whole of it is."""
        wholes = [each for each in self._wholes.values() if each.strategy == name]
        if wholes:
            return wholes[0].opened_at or wholes[0].adopted_at or wholes[0].asked_at
        return next((each.opened_at for each in self._positions.values() if each.strategy == name), None)

    def places(self, name: str) -> frozenset[str]:
        """Where breaks about it stand."""
        found: list[Position | BookedStructure] = [*self._positions.values(), *self._wholes.values()]
        return frozenset(str(each.holding) for each in found if each.strategy == name)

    def ids(self, name: str) -> frozenset[PositionId]:
        """Of the whole, and of its legs."""
        found: list[Position | BookedStructure] = [*self._positions.values(), *self._wholes.values()]
        return frozenset(each.id for each in found if each.strategy == name)

    def _sent_by(self) -> Iterator[tuple[str, tuple[str, Role]]]:
        known: dict[PositionId, Position | BookedStructure] = {**self._positions, **self._wholes}
        for entry in self._entries:
            fact = entry.fact
            if isinstance(fact, TogetherIntended):
                yield fact.id, (known[fact.structure].strategy, fact.role)
            elif isinstance(fact, OrderIntended):
                yield fact.id, (known[fact.position].strategy, fact.role)

    def _blind(self) -> Iterator[tuple[str, datetime, datetime]]:
        seen: dict[BreakId, str] = {}
        confirmed: dict[BreakId, datetime] = {}
        for entry in self._entries:
            fact = entry.fact
            if isinstance(fact, BreakSeen) and fact.finding.kind is BreakKind.BLIND:
                seen[fact.id] = str(fact.finding.holding)
            elif isinstance(fact, BreakConfirmed) and fact.id in seen:
                confirmed[fact.id] = entry.at
            elif isinstance(fact, BreakEnded) and fact.id in confirmed:
                yield seen[fact.id], confirmed.pop(fact.id), entry.at
        for id, at in confirmed.items():
            yield seen[id], at, NEVER
