"""Situations built from values: a book folded from facts, what the broker reported, quotes, rules, a time."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from standfast.core.book import Book
from standfast.core.fold import apply
from standfast.core.policy import HeldBy, Mode, Policy, Rules
from standfast.core.situation import Outcome, Sight, Situation
from standfast.model import journal as j
from standfast.model.contract import Contract
from standfast.model.evidence import HeldReport, MarketClock, OrdersRead, PositionsRead, Snapshot
from standfast.model.ids import (
    AccountId,
    BrokerOrderId,
    ClientOrderId,
    EntryNumber,
    ExecutionId,
    Holding,
    InstrumentId,
    PositionId,
    client_order_id,
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
from standfast.model.position import CloseReason, Position
from standfast.model.quote import Quote

ACCOUNT = AccountId("paper")
NEW_YORK = ZoneInfo("America/New_York")
SPY = Holding(InstrumentId("SPY"))
QQQ = Holding(InstrumentId("QQQ"))
NOW = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
"""A Wednesday, in New York's session."""
BEGAN = NOW - timedelta(hours=1)
P = PositionId("p1")

CONTRACT = Contract(
    staleness=timedelta(seconds=10),
    flight=timedelta(seconds=30),
    unique_ids=True,
    searchable_ids=True,
    reduce_only=False,
    oco=True,
    native_replace=True,
    replace_keeps_cover=True,
    reserves_quantity=True,
    refuses_wash_trades=True,
    checks_closing=True,
    fractional_stops=False,
    order_life=timedelta(days=90),
    requests_per_minute=200,
)


def D(value: str | int | Decimal) -> Decimal:  # noqa: N802  # as short as the literal it stands for
    return Decimal(value)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


# --- the book -----------------------------------------------------------------------------------


def began(at: datetime = BEGAN) -> j.GuardingBegan:
    return j.GuardingBegan(broker="toy", at_broker=at, watermark="")


def folded(*facts: j.Fact, at: datetime = NOW) -> Book:
    """A guarded account's book after these facts, all at one time."""
    return told(Book.empty(ACCOUNT), began(), *facts, at=at)


def told(book: Book, *facts: j.Fact, at: datetime = NOW) -> Book:
    """The same book, after these facts too."""
    for fact in facts:
        apply(book, j.Entry(EntryNumber(book.head + 1), 1, at, fact))
    return book


def opening_of(quantity: str | int = 10, *, id: PositionId = P, holding: Holding = SPY, **changes: Any) -> list[j.Fact]:
    """An opening, asked for and sent, not filled yet."""
    asked = j.OpeningRequested(
        position=id, key=f"key of {id}", holding=holding, quantity=D(quantity), strategy="trend", **changes
    )
    sent = j.OrderIntended(
        id=own_id(Role.OPEN, 1, id),
        position=id,
        role=Role.OPEN,
        holding=holding,
        terms=Terms(
            side=Side.BUY if D(quantity) > 0 else Side.SELL,
            quantity=abs(D(quantity)),
            type=OrderType.MARKET,
            time_in_force=TimeInForce.DAY,
            reduces=False,
        ),
        attempt=1,
        reason="opening",
    )
    return [asked, sent, j.OrderAccepted(id=sent.id, broker_id=BrokerOrderId(f"{id}-open"))]


def position(
    quantity: str | int = 10,
    price: str | int = 100,
    *,
    id: PositionId = P,
    holding: Holding = SPY,
    at: datetime = BEGAN,
    **changes: Any,
) -> list[j.Fact]:
    """An owned position: opened by an order of ours, filled whole, its order finished."""
    facts = opening_of(quantity, id=id, holding=holding, **changes)
    order = BrokerOrderId(f"{id}-open")
    size = abs(D(quantity))
    side = Side.BUY if D(quantity) > 0 else Side.SELL
    whole = report(
        order,
        client=own_id(Role.OPEN, 1, id),
        side=side,
        quantity=size,
        filled=size,
        state=OrderState.FILLED,
        holding=holding,
        average_price=D(price),
    )
    booked = j.FillBooked(
        fill=fill(f"{id}-fill", order, side, size, price, holding=holding, at=at),
        allocations=(j.Allocation(position=id, quantity=size, opens=True),),
    )
    return [*facts, j.OrderObserved(report=whole, position=id, role=Role.OPEN), booked]


