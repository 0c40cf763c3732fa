"""Option contracts by their name: OSI without padding (`SPXW260204P06885000`).

Six characters of root at most, the expiry as yymmdd, C or P, the strike times a thousand in eight digits. The name
says everything about a contract but its multiplier and how it settles, which the root decides.
"""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

from standfast.model.ids import InstrumentId

OSI = re.compile(r"([A-Z0-9]{1,6}) {0,5}([0-9]{2})([0-9]{2})([0-9]{2})([CP])([0-9]{8})", re.ASCII)
CENTURY = 2000
STRIKE_UNITS = 1000
STRIKE_MAX = Decimal("99999.999")
NAMES_KEPT = 20_000


CLASS_OF_SHARES = re.compile(r"([A-Z]{1,5})[./]([A-Z])", re.ASCII)
MARKS = (".", "/")
"""Between a share and its class, as brokers write them."""


def listed_under(shares: str) -> str:
    """The root of the options on these shares. Of a class the mark is left out: `BRK.B`, `BRK/B`, and `BRKB`."""
    if not any(mark in shares for mark in MARKS):
        return shares  # as nearly always
    found = CLASS_OF_SHARES.fullmatch(shares)
    return "".join(found.groups()) if found is not None else shares


class Right(StrEnum):
    CALL = "call"
    PUT = "put"


CONTRACT_SIZE = Decimal(100)
"""Shares, or dollars a point of an index, that one contract stands for. Brokers tell it; an adjusted one may differ."""

RIGHTS = {"C": Right.CALL, "P": Right.PUT}


@dataclass(frozen=True, slots=True, order=True)
class OptionContract:
    """One listed contract; ordered by root, expiry, right and strike. Equal contracts have one name."""

    root: str
    """What the contract is listed under: `SPXW`, of the index SPX; an adjusted one ends in a digit (`AAPL1`)."""
    expiry: date
    right: Right
    strike: Decimal

    @property
    def instrument(self) -> InstrumentId:
        """Its OSI name, unpadded. Raises ValueError for what OSI cannot write."""
        scaled = self.strike * STRIKE_UNITS
        if not 0 < self.strike <= STRIKE_MAX or scaled != scaled.to_integral_value():
            raise ValueError(f"a strike of {self.strike} has no OSI name")
        name = f"{self.root}{self.expiry:%y%m%d}{self.right.value[0].upper()}{int(scaled):08d}"
        if OSI.fullmatch(name) is None or not CENTURY <= self.expiry.year < CENTURY + 100:
            raise ValueError(f"{self} has no OSI name")
        return InstrumentId(name)


@lru_cache(maxsize=NAMES_KEPT)
def option_contract(name: str) -> OptionContract | None:
    """The contract that an OSI name means, padded or not; None for any other name.

    Kept: every look asks it of every holding.
    """
    found = OSI.fullmatch(name)
    if found is None:
        return None
    root, year, month, day, right, thousandths = found.groups()
    strike = Decimal(thousandths) / STRIKE_UNITS
    try:
        expiry = date(CENTURY + int(year), int(month), int(day))
    except ValueError:
        return None
    return OptionContract(root, expiry, RIGHTS[right], strike) if strike else None
