"""Tradier's replies -> model, but for orders (`order_rows.py`). Pure; bytes in, values out.

Invariants
- Whatever the bytes, nothing but `Malformed` is raised, and it names the field and the value.
- A position's quantity is signed as it comes, and so is what was paid; prices are per share, also of an option.
- The text "null" is an empty list; a list that is missing or of another shape is refused, never empty.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from standfast.brokers.shared.reading import Number, holding, moment, number, rows, shown
from standfast.brokers.tradier.rows import (
    BalanceRow,
    BalancesReply,
    GreeksRow,
    HistoryEvent,
    HistoryReply,
    PositionRow,
    PositionsReply,
    QuoteRow,
    QuotesReply,
    each,
)
from standfast.model.errors import Malformed, Rejected
from standfast.model.evidence import AccountRead, EndTold, HeldReport
from standfast.model.greeks import Greeks
from standfast.model.ids import Holding, InstrumentId
from standfast.model.instrument import Instrument, Kind
from standfast.model.option import option_contract
from standfast.model.order import ZERO, MovementKind
from standfast.model.quote import Quote

POSITIONS = msgspec.json.Decoder(PositionsReply)
BALANCES = msgspec.json.Decoder(BalancesReply)
QUOTES = msgspec.json.Decoder(QuotesReply)
HISTORY = msgspec.json.Decoder(HistoryReply)

CONTRACT_SIZE = Decimal(100)
"""Shares of a listed contract. An adjusted one may stand for others, which the positions list does not tell."""
EQUITIES = frozenset({"stock", "etf"})
OPTION_TICK, OPTION_TICK_ABOVE = Decimal("0.05"), Decimal("0.10")
"""Valid in every class of options, below and from three dollars: which classes have finer steps is not told."""
NEVER_QUOTED = datetime(1970, 1, 1, tzinfo=UTC)


def positions(body: bytes) -> dict[Holding, HeldReport]:
    """Every position. Several rows of one symbol are lots of it; one row twice is refused."""
    reply = rows(POSITIONS, body, "positions").positions
    listed = [] if isinstance(reply, str) else each(reply.position)
    ids = {str(row.id) for row in listed}
    if len(ids) != len(listed):
        raise Malformed(f"positions: {len(listed) - len(ids)} rows are listed twice")
    held: dict[Holding, HeldReport] = {}
    for row in listed:
        report = _held(row)
        before = held.get(report.holding)
        held[report.holding] = report if before is None else _together(before, report)
    return {key: report for key, report in held.items() if report.quantity}


def _held(row: PositionRow) -> HeldReport:
    found = holding(row.symbol)
    quantity = number(row.quantity, "position quantity")
    cost = number(row.cost_basis, "cost_basis")
    if not quantity:
        return HeldReport(holding=found, quantity=ZERO, average_price=ZERO)
    return HeldReport(holding=found, quantity=quantity, average_price=cost / quantity / shares(found))


def _together(one: HeldReport, other: HeldReport) -> HeldReport:
    quantity = one.quantity + other.quantity
    value = one.quantity * one.average_price + other.quantity * other.average_price
    return HeldReport(holding=one.holding, quantity=quantity, average_price=value / quantity if quantity else ZERO)


def shares(found: Holding) -> Decimal:
    """How many shares one of it stands for."""
    return CONTRACT_SIZE if option_contract(found.instrument) is not None else Decimal(1)


def account(body: bytes, *, account_id: str, status: str) -> AccountRead:
    """`status` is the account's by the profile; empty where that was not read. Raises Malformed for another account."""
    row = rows(BALANCES, body, "balances").balances
    if str(row.account_number) != account_id:
        raise Malformed(f"balances are of account {shown(str(row.account_number))}, not of ours")
    blocked = status not in ("", "active")
    return AccountRead(
        equity=number(row.total_equity, "total_equity"),
        buying_power=_buying_power(row),
        options_power=_options_power(row),
        currency="USD",
        blocked=blocked,
        reason=f"the account is {shown(status)}" if blocked else "",
        number=account_id,
    )


