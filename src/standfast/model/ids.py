"""Names of things, and the one derivation of client order ids.

A client order id is a function of what it stands for: account, position, role, attempt. The same
intent has the same id in every life of the process, so sending it twice is one order to the broker.
"""

import base64
import hashlib
from functools import lru_cache
from typing import NamedTuple, NewType

AccountId = NewType("AccountId", str)
InstrumentId = NewType("InstrumentId", str)
"""`AAPL`, OSI for options (`SPXW260204P06885000`), ccxt unified for crypto (`BTC/USDT:USDT`)."""
PositionId = NewType("PositionId", str)
ClientOrderId = NewType("ClientOrderId", str)
BrokerOrderId = NewType("BrokerOrderId", str)
ExecutionId = NewType("ExecutionId", str)
BreakId = NewType("BreakId", str)
AlertId = NewType("AlertId", str)
RequestId = NewType("RequestId", str)
EntryNumber = NewType("EntryNumber", int)
"""An entry's place in the journal; prefer it to time for "before" and "after"."""

OWN_PREFIX = "sf"
STRUCTURE = "structure"
"""Instead of a hedge: where orders for all legs of a structure are kept. No broker reports such a holding."""


class Holding(NamedTuple):
    """What the broker nets: an instrument, and a side ("long" or "short") where the account is hedged."""

    instrument: InstrumentId
    hedge: str = ""

    def __str__(self) -> str:
        is_side = self.hedge and self.hedge != STRUCTURE
        return f"{self.instrument}:{self.hedge}" if is_side else str(self.instrument)


SIDES_OF_A_HEDGE = ("long", "short")


def holding_named(text: str) -> Holding:
    """The holding of that name, as `str` gives it."""
    name, _, side = text.rpartition(":")
    return Holding(InstrumentId(name), side) if name and side in SIDES_OF_A_HEDGE else Holding(InstrumentId(text))


def structure_holding(id: PositionId) -> Holding:
    """Where a structure's own orders and looks have their place."""
    return Holding(InstrumentId(id), STRUCTURE)


def position_id(*parts: object) -> PositionId:
    """The id of a position that begins now, derived from what makes it this one and no other."""
    return PositionId(f"p{digest(*parts)[:9]}")


def client_order_id(account: AccountId, position: PositionId, role: str, attempt: int) -> ClientOrderId:
    """The id of one intent: at most 36 characters of `[a-z0-9-]`, the narrowest alphabet of our brokers."""
    return ClientOrderId(f"{OWN_PREFIX}{account_tag(account)}-{role[0]}{digest(account, position, role, attempt)}")


@lru_cache(maxsize=64)
def account_tag(account: AccountId) -> str:
    """Four characters that tell our accounts apart inside one broker account's order list."""
    return digest(account)[:4]


def is_own(client_id: str, account: AccountId) -> bool:
    """Whether a client order id was derived by this account's guard (in this life or an earlier one)."""
    return client_id.startswith(f"{OWN_PREFIX}{account_tag(account)}-")


def is_told_as(told: str, id: ClientOrderId) -> bool:
    """Whether a broker that cuts ids off, changes their letters or leaves them out may tell this id so."""
    return id.lower().startswith(told.lower())


def digest(*parts: object) -> str:
    """Sixteen base32 characters (80 bits) over the parts; equal parts, equal digest, on every machine."""
    raw = hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).digest()
    return base64.b32encode(raw[:10]).decode().lower()
