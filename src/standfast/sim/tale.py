"""What happened in a run, as lines to read and as one number to compare."""

import hashlib
from collections.abc import Iterable

from standfast.exchange.events import Event
from standfast.model.journal import Entry
from standfast.sim.effects import Effects


def digest(effects: Effects, tape: Iterable[Event], entries: Iterable[Entry]) -> str:
    """Equal for equal runs: every effect, every event of the exchange, every entry, and when each was."""
    total = hashlib.blake2b(effects.digest.encode(), digest_size=16)
    for event in tape:
        total.update(f"{event.at} {event.kind} {event.order.id} {event.quantity} {event.price}\n".encode())
    for entry in entries:
        total.update(f"{entry.at} {entry.hash}\n".encode())
    return total.hexdigest()


def timeline(tape: Iterable[Event], entries: Iterable[Entry]) -> list[str]:
    """A line for each event and each entry, in their order."""
    told = [(event.at, f"exchange: {brief(event)}") for event in tape]
    told += [(entry.at, f"journal {entry.number}: {entry.fact}") for entry in entries]
    return [f"{at:%H:%M:%S.%f} {text}" for at, text in sorted(told, key=lambda row: row[0])]


def brief(event: Event) -> str:
    """One event in a line."""
    order = event.order
    prices = " ".join(str(price) for price in (order.terms.limit_price, order.terms.stop_price) if price is not None)
    text = f"{event.kind} {order.client_order_id} {order.side} {order.terms.quantity} {order.terms.type} {prices}"
    return text if event.price is None else f"{text} {event.quantity} at {event.price}"