def _buying_power(row: BalanceRow) -> Decimal:
    kinds = [kind for kind in (row.margin, row.pdt, row.cash) if kind is not None]
    told = [found for kind in kinds for found in (kind.stock_buying_power, kind.cash_available) if found is not None]
    if told:
        return number(told[0], "buying power")
    raise Malformed("balances: neither margin, pdt nor cash says what can be bought")


def _options_power(row: BalanceRow) -> Decimal | None:
    kind = row.margin or row.pdt
    told = kind.option_buying_power if kind is not None else None
    return number(told, "option buying power") if told is not None else None


def quotes(body: bytes, received: datetime) -> Mapping[Holding, Quote]:
    """What is quoted; a symbol without a quote is absent."""
    return {holding(row.symbol): _quote(row, received) for row in quote_rows(body)}


def greeks(body: bytes) -> Mapping[Holding, Greeks]:
    """Of the options that have some. What cannot be read of them is absent: quotes do not wait for it."""
    found = {}
    for row in quote_rows(body):
        try:
            read = _greeks(row.greeks)
        except Malformed:
            continue
        if read is not None:
            found[holding(row.symbol)] = read
    return found


def _greeks(row: GreeksRow | None) -> Greeks | None:
    if row is None or row.delta is None or row.theta is None or not row.updated_at:
        return None
    at = moment(f"{row.updated_at.replace(' ', 'T')}Z", "greeks updated_at")
    return Greeks(delta=number(row.delta, "delta"), theta=number(row.theta, "theta"), at=at)


def quote_rows(body: bytes) -> list[QuoteRow]:
    reply = rows(QUOTES, body, "quotes").quotes
    return [] if isinstance(reply, str) else each(reply.quote)


def _quote(row: QuoteRow, received: datetime) -> Quote:
    """A side that is null is not there (zero). True since the younger of its two dates: both were looked at then."""
    stamps = [moment_of(stamp) for stamp in (row.bid_date, row.ask_date) if stamp]
    return Quote(_side(row.bid, "bid"), _side(row.ask, "ask"), max(stamps, default=NEVER_QUOTED), received)


def _side(price: Number | None, field: str) -> Decimal:
    return ZERO if price is None else number(price, field)


def moment_of(milliseconds: int) -> datetime:
    if not 0 < milliseconds < 10**14:
        raise Malformed(f"quote date is {milliseconds}")
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def instrument(row: QuoteRow) -> Instrument:
    """Raises Rejected for what is neither a share nor an option."""
    name = holding(row.symbol).instrument
    if option_contract(name) is not None:
        size = CONTRACT_SIZE if row.contract_size is None else number(row.contract_size, "contract_size")
        if size <= 0:
            raise Malformed(f"contract_size of {name} is {size}")
        return Instrument(id=name, kind=Kind.OPTION, tick=OPTION_TICK, coarse_tick=OPTION_TICK_ABOVE, multiplier=size)
    if row.type not in EQUITIES:
        raise Rejected(f"{name} is {shown(row.type)}, not a share", kind="not_tradable", code="local")
    return Instrument(id=name, kind=Kind.EQUITY)


def underlying(row: QuoteRow) -> InstrumentId | None:
    """What an order for this contract is to name as its symbol: SPX for the contracts of SPXW."""
    return holding(row.underlying).instrument if row.underlying else None


ENDS = {"OPTEXP": MovementKind.EXPIRY, "OPTASN": MovementKind.ASSIGNMENT, "OPTEXR": MovementKind.EXERCISE}


def ends(body: bytes) -> tuple[EndTold, ...]:
    """Options that ended, of the history's rows; a kind nobody knows is no end of one."""
    return tuple(
        EndTold(
            kind=ENDS[event.option.option_type],
            quantity=number(event.option.quantity, "history quantity"),
            amount=number(event.amount, "history amount"),
        )
        for event in history(body)
        if event.option is not None and event.option.option_type in ENDS
    )


def history(body: bytes) -> list[HistoryEvent]:
    reply = rows(HISTORY, body, "history").history
    found = [] if isinstance(reply, str) else each(reply.event)
    for event in found:
        number(event.amount, "history amount")
        moment(event.date, "history date")
    return found
