"""How options end: what an expired contract becomes, until when it trades, and whether it may be assigned before.

The root decides. Options on an index become cash; all others are taken to deliver shares, at any time and after the
close of their last day, which is the worse to be wrong about. Options settled at the opening prices of their last day
(AM) trade for the last time the trading day before.
"""

from dataclasses import dataclass
from typing import Final

from standfast.model.option import OptionContract


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    underlying: str
    cash: bool = True
    at_open: bool = False
    american: bool = False
    """May be exercised, and so assigned, before its last day."""


INDEX_OPTIONS: Final = {
    "SPX": Settlement(underlying="SPX", at_open=True),
    "SPXW": Settlement(underlying="SPX"),
    "XSP": Settlement(underlying="XSP"),
    "NDX": Settlement(underlying="NDX", at_open=True),
    "NDXP": Settlement(underlying="NDX"),
    "RUT": Settlement(underlying="RUT", at_open=True),
    "RUTW": Settlement(underlying="RUT"),
    "VIX": Settlement(underlying="VIX", at_open=True),
    "VIXW": Settlement(underlying="VIX", at_open=True),
    "DJX": Settlement(underlying="DJX", at_open=True),
    "OEX": Settlement(underlying="OEX", american=True),
    "XEO": Settlement(underlying="XEO"),
}


def settlement(contract: OptionContract) -> Settlement:
    """How this contract ends. An adjusted root (`AAPL1`) is its own underlying: its shares are not the plain ones."""
    known = INDEX_OPTIONS.get(contract.root)
    return known if known is not None else Settlement(underlying=contract.root, cash=False, american=True)
