"""What must hold of every guarded run, whatever its story: the ledger against the exchange's own books.

Each claim counts with numbers of both sides as its evidence.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from standfast.drills.stage import Stage
from standfast.exchange.accounts import Truth as Books
from standfast.exchange.events import EventKind
from standfast.exchange.sessions import NEW_YORK
from standfast.model.ids import is_own
from standfast.model.journal import Entry, FillBooked, FillMatched, OrderIntended
from standfast.model.order import Role

CENT = Decimal("0.01")
CLOSERS = frozenset({Role.CLOSE, Role.ROLLBACK})
OVER = frozenset({EventKind.FILL, EventKind.CANCELED, EventKind.EXPIRED, EventKind.REJECTED, EventKind.REPLACED})


def audit(stage: Stage, entries: Sequence[Entry]) -> None:
    """Adds its claims to the stage's."""
    _faults(stage)
    _fills(stage, entries)
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
    theirs = Counter((fill.order_id, fill.quantity, fill.price) for fill in _truth(stage).fills)
    stage.claim(
        "every fill is in the books, once, at its price",
        f"{theirs.total()} fills at the exchange, {mine.total()} in the books",
        holds=mine == theirs,
    )


def _money(stage: Stage, entries: Sequence[Entry]) -> None:
    mine: defaultdict[date, Decimal] = defaultdict(Decimal)
    for entry in entries:
        if isinstance(entry.fact, FillBooked):
            realised = sum((part.realised for part in entry.fact.allocations), Decimal(0))
            mine[entry.fact.fill.at.astimezone(NEW_YORK).date()] += realised
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


def _net(stage: Stage) -> None:
    booked = {str(holding): stage.book.net(holding) for holding in stage.book.holdings()}
    held = {name: stage.truth.net(name) for name in stage.board.instruments}
    agree = all(quantity in booked[name] if name in booked else quantity == 0 for name, quantity in held.items())
    shown = ", ".join(f"{name}: {booked.get(name, 0)} booked, {quantity} held" for name, quantity in held.items())
    stage.claim("the books hold what the exchange holds", shown, holds=agree)


def _towards_zero(stage: Stage, entries: Sequence[Entry]) -> None:
    """Every fill of a guard's order, its openings apart, left a smaller position of the same sign."""
    openings = {e.fact.id for e in entries if isinstance(e.fact, OrderIntended) and e.fact.role is Role.OPEN}
    seen, wrong = 0, []
    for event in stage.truth.tape:
        parent = event.order.parent_id
        top = event.order if parent is None else stage.engine.order(event.account, parent)
        if event.quantity is None or not is_own(top.client_order_id, stage.account) or top.client_order_id in openings:
            continue
        after = event.position_quantity or Decimal(0)
        before = after - event.quantity * event.order.side.sign
        seen += 1
        if before == 0 or after * before < 0 or abs(after) >= abs(before):
            wrong.append(f"{top.client_order_id}: {before} to {after}")
    stage.claim(
        "no order of the guard but an opening ever added exposure",
        "; ".join(wrong) or f"{seen} closing fills, each towards zero",
        holds=not wrong,
    )


def _one_close(stage: Stage, entries: Sequence[Entry]) -> None:
    closers = {e.fact.id for e in entries if isinstance(e.fact, OrderIntended) and e.fact.role in CLOSERS}
    alive: defaultdict[str, set[str]] = defaultdict(set)
    most = 0
    for event in stage.truth.tape:
        if event.order.client_order_id in closers:
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
