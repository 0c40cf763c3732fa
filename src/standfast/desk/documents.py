"""The JSON shapes of the outside world: pure functions from the book to plain dictionaries.

The command line and the HTTP interface print the same documents; a key is never taken away. Decimals are strings
without an exponent, times RFC 3339 UTC. What is not known is null, never a guess.

- `legs[].quantity` is what is held now; of a closed position, what had been opened (its sign tells the direction).
- `result` is realised: profit over what the closed part was entered for; null while nothing has been closed.
- `protection.quantity` is what the protection would close, `covered` whether that is all that is held.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple, Protocol, TypeAlias

from standfast.core.book import Book
from standfast.model.alert import Alert
from standfast.model.booked import BookedOrder, Stage
from standfast.model.breaks import Break
from standfast.model.ids import AccountId, Holding
from standfast.model.instrument import Kind, money_of_a_point
from standfast.model.journal import Allocation, Entry, FillBooked
from standfast.model.option import option_contract
from standfast.model.order import ZERO, Fill, OrderState, OrderType, Role
from standfast.model.position import Phase, Position

Document: TypeAlias = dict[str, object]


def number(value: Decimal | None) -> str | None:
    """A decimal as text, without exponent and without zeros that say nothing."""
    if value is None:
        return None
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def time(value: datetime | None) -> str | None:
    """RFC 3339 UTC; fractions only where there are any."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if value is not None else None


# --- positions ----------------------------------------------------------------------------------


class ShownPolicy(Protocol):
    """As much of a policy (`core.policy.Policy`) as showing a position needs."""

    @property
    def held_by(self) -> str: ...

    @property
    def stop_loss(self) -> Decimal | None: ...

    @property
    def emergency_stop(self) -> Decimal | None: ...

    @property
    def short_delta_limit(self) -> Decimal | None: ...


class ShownRules(Protocol):
    """As much of an account's rules (`core.policy.Rules`) as showing a position needs."""

    def policy(self, strategy: str, holding: Holding, kind: str = ...) -> ShownPolicy: ...


class Cover(NamedTuple):
    """What stands between a position and an unbounded loss, as the book and the policy say."""

    held_by: str | None
    stop_price: Decimal | None
    quantity: Decimal
    covered: bool
    naked_seconds: Decimal
    rests: Decimal = ZERO
    """Part of `quantity` that rests at the broker; the rest is the guard's to close."""


def cover(book: Book, position: Position, rules: ShownRules | None, now: datetime) -> Cover:
    """The resting stops of a position, or the guard's own rule where its policy leaves the exits to the guard."""
    held = book.held(position) if position.phase is not Phase.CLOSED else ZERO
    stops = resting_stops(book, position)
    resting = sum((_share(book, order, position) for order in stops), ZERO)
    held_by, level = _rule(position, rules)
    if stops:
        level = _widest(stops, position)
    by_guard = level is not None and (held_by in ("guard", "both") or (held_by == "broker" and 0 < held - resting < 1))
    quantity = held if by_guard else resting  # what is less than one unit no stop at the broker can hold
    return Cover(
        held_by=held_by if held_by is not None or not stops else "broker",
        stop_price=level,
        quantity=quantity,
        covered=position.naked_since is None and quantity >= held,
        naked_seconds=_naked_seconds(position, now),
        rests=resting,
    )


def resting_stops(book: Book, position: Position) -> list[BookedOrder]:
    """Stops of this position that the broker has and that could fill (as `core/cover.py` counts them)."""
    orders = book.orders_for(position.id)
    several = (each for each in book.orders_on(position.holding) if position.id in each.also)
    return [order for order in (*orders, *several) if _protects(book, order, position)]


def _share(book: Book, order: BookedOrder, position: Position) -> Decimal:
    """Of a stop for several positions what it closes of this one, as it does in turn."""
    left = order.remaining
    for member in order.bounds or (position.id,):
        held = book.state.positions[member].held if member in book.state.positions else ZERO
        if member == position.id:
            return min(left, held) if order.also else left
        left -= min(left, held)
    return ZERO


def _protects(book: Book, order: BookedOrder, position: Position) -> bool:
    if not order.is_stop or order.stage is not Stage.WORKING or order.side.sign == position.sign:
        return False
    if order.cancel_at is not None or not order.remaining:
        return False
    parent = book.state.orders.get(order.parent) if order.parent is not None else None
    waits_for_entry = parent is not None and parent.side is not order.side and not parent.is_finished
    return order.state is not OrderState.HELD or not waits_for_entry


