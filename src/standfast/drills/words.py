"""Events and facts in plain words, and the timeline they make."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from standfast.drills.line import net_told, together_told
from standfast.drills.telling import Said
from standfast.drills.truth import Truth
from standfast.exchange.accounts import TrueFill
from standfast.exchange.engine import Engine
from standfast.exchange.events import Event, EventKind
from standfast.exchange.orders import Order, OrderType
from standfast.exchange.sessions import NEW_YORK
from standfast.model import journal
from standfast.model.journal import Entry, Fact
from standfast.model.order import Terms

ENDED = {
    EventKind.CANCELED: "is cancelled",
    EventKind.EXPIRED: "expires",
    EventKind.REJECTED: "is rejected",
    EventKind.RESTATED: "is restated by the exchange",
    EventKind.REPLACED: "is replaced",
}


def clock(at: datetime) -> str:
    return f"{at.astimezone(NEW_YORK):%a %H:%M:%S.%f}"[:-3]


def timeline(truth: Truth, entries: Iterable[Entry], said: Iterable[Said]) -> list[str]:
    """Everything in its order. What happened at one instant: the exchange first, then who reacted."""
    engine = truth.engine
    rows = [(event.at, 1, "exchange", text) for event in truth.tape if (text := of_event(engine, event))]
    rows += [(fill.at, 1, "exchange", text) for fill in engine.truth(truth.account).fills if (text := of_move(fill))]
    rows += [(entry.at, 2, "guard", text) for entry in entries if (text := of_fact(entry.fact))]
    rows += [(each.at, 0, each.who, each.text) for each in said]
    rows.sort(key=lambda row: (row[0], row[1]))
    return [f"{clock(at)}  {who:<8}  {text}" for at, _, who, text in rows]


# --- the exchange ---------------------------------------------------------------------------------


def of_event(engine: Engine, event: Event) -> str:
    """Empty for what is not worth a line: an order for all legs works and ends, its legs trade."""
    order = event.order
    name = f"{_whose(engine, order)} {_asked(engine, order)}"
    match event.kind:
        case EventKind.FILL | EventKind.PARTIAL_FILL if not order.is_multileg:
            held = number(event.position_quantity or Decimal(0))
            return f"fill: {name} trades {number(event.quantity)} at {event.price}; {held} {order.instrument} held"
        case EventKind.NEW if order.terms.type is not OrderType.MARKET:
            return f"{name} works until {'cancelled' if order.terms.time_in_force == 'gtc' else 'the close'}"
        case kind if kind in ENDED and not (order.is_leg and order.filled == 0):
            return f"{name} {ENDED[kind]}{f': {order.reason}' if order.reason else ''}"
        case _:
            return ""


def _whose(engine: Engine, order: Order) -> str:
    if order.parent_id is not None:
        return f"the leg of {name_of(engine.order(order.account, order.parent_id))}:"
    return f"{name_of(order)}:"


def name_of(order: Order) -> str:
    """What its sender calls it."""
    return order.tag or order.client_order_id


def _asked(engine: Engine, order: Order) -> str:
    if order.is_multileg:
        return together_told(number(order.terms.quantity), engine.legs(order), order.terms.limit_price)
    prices = [str(price) for price in (order.terms.stop_price, order.terms.limit_price) if price is not None]
    at = f" at {' / '.join(prices)}" if prices else ""
    kind = f" {order.terms.type.value.replace('_', '-')}" if not order.is_leg else ""
    return f"{order.side} {number(order.terms.quantity)} {order.instrument}{kind}{at}"


def of_move(fill: TrueFill) -> str:
    """What moved a holding without an order; empty for a trade."""
    if fill.kind == "trade":
        return ""
    return f"{fill.kind}: {fill.quantity:+} {fill.instrument} at {fill.price}"


def number(quantity: Decimal | None) -> str:
    return "?" if quantity is None else format(quantity.normalize() + Decimal(0), "f")


# --- the guard ------------------------------------------------------------------------------------


def of_fact(fact: Fact) -> str:  # noqa: C901, PLR0912 - a table of words, one line for each kind
    """Empty for what is not worth a line."""
    match fact:
        case journal.GuardStarted():
            return f"is here, mode {fact.mode}"
        case journal.LotFound():
            return f"finds {fact.holding} filled by an order not its own: {fact.standing} as {fact.position}"
        case journal.PositionAdopted():
            return f"adopts {number(fact.quantity)} {fact.holding} at {fact.price} as {fact.position}"
        case journal.OpeningRequested():
            return f"records {fact.position}: open {number(fact.quantity)} {fact.holding} for {fact.by}"
        case journal.OrderIntended():
            return f"records {fact.id} ({fact.role}): {_terms(fact.terms)} {fact.holding}; {fact.reason}"
        case journal.OrderRejected() | journal.OrderInDoubt() | journal.OrderNotSent() | journal.OrderNeverArrived():
            return f"{fact.id} {OUTCOMES[type(fact)]}: {fact.reason}"
        case journal.CopyRefused():
            return f"a second copy of {fact.id} is refused: {fact.reason}; waits for the first"
        case journal.OrderMissing():
            return f"{fact.id} is not known to the broker: asks again"
        case journal.CancelIntended():
            return f"cancels an order on {fact.holding}: {fact.reason}"
        case journal.FillBooked():
            fill = fact.fill
            return f"books {fill.side} {number(fill.quantity)} {fill.holding} at {fill.price}"
        case journal.CloseRequested():
            return f"decides to close {fact.position} ({fact.reason}): {fact.detail}"
        case journal.StructureRequested() | journal.StructureFormed() | journal.StructureDissolved():
            return _of_structure(fact)
        case journal.TogetherIntended():
            price = net_told(None if fact.net is None else -fact.net)
            return f"records {fact.id} ({fact.role}): all legs of {fact.structure} {price}; {fact.reason}"
        case journal.TrailMoved():
            return f"trails {fact.position}: rung {fact.trail.rung + 1}, stop at {fact.trail.stop:+.2%}"
        case journal.MovedOut():
            left = sum((part.quantity for part in fact.parts), Decimal(0)) * fact.sign
            return f"takes {number(left)} {fact.holding} out of the books ({fact.reason}) at {fact.price}"
        case journal.EndRestated():
            return f"restates {fact.holding}: worth {fact.price} at its end, not {fact.was}"
        case journal.EndsCompared():
            return f"{'agrees' if fact.agrees else 'DISAGREES'} with the broker on how options ended: {fact.told}"
        case journal.PositionSettled():
            return f"settles {fact.position} ({fact.reason}): {fact.proof}"
        case journal.BreakSeen():
            found = fact.finding
            where = found.holding or "the account"
            return f"sees {found.kind} on {where}: booked {found.booked}, reported {found.reported}"
        case journal.AlertRaised():
            return f"ALARM ({fact.severity}) {fact.text}"
        case journal.RequestDone():
            return f"answers {'done' if fact.ok else 'not done'}: {fact.detail}"
        case _:
            return ""


def _of_structure(fact: journal.StructureRequested | journal.StructureFormed | journal.StructureDissolved) -> str:
    match fact:
        case journal.StructureRequested():
            legs = " ".join(f"{leg.holding}:{leg.ratio:+}" for leg in fact.legs)
            return f"records {fact.structure}: open {number(fact.units)} x {legs} for {fact.by}"
        case journal.StructureFormed():
            return f"ties {', '.join(leg.position for leg in fact.legs)} together as {fact.structure}: {fact.why}"
        case journal.StructureDissolved():
            return f"takes {fact.structure} apart: {fact.reason}"


OUTCOMES: dict[type, str] = {
    journal.OrderRejected: "is refused",
    journal.OrderInDoubt: "is in doubt",
    journal.OrderNotSent: "did not leave",
    journal.OrderNeverArrived: "never arrived",
}


def _terms(terms: Terms) -> str:
    stop = f" stop {terms.stop_price}" if terms.stop_price is not None else ""
    target = f" target {terms.target_price}" if terms.target_price is not None else ""
    limit = f" limit {terms.limit_price}" if terms.limit_price is not None else ""
    return f"{terms.side} {number(terms.quantity)}{stop}{target}{limit} {terms.time_in_force}"


def headline(text: str) -> Sequence[str]:
    return ["", f"--- {text} ---"]
