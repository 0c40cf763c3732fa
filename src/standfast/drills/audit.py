"""What must hold of every guarded run, whatever its story: the ledger against the exchange's own books.

Each claim counts with numbers of both sides as its evidence.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal

from standfast.drills.stage import Stage
from standfast.drills.words import name_of
from standfast.exchange.accounts import Truth as Books
from standfast.exchange.contracts import contract_of
from standfast.exchange.events import EventKind
from standfast.exchange.sessions import NEW_YORK
from standfast.model.ids import is_own
from standfast.model.journal import (
    Allocation,
    Entry,
    FillBooked,
    FillMatched,
    MovedOut,
    OrderIntended,
    TogetherIntended,
)
from standfast.model.order import Role

CENT = Decimal("0.01")
TRADE = "trade"
CLOSERS = frozenset({Role.CLOSE, Role.ROLLBACK})
OVER = frozenset({EventKind.FILL, EventKind.CANCELED, EventKind.EXPIRED, EventKind.REJECTED, EventKind.REPLACED})


def audit(stage: Stage, entries: Sequence[Entry]) -> None:
    """Adds its claims to the stage's."""
    _faults(stage)
    _fills(stage, entries)
    _ends(stage, entries)
    _money(stage, entries)
    _net(stage)
    _towards_zero(stage, entries)
    _one_close(stage, entries)


def _faults(stage: Stage) -> None:
    """A fault that met nobody has tried nothing."""
    met = {id(struck.fault) for struck in stage.faults.struck}
    idle = [rule.operation for rule in stage.installed if id(rule.fault) not in met]
    if stage.installed:
        stage.claim(
            "every fault that was set has struck",
            f"{len(stage.faults.struck)} times; never: {', '.join(idle) or 'none'}",
            holds=not idle,
        )


def _fills(stage: Stage, entries: Sequence[Entry]) -> None:
    booked = [entry.fact.fill for entry in entries if isinstance(entry.fact, FillBooked | FillMatched)]
    mine = Counter((fill.broker_order_id, fill.signed, fill.price) for fill in booked)
    trades = [fill for fill in _truth(stage).fills if fill.kind == TRADE]
    theirs = Counter((stage.shown_id(fill.order_id), fill.quantity, fill.price) for fill in trades)
    stage.claim(
        "every fill is in the books, once, at its price",
        f"{theirs.total()} fills at the exchange, {mine.total()} in the books",
        holds=mine == theirs,
    )


def _ends(stage: Stage, entries: Sequence[Entry]) -> None:
    """Of options, which alone end so. Shares that were delivered are judged by the net and by the money."""
    ended = [fill for fill in _truth(stage).fills if fill.kind != TRADE and contract_of(fill.instrument) is not None]
    moved = [entry.fact for entry in entries if isinstance(entry.fact, MovedOut)]
    theirs = Counter((fill.instrument, fill.quantity, fill.price) for fill in ended)
    mine = Counter((str(out.holding), _moved(out), out.price) for out in moved)
    if ended or moved:
        stage.claim(
            "what ended without an order is in the books, once, at what it was worth",
            ", ".join(f"{fill.quantity:+} {fill.instrument} at {fill.price} ({fill.kind})" for fill in ended) or "none",
            holds=mine == theirs,
        )


def _moved(out: MovedOut) -> Decimal:
    return -out.sign * sum((part.quantity for part in out.parts), Decimal(0))


def _money(stage: Stage, entries: Sequence[Entry]) -> None:
    mine: defaultdict[date, Decimal] = defaultdict(Decimal)
    for entry in entries:
        for at, parts in _realising(entry):
            mine[at.astimezone(NEW_YORK).date()] += sum((part.realised for part in parts), Decimal(0))
    theirs = _truth(stage).realised_by_day()
    days = sorted(mine.keys() | theirs.keys())
    pairs = [(_cents(mine.get(day, Decimal(0))), _cents(theirs.get(day, Decimal(0)))) for day in days]
    total = sum((position.pnl for position in stage.book.state.positions.values()), Decimal(0))
    total += sum((position.pnl for position in stage.closed()), Decimal(0))
    told = [f"{day:%d %b}: booked {one}, exchange {other}" for day, (one, other) in zip(days, pairs, strict=True)]
    stage.claim(
        "realised P&L is the exchange's, per day and in total, to the cent",
        f"{', '.join(told) or 'nothing realised'}; positions add up to {_cents(total)}",
        holds=all(one == other for one, other in pairs) and _cents(total) == _cents(stage.truth.realised),
    )


def _realising(entry: Entry) -> Iterator[tuple[datetime, tuple[Allocation, ...]]]:
    """The parts that brought or cost money, and when."""
    if isinstance(entry.fact, FillBooked):
        yield entry.fact.fill.at, entry.fact.allocations
    elif isinstance(entry.fact, MovedOut):
        yield entry.at, entry.fact.parts


def _net(stage: Stage) -> None:
    booked = {str(holding): stage.book.net(holding) for holding in stage.book.holdings()}
    held = {name: stage.truth.net(name) for name in stage.board.instruments}
    agree = all(quantity in booked[name] if name in booked else quantity == 0 for name, quantity in held.items())
    told = [(name, booked.get(name, 0), held[name]) for name in held if name in booked or held[name]]
    shown = ", ".join(f"{name}: {one} booked, {other} held" for name, one, other in told) or "nothing on either side"
    stage.claim("the books hold what the exchange holds", shown, holds=agree)


def _towards_zero(stage: Stage, entries: Sequence[Entry]) -> None:
    """Every fill of a guard's order, its openings apart, left a smaller position of the same sign."""
    openings = _ids(entries, frozenset({Role.OPEN}))
    seen, wrong = 0, []
    for event in stage.truth.tape:
        name = name_of(stage.truth.top(event.order))
        if event.quantity is None or not is_own(name, stage.account) or name in openings:
            continue
        after = event.position_quantity or Decimal(0)
        before = after - event.quantity * event.order.side.sign
        seen += 1
        if before == 0 or after * before < 0 or abs(after) >= abs(before):
            wrong.append(f"{name}: {before} to {after}")
    stage.claim(
        "no order of the guard but an opening ever added exposure",
        "; ".join(wrong) or f"{seen} closing fills, each towards zero",
        holds=not wrong,
    )


def _ids(entries: Sequence[Entry], roles: frozenset[Role]) -> set[str]:
    intents = (entry.fact for entry in entries if isinstance(entry.fact, OrderIntended | TogetherIntended))
    return {intent.id for intent in intents if intent.role in roles}


def _one_close(stage: Stage, entries: Sequence[Entry]) -> None:
    """In one instrument; an order for several legs counts in each."""
    closers = _ids(entries, CLOSERS)
    alive: defaultdict[str, set[str]] = defaultdict(set)
    most = 0
    for event in stage.truth.tape:
        if name_of(stage.truth.top(event.order)) in closers and not event.order.is_multileg:
            (alive[event.order.instrument].discard if event.kind in OVER else alive[event.order.instrument].add)(
                event.order.id
            )
        most = max([most, *(len(orders) for orders in alive.values())])
    stage.claim(
        "at most one closing order of the guard worked at a time",
        f"{len(closers)} closing orders, at most {most} at a time",
        holds=most <= 1,
    )


def _truth(stage: Stage) -> Books:
    return stage.engine.truth(stage.account)


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT)