def _rule(position: Position, rules: ShownRules | None) -> tuple[str | None, Decimal | None]:
    """Who holds the exits by policy, and the stop price its rules ask for."""
    if rules is None or not position.is_guarded or position.bare or position.phase is Phase.CLOSED:
        return None, position.stop
    policy = rules.policy(position.strategy, position.holding, _kind(position.holding))
    basis = position.basis
    distance = stop_distance(policy, position.stop_loss)
    level = position.stop
    if level is None and basis is not None and distance is not None:
        level = basis * (1 - distance * position.sign)
    if position.trail is not None and position.entry_price is not None:
        trailed = position.entry_price * (1 + position.trail.stop * position.sign)
        level = trailed if level is None or (trailed - level) * position.sign > 0 else level
    return str(policy.held_by), level


def stop_distance(policy: ShownPolicy, own: Decimal | None) -> Decimal | None:
    """How far the stop is from the entry, as a share of it; `own`: of a position that was asked for with one."""
    return next((each for each in (own, policy.stop_loss, policy.emergency_stop) if each is not None), None)


def _kind(holding: Holding) -> str:
    """As its name says: an option has a name of its own form, and a perpetual one names what it is settled in."""
    if option_contract(holding.instrument) is not None:
        return Kind.OPTION
    return Kind.PERPETUAL if ":" in holding.instrument else Kind.EQUITY


def short_delta_limit(position: Position, rules: ShownRules | None) -> Decimal | None:
    """The delta at which the guard buys it back; None where it is no sold option, or its policy has no such limit."""
    is_sold = position.sign < 0 and option_contract(position.holding.instrument) is not None
    if rules is None or not is_sold or not position.is_guarded or position.phase is Phase.CLOSED:
        return None
    return rules.policy(position.strategy, position.holding, Kind.OPTION).short_delta_limit


def _widest(stops: Sequence[BookedOrder], position: Position) -> Decimal | None:
    """Of several stops the one that bounds the loss last."""
    prices = [order.stop_price for order in stops if order.stop_price is not None]
    return (min(prices) if position.sign > 0 else max(prices)) if prices else None


def time_of(book: Book, now: datetime) -> datetime:
    """The account's own time: the machine's, or the journal's where a simulated exchange keeps a time of its own."""
    last = book.state.at
    return last if last is not None and abs(now - last) > timedelta(days=1) and book.state.started_at else now


def _naked_seconds(position: Position, now: datetime) -> Decimal:
    if position.naked_since is None:
        return position.naked_seconds
    running = max((now - position.naked_since).total_seconds(), 0)
    return position.naked_seconds + Decimal(str(round(running, 3)))


def result(position: Position) -> Decimal | None:
    """Realised profit over what the closed part was entered for."""
    entry = position.entry_price
    if not position.closed or not entry:
        return None
    paid = entry * position.closed * money_of_a_point(position.holding.instrument)
    return (position.pnl / paid).quantize(Decimal("0.000001"))


def position(
    book: Book, found: Position, *, rules: ShownRules | None, now: datetime, is_watched: bool = True
) -> Document:
    """A position as every interface shows it. Unwatched: no guard runs, so only what rests at the broker protects."""
    protection = cover(book, found, rules, now)
    if not is_watched:
        rests = protection.rests
        still = protection.covered and rests >= book.held(found)
        protection = protection._replace(quantity=rests, covered=still)
    is_closed = found.phase is Phase.CLOSED
    quantity = found.opened if is_closed else book.held(found)
    return {
        "id": found.id,
        "account": book.account,
        "strategy": found.strategy,
        "phase": found.phase.value,
        "direction": found.direction,
        "legs": [
            {
                "instrument": found.holding.instrument,
                "quantity": number(quantity * found.sign),
                "entry_price": _average(found.entry_price),
                "exit_price": _average(found.exit_price),
            }
        ],
        "opened_at": time(found.opened_at),
        "closed_at": time(found.closed_at) if is_closed else None,
        "close_reason": found.close_reason.value if is_closed and found.close_reason is not None else None,
        "pnl": number(found.pnl),
        "result": number(result(found)),
        "protection": {
            "held_by": protection.held_by,
            "stop_price": _average(protection.stop_price),
            "quantity": number(protection.quantity),
            "covered": protection.covered,
            "naked_seconds": number(protection.naked_seconds),
        },
        "short_delta_limit": number(short_delta_limit(found, rules)),
        "verified": found.verified.value if found.verified is not None else None,
        "adopted": found.adopted_at is not None,
    }


