"""Option contracts: what their OSI name says, and what their class implies.

A name is root, expiry (YYMMDD), C or P, and the strike times 1,000 in eight digits: `SPXW210106P03800000`. Of the rest
only the root tells: index options are European and settled in cash, all others American and settled in shares.
Everything here is a function of the name, so two places can never disagree about a contract.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Literal

OSI = re.compile(r"(?P<root>[A-Z]{1,6})(?P<expiry>\d{6})(?P<right>[CP])(?P<strike>\d{8})")
HUNDRED = Decimal(100)
ZERO = Decimal(0)
SMALLEST_GAIN = Decimal("0.01")  # exercised by exception from here on

INDEX_OF = {
    "SPX": "SPX", "SPXW": "SPX", "XSP": "XSP", "NDX": "NDX", "NDXP": "NDX", "RUT": "RUT", "RUTW": "RUT", "VIX": "VIX",
    "VIXW": "VIX", "XEO": "XEO",
}  # fmt: skip
SETTLED_AT_THE_OPEN = frozenset({"SPX", "NDX", "RUT", "VIX", "VIXW"})  # the others at the close of the last day


@dataclass(frozen=True, slots=True)
class Contract:
    """One option. `multiplier`: units of the underlying."""

    name: str
    root: str
    underlying: str
    expiry: date
    right: Literal["call", "put"]
    strike: Decimal
    multiplier: Decimal = HUNDRED

    @property
    def is_cash_settled(self) -> bool:
        """European, too: what settles in cash cannot be exercised before its last day."""
        return self.root in INDEX_OF

    @property
    def settles_at_open(self) -> bool:
        """Settled at the opening of the last day; it traded last the session before."""
        return self.root in SETTLED_AT_THE_OPEN

    def intrinsic(self, spot: Decimal) -> Decimal:
        """What exercising one unit is worth."""
        gain = spot - self.strike if self.right == "call" else self.strike - spot
        return max(ZERO, gain)


@lru_cache(maxsize=100_000)
def contract_of(name: str) -> Contract | None:
    """The contract that a name stands for; None when it is no option's name."""
    match = OSI.fullmatch(name)
    if match is None:
        return None
    try:
        expiry = datetime.strptime(match["expiry"], "%y%m%d").date()  # noqa: DTZ007  a calendar day has no zone
    except ValueError:
        return None
    root = match["root"]
    return Contract(
        name=name,
        root=root,
        underlying=INDEX_OF.get(root, root),
        expiry=expiry,
        right="call" if match["right"] == "C" else "put",
        strike=Decimal(match["strike"]) / 1000,
    )
