"""Why the exchange made an order or a trade of its own accord, by its own words beside ccxt's fields. Pure.

Theory. ccxt has no field for it. An exchange that lists deleveraging and settlement among the trades says so there, in
a field about what kind of trade it is; and those that speak as Binance does, by a client order id that they keep for
themselves. Liquidations have lists of their own besides (`causes.py`).

Invariants
- What nobody says is no cause: such a trade is booked as somebody else's.
- What a bot may write itself (an id, a tag) says nothing, unless the exchange keeps it for itself.
"""

import re
from collections.abc import Mapping

from standfast.brokers.ccxt.unified.parse import Row

ABOUT = re.compile(r"(trade|order|exec|fill|deal|sub)_?(type|side|source)|category|^reason$|finish|^type$|^dir$")
"""Names of fields about what kind of trade or order it is; compared without regard to capitals. Why an order was
cancelled or refused is another matter."""
WORDS = {
    "adl": re.compile(r"\badl\b|deleverag"),
    "settlement": re.compile(r"\bsettle(d|ment)?\b|\bdeliver(y|ed)\b"),
    "liquidation": re.compile(r"\bliq(uidat\w*)?\b|\bburst\b|\bbust\b"),
}
KEPT_IDS = {
    "adl_autoclose": "adl",
    "autoclose-": "liquidation",
    "settlement_autoclose": "settlement",
    "delivery_autoclose": "settlement",
}
"""Beginnings of client order ids that no user may choose, at Binance and where its ways are kept."""


def cause_of(row: Row) -> str:
    """`adl`, `settlement`, `liquidation`; empty where nothing says that it was the exchange."""
    id = str(row.get("clientOrderId") or "")
    kept = next((cause for start, cause in KEPT_IDS.items() if id.startswith(start)), "")
    return kept or _in_words(row.get("info"))


def _in_words(info: object) -> str:
    named = info.items() if isinstance(info, Mapping) else ()
    told = [str(value).lower().replace("_", " ") for name, value in named if ABOUT.search(str(name).lower())]
    return next((cause for cause, words in WORDS.items() if any(words.search(each) for each in told)), "")
