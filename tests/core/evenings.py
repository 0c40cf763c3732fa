"""The half hour after a close, looked at until nothing is recorded any more: for tests of contracts that ended."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from standfast.core.book import Book
from standfast.core.policy import Rules
from standfast.core.reconcile import reconcile
from standfast.core.repair import repairs
from standfast.core.situation import Situation
from standfast.model import journal as j
from standfast.model.evidence import HeldReport
from standfast.model.ids import Holding, PositionId
from standfast.model.position import CloseReason
from tests.core.situations import NOW, P, folded, ruled, situation, told, with_contract

SILENT = with_contract(tells_movements=False)
EVENING = NOW.replace(hour=21, minute=30)
"""Half an hour after the close."""


class Evening:
    """Looks at every holding until nothing is recorded any more, over half a minute."""

    def __init__(self, *facts: j.Fact, now: datetime = EVENING, rules: Rules | None = None, **given: Any) -> None:
        self.book: Book = folded(*facts, at=NOW)
        self.now, self.rules, self.given = now, rules or ruled(), {"contract": SILENT, "is_open": False, **given}

    def situation(self, held: Mapping[Holding, Any]) -> Situation:
        nets = {holding: row for holding, row in held.items() if not isinstance(row, HeldReport)}
        s = self._listed(situation(self.book, held=nets, now=self.now, rules=self.rules, **self.given), held)
        return replace(s, snapshot=replace(s.snapshot, activities_asked_after=s.snapshot.positions_asked_after))

    def _listed(self, s: Situation, held: Mapping[Holding, Any]) -> Situation:
        """With the rows that are given whole."""
        whole = {holding: row for holding, row in held.items() if isinstance(row, HeldReport)}
        positions = s.snapshot.positions
        assert positions is not None
        rows = {**positions.rows, **whole}
        return replace(s, snapshot=replace(s.snapshot, positions=replace(positions, rows=rows)))

    def looks(self, held: Mapping[Holding, Any]) -> list[Any]:
        outcomes: list[Any] = []
        for _ in range(40):
            outcomes += self.looks_once(held)
            self.now += timedelta(seconds=1)
        return outcomes

    def looks_once(self, held: Mapping[Holding, Any]) -> list[Any]:
        outcomes: list[Any] = []
        for holding in sorted({*held, *self.book.holdings()}):
            s = self.situation(held)
            came = list(repairs(s, holding, reconcile(s, holding)))
            facts: list[Any] = [each for each in came if type(each).__name__ in j.FACTS]
            told(self.book, *facts, at=self.now)
            outcomes += came
        return outcomes

    def closed(self, id: PositionId = P) -> tuple[Decimal, CloseReason | None, Decimal]:
        """What is still held of a position, why it ended, and what it earned a share."""
        found = self.book.state.positions[id]
        return found.held, found.close_reason, found.pnl