def adopted(
    quantity: str | int = 10,
    price: str | int = 100,
    *,
    id: PositionId = P,
    holding: Holding = SPY,
    anchor: str | None = None,
) -> j.PositionAdopted:
    return j.PositionAdopted(
        position=id,
        holding=holding,
        quantity=D(quantity),
        price=D(price),
        anchor=D(anchor) if anchor is not None else None,
        strategy="foreign",
        by="policy",
    )


def own_id(role: Role, attempt: int = 1, id: PositionId = P) -> ClientOrderId:
    return client_order_id(ACCOUNT, id, role, attempt)


def exit_intended(  # noqa: PLR0913  # a test names what differs from the usual, and nothing else
    role: Role,
    quantity: str | int = 10,
    *,
    stop: str | None = None,
    target: str | None = None,
    attempt: int = 1,
    id: PositionId = P,
    holding: Holding = SPY,
    side: Side = Side.SELL,
    replaces: ClientOrderId | None = None,
) -> j.OrderIntended:
    kind = OrderType.STOP if stop is not None else OrderType.LIMIT if target is not None else OrderType.MARKET
    return j.OrderIntended(
        id=own_id(role, attempt, id),
        position=id,
        role=role,
        holding=holding,
        terms=Terms(
            side=side,
            quantity=D(quantity),
            type=kind,
            time_in_force=TimeInForce.DAY if kind is OrderType.MARKET else TimeInForce.GTC,
            limit_price=D(target) if target is not None and stop is None else None,
            stop_price=D(stop) if stop is not None else None,
            target_price=D(target) if target is not None and stop is not None else None,
            reduces=True,
        ),
        attempt=attempt,
        reason="",
        replaces=replaces,
    )


def resting_stop(
    quantity: str | int = 10,
    stop: str = "98",
    *,
    attempt: int = 1,
    id: PositionId = P,
    holding: Holding = SPY,
    side: Side = Side.SELL,
) -> list[j.Fact]:
    """A stop of ours that works at the broker, and is known to."""
    meant = exit_intended(Role.STOP, quantity, stop=stop, attempt=attempt, id=id, holding=holding, side=side)
    broker_id = BrokerOrderId(f"{id}-stop-{attempt}")
    seen = report(
        broker_id, client=meant.id, side=side, quantity=D(quantity), type=OrderType.STOP, stop=stop, holding=holding
    )
    return [
        meant,
        j.OrderAccepted(id=meant.id, broker_id=broker_id),
        j.OrderObserved(report=seen, position=id, role=Role.STOP),
    ]


def closing_of(id: PositionId = P, remain: str | int = 0, reason: CloseReason = CloseReason.OPERATOR) -> j.Fact:
    return j.CloseRequested(position=id, reason=reason, by="test", detail="asked for", remain=D(remain))


# --- what the broker says -----------------------------------------------------------------------


def report(  # noqa: PLR0913  # a test names what differs from the usual, and nothing else
    broker_id: str,
    *,
    client: str = "",
    side: Side = Side.SELL,
    quantity: str | int | Decimal = 10,
    filled: str | int | Decimal = 0,
    state: OrderState = OrderState.WORKING,
    type: OrderType = OrderType.MARKET,  # noqa: A002  # the field's own name
    stop: str | None = None,
    limit: str | None = None,
    holding: Holding = SPY,
    legs: tuple[OrderReport, ...] = (),
    **changes: Any,
) -> OrderReport:
    return OrderReport(
        broker_id=BrokerOrderId(broker_id),
        client_id=ClientOrderId(client or f"client of {broker_id}"),
        holding=holding,
        side=side,
        type=type,
        time_in_force=TimeInForce.GTC if type is not OrderType.MARKET else TimeInForce.DAY,
        quantity=D(quantity),
        filled=D(filled),
        state=state,
        stop_price=D(stop) if stop is not None else None,
        limit_price=D(limit) if limit is not None else None,
        legs=legs,
        **changes,
    )


