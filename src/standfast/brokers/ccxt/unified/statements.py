"""What can and cannot be guarded on an exchange that is spoken to through ccxt alone, said before it matters."""

from collections.abc import Mapping, Sequence

from standfast.brokers.ccxt.library import Library
from standfast.brokers.ccxt.markets import Markets
from standfast.brokers.ccxt.unified.abilities import can, feature
from standfast.brokers.ccxt.unified.rehearsal import Means
from standfast.model.evidence import Guarded

LATELY = "contracts that are held, or of which anything was seen in the last 15 minutes"
CAUSES = {
    "fetchMyLiquidations": (
        "liquidations",
        "are booked with their cause, from their own list where no trade tells of them",
        "one that is not among the trades shows as a position that is gone",
    ),
    "fetchFundingHistory": (
        "funding",
        "is booked as a fee, where the exchange says whether it was paid or received",
        "it is not in the books",
    ),
}
KEY_RIGHTS = "see whether the key may read them"
ELSEWHERE = 'guard this account on an exchange that has it, or set mode = "alert" and close by hand'


def statements(library: Library, markets: Markets, means: Means, failing: Mapping[str, str]) -> list[Guarded]:
    """`failing`: lists of ccxt's that could not be read just now, and why."""
    return [
        _positions(library, markets, means),
        _orders(library, means),
        _protection(means),
        Guarded("fills", ok=True, detail=_fills(library)),
        _causes(library, failing),
        Guarded("doubts", ok=True, detail="an order in doubt is looked for by its id of ours, never sent again"),
    ]


def before_any_key(library: Library) -> list[Guarded]:
    """Those that need no answer of the exchange."""
    return [Guarded("fills", ok=True, detail=_fills(library)), _causes(library, {})]


def _positions(library: Library, markets: Markets, means: Means) -> Guarded:
    modes = "one-way mode only (hedge mode is refused)"
    if means.sides is not None:
        modes = f"one-way mode, and hedge mode (each side by itself, by the exchange's own `{means.sides.name}`)"
    clock = "" if can(library, "fetchTime") else "; its clock is not told: this machine's is used"
    detail = f"{len(markets.by_id)} linear contracts in {', '.join(markets.settles)}, {modes}, "
    detail += "as ccxt's one call for all positions tells them; inverse contracts, options, spot and anything "
    return Guarded("positions", ok=True, detail=f"{detail}lent are not looked at{clock}")


def _orders(library: Library, means: Means) -> Guarded:
    if means.may_trade:
        said = "orders that may only reduce, with ids of ours, by the exchange's own marks for both"
        if feature(library, "fetchOpenOrders").get("symbolRequired") is not False:
            said += f"; open orders are looked for in {LATELY} only"
        return Guarded("orders", ok=True, detail=said)
    lacks: Sequence[str] = means.lacking or ("orders could not be tried",)
    return Guarded("orders", ok=False, detail=f"no order is sent: {'; '.join(lacks)}", remedy=ELSEWHERE)


def _protection(means: Means) -> Guarded:
    if not means.may_trade:
        return Guarded("protection", ok=False, detail="nothing can be protected or closed", remedy=ELSEWHERE)
    if not means.has_stops:
        return Guarded(
            "protection",
            ok=True,
            detail="no stop rests at the exchange, as far as ccxt can say one: the guard watches prices and closes; "
            "while it is not running nothing is protected",
        )
    said = (
        f"stops rest at the exchange ({means.stop_params[0]}), by the price it judges them by; what one becomes when "
    )
    said += "it fires may be told as an order of somebody else's; a target beside a stop is held by the guard"
    return Guarded("protection", ok=True, detail=said)


def _fills(library: Library) -> str:
    which = "every trade of the account"
    if feature(library, "fetchMyTrades").get("symbolRequired") is not False:
        which = f"trades of {LATELY}"
    said = "booked with their cause where a trade's own words say so, else as somebody else's trade"
    return f"{which}; settlement and deleveraging: {said}; told as no trade, an alarm says that quantity is gone"


def _causes(library: Library, failing: Mapping[str, str]) -> Guarded:
    """Whether what is taken away, and what it costs to hold, is told with its cause."""
    told = [_cause(library, failing, call, *words) for call, words in CAUSES.items()]
    return Guarded("causes", ok=not failing, detail="; ".join(told), remedy=KEY_RIGHTS if failing else "")


def _cause(library: Library, failing: Mapping[str, str], call: str, what: str, told: str, otherwise: str) -> str:
    if call in failing:
        return f"{what} cannot be read ({failing[call]}): {otherwise}"
    return f"{what} {told}" if can(library, call) else f"{what}: ccxt has no call for them here, {otherwise}"
