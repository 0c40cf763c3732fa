"""What an exchange must have in ccxt to be guarded, and what is done without where it lacks something. Pure.

Invariant: what has no answer in ccxt is refused before anything starts, with everything named that lacks.
"""

from collections.abc import Mapping
from typing import Any

from standfast.brokers.ccxt.library import Library

NEEDED: Mapping[str, tuple[str, ...]] = {
    "linear contracts": ("swap", "future"),
    "a list of positions": ("fetchPositions",),
    "a list of open orders": ("fetchOpenOrders",),
    "a look at one order": ("fetchOrder",),
    "a list of past orders": ("fetchOrders", "fetchClosedOrders", "fetchCanceledAndClosedOrders"),
    "a list of the account's trades": ("fetchMyTrades",),
    "orders": ("createOrder",),
    "cancels": ("cancelOrder",),
    "the account's balance": ("fetchBalance",),
    "prices": ("fetchBidsAsks", "fetchTickers", "fetchTicker", "fetchOrderBook"),
}
"""In words, and any one of these of ccxt's will do."""
PAST = ("fetchOrders", "fetchCanceledAndClosedOrders", "fetchClosedOrders", "fetchCanceledOrders")
OPTIONS: Mapping[str, object] = {"warnOnFetchOpenOrdersWithoutSymbol": False, "builderFee": False}
"""ccxt's own: no warning in place of a list, and no fee of ours for anybody."""
KEYS_WE_HAVE = frozenset({"apiKey", "secret", "password"})


def mean_perpetuals(library: Library) -> None:
    """Have calls that name no contract be about linear perpetuals, where the exchange trades other things too."""
    if library.has.get("spot"):
        library.options |= {"defaultType": "swap", "defaultSubType": "linear"}


def can(library: Library, name: str) -> bool:
    """Whether ccxt has this of the exchange's own; what it makes up of other calls does not count."""
    return library.has.get(name) is True


def lacking(library: Library) -> list[str]:
    """What keeps this exchange from being guarded at all, in words; nothing for one that can be tried."""
    found = [what for what, names in NEEDED.items() if not any(can(library, name) for name in names)]
    keys = sorted(
        key for key, is_needed in library.requiredCredentials.items() if is_needed and key not in KEYS_WE_HAVE
    )
    return [*found, *(f"a key without {key}" for key in keys)]


def feature(library: Library, method: str) -> Mapping[str, Any]:
    """What ccxt tells of one call for linear perpetuals; nothing where it tells nothing."""
    found: Any = library.features or {}
    for name in ("swap", "linear", method):
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}
