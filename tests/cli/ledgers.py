"""A ledger with a short, whole story in it, written through the real store, and a settings file that names it.

Account `paper`: a long SPY position under a resting stop, half closed; a long AAPL position opened and closed by its
stop; a foreign TSLA quantity found as a break, with its alert; a refused opening.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from standfast.core.book import Book
from standfast.core.fold import fold
from standfast.model import journal as j
from standfast.model.alert import Severity
from standfast.model.breaks import BreakKind, Finding
from standfast.model.ids import (
    AccountId,
    AlertId,
    BreakId,
    BrokerOrderId,
    ClientOrderId,
    EntryNumber,
    ExecutionId,
    Holding,
    InstrumentId,
    PositionId,
    RequestId,
)
from standfast.model.order import (
    Fill,
    OrderReport,
    OrderState,
    OrderType,
    Role,
    Side,
    Terms,
    TimeInForce,
)
from standfast.model.position import CloseReason
from standfast.runtime.clock import wall_time
from standfast.stores.holder import describe_holder
from standfast.stores.sqlite.store import SqliteJournal, SqliteStore

PAPER = AccountId("paper")
OPENED = datetime(2026, 11, 19, 15, 0, tzinfo=UTC)
STEP = timedelta(seconds=1)

SPY = Holding(InstrumentId("SPY"))
AAPL = Holding(InstrumentId("AAPL"))
TSLA = Holding(InstrumentId("TSLA"))

KEPT = PositionId("p-spy-kept")
STOPPED = PositionId("p-aapl-stopped")
BREAK = BreakId("b-tsla")
ALERT = AlertId("a-tsla")

SETTINGS = """\
[ledger]
url = "sqlite:///standfast.db"

[[accounts]]
name = "paper"
broker = "alpaca"
mode = "repair"
key_id = "key"
secret = "secret"
rest_url = "http://127.0.0.1:9"
stream_url = "ws://127.0.0.1:9"
data_url = "http://127.0.0.1:9"
data_stream_url = "ws://127.0.0.1:9"

[[policies]]
name = "default"
match = { account = "*", strategy = "*", instrument = "*", kind = "*" }
stop_loss = "2%"
"""


def order(
    name: str, holding: Holding, position: PositionId, role: Role, terms: Terms, *, filled: Decimal | None = None
) -> list[j.Fact]:
    """An order from intent to the broker's word: filled at once, or resting."""
    id, broker_id = ClientOrderId(f"sf-{name}"), BrokerOrderId(f"br-{name}")
    report = OrderReport(
        broker_id=broker_id,
        client_id=id,
        holding=holding,
        side=terms.side,
        type=terms.type,
        time_in_force=terms.time_in_force,
        quantity=terms.quantity,
        filled=filled or Decimal(0),
        state=OrderState.FILLED if filled else OrderState.WORKING,
        stop_price=terms.stop_price,
        placed_at=OPENED,
    )
    return [
        j.OrderIntended(id=id, position=position, role=role, holding=holding, terms=terms, attempt=1, reason="asked"),
        j.OrderAccepted(id=id, broker_id=broker_id),
        j.OrderObserved(report=report, position=position, role=role),
    ]


def market(side: Side, quantity: int, *, reduces: bool) -> Terms:
    return Terms(
        side=side,
        quantity=Decimal(quantity),
        type=OrderType.MARKET,
        time_in_force=TimeInForce.DAY,
        reduces=reduces,
    )


def stop(quantity: int, price: str) -> Terms:
    return Terms(
        side=Side.SELL,
        quantity=Decimal(quantity),
        type=OrderType.STOP,
        time_in_force=TimeInForce.GTC,
        stop_price=Decimal(price),
        reduces=True,
    )


def fill(name: str, order_name: str, holding: Holding, signed: str, price: str, *, at: datetime = OPENED) -> Fill:
    """An execution; a negative quantity sells. A sale costs a fee of two cents."""
    quantity = Decimal(signed)
    return Fill(
        execution_id=ExecutionId(name),
        broker_order_id=BrokerOrderId(f"br-{order_name}"),
        holding=holding,
        side=Side.BUY if quantity > 0 else Side.SELL,
        quantity=abs(quantity),
        price=Decimal(price),
        fee=Decimal("0.02") if quantity < 0 else Decimal(0),
        at=at,
    )


