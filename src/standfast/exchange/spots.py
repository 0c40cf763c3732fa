"""What an index must stand at for the quotes of its options to make sense.

A call less a put of one strike is worth the underlying less the strike (put-call parity; interest over the little time
left is nothing). The strike where the two are nearest to each other says it best.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from standfast.exchange.assets import Quote
from standfast.exchange.contracts import contract_of


def implied_spot(quotes: Mapping[str, Quote], underlying: str, expiry: date) -> Decimal | None:
    """None when no strike of that expiry has a call and a put with both sides quoted."""
    calls: dict[Decimal, Decimal] = {}
    puts: dict[Decimal, Decimal] = {}
    for name, quote in quotes.items():
        contract = contract_of(name)
        if contract is None or contract.underlying != underlying or contract.expiry != expiry:
            continue
        if quote.bid and quote.ask:
            (calls if contract.right == "call" else puts)[contract.strike] = quote.middle
    if not (both := sorted(calls.keys() & puts.keys())):
        return None
    strike = min(both, key=lambda at: abs(calls[at] - puts[at]))
    return strike + calls[strike] - puts[strike]