def fill(  # noqa: PLR0913  # a test names what differs from the usual, and nothing else
    execution: str,
    order: str,
    side: Side,
    quantity: str | int | Decimal,
    price: str | int | Decimal,
    *,
    holding: Holding = SPY,
    at: datetime = NOW,
    fee: str = "0",
) -> Fill:
    return Fill(
        execution_id=ExecutionId(execution),
        broker_order_id=BrokerOrderId(order),
        holding=holding,
        side=side,
        quantity=D(quantity),
        price=D(price),
        fee=D(fee),
        at=at,
    )


# --- the situation ------------------------------------------------------------------------------


def quoted(bid: str, ask: str | None = None, *, at: datetime = NOW, before: tuple[str, str] | None = None) -> Sight:
    earlier = Quote(D(before[0]), D(before[1]), at, at) if before is not None else None
    return Sight(Quote(D(bid), D(ask if ask is not None else bid), at, at), earlier)


def ruled(policy: Policy | None = None, **changes: Any) -> Rules:
    kept = policy or Policy(name="kept", held_by=HeldBy.BROKER, stop_loss=D("0.02"))
    given: dict[str, Any] = {"account": ACCOUNT, "mode": Mode.REPAIR, "policies": (kept,), **changes}
    return Rules(**given)


def closes_at_four(day: date) -> datetime | None:
    """Sessions of weekdays, without a holiday."""
    return datetime.combine(day, time(16), NEW_YORK).astimezone(UTC) if day.weekday() < 5 else None


def situation(  # noqa: PLR0913  # a test names what differs from the usual, and nothing else
    book: Book,
    *,
    policy: Policy | None = None,
    held: Mapping[Holding, str | int | Decimal] | None = None,
    listed: Iterable[OrderReport] = (),
    sights: Mapping[Holding, Sight] | None = None,
    now: datetime = NOW,
    is_open: bool = True,
    asked_after: int | None = None,
    rules: Rules | None = None,
    contract: Contract = CONTRACT,
    **changes: Any,
) -> Situation:
    """One look: by default the broker reports what the book has, by reads asked for after its last entry."""
    number = EntryNumber(book.head if asked_after is None else asked_after)
    nets = {h: sum((p.net for p in book.positions_at(h)), D(0)) for h in book.holdings()} if held is None else held
    rows = {h: HeldReport(holding=h, quantity=D(q), average_price=D(100)) for h, q in nets.items() if D(q)}
    orders = {order.broker_id: order for order in listed}
    by_holding: dict[Holding, list[OrderReport]] = {}
    for order in orders.values():
        by_holding.setdefault(order.holding, []).append(order)
    edge = timedelta(hours=6)
    return Situation(
        book=book,
        snapshot=Snapshot(
            positions=PositionsRead(rows=rows, changed=frozenset(rows), began=now, ended=now),
            positions_asked_after=number,
            orders=OrdersRead(orders=orders, changed=frozenset(orders), began=now, ended=now),
            orders_asked_after=number,
            clock=MarketClock(at=now, is_open=is_open, next_open=now + 3 * edge, next_close=now + edge),
        ),
        rules=rules or ruled(policy),
        contract=contract,
        now=now,
        orders_by_holding=by_holding,
        sights=sights if sights is not None else {SPY: quoted("100", "100.02", at=now)},
        **{"session_close": closes_at_four, **changes},
    )


def the(book: Book, id: PositionId = P) -> Position:
    return book.state.positions[id]


def of(kind: type[Any], outcomes: Iterable[Outcome]) -> list[Any]:
    return [outcome for outcome in outcomes if isinstance(outcome, kind)]


def with_contract(**changes: Any) -> Contract:
    return replace(CONTRACT, **changes)
