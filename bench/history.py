"""One history that both sides of a start-up hold: orders and fills at the exchange, and the facts about them.

Every position was opened by an order of ours that filled whole, and has a stop resting. What the ledger says comes from
what the exchange answered, through the adapter's own parser.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import cast

import msgspec

from standfast.brokers.alpaca import parse
from standfast.brokers.alpaca.rows import OrderRow
from standfast.core.book import Book
from standfast.core.policy import Policy, Rules
from standfast.exchange import orders as theirs
from standfast.exchange.accounts import AccountSpec
from standfast.exchange.assets import Quote
from standfast.exchange.dialects.alpaca.rows import order_row
from standfast.exchange.dialects.gate import as_json
from standfast.exchange.dialects.venue import Venue
from standfast.exchange.server import Options
from standfast.model.ids import AccountId, ExecutionId, Holding, InstrumentId, PositionId, client_order_id
from standfast.model.journal import (
    Allocation,
    Fact,
    FillBooked,
    GuardingBegan,
    GuardStarted,
    OpeningRequested,
    OrderAccepted,
    OrderIntended,
    OrderObserved,
)
from standfast.model.order import Fill, OrderReport, OrderType, Role, Side, Terms, TimeInForce
from standfast.ports import Broker
from standfast.runtime.clock import RealClock
from standfast.runtime.ledger import SAVE_EVERY, Ledger
from standfast.stores.sqlite.store import SqliteStore

ACCOUNT = AccountId("paper")
PRICE, STOP, QUANTITY = Decimal(100), Decimal("98.00"), Decimal(10)
LATER = timedelta(minutes=10)
"""When the guard starts again: what was filled then is no news."""
TOGETHER = 200
"""Facts in one commit while the ledger is built."""


def options(count: int) -> Options:
    account = AccountSpec(name="paper", key_id="key", secret="secret", cash=PRICE * QUANTITY * count * 2)
    names = {f"N{number:05}": PRICE for number in range(count)}
    return Options(accounts=(account,), instruments=names, seed=None, speed=1.0)


def history(venue: Venue, count: int) -> Iterator[Fact]:
    stamp = (venue.now + LATER).isoformat().replace("+00:00", "Z")
    yield GuardStarted(version="bench", mode="repair")
    yield GuardingBegan(broker="AlpacaBroker", at_broker=venue.now, watermark=f"{stamp}/")
    for number in range(count):
        yield from _opened(venue, InstrumentId(f"N{number:05}"))


def _opened(venue: Venue, instrument: InstrumentId) -> Iterator[Fact]:
    """One position from its request to its live stop, as the exchange answered."""
    venue.advance(venue.now + timedelta(milliseconds=1))  # no two orders were submitted at one moment
    venue.quote(Quote(instrument, PRICE, PRICE, Decimal(1000), Decimal(1000), venue.now))
    position, holding = PositionId(f"p{instrument}"), Holding(instrument)
    yield OpeningRequested(
        position=position, key=f"k{instrument}", holding=holding, quantity=QUANTITY, strategy="bench", by="bench"
    )
    entry = Terms(side=Side.BUY, quantity=QUANTITY, type=OrderType.MARKET, time_in_force=TimeInForce.DAY, reduces=False)
    bought = _Placed(venue, holding, position, Role.OPEN, entry)
    yield from bought.facts()
    fill = venue.engine.truth("paper").fills[-1]
    yield FillBooked(
        fill=Fill(
            execution_id=ExecutionId(fill.execution_id),
            broker_order_id=bought.report.broker_id,
            holding=holding,
            side=Side.BUY,
            quantity=fill.quantity,
            price=fill.price,
            at=fill.at,
        ),
        allocations=(Allocation(position=position, quantity=fill.quantity, opens=True),),
    )
    exit_ = Terms(
        side=Side.SELL,
        quantity=QUANTITY,
        type=OrderType.STOP,
        time_in_force=TimeInForce.GTC,
        stop_price=STOP,
        reduces=True,
    )
    yield from _Placed(venue, holding, position, Role.STOP, exit_).facts()


@dataclass
class _Placed:
    """One order at the exchange, under the id the guard would have given it."""

    venue: Venue
    holding: Holding
    position: PositionId
    role: Role
    terms: Terms

    def __post_init__(self) -> None:
        self.id = client_order_id(ACCOUNT, self.position, self.role, 1)
        asked = theirs.Terms(
            instrument=self.holding.instrument,
            side=theirs.Side(self.terms.side.value),
            quantity=self.terms.quantity,
            type=theirs.OrderType(self.terms.type.value),
            time_in_force=theirs.TimeInForce(self.terms.time_in_force.value),
            stop_price=self.terms.stop_price,
        )
        engine = self.venue.engine
        order = engine.submit("paper", theirs.Ticket(terms=asked, client_order_id=self.id))
        row = order_row(engine.order("paper", order.id), engine.asset(self.holding.instrument))
        self.report: OrderReport = parse.order(msgspec.json.decode(as_json(row), type=OrderRow))

    def facts(self) -> Iterator[Fact]:
        yield OrderIntended(
            id=self.id,
            position=self.position,
            role=self.role,
            holding=self.holding,
            terms=self.terms,
            attempt=1,
            reason="bench",
        )
        yield OrderAccepted(id=self.id, broker_id=self.report.broker_id)
        yield OrderObserved(report=self.report, position=self.position, role=self.role)


async def write(path: Path, facts: list[Fact], at: datetime) -> None:
    """Journal it in order, dated from `at` on; the book is saved where a running guard last saved it."""
    clock = RealClock()
    clock.correct(at - clock.now())
    store = SqliteStore(path)
    journal = await store.acquire(ACCOUNT, f"bench {os.getpid()}", RealClock().now())
    rules = Rules(account=ACCOUNT, policies=(Policy(name="default"),))
    ledger = Ledger(
        journal=journal,
        store=store,
        book=Book.empty(ACCOUNT),
        broker=cast(Broker, None),
        clock=clock,
        rules=rules,
    )
    saved = False
    for first in range(0, len(facts), TOGETHER):
        if not saved and len(facts) - first < SAVE_EVERY:
            await ledger.save_now()
            saved = True
        await ledger.record(facts[first : first + TOGETHER])
    assert len(ledger.book.state.positions) == len(ledger.book.state.orders) / 2, "an entry and a stop for each"
    await journal.release()
    await store.close()
