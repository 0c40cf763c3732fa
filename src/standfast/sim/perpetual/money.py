"""The money of a run of perpetual futures: every execution of the exchange's is in the books once, to the cent.

Fills by their own ids, with quantity, price and fee; funding by its own, with its amount. So what the books say was
earned is what the wallet has. What happened before the guard took the account is nobody's to book.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from standfast.exchange.dialects.binance.account_rows import TRADE_BASE
from standfast.exchange.perpetual.books import Execution, ExecutionKind
from standfast.model import journal as j
from standfast.model.journal import Entry
from standfast.model.order import Fill, Movement
from standfast.sim.watch import Violation

SETTLES = timedelta(seconds=10)
"""After the first word of a guard: what was told as the past in its first read is not told again."""


class Booked:
    """What the journal has, by the exchange's ids as each dialect tells them."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.fills: dict[str, Fill] = {}
        self.movements: dict[str, Movement] = {}
        self.twice: list[str] = []
        self.began: datetime | None = None
        for entry in entries:
            fact = entry.fact
            if isinstance(fact, j.GuardingBegan):
                self.began = self.began or entry.at
            if isinstance(fact, j.FillBooked | j.FillMatched):
                if fact.fill.execution_id in self.fills:
                    self.twice.append(fact.fill.execution_id)
                self.fills[fact.fill.execution_id] = fact.fill
            elif isinstance(fact, j.MovementBooked):
                if fact.movement.id in self.movements:
                    self.twice.append(fact.movement.id)
                self.movements[fact.movement.id] = fact.movement


def check(entries: Iterable[Entry], executions: Iterable[Execution], at: str) -> None:
    """Raises Violation S9 or B9."""
    booked = Booked(entries)
    if booked.twice:
        raise Violation("B9", f"booked twice: {', '.join(booked.twice)}")
    if booked.began is None:
        return
    later = [each for each in executions if each.at > booked.began + SETTLES]
    for each in later:
        if each.kind is not ExecutionKind.FUNDING:
            _check_one(each, booked, at)
    _check_funding([each for each in later if each.kind is ExecutionKind.FUNDING], booked)


def _check_one(each: Execution, booked: Booked, at: str) -> None:
    what = f"{each.kind} {each.id} of {each.instrument}/{each.index}: {each.side} {each.quantity} at {each.price}"
    id = each.id if at == "bybit" else f"{each.instrument}:{TRADE_BASE + each.number}"
    fill = booked.fills.get(id)
    if fill is None:
        raise Violation("B9", f"{what} is not in the books")
    if (fill.quantity, fill.price, fill.fee) != (each.quantity, each.price, each.fee):
        raise Violation("B9", f"{what} for {each.fee} is booked as {fill}")


def _check_funding(paid: Sequence[Execution], booked: Booked) -> None:
    """Each payment by its moment and amount: their ids differ between the exchanges' lists."""
    since = paid[0].at if paid else None
    told = Counter(
        (each.at.replace(microsecond=0), each.amount)
        for each in booked.movements.values()
        if each.amount is not None and since is not None and each.at >= since.replace(microsecond=0)
    )
    due = Counter((each.at.replace(microsecond=0), -each.fee) for each in paid)
    if told != due:
        missing, more = due - told, told - due
        raise Violation("B9", f"funding: not booked {dict(missing)}, booked and not paid {dict(more)}")