def _average(price: Decimal | None) -> str | None:
    """An average may have endless digits: eight after the point are more than any market quotes."""
    return number(round(price, 8)) if price is not None else None


# --- orders, breaks, alerts -------------------------------------------------------------------------


def order(book: Book, found: BookedOrder) -> Document:
    """An order as every interface shows it. `id` is the broker's, null until the broker has given one."""
    return {
        "id": found.broker_id,
        "client_order_id": found.id,
        "account": book.account,
        "position": found.position,
        "instrument": found.holding.instrument,
        "role": role(found).value,
        "side": found.side.value,
        "quantity": number(found.quantity),
        "filled": number(found.filled),
        "type": found.type.value,
        "state": state(found),
        "stop_price": number(found.stop_price),
        "limit_price": number(limit_price(found)),
        "placed_at": time(placed_at(found)),
    }


def role(found: BookedOrder) -> Role:
    """What it is for. Of a stop and a target placed as a pair the limit is the target, whichever of them leads."""
    return Role.TARGET if found.role is Role.STOP and found.type is OrderType.LIMIT else found.role


def state(found: BookedOrder) -> str:
    """The broker's word where there is one; until then, and where it was never taken, ours."""
    if found.stage is Stage.IN_DOUBT:
        return "in_doubt"
    if found.report is not None:
        return found.report.state.value
    if found.stage is Stage.FINISHED:
        return OrderState.REJECTED.value
    return "intended" if found.stage is Stage.INTENDED else OrderState.PENDING.value


def limit_price(found: BookedOrder) -> Decimal | None:
    """The limit the broker has, or the one we asked for."""
    if found.report is not None:
        return found.report.limit_price
    return found.terms.limit_price if found.terms is not None else None


def placed_at(found: BookedOrder) -> datetime:
    """When the broker took it, or when we meant to send it."""
    report = found.report
    return report.placed_at if report is not None and report.placed_at is not None else found.intended_at


def broken(account: AccountId, found: Break) -> Document:
    """A break as every interface shows it."""
    holding = found.finding.holding
    return {
        "id": found.id,
        "kind": found.finding.kind.value,
        "account": account,
        "instrument": holding.instrument if holding is not None else None,
        "first_seen": time(found.first_seen),
        "last_seen": time(found.last_seen),
        "confirmed": found.confirmed,
        "booked": found.finding.booked,
        "reported": found.finding.reported,
        "evidence": found.finding.evidence or None,
        "action": found.action or None,
        "ended_at": time(found.ended_at),
        "ended_by": found.ended_by or None,
    }


def alert(account: AccountId, found: Alert) -> Document:
    """An alert as every interface shows it."""
    return {
        "id": found.id,
        "account": account,
        "severity": found.severity.value,
        "text": found.text,
        "break": found.break_id,
        "first_at": time(found.first_at),
        "delivered_at": time(found.delivered_at),
        "acknowledged_at": time(found.acknowledged_at),
    }


# --- fills and days ---------------------------------------------------------------------------------


def fills_by_position(entries: Iterable[Entry]) -> Mapping[str, list[tuple[Fill, Allocation]]]:
    """Booked fills of each position, in the order they were booked, each with the part that is its own."""
    found: dict[str, list[tuple[Fill, Allocation]]] = {}
    for entry in entries:
        if isinstance(entry.fact, FillBooked):
            for part in entry.fact.allocations:
                if part.position is not None:
                    found.setdefault(part.position, []).append((entry.fact.fill, part))
    return found


def fill(found: Fill, part: Allocation) -> Document:
    """A fill of one position: `quantity` is the position's part of it."""
    return {
        "execution_id": found.execution_id,
        "order_id": found.broker_order_id,
        "side": found.side.value,
        "quantity": number(part.quantity),
        "price": number(found.price),
        "fee": number(found.fee),
        "at": time(found.at),
    }


def day(account: AccountId, at: str, pnl: Decimal, fees: Decimal) -> Document:
    """Realised profit and loss of one trading day; fees apart."""
    return {"account": account, "day": at, "pnl": number(pnl), "fees": number(fees)}


def entry(found: Entry, text: str) -> Document:
    """A journal entry: its place, its fact as data, and the sentence that tells it."""
    import msgspec  # here: only what prints entries needs it

    kind = type(found.fact).__name__
    return {
        "number": found.number,
        "at": time(found.at),
        "epoch": found.epoch,
        "kind": kind,
        "text": text,
        "fact": msgspec.to_builtins(found.fact, enc_hook=dict),
    }
