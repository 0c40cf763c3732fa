"""The account as it is read, and its cash: shown to the core once everything booked until then has been read too.

A reading of cash is of use only beside the fills it has in it, and those are told up to `staleness` later. So it waits,
one at a time, for a read of the activities that began late enough and was taken into the books whole.
"""

from datetime import datetime, timedelta

from standfast.model.errors import Malformed
from standfast.model.evidence import AccountRead, CashRead
from standfast.runtime.ledger import Ledger
from standfast.runtime.whose import Whose

CLOCKS = timedelta(seconds=2)
"""How far what is known of the broker's clock may be off."""


class Money:
    def __init__(self, ledger: Ledger, whose: Whose) -> None:
        self._ledger, self._whose = ledger, whose
        self._waiting: tuple[CashRead, float] | None = None
        """What was read, and when, by the steady clock."""
        self.news: datetime | None = None
        """When the cash was read that nobody has compared yet."""

    async def read(self) -> AccountRead:
        """Raises as a read does; Malformed where it is another account than ours."""
        ledger, began, asked_after = self._ledger, self._ledger.now(), self._ledger.book.head
        set_at = ledger.steps.last
        read = await ledger.broker.account()
        ended = ledger.now()
        if not await self._whose.is_ours(read):
            raise Malformed("the account that was read is another one than ours")
        if read.cash is not None and self._waiting is None and ledger.steps.last == set_at:
            ahead, staleness = ledger.clock_ahead, ledger.broker.contract.staleness
            cash = CashRead(
                cash=read.cash,
                charges=read.charges,
                since=began + ahead - staleness - CLOCKS,
                until=ended + ahead + CLOCKS,
                asked_at=began,
                asked_after=asked_after,
            )
            self._waiting = cash, ledger.clock.monotonic()
        return read

    def booked(self, began: float) -> CashRead | None:
        """All activities asked for at that time, by the steady clock, are in the books: the reading that completes."""
        if self._waiting is None:
            return None
        cash, ended = self._waiting
        if began < ended + self._ledger.broker.contract.staleness.total_seconds():
            return None
        self._waiting, self.news = None, cash.asked_at
        return cash
