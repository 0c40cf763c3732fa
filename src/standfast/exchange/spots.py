"""What an index must stand at for the quotes of its options to make sense.

A call less a put of one strike is worth the underlying less the strike (put-call parity; interest and dividends over
the little time left are next to nothing). The pair quoted most tightly says it best, of whichever expiry: in the last
minutes of a day those that end with it are hardly quoted at all.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from standfast.exchange.assets import Quote
from standfast.exchange.contracts import contract_of

Key = tuple[date, Decimal]


def implied_spot(quotes: Mapping[str, Quote], underlying: str, expiry: date) -> Decimal | None:
    """None when no strike has a call and a put with both sides quoted. Of equals that of `expiry` is taken."""
    calls: dict[Key, Quote] = {}
    puts: dict[Key, Quote] = {}
    for name, quote in quotes.items():
        contract = contract_of(name)
        if contract is not None and contract.underlying == underlying and quote.bid and quote.ask:
            side = calls if contract.right == "call" else puts
            side[contract.expiry, contract.strike] = quote
    both = calls.keys() & puts.keys()
    if not both:
        return None

    def looseness(key: Key) -> tuple[Decimal, bool, Key]:
        call, put = calls[key], puts[key]
        return call.ask - call.bid + put.ask - put.bid, key[0] != expiry, key

    best = min(both, key=looseness)
    return best[1] + calls[best].middle - puts[best].middle
