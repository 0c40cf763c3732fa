"""Trades the exchange takes back or corrects after they were told: an error of its own, a price that was clearly wrong.

The order stays as it ended and no resting order is touched; the holding, its cost and the money are as if the trade had
not been, or had been at the other price. It is told as another row of the trade's own id, with a status that says what
it is (brokers/README §1.12: "executed / correct / canceled"); no order event tells it.
"""

from dataclasses import replace
from decimal import Decimal

from standfast.exchange.accounts import TrueFill
from standfast.exchange.activities import FillActivity
from standfast.exchange.floor import Floor

TAKEN_BACK, CORRECTED = "canceled", "correct"


class Clearing:
    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    def bust(self, account: str, execution_id: str) -> None:
        """Take a trade back. LookupError when there is none; ValueError when it is taken back, or split since."""
        row = self._standing(account, execution_id)
        self._floor.undo(account, self._true(account, row), "bust")
        self._tell(replace(row, status=TAKEN_BACK, told_at=self._floor.now))

    def correct(self, account: str, execution_id: str, price: Decimal) -> None:
        """Give a trade another price. Errors as of `bust`, and ValueError for a price that is none."""
        if price <= 0:
            raise ValueError(f"a price is positive: {price}")
        row = self._standing(account, execution_id)
        true = self._true(account, row)
        floor = self._floor
        floor.undo(account, true, "correction")
        realised = floor.trade(account, row.instrument, true.quantity, price)
        again = replace(true, price=price, realised=realised, at=floor.now, kind="correction")
        floor.accounts[account].truth.fills.append(again)
        self._tell(replace(row, price=price, status=CORRECTED, told_at=floor.now))

    def _standing(self, account: str, execution_id: str) -> FillActivity:
        log = self._floor.logs[account]
        row = log.fill(execution_id)
        if row.status == TAKEN_BACK:
            raise ValueError(f"execution {execution_id} is taken back already")
        if log.has_split_since(row):
            raise ValueError(f"{row.instrument} has split since execution {execution_id}")
        return row

    def _true(self, account: str, row: FillActivity) -> TrueFill:
        """As it counts now: the last time it was booked."""
        fills = self._floor.accounts[account].truth.fills
        return next(fill for fill in reversed(fills) if fill.execution_id == row.execution_id)

    def _tell(self, row: FillActivity) -> None:
        self._floor.log(row)
        self._floor.moved(row.account, row.instrument)
