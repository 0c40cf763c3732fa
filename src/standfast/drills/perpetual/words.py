"""Events of an exchange for perpetual futures in plain words, and the timeline they make."""

from collections.abc import Iterable
from datetime import UTC, datetime

from standfast.drills.perpetual.truth import HEDGES, PerpetualTruth
from standfast.drills.telling import Said
from standfast.drills.words import number, of_fact
from standfast.exchange.perpetual.books import ExecutionKind
from standfast.exchange.perpetual.events import Event, EventKind
from standfast.exchange.perpetual.orders import Kind, Order
from standfast.model.journal import Entry

ALGO = "algo:"
FORCED = {
    ExecutionKind.LIQUIDATION: "LIQUIDATES",
    ExecutionKind.ADL: "DELEVERAGES",
    ExecutionKind.SETTLEMENT: "settles",
    ExecutionKind.DELIVERY: "delivers",
}


def clock(at: datetime) -> str:
    return f"{at.astimezone(UTC):%a %H:%M:%S.%f}"[:-3]


def timeline(truth: PerpetualTruth, entries: Iterable[Entry], said: Iterable[Said]) -> list[str]:
    """Everything in its order. What happened at one instant: the exchange first, then who reacted."""
    rows = [(event.at, 1, "exchange", text) for event in truth.tape if (text := of_event(event))]
    rows += [(entry.at, 2, "guard", text) for entry in entries if (text := of_fact(entry.fact))]
    rows += [(each.at, 0, each.who, each.text) for each in said]
    rows.sort(key=lambda row: (row[0], row[1]))
    return [f"{clock(at)}  {who:<8}  {text}" for at, _, who, text in rows]


def name_of(order: Order) -> str:
    """What its sender calls it."""
    return order.ticket.link_id.removeprefix(ALGO)


def of_event(event: Event) -> str:
    """Empty for what is not worth a line: a position and a wallet follow from the executions."""
    if event.execution is not None:
        return _of_execution(event)
    if event.order is None:
        return ""
    name = f"{name_of(event.order) or 'an order'}: {_asked(event.order)}"
    match event.kind:
        case EventKind.PLACED if event.order.ticket.trigger is not None or event.order.ticket.kind is Kind.LIMIT:
            return f"{name} rests"
        case EventKind.TRIGGERED:
            return f"{name} is triggered"
        case EventKind.CANCELLED | EventKind.REJECTED:
            return f"{name} is {event.kind.value}: {event.order.ended.value}"
        case _:
            return ""


def _of_execution(event: Event) -> str:
    done = event.execution
    assert done is not None
    side = f" of the {HEDGES[done.index]} side" if done.index else ""
    if done.kind is ExecutionKind.FUNDING:
        verb = "pays" if done.fee > 0 else "receives"
        return f"funding: {verb} {abs(done.fee):.4f} for {number(done.quantity)} {done.instrument}"
    if done.kind is not ExecutionKind.TRADE:
        return f"{FORCED[done.kind]} {number(done.quantity)} {done.instrument}{side} at {number(done.price)}"
    name = "" if event.order is None else f"{name_of(event.order) or 'an order'}: "
    return f"fill: {name}{done.side} {number(done.quantity)} {done.instrument}{side} at {number(done.price)}"


def _asked(order: Order) -> str:
    ticket = order.ticket
    words = [ticket.side, number(ticket.quantity) if ticket.quantity else "all of", order.instrument]
    words += [f"({HEDGES[ticket.index]})"] if ticket.index else []
    words += [f"when {number(ticket.trigger.price)} is reached"] if ticket.trigger is not None else []
    words += [f"at {number(ticket.price)}"] if ticket.price is not None else []
    words += ["reduce-only"] if ticket.reduce_only else []
    return " ".join(words)
