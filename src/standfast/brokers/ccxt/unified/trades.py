"""The account's trades since a watermark, contract by contract where the exchange wants one named.

Invariants
- A trade is told once (`watermark`), and with the order it is of.
- A page that may have been cut off, of which the rest cannot be asked for, is no answer: `Incomplete`.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping

from standfast.brokers.ccxt.unified import parse
from standfast.brokers.ccxt.unified.parse import Row
from standfast.model.errors import Incomplete

PAGES_MAX = 50
PAGE_USUAL = 100
"""Rows of a page where ccxt does not tell."""

Page = Callable[[int, int | None, int], Awaitable[list[Row]]]
"""Trades from a moment on, up to another where one is given, as many as that; in milliseconds."""


async def since(page: Page, begin: int, told: Mapping[str, object]) -> list[Row]:
    """Every trade from `begin` on, whichever end of them the exchange gives first. `told`: by ccxt, of the call."""
    limit = _whole(told.get("limit")) or PAGE_USUAL
    found: dict[str, Row] = {}
    rows = await page(begin, None, limit)
    _take(found, rows)
    for _ in range(PAGES_MAX):
        if len(rows) < limit:
            return list(found.values())
        before = len(found)
        rows = await page(max(_stamps(found.values())), None, limit)
        _take(found, rows)
        if len(found) == before:  # what it gave was the newest there is: older ones may be missing
            return list((await _backwards(page, begin, found, limit, told)).values())
    raise Incomplete(f"trades: no end after {PAGES_MAX} pages")


async def _backwards(
    page: Page, begin: int, found: dict[str, Row], limit: int, told: Mapping[str, object]
) -> dict[str, Row]:
    if told.get("untilDays") is None:
        raise Incomplete("trades: a page may be cut off, and this exchange gives none before it")
    for _ in range(PAGES_MAX):
        rows = await page(begin, min(_stamps(found.values())), limit)
        before = len(found)
        _take(found, rows)
        if len(found) == before:
            return found
    raise Incomplete(f"trades: no end after {PAGES_MAX} pages")


def _take(found: dict[str, Row], rows: Iterable[Row]) -> None:
    found |= {f"{row.get('symbol')}:{row.get('id')}": row for row in rows}


def _stamps(rows: Iterable[Row]) -> list[int]:
    return [parse.stamp(row, "trade") for row in rows]


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0
