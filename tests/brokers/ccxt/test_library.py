"""What accounts at one exchange share is let go of when nobody uses it any more."""

import gc
import weakref
from typing import Any

import ccxt.pro

from standfast import adapters
from standfast.brokers.ccxt.markets import Shelf, table

ROWS = [
    {
        "id": "BTCUSDT",
        "symbol": "BTC/USDT:USDT",
        "contract": True,
        "linear": True,
        "spot": False,
        "swap": True,
        "type": "swap",
        "base": "BTC",
        "quote": "USDT",
        "settle": "USDT",
        "settleId": "USDT",
        "precision": {"price": "0.1", "amount": "0.001"},
    }
]


def library() -> Any:
    return ccxt.pro.bybit({"enableRateLimit": False})


def known(shelf: Shelf) -> Shelf:
    shelf._markets = table(ROWS)
    return shelf


def test_accounts_at_one_address_share_a_shelf_that_goes_with_the_last_of_them() -> None:
    """A process that serves one exchange after the other kept every one of them, a megabyte each."""
    one = adapters._shelf("bybit", "http://127.0.0.1:1", live=False)
    other = adapters._shelf("bybit", "http://127.0.0.1:1", live=False)
    elsewhere = adapters._shelf("bybit", "http://127.0.0.1:2", live=False)

    assert one is other
    assert one is not elsewhere

    left = weakref.ref(one)
    del one, other
    gc.collect()
    assert left() is None


async def test_an_account_that_is_closed_is_not_kept_for_the_names_it_has_brought() -> None:
    shelf = known(Shelf())
    first, second = library(), library()
    shelf.teach(first)
    shelf.teach(second)
    assert second.markets is first.markets, "the names are there once"

    await first.close()
    left = weakref.ref(first)
    del first
    gc.collect()
    assert left() is None

    third = library()
    shelf.teach(third)
    assert set(third.markets) == set(second.markets) == {"BTC/USDT:USDT"}
    for each in (second, third):
        await each.close()
