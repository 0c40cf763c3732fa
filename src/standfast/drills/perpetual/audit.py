"""What must hold of every guarded run on perpetual futures: the ledger against the exchange's own books, as `audit`."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from decimal import Decimal

from standfast.drills.perpetual.stage import PerpetualStage
from standfast.drills.perpetual.truth import HEDGES
from standfast.drills.perpetual.words import name_of
from standfast.exchange.perpetual.books import ExecutionKind
from standfast.exchange.perpetual.contract import symbol_of
from standfast.exchange.perpetual.events import Event, EventKind
from standfast.exchange.perpetual.orders import Order
from standfast.model.ids import Holding, InstrumentId, is_own
from standfast.model.journal import Entry, FillBooked, FillMatched, MovementBooked, OrderIntended
from standfast.model.order import MovementKind, Role

CENT = Decimal("0.01")
ZERO = Decimal(0)
CLOSERS = frozenset({Role.CLOSE, Role.ROLLBACK})


def audit(stage: PerpetualStage, entries: Sequence[Entry]) -> None:
    """Adds its claims to the stage's."""
    _faults(stage)
    _fills(stage, entries)
    _funding(stage, entries)
    _money(stage)
    _net(stage)
    _towards_zero(stage, entries)
    _one_close(stage, entries)


def _faults(stage: PerpetualStage) -> None:
    """A fault that met nobody has tried nothing."""
    met = {id(struck.fault) for struck in stage.faults.struck}
    idle = [rule.operation for rule in stage.installed if id(rule.fault) not in met]
    if stage.installed:
        told = f"{len(stage.faults.struck)} times; never: {', '.join(idle) or 'none'}"
        stage.claim("every fault that was set has struck", told, holds=not idle)


def _fills(stage: PerpetualStage, entries: Sequence[Entry]) -> None:
    """What the exchange did by an order of its own (a liquidation) is a fill like any other."""
    booked = [entry.fact.fill for entry in entries if isinstance(entry.fact, FillBooked | FillMatched)]
    mine = Counter((_side(fill.holding), fill.signed, fill.price) for fill in booked)
    done = stage.truth.executions()
    theirs = Counter(((each.instrument, each.index), each.quantity * each.side.sign, each.price) for each in done)
    stage.claim(
        "every fill is in the books, once, at its price",
        f"{theirs.total()} fills at the exchange, {mine.total()} in the books",
        holds=mine == theirs,
    )


def _funding(stage: PerpetualStage, entries: Sequence[Entry]) -> None:
    moved = [entry.fact.movement for entry in entries if isinstance(entry.fact, MovementBooked)]
    mine = sum((each.amount or ZERO for each in moved if each.kind is MovementKind.FEE), ZERO)
    theirs = stage.truth.funding
    if moved or theirs:
        told = f"exchange {theirs:.4f}, booked {mine:.4f} in {len(moved)} movement(s)"
        stage.claim("funding is in the books, to the cent", told, holds=abs(mine - theirs) < CENT)


def _money(stage: PerpetualStage) -> None:
    state = stage.book.state
    mine = sum((each.pnl for each in (*state.positions.values(), *state.closed.values())), ZERO)
    theirs = stage.truth.realised
    told = f"booked {mine:.4f}, exchange {theirs:.4f}"
    stage.claim("realised P&L is the exchange's, to the cent, fees apart", told, holds=abs(mine - theirs) < CENT)


def _net(stage: PerpetualStage) -> None:
    booked = {_side(holding): (holding, stage.book.net(holding)) for holding in stage.book.holdings()}
    sides = sorted({*booked, *stage.truth.sides()})
    held = {side: stage.truth.net(*side) for side in sides}
    told = [f"{_shown(side)}: {booked[side][1] if side in booked else 0} booked, {held[side]} held" for side in sides]
    agree = all(net in booked[side][1] if side in booked else net == 0 for side, net in held.items())
    stage.claim("the books hold what the exchange holds", ", ".join(told) or "nothing on either side", holds=agree)


def _towards_zero(stage: PerpetualStage, entries: Sequence[Entry]) -> None:
    seen, wrong = wrong_way(stage, entries)
    told = "; ".join(wrong) or f"{seen} closing fills, each towards zero"
    stage.claim("no order of the guard but an opening ever pointed away from zero", told, holds=not wrong)


def wrong_way(stage: PerpetualStage, entries: Sequence[Entry]) -> tuple[int, list[str]]:
    """How many fills orders of the guard's had, its openings apart, and which of these orders pointed away from zero
    when they came, or took what was held anywhere but towards it."""
    openings = _ids(entries, frozenset({Role.OPEN}))
    net: defaultdict[tuple[str, int], Decimal] = defaultdict(Decimal)
    seen, wrong = 0, list[str]()
    for event in stage.truth.tape:
        done, order = event.execution, event.order
        is_closing = order is not None and is_own(name_of(order), stage.account) and name_of(order) not in openings
        before = net[event.instrument, _index(event)]
        after = before
        if done is not None and done.kind is not ExecutionKind.FUNDING:
            after = net[done.instrument, done.index] = before + done.quantity * done.side.sign
        if not is_closing or order is None:
            continue
        if event.kind is EventKind.PLACED and before * order.side.sign > 0:
            wrong.append(f"{name_of(order)}: {order.side} while {before} held")
        if done is not None:
            seen += 1
            if before == 0 or after * before < 0 or abs(after) >= abs(before):
                wrong.append(f"{name_of(order)}: {before} to {after}")
    return seen, wrong


def _one_close(stage: PerpetualStage, entries: Sequence[Entry]) -> None:
    closers = _ids(entries, CLOSERS)
    alive: defaultdict[tuple[str, int], set[str]] = defaultdict(set)
    most = 0
    for event in stage.truth.tape:
        order = event.order
        if order is None or name_of(order) not in closers:
            continue
        side = alive[order.instrument, order.index]
        (side.discard if order.is_finished else side.add)(order.id)
        most = max(most, len(side))
    told = f"{len(closers)} closing orders, at most {most} at a time on one side"
    stage.claim("at most one closing order of the guard worked at a time", told, holds=most <= 1)


def _ids(entries: Sequence[Entry], roles: frozenset[Role]) -> set[str]:
    return {entry.fact.id for entry in entries if isinstance(entry.fact, OrderIntended) and entry.fact.role in roles}


def orders_of_guard(stage: PerpetualStage) -> list[Order]:
    """Every order the guard ever had at the exchange, as it is now, oldest first."""
    found = {event.order.id: event.order for event in stage.truth.tape if event.order is not None}
    return [order for order in found.values() if is_own(name_of(order), stage.account)]


def _index(event: Event) -> int:
    if event.execution is not None:
        return event.execution.index
    return event.order.index if event.order is not None else 0


def _side(holding: Holding) -> tuple[str, int]:
    indices = {hedge: index for index, hedge in HEDGES.items()}
    return symbol_of(holding.instrument), indices[holding.hedge]


def _shown(side: tuple[str, int]) -> str:
    return f"{side[0]}{f':{HEDGES[side[1]]}' if side[1] else ''}"


def holding(name: str, index: int = 0) -> Holding:
    return Holding(InstrumentId(name), HEDGES[index])