def opened(position: PositionId, name: str, holding: Holding, quantity: int, price: str) -> list[j.Fact]:
    """A position from its request to its booked entry."""
    entry = fill(f"x-{name}", name, holding, str(quantity), price)
    part = j.Allocation(position=position, quantity=Decimal(quantity), opens=True)
    return [
        j.OpeningRequested(
            position=position, key=name, holding=holding, quantity=Decimal(quantity), strategy="trend", by="bot"
        ),
        *order(
            name,
            holding,
            position,
            Role.OPEN,
            market(Side.BUY, quantity, reduces=False),
            filled=Decimal(quantity),
        ),
        j.FillBooked(fill=entry, allocations=(part,)),
    ]


def closed_part(position: PositionId, execution: Fill, realised: str, reason: CloseReason) -> j.FillBooked:
    part = j.Allocation(position=position, quantity=execution.quantity, opens=False, realised=Decimal(realised))
    return j.FillBooked(fill=execution, allocations=(part,), reason=reason)


def story() -> list[j.Fact]:
    """Everything that happened, in order."""
    next_day = OPENED + timedelta(days=1)
    return [
        j.GuardStarted(version="0.1.0", mode="repair", host="desk"),
        j.GuardingBegan(broker="alpaca", at_broker=OPENED, watermark="w0"),
        *opened(KEPT, "kept", SPY, 10, "600"),
        *order("kept-stop", SPY, KEPT, Role.STOP, stop(10, "588")),
        *opened(STOPPED, "stopped", AAPL, 4, "250.10"),
        *order("stopped-stop", AAPL, STOPPED, Role.STOP, stop(4, "245"), filled=Decimal(4)),
        closed_part(
            STOPPED,
            fill("x-stop", "stopped-stop", AAPL, "-4", "244.90", at=next_day),
            "-20.80",
            CloseReason.STOP_LOSS,
        ),
        j.PositionSettled(position=STOPPED, reason=CloseReason.STOP_LOSS, proof="fills x-stop close 4 of 4"),
        j.CloseRequested(
            position=KEPT,
            reason=CloseReason.OPERATOR,
            by="ann@desk",
            detail="less risk",
            remain=Decimal(5),
            request=RequestId("r-half"),
        ),
        *order("kept-half", SPY, KEPT, Role.CLOSE, market(Side.SELL, 5, reduces=True), filled=Decimal(5)),
        closed_part(KEPT, fill("x-half", "kept-half", SPY, "-5", "606.5", at=next_day), "32.50", CloseReason.OPERATOR),
        j.OpeningRefused(key="k9", holding=TSLA, reasons=("frozen",), by="bot"),
        j.BreakSeen(
            id=BREAK,
            finding=Finding(
                kind=BreakKind.ORPHAN_POSITION, holding=TSLA, booked="0", reported="3", evidence="positions at 15:00"
            ),
        ),
        j.BreakConfirmed(id=BREAK),
        j.AlertRaised(id=ALERT, severity=Severity.WARNING, text="3 TSLA are not in the books", break_id=BREAK),
    ]


def write(folder: Path, facts: Sequence[j.Fact] | None = None, *, saved: bool = False) -> Path:
    """A folder's settings file and ledger; returns the settings file."""
    config = folder / "standfast.toml"
    config.write_text(SETTINGS)
    config.chmod(0o600)
    asyncio.run(_write(folder / "standfast.db", story() if facts is None else facts, saved=saved))
    return config


@asynccontextmanager
async def guarded(config: Path) -> AsyncIterator[SqliteJournal]:
    """A living process (this one) holds the account's lease."""
    store = SqliteStore(config.with_name("standfast.db"), ballast=0)
    journal = await store.acquire(PAPER, describe_holder(), wall_time() + timedelta(minutes=5))
    try:
        yield journal
    finally:
        await journal.release()
        await store.close()


async def _write(path: Path, facts: Sequence[j.Fact], *, saved: bool) -> None:
    store = SqliteStore(path, ballast=0)
    journal = await store.acquire(PAPER, "test", OPENED)
    at = OPENED
    for fact in facts:
        at += STEP
        await journal.append([fact], at)
    if saved:
        book = fold(Book.empty(PAPER), await store.entries(PAPER, EntryNumber(0)))
        await journal.save_book(book.head, book.state)
    await journal.release()
    await store.close()
