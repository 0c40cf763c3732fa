"""Reading every working order, page by page, and knowing that it was every one.

Theory: pages run from the newest submission back. `until` is exclusive and several orders may share one moment, so the
next page begins just above the oldest seen and what comes twice is dropped by id.

Invariants
- The list is whole when a page, legs counted, is shorter than it may be: with nesting the broker may count legs.
- A full page that brings nothing new cannot be passed: `Incomplete`.
"""

from datetime import timedelta

import msgspec

from standfast.brokers.alpaca.client import PAGE_OF_ORDERS, AlpacaClient
from standfast.brokers.alpaca.rows import OrderRow
from standfast.brokers.shared import reading
from standfast.model.errors import Incomplete

PAGES_MAX = 400
"""200,000 orders: beyond that something is wrong."""

ORDERS = msgspec.json.Decoder(list[OrderRow])


async def read_open_orders(client: AlpacaClient, urgency: int) -> list[OrderRow]:
    """Top-level rows, newest first, no id twice. Raises Incomplete when the end cannot be proven."""
    found: dict[str, OrderRow] = {}
    until: str | None = None
    for _ in range(PAGES_MAX):
        page = reading.rows(ORDERS, await client.get_open_orders(until, urgency), "orders")
        known = len(found)
        for row in page:
            found.setdefault(row.id, row)
        if _counted(page) < PAGE_OF_ORDERS:
            return list(found.values())
        if known == len(found):
            raise Incomplete(f"orders: more than a page submitted at {page[-1].submitted_at}")
        until = _just_after(page)
    raise Incomplete(f"orders: no end after {PAGES_MAX} pages")


def _counted(page: list[OrderRow]) -> int:
    return sum(1 + len(row.legs or ()) for row in page)


def _just_after(page: list[OrderRow]) -> str:
    """A moment just above the oldest submission of the page; times are kept to the microsecond, rounded down."""
    stamps = [row.submitted_at for row in page]
    if None in stamps:
        raise Incomplete("orders: a full page with an order without submission time cannot be continued")
    oldest = min(reading.moment(stamp, "submitted_at") for stamp in stamps if stamp is not None)
    return (oldest + timedelta(microseconds=1)).isoformat().replace("+00:00", "Z")
